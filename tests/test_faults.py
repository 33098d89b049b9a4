"""Every rule that content is held to: what breaks it, and exactly what is said of that.

Each fault of faults.yaml is planted by itself in tiny content that has none, so what is said of it
is all that is said.
"""

import shutil
from pathlib import Path

import pytest
import yaml

from content import checks, loader
from content.loader import ContentError

HERE = Path(__file__).parent
PLANTED = yaml.safe_load((HERE / "faults.yaml").read_text())


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Tiny content without a fault: content_sound, and from content_small what it has not."""
    to = tmp_path_factory.mktemp("sound") / "content"
    shutil.copytree(HERE / "content_small", to, ignore=shutil.ignore_patterns("flows", "wording"))
    shutil.copytree(HERE / "content_sound", to, dirs_exist_ok=True)
    return to


def said(folder):
    try:
        return checks.report(checks.check(loader.read(folder)))
    except ContentError as error:
        return str(error)


def test_it_is_sound(sound):
    assert said(sound) == ""


@pytest.mark.parametrize("fault", PLANTED, ids=[f["says"].split(":", 2)[2][:70] for f in PLANTED])
def test_a_fault_is_said_by_file_line_and_key(sound, tmp_path, fault):
    copy = tmp_path / "content"
    shutil.copytree(sound, copy)
    path, put = copy / fault["file"], fault["put"] * fault.get("times", 1)
    if old := fault.get("instead_of"):
        text = path.read_text()
        assert old in text
        put = text.replace(old, put, 1)
    path.write_text(put)
    assert said(copy) == f"content/{fault['says']}"
