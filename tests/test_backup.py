"""Backups: all of one moment, readable by nobody here, found out when damaged, and forgotten."""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import shutil
import stat
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.backup import envelope, keypair, making, nightly
from bot.backup.nightly import Last
from bot.backup.shelf import Backup, Failure, Shelf
from bot.errors import BadBackup
from bot.keyring import NoKey
from bot.store.copying import LEFT_OUT, VERSION
from bot.store.models import Base, StaffSession, SubmissionRow
from tests import opened
from tests.backups import CANARY, FILLED_BY_TIME, PLAIN, House, person, unwrapped
from tests.drivers.waymark import running
from web import demo
from web.casework import sessions

TABLES = set(Base.metadata.tables) - LEFT_OUT


# --- What is in it ------------------------------------------------------------------------


async def test_every_row_of_every_table_is_in_it(either: House) -> None:
    file = await either.back_up()
    manifest, rows = either.said(file)
    assert set(rows) == set(manifest.counts) == TABLES
    async with either.waymark.database.reading() as db:
        for name in TABLES:
            table = Base.metadata.tables[name]
            there = await db.scalar(sa.select(sa.func.count()).select_from(table))
            assert len(rows[name]) == manifest.counts[name] == there, name
            assert there or name in FILLED_BY_TIME, (
                f"{name} is empty: this test shows nothing of it"
            )
    assert making.verify(file, either.private) == manifest.counts
    assert manifest.revision == either.said(file)[0].revision != VERSION


async def test_nobody_is_signed_in_by_a_backup(house: House) -> None:
    ann = await person(house.waymark, "Bea")
    async with house.waymark.database.transaction() as db:
        await sessions.begin(house.waymark, db, ann.id, "link")
    (session,) = await opened.rows(house.waymark, StaffSession)
    manifest, rows = house.said(await house.back_up())
    assert session.key.encode() not in unwrapped(rows, manifest)


async def test_words_are_in_it_sealed_only(either: House) -> None:
    """Not even whoever opens the backup can read them without the keys."""
    file = await either.back_up()
    manifest, rows = either.said(file)
    whole = unwrapped(rows, manifest)
    assert CANARY.encode() not in whole
    assert len(whole) > 20_000
    assert CANARY in str([r.payload for r in await opened.rows(either.waymark, SubmissionRow)])


async def test_the_machine_that_made_it_can_not_read_it(house: House) -> None:
    file = await house.back_up()
    making.keep_keys(house.waymark.settings, house.shelf, house.private.public, house.clock())
    secret = house.private.key.private_bytes_raw()
    for path in [*house.data_dir.rglob("*"), *house.shelf.folder.rglob("*")]:
        if path.is_file():
            assert secret not in path.read_bytes()
    said = file.read_bytes()
    for name in (*TABLES, "VS-", "staff"):
        assert name.encode() not in said[200:], name


async def test_only_its_owner_can_read_the_files(house: House) -> None:
    await house.back_up()
    house.keep_keys()
    for path in house.shelf.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(house.shelf.folder.stat().st_mode) == 0o700


async def test_the_index_tells_time_and_size_and_nothing_of_anybody(house: House) -> None:
    file = await house.back_up()
    (line,) = (house.shelf.folder / "index.jsonl").read_text().split("\n")[1:-1]
    told = json.loads(line)
    assert set(told) == {"at", "what", "file", "key", "size", "sha256", "counts"}
    assert told["size"] == file.stat().st_size
    for row in await opened.rows(house.waymark, SubmissionRow):
        assert not any(word in line for word in (row.id, row.reference, row.handle))


async def test_a_backup_is_of_one_moment_while_twenty_write(either: House) -> None:
    stop, told = asyncio.Event(), []

    async def write(number: int) -> None:
        while not stop.is_set():
            whole = demo.Story("next-steps", 1, {})
            begun = demo.Story("raise-a-concern", 1, PLAIN, until="status")
            story = begun if number % 7 else whole
            told.append(await demo.Sender(either.waymark, f"w{len(told)}-{number}", story).talk())

    writers = [asyncio.create_task(write(number)) for number in range(20)]
    while len(told) < 10:  # noqa: ASYNC110  # until everybody is in the middle of something
        await asyncio.sleep(0.05)
    file = await either.back_up()
    stop.set()
    await asyncio.gather(*writers)
    manifest, rows = either.said(file)
    assert len(await opened.rows(either.waymark, SubmissionRow)) > manifest.counts["submission"]
    names = {s.name: [c for c, _ in s.columns] for s in manifest.tables}

    def column(table: str, name: str) -> list:
        return [row[names[table].index(name)] for row in rows[table]]

    owners = set(column("data_key", "owner"))
    assert {f"submission:{id_}" for id_ in column("submission", "id")} <= owners
    assert {f"conversation:{id_}" for id_ in column("conversation", "id")} <= owners
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys if table.name in TABLES else ():
            there = set(column(key.column.table.name, key.column.name))
            assert set(column(table.name, key.parent.name)) - {None} <= there
    assert column("audit", "seq") == list(range(1, manifest.audit[0] + 1))
    assert column("audit", "mac")[-1] == manifest.audit[1]
    assert column("audit_head", "last") == [manifest.audit[1]]
    lines = zip(column("audit", "action"), column("audit", "object_id"), strict=True)
    filed = [subject for action, subject in lines if action == "submission.filed"]
    assert sorted(filed) == sorted(column("submission", "id"))


# --- Damage -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory, private: keypair.Private) -> Path:
    """Four chunks and a bit."""
    path = tmp_path_factory.mktemp("long") / "long.keys"
    with envelope.writing(path, "keys", private.public) as out:
        out.write([b'{"what":"keys"}', *(os.urandom(1000).hex().encode() for _ in range(250))])
    assert 4 * envelope.CHUNK < path.stat().st_size < 5 * envelope.CHUNK
    return path


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_byte_changed_anywhere_is_found(data, long_file, private, tmp_path) -> None:
    said = bytearray(long_file.read_bytes())
    in_front = st.integers(0, 300)
    place = data.draw(in_front | st.integers(0, len(said) - 1))
    said[place] ^= data.draw(st.integers(1, 255))
    broken = tmp_path / "broken"
    broken.write_bytes(said)
    with pytest.raises(BadBackup):
        making.verify(broken, private)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_one_cut_off_or_added_to_is_found(data, long_file, private, tmp_path) -> None:
    said = long_file.read_bytes()
    head = said.index(b"}\n") + 2
    ends = [head + n * (envelope.CHUNK + 16) for n in range(5)]
    cut = data.draw(st.sampled_from(ends) | st.integers(0, len(said) - 1))
    more = said + data.draw(st.binary(min_size=1, max_size=40))
    for changed in (said[:cut], more, said + said[ends[0] : ends[1]]):
        broken = tmp_path / "broken"
        broken.write_bytes(changed)
        with pytest.raises(BadBackup):
            making.verify(broken, private)


def test_chunks_swapped_repeated_or_left_out_are_found(long_file, private, tmp_path) -> None:
    said, size = long_file.read_bytes(), envelope.CHUNK + 16
    head = said.index(b"}\n") + 2
    parts = [said[at : at + size] for at in range(head, len(said), size)]
    a, b, c, d, e = parts
    for order in ([b, a, c, d, e], [a, c, d, e], [a, b, b, c, d, e], [a, b, c, e, d], [e]):
        broken = tmp_path / "broken"
        broken.write_bytes(said[:head] + b"".join(order))
        with pytest.raises(BadBackup):
            making.verify(broken, private)
    (tmp_path / "whole").write_bytes(said[:head] + b"".join(parts))
    assert making.verify(tmp_path / "whole", private) == {"key files": 250}


def test_only_the_last_part_passes_for_the_last(long_file, private) -> None:
    """Before anything in the parts is looked at: nobody can cut off the end between two of them."""
    said, size = long_file.read_bytes(), envelope.CHUNK + 16
    start = said.index(b"}\n") + 2
    opening = AESGCM(envelope.key(long_file, private))
    digest = envelope.head(long_file).digest
    for count in range(1, 5):
        cut = io.BytesIO(said[start : start + count * size])
        with pytest.raises(BadBackup):
            list(envelope._chunks(cut, opening, digest))
    assert len(list(envelope._chunks(io.BytesIO(said[start:]), opening, digest))) == 5
    with pytest.raises(BadBackup):
        list(envelope._chunks(io.BytesIO(said[start:]), opening, bytes(32)))


async def test_parts_of_another_backup_of_the_same_key_are_found(house, long_file) -> None:
    file = await house.back_up()
    said, other = file.read_bytes(), long_file.read_bytes()
    head, other_head = said.index(b"}\n") + 2, other.index(b"}\n") + 2
    for changed in (said[:head] + other[other_head:], other[:other_head] + said[head:]):
        file.write_bytes(changed)
        with pytest.raises(BadBackup):
            making.verify(file, house.private)


async def test_another_key_does_not_open_it_and_is_named(house, tmp_path) -> None:
    file = await house.back_up()
    other = keypair.read(keypair.new(tmp_path / "other")[1])
    with pytest.raises(BadBackup, match=f"{house.private.id} opens this file"):
        making.verify(file, other)
    posing = keypair.Private(house.private.id, other.key)
    with pytest.raises(BadBackup, match="damaged"):
        making.verify(file, posing)


async def test_a_later_kind_of_file_is_refused_by_name(house) -> None:
    file = await house.back_up()
    file.write_bytes(file.read_bytes().replace(b"WAYMARK BACKUP 1", b"WAYMARK BACKUP 2", 1))
    with pytest.raises(BadBackup, match="not known here"):
        making.verify(file, house.private)


# --- Machines fail ------------------------------------------------------------------------


@contextmanager
def disk_with_room_for(size: int):
    """Whatever would grow beyond this fails as on a full disk, in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_leaves_the_backups_there_are_and_nothing_half_made(house) -> None:
    good = await house.back_up()
    before = {path: path.read_bytes() for path in house.shelf.folder.iterdir()}
    with disk_with_room_for(20_000), pytest.raises(OSError, match="too large"):
        await house.back_up()
    assert {path: path.read_bytes() for path in house.shelf.folder.iterdir()} == before
    assert house.shelf.newest_good("tables").file == good.name


async def test_an_index_that_can_not_be_written_leaves_no_file_that_nobody_counts(
    house, monkeypatch
) -> None:
    good = await house.back_up()

    def full(*given: object) -> None:
        with (house.shelf.folder / "index.jsonl").open("a") as index:
            index.write('{"at": "2026-11')
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr("bot.backup.shelf._write", full)
        with pytest.raises(OSError, match="no space"):
            await house.back_up()
    assert {p.name for p in house.shelf.folder.iterdir()} == {good.name, "index.jsonl"}
    after = await house.back_up()
    assert [one.file for one in house.shelf.all()] == [good.name, after.name]


async def test_what_the_disk_garbles_does_not_count_as_a_backup(house, monkeypatch) -> None:
    sync = os.fsync

    def garble(handle: int) -> None:
        sync(handle)
        if os.fstat(handle).st_size > 5000:
            os.pwrite(handle, b"!!!!", 4000)

    # Written to disk as it should be, and other when it is read back.
    monkeypatch.setattr("bot.backup.envelope.os.fsync", garble)
    with pytest.raises(BadBackup):
        await house.back_up()
    assert list(house.shelf.folder.iterdir()) == []


async def test_rows_that_are_missing_from_it_do_not_count_as_a_backup(house, monkeypatch) -> None:
    from bot.backup import body

    whole = body.written
    monkeypatch.setattr(body, "written", lambda of, rows: list(whole(of, rows))[1:])
    with pytest.raises(BadBackup, match=r"not as many rows.*submission"):
        await house.back_up()
    assert list(house.shelf.folder.iterdir()) == []


# --- Forgetting ---------------------------------------------------------------------------


async def test_old_ones_go_after_the_horizon_and_never_the_newest_good_one(house) -> None:
    days, files = house.waymark.content.policy.retention.backup, []
    for _ in range(3):
        files.append(await house.back_up())
        house.clock.forward(timedelta(days=20))
    keys = house.keep_keys()
    now = files_at = house.clock.at
    assert house.shelf.prune(now, days, dry_run=True) == [files[0].name, files[1].name]
    assert all(file.exists() for file in files)
    assert house.shelf.prune(now, days) == [files[0].name, files[1].name]
    assert [one.file for one in house.shelf.all()] == [files[2].name, keys.name]
    later = files_at + timedelta(days=400)
    assert house.shelf.prune(later, days) == []
    assert files[2].exists()
    assert keys.exists()
    assert house.shelf.newest_good("tables").file == files[2].name


async def test_a_damaged_newest_one_does_not_cost_the_last_good_one(house) -> None:
    good = await house.back_up()
    house.clock.forward(timedelta(days=1))
    bad = await house.back_up()
    bad.write_bytes(bad.read_bytes()[:-1])
    gone = house.shelf.prune(house.clock.at + timedelta(days=90), 35)
    assert gone == [bad.name]
    assert good.exists()


async def test_what_nobody_counted_is_forgotten_too_and_other_files_are_left(house) -> None:
    await house.back_up()
    lost = house.shelf.folder / "waymark-20200101T020000Z-0000.backup.part"
    stray = house.shelf.folder / "waymark-20200102T020000Z-0000.backup"
    theirs = house.shelf.folder / "waymark-notes.txt"
    for path in (lost, stray, theirs):
        path.write_text("x")
    assert house.shelf.prune(house.clock(), 35) == [lost.name, stray.name]
    assert theirs.exists()


def test_an_index_with_rubbish_in_it_is_read_as_far_as_it_goes(tmp_path) -> None:
    shelf = Shelf(tmp_path)
    shelf.failed(datetime(2026, 1, 1, tzinfo=UTC), OSError("full"))
    with (tmp_path / "index.jsonl").open("a") as index:
        index.write('{"half\n[]\n{"at": "2026-01-01"}\n')
    shelf.failed(datetime(2026, 1, 2, tzinfo=UTC), ValueError())
    assert [line.failed for line in shelf.lines()] == ["OSError", "ValueError"]


# --- Keys ---------------------------------------------------------------------------------


def test_a_key_is_read_back_from_paper_and_slips_are_found(tmp_path) -> None:
    public, paper = keypair.new(tmp_path)
    assert keypair.read(paper).public.key.public_bytes_raw() == public.key.public_bytes_raw()
    typed = paper.lower().replace(" ", "  ")
    assert keypair.read(typed).id == public.id
    letters = paper.splitlines()[-1].split(" ", 2)[2]
    for wrong in ("B" if letters[0] == "A" else "A") + letters[1:], letters[:-3], letters[5:]:
        with pytest.raises(BadBackup, match=r"mistake|whole"):
            keypair.read(paper.replace(letters, wrong))
    with pytest.raises(BadBackup, match="no backup key"):
        keypair.read("nothing of the kind")


def test_a_second_key_is_used_from_then_on(tmp_path) -> None:
    with pytest.raises(NoKey, match="waymark backup key"):
        keypair.newest(tmp_path)
    first = keypair.new(tmp_path)[0]
    keypair.keep(tmp_path, first)
    second = keypair.new(tmp_path)[0]
    keypair.keep(tmp_path, second)
    assert keypair.newest(tmp_path).id == second.id
    assert (first.id[:4], second.id[:4]) == ("0001", "0002")


def test_a_public_half_that_somebody_changed_is_not_sealed_with(tmp_path) -> None:
    mine, theirs = keypair.new(tmp_path)[0], keypair.new(tmp_path)[0]
    keypair.keep(tmp_path, mine)
    (tmp_path / f"{mine.id}.pub").write_bytes(theirs.key.public_bytes_raw())
    with pytest.raises(NoKey, match="not what it was"):
        keypair.newest(tmp_path)


# --- Every night --------------------------------------------------------------------------

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TONIGHT = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)


def last(made: datetime | None, failed: datetime | None = None) -> Last:
    backup = Backup(made, "tables", "f", "k", 1, "s", {}) if made else None
    return Last(backup, Failure(failed, "OSError") if failed else None, late=False)


@pytest.mark.parametrize(
    ("found", "now", "due"),
    [
        (last(None), NOON, True),
        (last(NOON), NOON + timedelta(hours=1), False),
        (last(NOON), TONIGHT - timedelta(minutes=1), False),
        (last(NOON), TONIGHT, True),
        (last(TONIGHT), TONIGHT + timedelta(hours=23), False),
        (last(TONIGHT - timedelta(days=3)), NOON, True),
        (last(None, NOON), NOON + timedelta(minutes=59), False),
        (last(None, NOON), NOON + timedelta(minutes=60), True),
        # Summer time ends in between: by the clock on the wall still one a night.
        (
            last(datetime(2026, 10, 24, 2, tzinfo=UTC)),
            datetime(2026, 10, 25, 2, 14, tzinfo=UTC),
            False,
        ),
        (
            last(datetime(2026, 10, 24, 2, tzinfo=UTC)),
            datetime(2026, 10, 25, 2, 15, tzinfo=UTC),
            True,
        ),
    ],
)
def test_one_is_due_every_night_and_after_a_missed_night_at_once(found, now, due) -> None:
    assert nightly.due(found, now) is due


async def test_the_nightly_backup_is_made_pruned_and_seen(house, caplog) -> None:
    waymark = with_place(house, house.shelf.folder)
    keypair.keep(making.public_halves(waymark.settings), house.private.public)
    house.shelf.folder.mkdir()
    old = house.shelf.folder / "waymark-20200101T020000Z-0000.backup"
    old.write_text("x")
    assert nightly.last_backup(house.shelf, house.clock()) == Last(None, None, late=True)
    await nightly.look(waymark)
    await nightly.look(waymark)
    found = nightly.last_backup(house.shelf, house.clock())
    assert found.made is not None
    assert not found.late
    assert len(house.shelf.all()) == 1
    assert not old.exists()
    assert nightly.last_backup(house.shelf, house.clock() + timedelta(hours=27)).late


async def test_no_backup_is_there_after_the_day_that_receipts_name(house) -> None:
    """Not even for the hours until the next night."""
    waymark = with_place(house, house.shelf.folder)
    keypair.keep(making.public_halves(waymark.settings), house.private.public)
    first, at = await house.back_up(), house.clock.at
    forgotten_by = at + timedelta(days=waymark.content.policy.retention.backup)
    house.clock.at = forgotten_by - timedelta(hours=12)
    await nightly.look(waymark)
    assert not first.exists()
    assert nightly.last_backup(house.shelf, house.clock()).made


async def test_a_nightly_backup_that_fails_is_logged_and_seen(house, caplog) -> None:
    waymark = with_place(house, house.shelf.folder)
    await nightly.look(waymark)
    found = nightly.last_backup(house.shelf, house.clock())
    assert found.made is None
    assert found.failed
    assert found.failed.failed == "NoKey"
    assert [r.message for r in caplog.records if r.name == "waymark.backup"] == ["backup failed"]
    keypair.keep(making.public_halves(waymark.settings), house.private.public)
    await nightly.look(waymark)
    assert nightly.last_backup(house.shelf, house.clock()).made is None  # not again at once
    house.clock.forward(timedelta(hours=1))
    await nightly.look(waymark)
    found = nightly.last_backup(house.shelf, house.clock())
    assert found.made
    assert found.failed is None


def with_place(house: House, folder: Path):
    from dataclasses import replace

    chosen = house.waymark.settings.model_copy(update={"backup_dir": folder})
    return replace(house.waymark, settings=chosen)


@pytest.mark.parametrize(("role", "expected"), [("all", 1), ("staff", 1), ("public", 0)])
async def test_the_service_makes_one_when_it_starts_without(
    role, expected, lived_in, tmp_path, private
) -> None:
    shutil.copytree(lived_in, tmp_path / "data")
    keypair.keep(tmp_path / "data/keys/backup", private.public)
    shelf = Shelf(tmp_path / "backups")
    async with running(tmp_path / "data", role=role, backup_dir=shelf.folder):
        for _ in range(250 if expected else 10):
            if shelf.all():
                break
            await asyncio.sleep(0.02)
    assert len(shelf.all()) == expected
