"""Getting everything back: on either database, whole or not at all, and nothing that was erased."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import anchors, erased, erasure
from bot.backup import envelope, erasures, keyfiles, keypair, making, restoring
from bot.erasure import Why
from bot.errors import BadBackup, Erased
from bot.store import copying, outbox, samples, sealing, submissions
from bot.store.database import revisions, upgrade
from bot.store.models import Audit, Base, ConversationRow, Note, Outbox, Reply, SubmissionRow
from bot.wiring import Waymark
from tests import opened
from tests.backups import CANARY, House, person
from tests.drivers.waymark import Clock, wired
from tests.test_backup import disk_with_room_for


def empty_wired(folder: Path, keys_of: House, url: str | None = None) -> tuple[Waymark, Clock]:
    """A clean machine with the keys put back, and nothing else."""
    for name in ("secret", "keys"):
        there = keys_of.data_dir / name
        (shutil.copytree if there.is_dir() else shutil.copy)(there, _made(folder) / name)
    return wired(folder, url)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
async def clean(house: House, tmp_path: Path) -> AsyncIterator[Waymark]:
    waymark, _ = empty_wired(tmp_path / "clean", house)
    yield waymark
    await waymark.database.close()


async def everything(waymark: Waymark) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table as it stands there."""
    async with waymark.database.reading() as db:
        there = await copying.tables(db)
        return {
            t.name: [r for rows in [r async for r in copying.rows(db, t)] for r in rows]
            for t in there
        }


# --- All of it ----------------------------------------------------------------------------


@pytest.mark.parametrize("onto", ["sqlite", "postgres"])
async def test_every_row_comes_back_as_it_was_on_either_database(
    either: House, onto: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("other_postgres_url") if onto == "postgres" else None
    waymark, clock = empty_wired(tmp_path / "clean", either, url)
    file = await either.back_up()
    report = await restoring.restore(waymark, file, either.private)
    assert report.whole
    assert set(report.opened) == {f"{c.class_.__tablename__}.{c.key}" for c in samples.OWNERS}
    there = House(waymark, clock, either.shelf, either.private)
    _, before = either.said(file)
    _, after = there.said(await there.back_up())
    assert "database.restored" in after["audit"].pop()
    for rows in (before, after):
        del rows["audit_head"], rows["audit_check"]
    assert after == before
    (note,) = await opened.rows(waymark, Note)
    assert note.text == f"{CANARY} note"
    await waymark.database.close()


async def test_new_rows_get_numbers_of_their_own(
    house: House, tmp_path: Path, bare_postgres_url: str
) -> None:
    """On PostgreSQL a number is given out by a sequence, which knows nothing of restored rows."""
    waymark, clock = empty_wired(tmp_path / "clean", house, bare_postgres_url)
    await restoring.restore(waymark, await house.back_up(), house.private)
    async with waymark.database.transaction() as db:
        await outbox.post(db, "new", "telegram:77", {}, clock())
    assert len(await opened.rows(waymark, Outbox)) == 2
    await waymark.database.close()


async def test_that_it_was_restored_is_written_down(house: House, clean: Waymark) -> None:
    file = await house.back_up()
    manifest, _ = house.said(file)
    await restoring.restore(clean, file, house.private)
    line = (await opened.rows(clean, Audit))[-1]
    assert (line.actor, line.action) == ("waymark", "database.restored")
    assert line.object_id == f"{manifest.made_at:%Y-%m-%dT%H:%M:%SZ}"
    assert line.detail["kept"] == manifest.audit[0] == line.seq - 1
    assert line.prev == manifest.audit[1]


async def test_anchors_of_what_was_lost_are_no_fault(house: House, tmp_path: Path) -> None:
    """The log goes on after the backup, is anchored, and then all that is lost."""
    place = str(tmp_path / "elsewhere" / "anchors.jsonl")
    chosen = house.waymark.settings.model_copy(update={"audit_anchor": place})
    file = await house.back_up()
    await person(house.waymark, "Bea")
    assert await anchors.anchor(replace(house.waymark, settings=chosen))
    clean, clock = empty_wired(tmp_path / "clean", house)
    clock.forward(timedelta(hours=1))
    report = await restoring.restore(replace(clean, settings=chosen), file, house.private)
    assert report.whole
    line = (await opened.rows(clean, Audit))[-1]
    assert line.detail["anchored"] == line.seq
    await clean.database.close()


async def test_a_fault_in_the_log_is_told_and_the_rest_is_there_all_the_same(
    house: House, clean: Waymark
) -> None:
    async with house.waymark.database.transaction() as db:
        await db.execute(sa.text("DROP TRIGGER audit_update"))
        await db.execute(sa.text("UPDATE audit SET actor = 'somebody' WHERE seq = 3"))
    report = await restoring.restore(clean, await house.back_up(), house.private)
    assert not report.whole
    assert report.audit is not None
    assert report.audit.fault is not None
    assert report.audit.fault.seq == 3
    assert await opened.rows(clean, SubmissionRow)


async def test_a_backup_from_before_a_change_of_the_tables_is_brought_up_to_date(
    house: House, clean: Waymark, tmp_path: Path
) -> None:
    old, clock = wired(tmp_path / "old")
    async with old.database.transaction() as db:
        await db.run_sync(upgrade, old.keys, "0001")
        now = clock().strftime("%Y-%m-%d %H:%M:%S.%f")
        await db.execute(
            sa.text(
                "INSERT INTO conversation VALUES "
                "('c', 's', 'f', :state, 1, 'open', 'k', :at, :at, :at)"
            ),
            {"state": f'{{"said": "{CANARY}"}}', "at": now},
        )
    before = House(old, clock, house.shelf, house.private)
    file = await before.back_up()
    assert before.said(file)[0].revision == "0001"
    await restoring.restore(clean, file, house.private)
    (row,) = await opened.rows(clean, ConversationRow)
    assert row.state == {"said": CANARY}
    assert await revision(clean) == await revision(house.waymark) == max(revisions())
    await old.database.close()


async def revision(waymark: Waymark) -> str | None:
    async with waymark.database.reading() as db:
        return await copying.revision(db)


async def test_a_backup_of_a_later_waymark_is_refused(house, clean, monkeypatch) -> None:
    file = await house.back_up()
    monkeypatch.setattr(restoring, "revisions", lambda: {"0001"})
    with pytest.raises(BadBackup, match="later Waymark"):
        await restoring.restore(clean, file, house.private)
    assert await everything(clean) == {}


# --- Or nothing ---------------------------------------------------------------------------


async def test_a_database_with_something_in_it_is_left_alone(either: House) -> None:
    file, before = await either.back_up(), await everything(either.waymark)
    with pytest.raises(restoring.NotEmpty, match="--replace"):
        await restoring.restore(either.waymark, file, either.private)
    assert await everything(either.waymark) == before


async def test_what_is_replaced_is_backed_up_first(either: House) -> None:
    first = await either.back_up()
    async with either.waymark.database.transaction() as db:
        await db.execute(sa.delete(Note))
    before = await everything(either.waymark)
    report = await restoring.restore(either.waymark, first, either.private, replace=True)
    assert len(await opened.rows(either.waymark, Note)) == 1
    assert report.aside is not None
    # And back again: a restore that was a mistake can be undone.
    aside = making.folder(either.waymark.settings) / report.aside.file
    await restoring.restore(either.waymark, aside, either.private, replace=True)
    after = await everything(either.waymark)
    after["audit"].pop()
    gone = {"staff_session", "sign_in_link", "audit_head", "audit_check"}
    assert {name: rows for name, rows in after.items() if name not in gone} == {
        name: rows for name, rows in before.items() if name not in gone
    }
    assert not after["staff_session"]
    assert not after["sign_in_link"]


async def test_nobody_writes_between_that_backup_and_the_restore(
    postgres_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite there is only one writer anyway."""
    first, make = await postgres_house.back_up(), making.make

    async def meanwhile(waymark: Waymark, *given: Any) -> Any:
        aside = await make(waymark, *given)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):  # noqa: PT012
            async with waymark.database.transaction() as db:
                await db.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
                await db.execute(sa.delete(Note))
        return aside

    monkeypatch.setattr(making, "make", meanwhile)
    await restoring.restore(postgres_house.waymark, first, postgres_house.private, replace=True)
    assert len(await opened.rows(postgres_house.waymark, Note)) == 1


@pytest.mark.parametrize("replace", [False, True])
async def test_a_restore_that_breaks_off_leaves_everything_as_it_was(
    either: House, replace: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request
) -> None:
    file, waymark = await either.back_up(), either.waymark
    if not replace:
        kind = None if waymark.database.sqlite else "other_postgres_url"
        url = kind and request.getfixturevalue(kind)
        waymark, _ = empty_wired(tmp_path / "clean", either, url)
    before = await everything(waymark)
    put = copying.add
    added = []

    async def breaks(db, table, values) -> None:
        await put(db, table, values)
        added.append(table.name)
        if table.name == "note":
            raise ConnectionError("the machine was switched off")

    monkeypatch.setattr(copying, "add", breaks)
    with pytest.raises(ConnectionError):
        await restoring.restore(waymark, file, either.private, replace=replace)
    assert len(added) > 5
    assert await everything(waymark) == before
    monkeypatch.undo()
    assert (await restoring.restore(waymark, file, either.private, replace=replace)).whole
    if not replace:
        await waymark.database.close()


async def test_a_damaged_backup_changes_nothing(house: House, clean: Waymark) -> None:
    file = await house.back_up()
    said = bytearray(file.read_bytes())
    said[-20] ^= 1
    file.write_bytes(said)
    with pytest.raises(BadBackup, match="damaged"):
        await restoring.restore(clean, file, house.private)
    assert await everything(clean) == {}


async def test_a_full_disk_changes_nothing(house: House, clean: Waymark) -> None:
    file = await house.back_up()
    with disk_with_room_for(100_000), pytest.raises(sa.exc.OperationalError):
        await restoring.restore(clean, file, house.private)
    assert await everything(clean) == {}


async def test_rows_there_is_no_place_for_are_not_dropped(house, clean, monkeypatch) -> None:
    file = await house.back_up()
    manifest = restoring.manifest
    monkeypatch.setattr(
        restoring, "manifest", lambda *a: manifest(*a).model_copy(update={"revision": "0001"})
    )
    with pytest.raises(BadBackup, match="no place for"):
        await restoring.restore(clean, file, house.private)
    assert await everything(clean) == {}


# --- Keys ---------------------------------------------------------------------------------


async def test_key_files_come_back_as_they_were(house: House, tmp_path: Path) -> None:
    file, folder = house.keep_keys(), tmp_path / "new"
    count = keyfiles.put_back(file, house.private, folder)
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert len(names) == count == making.verify(file, house.private)["key files"]
    assert "secret" in names
    for name in names:
        assert (folder / name).read_bytes() == (house.data_dir / name).read_bytes()
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert keyfiles.put_back(file, house.private, folder) == 0


async def test_other_keys_are_not_overwritten(house: House, tmp_path: Path) -> None:
    file, folder = house.keep_keys(), tmp_path / "other"
    wired(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(BadBackup, match=r"secret is there already"):
        keyfiles.put_back(file, house.private, folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    "name", ["../../etc/x", "keys/../../x", "/etc/x", "keys/../secret", "waymark.db"]
)
def test_a_backup_of_keys_writes_nowhere_else(name, house, tmp_path) -> None:
    file = tmp_path / "evil.keys"
    with envelope.writing(file, "keys", house.private.public) as out:
        out.write([b'{"what":"keys"}', f'["{name}", "00"]'.encode()])
    with pytest.raises(BadBackup, match="no key"):
        keyfiles.put_back(file, house.private, tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_missing_key_files_are_named_before_anything_is_done(house: House, tmp_path) -> None:
    manifest, _ = house.said(await house.back_up())
    keyfiles.check(manifest, house.data_dir)
    (case,) = (house.data_dir / "keys/case").glob("*.key")
    case.unlink()
    with pytest.raises(BadBackup, match=f"Missing in .*: keys/case/{case.name}$"):
        keyfiles.check(manifest, house.data_dir)
    (house.data_dir / "secret").write_bytes(b"of another house")
    with pytest.raises(BadBackup, match=r"Missing in .*: secret \(that of the backup\), keys/case"):
        keyfiles.check(manifest, house.data_dir)
    with pytest.raises(BadBackup, match=r"secret .*keys/case.*keys/talk"):
        keyfiles.check(manifest, tmp_path / "nothing")


async def test_what_the_keys_here_do_not_open_is_told(house: House, tmp_path: Path) -> None:
    waymark, _ = wired(tmp_path / "other-keys")
    report = await restoring.restore(waymark, await house.back_up(), house.private)
    assert not report.whole
    assert report.opened
    assert not any(report.opened.values())
    assert await opened.rows(waymark, Audit)
    await waymark.database.close()


async def test_neither_kind_of_file_passes_for_the_other(house: House, clean: Waymark) -> None:
    with pytest.raises(BadBackup, match="no backup of tables"):
        await restoring.restore(clean, house.keep_keys(), house.private)
    with pytest.raises(BadBackup, match="no backup of keys"):
        keyfiles.put_back(await house.back_up(), house.private, house.data_dir)


async def test_another_key_restores_nothing(house: House, clean: Waymark, tmp_path: Path) -> None:
    other = keypair.read(keypair.new(tmp_path / "other")[1])
    with pytest.raises(BadBackup, match="opens this file"):
        await restoring.restore(clean, await house.back_up(), other)
    assert await everything(clean) == {}


# --- Erased is erased ---------------------------------------------------------------------


async def test_what_was_erased_after_the_backup_does_not_come_back(
    house: House, clean: Waymark
) -> None:
    """Not on another machine either: the list of erasures lies beside the backups too."""
    gone, stays = await opened.rows(house.waymark, SubmissionRow)
    file = await house.back_up()
    async with house.waymark.database.transaction() as db:
        row = await submissions.get(db, gone.id)
        erased_ = await erasure.submission(house.waymark, db, row, Why("period"))
    await erased.write(house.waymark, [erased_])
    erasures.keep_beside(house.data_dir, house.shelf.folder)
    report = await restoring.restore(clean, file, house.private)
    assert report.erasures_known
    assert report.erased_again == 1
    assert [row.id for row in await opened.rows(clean, SubmissionRow)] == [stays.id]
    assert gone.id not in {row.submission for row in await opened.rows(clean, Reply)}
    async with clean.database.reading() as db:
        for owner in ("submission", "desk"):
            with pytest.raises(Erased):
                await sealing.box(db, f"{owner}:{gone.id}")


async def test_without_a_list_of_erasures_that_is_said(house: House, clean: Waymark) -> None:
    report = await restoring.restore(clean, await house.back_up(), house.private)
    assert not report.erasures_known


def test_the_list_of_erasures_and_its_copy_only_grow(tmp_path: Path) -> None:
    here, there = tmp_path / "data", tmp_path / "backups"
    here.mkdir()
    (here / erased.NAME).write_text("one\ncut sho")
    erasures.keep_beside(here, there)
    (here / erased.NAME).write_text("two\n")  # a new machine's
    erasures.keep_beside(here, there)
    erasures.keep_beside(here, there)
    assert (there / erased.NAME).read_text().split() == ["one", "cut", "sho", "two"]
    assert erasures.bring_back(there, here)
    assert set((here / erased.NAME).read_text().splitlines()) == {"", "one", "cut sho", "two"}
    assert not erasures.bring_back(tmp_path / "nothing", tmp_path / "nowhere")


# --- What is added later ------------------------------------------------------------------


def test_every_sealed_column_is_tried_after_a_restore() -> None:
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info["class"] == "sealed" and table.name not in copying.LEFT_OUT
    }
    assert {f"{c.class_.__tablename__}.{c.key}" for c in samples.OWNERS} == sealed


async def test_a_backup_from_before_a_table_was_taken_away_is_known(tmp_path: Path) -> None:
    """Whoever takes one away names it in FORMERLY, so that older backups can still be restored."""
    waymark, _ = wired(tmp_path)
    seen: set[str] = set()
    for revision_ in sorted(revisions()):
        async with waymark.database.transaction() as db:
            await db.run_sync(upgrade, waymark.keys, revision_)
            seen |= set(await db.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
    await waymark.database.close()
    assert seen - {copying.VERSION} == set(Base.metadata.tables) | copying.FORMERLY


def test_the_tables_can_be_put_back_one_after_another() -> None:
    """A row that points at a later one of its own table, or tables that point at each other,
    could not be put back in the order they are read."""
    order = [table.name for table in Base.metadata.sorted_tables]
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            assert order.index(key.column.table.name) < order.index(table.name)
