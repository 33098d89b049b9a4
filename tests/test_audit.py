"""The log nobody can quietly change: chained, verified, anchored, and read by those it is for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot import acting, anchors, watch
from bot.audit_keys import AuditKeys, add_key
from bot.errors import NotAllowed
from bot.keyring import NoKey
from bot.store import audit, chain, segments, verification
from bot.store.chain import Anchor, Link
from bot.store.database import Database
from bot.store.models import Audit, AuditHead, AuditSegment, SubmissionRow
from bot.store.verification import Broken
from content.schema import Role
from tests.drivers.waymark import wired
from web import demo
from web.casework import accounts, record, review
from web.casework.permissions import Person
from web.casework.review import Seen
from web.cli import app as command

LINES = 12
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
async def waymark(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    waymark, _ = wired(tmp_path, url)
    await waymark.database.migrate()
    yield waymark
    await waymark.database.close()


@pytest.fixture
async def held(tmp_path):
    """With the clock in hand; on one database only."""
    waymark, clock = wired(tmp_path, audit_anchor=str(tmp_path / "elsewhere" / "anchors.jsonl"))
    await waymark.database.migrate()
    yield waymark, clock
    await waymark.database.close()


@pytest.fixture
async def log(waymark):
    """Twelve lines, and nothing in the way of whoever has the run of the database."""
    async with waymark.database.transaction() as db:
        await accounts.make(waymark, db, "Ann", "ann@example.org", Role.MENTOR)
    for number in range(2, LINES + 1):
        await note(waymark, f"thing-{number}", count=number)
    await drop_triggers(waymark)
    return waymark


async def note(waymark, what="thing", at=None, **detail):
    async with waymark.database.transaction() as db:
        now = at or waymark.clock()
        await audit.record(db, now, "waymark", "thing.done", "thing", what, **detail)


async def verdict(waymark, *held_against):
    async with waymark.database.reading() as db:
        return await verification.verify(db, waymark.keys.audit, held_against)


async def fault(waymark, *held_against):
    found = (await verdict(waymark, *held_against)).fault
    return (found.kind, found.seq) if found else None


async def rows(waymark, table=Audit, *where):
    async with waymark.database.reading() as db:
        key = table.__table__.primary_key.columns[0]
        query = sa.select(*table.__table__.columns).where(*where).order_by(key)
        return (await db.execute(query)).all()


async def sql(waymark, *statements):
    """As somebody does who has the run of the database, but not of the keys."""
    async with waymark.database._writes.begin() as db:
        for statement in statements:
            await db.execute(sa.text(statement) if isinstance(statement, str) else statement)


async def drop_triggers(waymark):
    tables = ("audit", "audit_head", "audit_segment")
    if not waymark.database.sqlite:
        await sql(waymark, *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in tables))
        return
    events = ("insert", "update", "delete")
    names = (f"{table}_{event}" for table in tables for event in events)
    await sql(waymark, *(f"DROP TRIGGER {name}" for name in names))


async def anchor(waymark):
    async with waymark.database.reading() as db:
        end = audit.link(await audit.head(db))
    return Anchor(end.seq, end.mac, waymark.clock(), end.seq)


# --- What was done to it is found -----------------------------------------------------------


async def test_a_log_that_nobody_touched_is_whole(log):
    found = await verdict(log)
    assert (found.lines, found.end.seq, found.fault) == (LINES, LINES, None)
    assert [row.seq for row in await rows(log)] == list(range(1, LINES + 1))


EDITS = {
    "actor": "'someone-else'",
    "action": "'nothing.done'",
    "object_type": "'other'",
    "object_id": "'other'",
    "detail": """'{"count": 99}'""",
    "outcome": "'refused'",
    "acting_as": "'headteacher'",
    "purpose": "'own-case'",
    "request_id": "'0123'",
    "at": "'2026-01-01 00:00:00'",
    "mac": f"'{'0' * 64}'",
    "prev": f"'{'0' * 64}'",
}


@pytest.mark.parametrize("column", EDITS)
async def test_an_edited_line_is_named(log, column):
    assert set(EDITS) | {"seq", "key"} == set(Audit.__table__.columns.keys())
    for seq in (1, 7, LINES):
        before = (await rows(log, Audit, Audit.seq == seq))[0]
        await sql(log, f"UPDATE audit SET {column} = {EDITS[column]} WHERE seq = {seq}")
        if column == "prev" and seq == 1:
            assert await fault(log) is None  # that is what the first line follows
        else:
            assert await fault(log) == ("changed", seq)
        await sql(log, sa.update(Audit).where(Audit.seq == seq).values(**before._mapping))
        assert await fault(log) is None


async def test_a_line_with_a_key_we_do_not_have_is_named(log):
    for key in ("0009-abcdef", "../../secret", ""):
        await sql(log, sa.update(Audit).where(Audit.seq == 5).values(key=key))
        assert await fault(log) == ("key", 5)


SHIFT_UP = [
    "UPDATE audit SET seq = -seq - 1 WHERE seq >= 5",
    "UPDATE audit SET seq = -seq WHERE seq < 0",
]
SHIFT_DOWN = [
    "DELETE FROM audit WHERE seq = 5",
    "UPDATE audit SET seq = -seq + 1 WHERE seq > 5",
    "UPDATE audit SET seq = -seq WHERE seq < 0",
    "UPDATE audit_head SET seq = seq - 1",
]
SWAP = [
    "UPDATE audit SET seq = -4 WHERE seq = 4",
    "UPDATE audit SET seq = 4 WHERE seq = 9",
    "UPDATE audit SET seq = 9 WHERE seq = -4",
]
COLUMNS = "at, actor, action, object_type, object_id, detail, outcome, key, prev, mac"
COPY = f"INSERT INTO audit (seq, {COLUMNS}) SELECT {{to}}, {COLUMNS} FROM audit WHERE seq = {{of}}"
FORGED = COPY.replace(" prev, mac FROM", f" prev, '{'a' * 64}' FROM")


@pytest.mark.parametrize(
    ("statements", "kind", "seq"),
    [
        (["DELETE FROM audit WHERE seq = 5"], "missing", 5),
        (["DELETE FROM audit WHERE seq BETWEEN 5 AND 7"], "missing", 5),
        (["DELETE FROM audit WHERE seq = 1"], "missing", 1),
        (["DELETE FROM audit WHERE seq < 4"], "missing", 1),
        (["DELETE FROM audit WHERE seq > 10"], "cut", 11),
        (["DELETE FROM audit"], "cut", 1),
        (["DELETE FROM audit", "UPDATE audit_head SET seq = 0, mac = NULL"], "head", 1),
        (
            [
                "DELETE FROM audit",
                f"UPDATE audit_head SET seq = 0, mac = NULL, last = '{'0' * 64}'",
            ],
            "cut",
            1,
        ),
        (
            [
                "DELETE FROM audit WHERE seq > 10",
                "UPDATE audit_head SET seq = 10, last = (SELECT mac FROM audit WHERE seq = 10)",
            ],
            "head",
            11,
        ),
        (["DELETE FROM audit_head"], "head", LINES + 1),
        (["UPDATE audit_head SET seq = 11"], "head", LINES + 1),
        (SWAP, "moved", 4),
        (SHIFT_DOWN, "moved", 5),
        ([*SHIFT_UP, FORGED.format(to=5, of=4)], "inserted", 5),
        ([FORGED.format(to=LINES + 1, of=4)], "inserted", LINES + 1),
        ([COPY.format(to=LINES + 1, of=LINES)], "inserted", LINES + 1),
        ([COPY.format(to=0, of=3)], "inserted", 0),
        (["DELETE FROM audit WHERE seq = 5", COPY.format(to=5, of=6)], "moved", 5),
    ],
)
async def test_lines_taken_out_put_in_or_moved_are_named(log, statements, kind, seq):
    await sql(log, *statements)
    assert await fault(log) == (kind, seq)


async def test_what_is_wrong_is_said_in_words(log):
    await sql(log, "DELETE FROM audit WHERE seq BETWEEN 5 AND 7")
    found = (await verdict(log)).fault
    assert found.words == "Missing from the log: lines 5 to 7."
    assert verification.fault_from(found.code) == found


async def test_a_genuine_line_of_another_copy_of_the_log_is_named(log, tmp_path):
    """Written with our own key, at the same place, but after something else."""
    other = wired(tmp_path / "copy")[0]
    await other.database.migrate()
    other.keys.audit._folder = log.keys.audit._folder
    other.keys.audit.newest = log.keys.audit.newest
    for number in range(6):
        await note(other, f"other-{number}")
    line = (await rows(other))[4]
    await sql(log, sa.update(Audit).where(Audit.seq == 5).values(**line._mapping))
    await other.database.close()
    assert await fault(log) == ("inserted", 5)


async def test_what_came_after_a_head_that_was_rewritten_is_never_taken_for_genuine(log):
    """The service goes on for those who need it; the break stays to be found."""
    await sql(
        log,
        "DELETE FROM audit WHERE seq > 10",
        "UPDATE audit_head SET seq = 10, last = (SELECT mac FROM audit WHERE seq = 10)",
    )
    await note(log, "later")
    assert await fault(log) == ("inserted", 11)


# --- Anchors --------------------------------------------------------------------------------


async def test_a_tail_cut_off_with_its_old_head_put_back_is_found_by_an_anchor(log):
    (head,) = await rows(log, AuditHead)
    await note(log, "to-be-forgotten")
    held_against = await anchor(log)
    await sql(log, f"DELETE FROM audit WHERE seq > {LINES}")
    await sql(log, sa.update(AuditHead).values(**head._mapping))
    assert await fault(log) is None  # nobody could tell from the database alone
    assert await fault(log, held_against) == ("cut", LINES + 1)
    await note(log, "as-if-nothing-had-been")
    assert await fault(log, held_against) == ("anchor", LINES + 1)


async def test_a_log_written_anew_with_the_key_is_found_by_an_anchor(log):
    held_against = [await anchor(log)]
    lines = await rows(log)
    keys, end = log.keys.audit, Link(7, lines[6].mac)
    for line in lines[7:]:
        told = {**line._mapping, "actor": "waymark", "detail": {"nothing": "unusual"}}
        said = SimpleNamespace(**told)
        mac = chain.signed(keys, keys.newest, line.seq, end.mac, said)
        told |= {"prev": end.mac, "mac": mac}
        await sql(log, sa.update(Audit).where(Audit.seq == line.seq).values(**told))
        end = Link(line.seq, mac)
    async with log.database.transaction() as db:
        await audit.set_head(db, keys, end)
    assert await fault(log) is None
    assert await fault(log, *held_against) == ("anchor", LINES)


async def test_after_a_restore_the_lines_that_were_lost_are_accounted_for(log):
    """A backup at line 10 is put back, after line 12 was anchored."""
    backup = [row for row in await rows(log) if row.seq <= 10]
    lost = await anchor(log)
    keys = log.keys.audit
    await sql(log, "DELETE FROM audit WHERE seq > 10")
    async with log.database.transaction() as db:
        await audit.set_head(db, keys, Link(10, backup[-1].mac))
    assert await fault(log, lost) == ("cut", 11)
    async with log.database.transaction() as db:
        await audit.restored(db, log.clock(), "backup-7", Link(lost.seq, lost.mac))
    await note(log, "after")
    (head,) = await rows(log, AuditHead)
    await note(log, "and-after")
    found = await verdict(log, lost)
    assert (found.fault, found.restored) == (None, 1)
    (line,) = await rows(log, Audit, Audit.action == "database.restored")
    assert (line.object_id, line.detail["kept"], line.detail["anchored"]) == ("backup-7", 10, 12)
    # Only what was lost is excused: not what stands before the backup, nor what came after.
    assert await fault(log, lost, replace(lost, seq=8)) == ("anchor", 8)
    later = await anchor(log)
    await sql(log, "DELETE FROM audit WHERE seq > 12")
    await sql(log, sa.update(AuditHead).values(**head._mapping))
    assert await fault(log, lost) is None
    assert await fault(log, lost, later) == ("cut", 13)


async def test_anchors_are_written_to_a_file_every_hour(held):
    waymark, clock = held
    await note(waymark)
    await watch.look(waymark)
    await watch.look(waymark)
    clock.forward(timedelta(minutes=61))
    await note(waymark)
    await watch.look(waymark)
    kept = anchors.read(anchors.file(waymark.settings))
    assert [(a.seq, a.count) for a in kept] == [(1, 1), (2, 2)]
    assert kept[-1].mac == (await rows(waymark))[-1].mac
    found = await watch.verify(waymark)
    assert (found.fault, found.anchors) == (None, 2)


async def test_a_place_for_anchors_that_fails_stops_nothing_and_is_known(held, tmp_path):
    waymark, _ = held
    (tmp_path / "elsewhere").write_text("a file where a folder should be")
    await note(waymark)
    assert await anchors.anchor(waymark) is None
    await note(waymark)
    async with waymark.database.reading() as db:
        (row,) = await db.execute(sa.text("SELECT done_at, fault FROM audit_check"))
    assert (row.done_at, row.fault) == (None, "FileExistsError")


async def test_a_line_of_an_anchor_file_that_was_not_finished_is_passed_over(held):
    waymark, _ = held
    await note(waymark)
    await anchors.anchor(waymark)
    path = anchors.file(waymark.settings)
    path.write_text(path.read_text() + '{"seq": 9, "mac"\n[]\n{"seq": "x"}\n')
    assert len(anchors.read(path)) == 1


async def test_anchors_are_posted_to_an_address_and_a_copy_is_kept(tmp_path):
    posted = []

    async def take(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        posted.append((head, json.loads(await reader.readexactly(length))))
        status = b"500 No" if len(posted) == 2 else b"204 Yes"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        waymark, _ = wired(tmp_path, audit_anchor=f"http://127.0.0.1:{port}/anchors")
        await waymark.database.migrate()
        await note(waymark)
        assert (await anchors.anchor(waymark)).seq == 1
        await note(waymark)
        assert await anchors.anchor(waymark) is None  # it answered 500
        await waymark.database.close()
    assert b"POST /anchors" in posted[0][0]
    (line,) = await asyncio.to_thread((tmp_path / "anchors.jsonl").read_text().splitlines)
    assert json.loads(line) == posted[0][1]
    assert set(posted[0][1]) == {"seq", "mac", "at", "count"}


# --- Writing --------------------------------------------------------------------------------


async def test_fifty_writers_at_once_do_not_fork_the_chain(waymark):
    """Of five processes, each with a database of its own; some take other locks before."""
    others = [Database(waymark.database.url, waymark.keys) for _ in range(5)]
    people = [await member(waymark, f"P{n}") for n in range(5)]

    async def write(number):
        database = others[number % len(others)]
        async with database.transaction() as db:
            if number % 3 == 0:
                person = people[number % len(people)]
                await db.execute(sa.text(f"UPDATE staff SET name = 'N' WHERE id = '{person.id}'"))
            for n in range(3):
                await audit.record(
                    db, waymark.clock(), "waymark", "thing.done", "thing", f"{number}", n=n
                )
                await asyncio.sleep(0)

    before = len(await rows(waymark))
    await asyncio.wait_for(asyncio.gather(*(write(n) for n in range(50))), 60)
    for database in others:
        await database.close()
    found = await verdict(waymark)
    assert (found.fault, found.lines) == (None, before + 150)
    lines = (await rows(waymark))[before:]
    # What one transaction did stands together.
    assert all(len({line.object_id for line in lines[n : n + 3]}) == 1 for n in range(0, 150, 3))


TAMPERING = [
    "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
    "DELETE FROM audit WHERE seq = 2",
    "DELETE FROM audit",
    COPY.format(to=0, of=2),
    COPY.format(to=2, of=3),
    "UPDATE audit_head SET seq = 1",
    "UPDATE audit_head SET last = 'x'",
    "DELETE FROM audit_head",
    "INSERT INTO audit_head (id, seq, last) VALUES (2, 0, '')",
    "UPDATE audit_segment SET last = 1000",
    "DELETE FROM audit_segment",
]
ONLY_THERE = {
    True: [COPY.format(to=2, of=3).replace("INSERT", "INSERT OR REPLACE")],
    False: [f"TRUNCATE {table}" for table in ("audit", "audit_head", "audit_segment")],
}


async def test_the_database_refuses_to_change_the_log(waymark):
    await note(waymark, "old", at=datetime(2020, 1, 5, tzinfo=UTC))
    async with waymark.database.transaction() as db:
        assert await segments.cut(db, waymark.clock(), datetime(2020, 2, 3, tzinfo=UTC)) == 1
    await note(waymark)
    for statement in [*TAMPERING, *ONLY_THERE[waymark.database.sqlite]]:
        with pytest.raises(sa.exc.DBAPIError, match="is only added to"):
            await sql(waymark, statement)
    assert await fault(waymark) is None


async def test_a_line_that_cannot_be_written_undoes_what_it_is_about(waymark):
    ann, one = await member(waymark), await sent(waymark)
    await drop_triggers(waymark)
    await sql(waymark, "DELETE FROM audit_head")
    with pytest.raises(sa.exc.NoResultFound):
        await review.take(waymark, ann, Seen(one, 1))
    with pytest.raises(sa.exc.NoResultFound):
        await record.open_(waymark, ann, one)
    (row,) = await rows(waymark, SubmissionRow)
    assert (row.owner, row.version, row.unread) == (None, 1, True)


async def test_a_transaction_sees_what_it_recorded_itself(waymark):
    await note(waymark, "one", n=1)
    async with waymark.database.transaction() as db:
        await audit.record(db, AT, "waymark", "thing.done", "thing", "one", n=2)
        await audit.record(db, AT, "waymark", "thing.done", "thing", "two")
        assert [line.detail for line in await audit.of(db, "one")] == [{"n": 1}, {"n": 2}]


async def test_nothing_of_a_transaction_that_failed_is_kept_or_comes_back(waymark):
    async def fail():
        async with waymark.database.transaction() as db:
            await audit.record(db, AT, "waymark", "thing.done", "thing", "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await note(waymark)
    assert [row.object_id for row in await rows(waymark)] == ["thing"]
    assert await fault(waymark) is None


async def test_what_would_be_lost_cannot_be_recorded(waymark):
    await note(waymark)
    async with waymark.database.reading() as db:
        with pytest.raises(RuntimeError, match="outside a transaction"):
            await audit.record(db, AT, "waymark", "thing.done", "thing", "one")


@pytest.mark.parametrize(
    "detail", [{"why": "Her mum rang"}, {"who": "a@b.example"}, {"all": ["x"]}]
)
async def test_words_are_not_taken(waymark, detail):
    async with waymark.database.transaction() as db:
        with pytest.raises(ValueError, match="audit holds codes"):
            await audit.record(db, AT, "waymark", "thing.done", "thing", "one", **detail)


async def test_a_purpose_is_a_code_and_not_a_sentence(waymark):
    async with waymark.database.transaction() as db:
        with (
            acting.within(person="ann", purpose="Because I say so"),
            pytest.raises(ValueError, match="in purpose"),
        ):
            await audit.record(db, AT, "ann", "thing.done", "thing", "one")


async def test_a_new_key_signs_and_the_old_ones_still_verify(waymark, tmp_path):
    folder = tmp_path / "keys" / "audit"
    assert (folder.stat().st_mode & 0o777) == 0o700
    await note(waymark, "one")
    added = add_key(folder)
    assert ((folder / f"{added}.key").stat().st_mode & 0o777) == 0o600
    waymark.keys.audit.__init__(folder)
    await note(waymark, "two")
    old, new = [row.key for row in await rows(waymark)]
    assert (new, new > old) == (added, True)
    assert await fault(waymark) is None
    (folder / f"{old}.key").unlink()
    waymark.keys.audit.__init__(folder)
    assert await fault(waymark) == ("key", 1)


def test_where_no_key_is_to_be_made_none_is(tmp_path):
    with pytest.raises(NoKey, match="copy keys/audit"):
        AuditKeys(tmp_path / "audit", make=False)
    (tmp_path / "0001-abcdef.key").write_bytes(b"short")
    with pytest.raises(NoKey, match="not an audit key"):
        AuditKeys(tmp_path).mac("0001-abcdef", b"")


# --- By age ---------------------------------------------------------------------------------


async def aged(waymark):
    """Three lines of January, two of February, one of March; one of them written late."""
    for number, (month, day) in enumerate([(1, 5), (1, 30), (1, 31), (2, 2), (1, 31), (3, 3)]):
        await note(waymark, f"thing-{number}", at=datetime(2020, month, day, tzinfo=UTC))


async def cut(waymark, year, month, day):
    async with waymark.database.transaction() as db:
        return await segments.cut(db, waymark.clock(), datetime(year, month, day, tzinfo=UTC))


async def test_whole_months_go_and_the_rest_still_verifies(waymark):
    await aged(waymark)
    held_against = await anchor(waymark)
    assert await cut(waymark, 2020, 1, 31) == 0
    assert await cut(waymark, 2020, 2, 20) == 3
    assert await cut(waymark, 2020, 2, 21) == 0
    assert await cut(waymark, 2020, 3, 5) == 2
    assert (await rows(waymark))[0].seq == 6
    assert [(s.first, s.last, s.count) for s in await rows(waymark, AuditSegment)] == [
        (1, 3, 3),
        (4, 5, 2),
    ]
    found = await verdict(waymark, held_against)
    assert (found.fault, found.segments, found.anchors) == (None, 2, 1)
    told = [row.detail for row in await rows(waymark, Audit, Audit.action == "audit.cut")]
    assert told == [{"lines": 3}, {"lines": 2}]


async def test_what_was_tampered_with_is_not_forgotten_by_age(waymark):
    await aged(waymark)
    await drop_triggers(waymark)
    await sql(waymark, "UPDATE audit SET actor = 'other' WHERE seq = 2")
    with pytest.raises(Broken, match="Line 2 was changed"):
        await cut(waymark, 2020, 2, 20)
    assert len(await rows(waymark)) == 6


@pytest.mark.parametrize(
    ("statement", "kind", "seq"),
    [
        ("UPDATE audit_segment SET last_mac = prev WHERE last = 5", "segment", 4),
        ("UPDATE audit_segment SET count = 1 WHERE last = 3", "segment", 1),
        ("UPDATE audit_segment SET first = 1, count = 5 WHERE last = 5", "segment", 1),
        ("DELETE FROM audit_segment WHERE last = 3", "segment", 4),
        ("DELETE FROM audit_segment", "missing", 1),
        ("UPDATE audit_segment SET last = 6, count = 3 WHERE last = 5", "segment", 4),
        (COPY.format(to=2, of=6), "inserted", 2),
    ],
)
async def test_a_changed_record_of_what_went_by_age_is_named(waymark, statement, kind, seq):
    await aged(waymark)
    await cut(waymark, 2020, 2, 20)
    await cut(waymark, 2020, 3, 5)
    await drop_triggers(waymark)
    await sql(waymark, statement)
    assert await fault(waymark) == (kind, seq)


# --- The migration --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_lines_kept_before_are_chained_and_go_back_again(kind, tmp_path, request):
    url = request.getfixturevalue("bare_postgres_url") if kind == "postgresql" else None
    waymark, _ = wired(tmp_path, url)
    if url is None:
        (tmp_path / "waymark.db").touch()  # so that it isn't a copy of a migrated one
    await move(waymark, "0002")
    before = [
        {"seq": seq, "at": AT + timedelta(seconds=seq), "actor": "sender", "action": "a.b",
         "object_type": "thing", "object_id": f"o{seq}", "detail": {"n": seq, "to": "x"}}
        for seq in (1, 2, 5, 9)
    ]  # fmt: skip
    types = {name: Audit.__table__.columns[name].type for name in before[0]}
    first = sa.table("audit", *(sa.column(name, type_) for name, type_ in types.items()))
    await sql(waymark, *(sa.insert(first).values(**line) for line in before))
    await move(waymark, "0003")
    assert [row.seq for row in await rows(waymark)] == [1, 2, 3, 4]
    assert await fault(waymark) is None
    await note(waymark)
    assert await fault(waymark) is None
    with pytest.raises(sa.exc.DBAPIError, match="is only added to"):
        await sql(waymark, "UPDATE audit SET actor = 'other'")
    await move(waymark, "0002")
    async with waymark.database.reading() as db:
        kept = (await db.execute(sa.select(first).order_by(first.c.seq))).all()
    told = [{**row._asdict(), "seq": line["seq"]} for row, line in zip(kept, before, strict=False)]
    assert (told, len(kept)) == (before, 5)
    another = sa.insert(first).values({**before[0], "seq": None} if url is None else before[0])
    if url is None:
        await sql(waymark, another)
    else:  # the next number is given by the database again
        named = ", ".join(name for name in before[0] if name != "seq")
        await sql(waymark, f"INSERT INTO audit ({named}) SELECT {named} FROM audit WHERE seq = 1")
    await move(waymark, "0003")
    assert [row.seq for row in await rows(waymark)] == [1, 2, 3, 4, 5, 6]
    assert await fault(waymark) is None
    await waymark.database.close()


async def move(waymark, to):
    """The migrations up or down to there."""
    from alembic import command as alembic
    from alembic.config import Config

    from bot.store.database import MIGRATIONS

    def moved(connection):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes.update(connection=connection, keys=waymark.keys)
        there = connection.dialect.has_table(connection, "audit_head")
        (alembic.downgrade if there and to == "0002" else alembic.upgrade)(config, to)

    async with waymark.database.transaction() as db:
        await db.run_sync(moved)


# --- The command ----------------------------------------------------------------------------


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """A folder with a log of a few lines, and the settings that lead to it."""
    monkeypatch.setenv("WAYMARK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WAYMARK_AUDIT_ANCHOR", str(tmp_path / "off-the-box.jsonl"))
    waymark, _ = wired(tmp_path)

    def run(*steps):
        async def all_():
            await waymark.database.migrate()
            for step in steps:
                await step(waymark)
            await waymark.database.close()

        asyncio.run(all_())

    return run


def told(*arguments):
    done = CliRunner().invoke(command, ["audit", *arguments])
    return done.exit_code, done.output


def in_a_thread(act):
    """The commands have an event loop of their own."""
    return asyncio.to_thread(act)


async def test_the_command_says_whole_or_names_the_line_and_fails(installation, tmp_path):
    def act():
        installation(note, note, note)
        assert told("anchor") == (0, "Anchored at line 3.\n")
        status, said = told("verify")
        assert (status, "The log is whole: 3 lines" in said) == (0, True)
        assert "1 anchors agree" in said
        installation(
            drop_triggers, lambda w: sql(w, "UPDATE audit SET outcome = 'refused' WHERE seq = 2")
        )
        status, said = told("verify")
        assert (status, "FAULT at line 2. Line 2 was changed" in said) == (1, True)
        other = tmp_path / "fetched.jsonl"
        other.write_text(json.dumps({"seq": 1, "mac": "x", "at": AT.isoformat(), "count": 1}))
        status, said = told("verify", "--anchors", str(other))
        assert (status, "Line 1 is not the line that was anchored" in said) == (1, True)
        status, said = told("new-key")
        assert (status, "Made key 0002-" in said) == (0, True)

    await in_a_thread(act)


async def test_anchoring_without_a_place_says_what_to_set(installation, monkeypatch):
    monkeypatch.delenv("WAYMARK_AUDIT_ANCHOR")
    done = await in_a_thread(lambda: CliRunner().invoke(command, ["audit", "anchor"]))
    assert "WAYMARK_AUDIT_ANCHOR" in str(done.exception)


# --- Who, as what, in which request ---------------------------------------------------------


async def member(waymark, name="Ann", role=Role.EDUCATION_COORDINATOR):
    async with waymark.database.transaction() as db:
        id_ = await accounts.make(waymark, db, name, f"{name.casefold()}@example.org", role)
    return Person(id_, name, role)


STORY = demo.Story(
    "raise-a-concern",
    1,
    {"danger": "not-now", "harm": "no", "role": "foster-carer", "story": "CANARY in the story"},
)


async def sent(waymark, name="one", story=STORY):
    id_ = await demo.Sender(waymark, name, story).talk()
    assert id_
    return id_


async def test_a_line_says_in_which_role_for_what_and_in_which_request(waymark):
    with acting.within(request="0a1b", person="ann", role="mentor", purpose="own-case"):
        async with waymark.database.transaction() as db:
            await audit.record(db, AT, "ann", "thing.done", "thing", "one")
            await audit.refused(db, AT, "waymark", "thing.done", "thing", "two")
    one, two = await rows(waymark)
    assert (one.acting_as, one.purpose, one.request_id) == ("mentor", "own-case", "0a1b")
    assert (two.acting_as, two.purpose, two.request_id) == (None, None, "0a1b")
    assert (one.outcome, two.outcome) == ("done", "refused")


def test_what_became_known_in_a_block_is_forgotten_after_it():
    with acting.within(request="0a1b"):
        acting.become(person="ann")
        assert acting.now().person == "ann"
    assert acting.now() == acting.Acting()


async def test_refusals_outlive_what_was_refused(waymark):
    moss = await member(waymark, "Moss", Role.MENTOR)
    from web.casework import refusals

    with acting.within(person=moss.id, role="mentor"):
        for object_id in ("abcdef0123456789", "Somebody's name"):
            error = NotAllowed("No", wanted="assign")
            await refusals.keep(waymark, error, "submission", object_id)
    told = await rows(waymark, Audit, Audit.action == "access.refused")
    assert [(r.actor, r.object_id, r.outcome) for r in told] == [
        (moss.id, "abcdef0123456789", "refused"),
        (moss.id, "unknown", "refused"),
    ]
    assert (told[0].detail, told[0].acting_as) == ({"wanted": "assign"}, "mentor")
