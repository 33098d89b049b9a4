"""The shape of the house: what may import what, where secrets are read, what the tables are."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.store.database import metadata
from bot.store.models import Sealed
from tests.drivers.waymark import wired

ROOT = Path(__file__).parent.parent
OURS = sorted(p for part in ("content", "bot", "web") for p in (ROOT / part).rglob("*.py"))


def test_there_is_code_to_look_at():
    assert len(OURS) > 40


def contracts(folder: Path) -> subprocess.CompletedProcess:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_contracts_hold():
    done = contracts(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("content/schema.py", "import bot.settings"),
        ("bot/conversation/engine.py", "import sqlalchemy"),
        ("bot/intake.py", "import telegram"),
        ("web/public/form.py", "import bot.conversation.engine"),
        ("web/staff/queue.py", "import web.public.form"),
        ("web/public/site.py", "import bot.store.submissions"),
        ("web/casework/queue.py", "import bot.store.rights"),
    ],
)
def test_a_deliberate_violation_is_caught(tmp_path, file, planted):
    for part in ("content", "bot", "web"):
        copied = subprocess.run(["cp", "-r", ROOT / part, tmp_path / part], check=True)
        assert copied.returncode == 0
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    target = tmp_path / file
    target.write_text(target.read_text() + f"\n{planted}  # noqa\n")
    done = contracts(tmp_path)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout


def test_there_is_one_commit_in_the_code():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]
    assert len(found) == 1, found
    assert found[0].startswith("bot/store/database.py")


# --- Ways round the rights ------------------------------------------------------------------

ONE = {"get", "alert", "alert_on", "by_return_key", "by_conversation"}
"""What reads one submission or alert without asking who looks; web.casework.rows asks first."""
TABLES = {"csv", "openpyxl", "xlsxwriter", "xlwt", "odf", "docx", "pandas", "pyarrow"}
"""What writes lists that people take away."""


def shortcuts(file: str, source: str) -> set[str]:
    """Ways past the registry of rights that this file takes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        for name in _brings_in(node):
            if name.split(".")[0] in TABLES and file != "web/casework/exports.py":
                found.add("a list that leaves by another door than web/casework/exports.py")
            if file.startswith("web/"):
                found |= _past_rows(file, name)
    return found


def _past_rows(file: str, name: str) -> set[str]:
    if name.startswith("sqlalchemy") and name != "sqlalchemy.ext.asyncio.AsyncConnection":
        return {"SQL outside the store"}
    if name.startswith("bot.store.models.") and name != "bot.store.models.Found":
        return {"a table outside the store"}
    of, _, called = name.rpartition(".")
    if of in ("submissions", "bot.store.submissions") and called in ONE:
        return set() if file == "web/casework/rows.py" else {"a submission without asking who"}
    return set()


def _brings_in(node: ast.AST) -> list[str]:
    """What an import or a dotted name reaches for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return [f"{node.value.id}.{node.attr}"]
    return []


def test_nobody_goes_round_the_rights():
    for path in OURS:
        file = path.relative_to(ROOT).as_posix()
        assert shortcuts(file, path.read_text()) == set(), file


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("web/casework/review.py", "row = submissions.get(db, 'any')"),
        ("web/casework/alerts.py", "from bot.store.submissions import alert"),
        ("web/casework/record.py", "import sqlalchemy as sa"),
        ("web/casework/queue.py", "from sqlalchemy import text"),
        ("web/demo.py", "from bot.store.models import SubmissionRow"),
        ("web/staff/queue.py", "import csv"),
        ("bot/replies.py", "from openpyxl import Workbook"),
    ],
)
def test_a_way_round_the_rights_is_caught(file, planted):
    source = (ROOT / file).read_text()
    assert shortcuts(file, source) == set()
    assert len(shortcuts(file, f"{source}\n{planted}\n")) == 1


def test_every_module_says_its_job_in_a_line():
    for path in OURS:
        if "migrations" not in path.parts:
            said = ast.get_docstring(ast.parse(path.read_text()))
            assert said, path
            assert "\n\n" not in said or len(said.splitlines()[0]) < 110, path


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_migrations_make_the_tables_the_code_has(kind, tmp_path, request):
    url = request.getfixturevalue("bare_postgres_url") if kind == "postgresql" else None
    parts, _ = wired(tmp_path, url)
    await parts.database.migrate()

    def differences(connection: sa.Connection) -> list:
        return compare_metadata(MigrationContext.configure(connection), metadata())

    async with parts.database.reading() as db:
        found = await db.run_sync(differences)
    await parts.database.migrate()  # a second time changes nothing
    await parts.database.close()
    assert found == []


# --- Tables say what they hold --------------------------------------------------------------


def unclassed(tables: sa.MetaData) -> list[str]:
    """Columns that don't say what they hold, or can't hold it."""
    faults = []
    for table in tables.sorted_tables:
        for column in table.columns:
            kind = column.info.get("class")
            if kind not in ("plain", "published", "sealed", "index"):
                faults.append(f"{table.name}.{column.name} has no class")
            elif (kind == "sealed") != isinstance(column.type, Sealed):
                faults.append(f"{table.name}.{column.name} is not of the type it says")
    return faults


def test_every_column_says_what_it_holds():
    assert len(metadata().sorted_tables) > 12
    assert unclassed(metadata()) == []


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (sa.Column("words", sa.String), "planted.words has no class"),
        (sa.Column("words", sa.String, info={"class": "words"}), "planted.words has no class"),
        (sa.Column("words", sa.String, info={"class": "sealed"}), "is not of the type it says"),
        (sa.Column("words", Sealed, info={"class": "plain"}), "is not of the type it says"),
    ],
)
def test_a_column_without_a_class_is_caught(column, fault):
    planted = sa.MetaData()
    sa.Table("planted", planted, column)
    (found,) = unclassed(planted)
    assert fault in found
