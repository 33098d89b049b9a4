"""Words at rest: sealed, bound to their place, openable by the right process only, and erasable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import keys as codes
from bot import replies, rotation
from bot.errors import CannotOpen, Erased
from bot.keyring import Keyring, NoKey, add_key
from bot.keys import Keys
from bot.store import conversations, sealing, submissions
from bot.store.database import Database
from bot.store.models import (
    Base,
    ConversationRow,
    DataKey,
    Note,
    Outbox,
    Reply,
    SubmissionRow,
)
from bot.wiring import Waymark
from content.schema import Role
from tests import opened
from tests.drivers.waymark import running, wired
from web import demo
from web.casework import accounts, review
from web.casework.permissions import Person

CANARY = "Zanzibar-canary"
ANSWERS = {"danger": "not-now", "harm": "no", "role": "foster-carer", "story": CANARY}
STORY = demo.Story("raise-a-concern", 2, ANSWERS)


@pytest.fixture(params=["sqlite", "postgres"])
async def waymark(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Waymark]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    parts, _ = wired(tmp_path, url)
    await parts.database.migrate()
    yield parts
    await parts.database.close()


async def sent(waymark: Waymark, name: str = "one") -> str:
    id_ = await demo.Sender(waymark, name, STORY).talk()
    assert id_ is not None
    return id_


async def ann(waymark: Waymark) -> Person:
    async with waymark.database.transaction() as db:
        role = Role.HEADTEACHER
        id_ = await accounts.make(waymark, db, "Ann", "ann@example.org", role)
    return Person(id_, "Ann", role)


async def dump(waymark: Waymark) -> str:
    """Every value of every table, as it stands there."""
    async with waymark.database.reading() as db:
        found = [
            repr(row)
            for table in Base.metadata.sorted_tables
            for row in (await db.execute(sa.select(table))).all()
        ]
    assert len(found) > 5
    return "\n".join(found)


# --- At rest ------------------------------------------------------------------------------


async def test_the_tables_hold_no_words(waymark: Waymark) -> None:
    one, person = await sent(waymark), await ann(waymark)
    await review.write_note(waymark, person, one, f"{CANARY} note", "once")
    await review.reply(waymark, person, one, f"{CANARY} reply", "once", 0)
    assert CANARY not in await dump(waymark)
    (row,) = await opened.rows(waymark, SubmissionRow)
    assert CANARY in str(row.payload)
    (note,) = await opened.rows(waymark, Note)
    assert note.text == f"{CANARY} note"


async def test_a_sealed_value_opens_in_its_own_place_only(waymark: Waymark) -> None:
    first, second = await sent(waymark, "one"), await sent(waymark, "two")
    async with waymark.database.transaction() as db:
        rows = {id_: await submissions.get(db, id_) for id_ in (first, second)}
        for id_, other in ((first, second), (second, first)):
            words = rows[other].payload
            changed = sa.update(SubmissionRow).where(SubmissionRow.id == id_)
            await db.execute(changed.values(payload=words))
    async with waymark.database.reading() as db:
        for id_ in (first, second):
            with pytest.raises(CannotOpen):
                await submissions.payload(db, await submissions.get(db, id_))


@pytest.mark.parametrize("column", [SubmissionRow.payload, Reply.text])
async def test_nor_in_another_column_or_row_of_the_same_owner(
    waymark: Waymark, column: sealing.Column
) -> None:
    one = await sent(waymark)
    async with waymark.database.reading() as db:
        box = await sealing.box(db, submissions.owner(one))
    words = box.seal(column, "here", CANARY)
    assert box.opened(column, "here", words) == CANARY
    for place in ((column, "there"), (Note.text, "here")):
        with pytest.raises(CannotOpen):
            box.opened(*place, words)
    for broken in (words[:-1], words[:9], b"\x02" + words[1:], words[:20] + b"x" + words[21:]):
        with pytest.raises(CannotOpen):
            box.opened(column, "here", broken)


async def test_a_data_key_of_another_owner_does_not_open(waymark: Waymark) -> None:
    first, second = await sent(waymark, "one"), await sent(waymark, "two")
    async with waymark.database.transaction() as db:
        await sealing.erase(db, submissions.owner(first))
        moved = sa.update(DataKey).where(DataKey.owner == submissions.owner(second))
        await db.execute(moved.values(owner=submissions.owner(first)))
    async with waymark.database.reading() as db:
        with pytest.raises(CannotOpen):
            await sealing.box(db, submissions.owner(first))


async def test_words_in_the_clear_are_refused_and_never_compared(waymark: Waymark) -> None:
    one, person = await sent(waymark), await ann(waymark)
    values = {"id": "n", "submission": one, "author": person.id, "written_at": datetime.now(UTC)}
    with pytest.raises(sa.exc.StatementError, match="not sealed"):
        async with waymark.database.transaction() as db:
            await db.execute(sa.insert(Note).values(**values, text=CANARY.encode()))
    with pytest.raises(TypeError):
        sa.select(Note).where(Note.text == b"x")


async def test_deleting_the_data_key_erases(waymark: Waymark) -> None:
    one = await sent(waymark)
    async with waymark.database.transaction() as db:
        assert await sealing.erase(db, submissions.owner(one)) == 1
    async with waymark.database.reading() as db:
        with pytest.raises(Erased):
            await submissions.payload(db, await submissions.get(db, one))


async def test_a_letter_keeps_its_words_only_until_it_was_said(waymark: Waymark) -> None:
    async with running(waymark.settings.data_dir / "live") as live:
        from tests.drivers.telegram import Person as OnTelegram

        person = OnTelegram(live.http(), live.fake, live.channel)
        await person.start("next-steps")
        await person.tap("Yes, I am 16 or over")
        await live.channel.delivery.run_due()
        kept = await opened.rows(live.waymark, Outbox, Outbox.state == "sent")
        owners = {row.owner for row in await opened.rows(live.waymark, DataKey)}
    assert all(row.payload is None for row in kept)
    assert not {f"letter:{row.key}" for row in kept} & owners


# --- Who can open what --------------------------------------------------------------------


async def test_the_public_process_cannot_open_what_it_sealed(
    tmp_path: Path, waymark: Waymark
) -> None:
    public, _ = wired(tmp_path, waymark.settings.database_url, role="public")
    one = await sent(public)
    async with public.database.reading() as db:
        row = await submissions.get(db, one)
        with pytest.raises(CannotOpen):
            await submissions.payload(db, row)
        code = await conversations.return_code(db, row.conversation)
        assert not public.keys.ring.private
    async with waymark.database.reading() as db:
        assert CANARY in str(await submissions.payload(db, row))
    person = await ann(waymark)
    await review.write_note(waymark, person, one, "Only staff", "once")
    await review.reply(waymark, person, one, "We will ring", "once", 0)
    # With the sender's code it opens what they sent and the replies; no code opens a note.
    whose = {"sender": "b", "place": "p"}
    box = await replies.find(public, row.reference, code, whose)
    read = await replies.read(public, box)
    assert [reply.text for reply in read.replies] == ["We will ring"]
    assert CANARY in str(read.sections)
    async with public.database.reading() as db:
        with pytest.raises(CannotOpen):
            await sealing.box(db, submissions.desk(one), codes.tidy_code(code))
    await public.database.close()


async def test_a_wrong_code_opens_nothing(waymark: Waymark) -> None:
    one = await sent(waymark)
    async with waymark.database.reading() as db:
        with pytest.raises(CannotOpen):
            await sealing.box(db, submissions.owner(one), "0123456789AB")


def test_the_public_process_makes_no_keys_and_reads_no_private_ones(tmp_path: Path) -> None:
    with pytest.raises(NoKey):
        Keyring(tmp_path, staff=False)
    assert Keyring(tmp_path).private
    assert not Keyring(tmp_path, staff=False).private
    for path in tmp_path.rglob("*.key"):
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("role", "there", "missing"),
    [("public", "/", "/staff/sign-in"), ("staff", "/staff/sign-in", "/start")],
)
async def test_each_role_serves_its_own_pages_only(
    tmp_path: Path, role: str, there: str, missing: str
) -> None:
    Keys.at(tmp_path)
    async with running(tmp_path, role=role) as site, site.http() as http:
        assert (await http.get(there)).status_code == 200
        assert (await http.get(missing)).status_code == 404


# --- Keys changed -------------------------------------------------------------------------


async def test_after_rotation_everything_opens_without_the_old_keys(waymark: Waymark) -> None:
    kept, gone = await sent(waymark, "one"), await sent(waymark, "two")
    ring = waymark.keys.ring
    old = {kind: ring.newest(kind) for kind in ("talk", "case")}
    for kind, name in old.items():
        with pytest.raises(rotation.KeyInUse, match="Make a new one"):
            await rotation.destroy(waymark, kind, name)
        await rotation.add(waymark, kind)
        with pytest.raises(rotation.KeyInUse, match="still need"):
            await rotation.destroy(waymark, kind, name)
    async with waymark.database.transaction() as db:
        await sealing.erase(db, submissions.owner(gone))
    assert await rotation.rewrap(waymark) == 3  # a submission and two conversations
    assert await rotation.rewrap(waymark) == 0
    for kind, name in old.items():
        await rotation.destroy(waymark, kind, name)
    later, _ = wired(waymark.settings.data_dir, waymark.settings.database_url)
    async with later.database.reading() as db:
        row = await submissions.get(db, kept)
        assert CANARY in str(await submissions.payload(db, row))
        assert CANARY in str(await conversations.read(db, row.conversation))
        with pytest.raises(Erased):
            await submissions.payload(db, await submissions.get(db, gone))
    await later.database.close()


async def test_rotation_broken_off_is_taken_up_again(
    waymark: Waymark, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        await sent(waymark, str(n))
    monkeypatch.setattr(rotation, "BATCH", 3)
    await rotation.add(waymark, "talk")
    await rotation.add(waymark, "case")
    wrapped, batches = waymark.keys.ring.wrap, []

    def fails(*given: str) -> tuple[str, bytes]:
        batches.append(given)
        if len(batches) == 6:
            raise OSError("the disk is full")
        return wrapped(*given)

    with monkeypatch.context() as broken:
        broken.setattr(waymark.keys.ring, "wrap", fails)
        with pytest.raises(OSError, match="full"):
            await rotation.rewrap(waymark)
    left = {(s.kind, s.newest): s.wraps for s in await rotation.standing(waymark)}
    assert left[("talk", True)] == 4  # batches that were whole stay
    assert left[("case", True)] == 0  # of half a batch, nothing
    assert await rotation.rewrap(waymark) == left[("case", False)] == 4
    async with waymark.database.reading() as db:
        for row in await opened.rows(waymark, ConversationRow):
            assert await conversations.read(db, row.id)


async def test_a_running_process_uses_a_new_key_at_once(waymark: Waymark) -> None:
    name = add_key(waymark.keys.ring.folder, "case")  # as another process makes it
    one = await sent(waymark)
    async with waymark.database.reading() as db:
        used = sa.select(DataKey.kek).where(
            DataKey.owner == submissions.owner(one), DataKey.reader == "case"
        )
        assert await db.scalar(used) == name


async def test_two_notes_at_once_share_one_key(waymark: Waymark) -> None:
    one, person = await sent(waymark), await ann(waymark)
    await asyncio.gather(
        *(review.write_note(waymark, person, one, f"Note {n}", str(n)) for n in range(8))
    )
    async with waymark.database.reading() as db:
        assert len(await submissions.notes(db, one)) == 8


# --- Tables from before -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_words_that_were_there_before_are_sealed_and_can_come_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from alembic import command
    from alembic.config import Config

    from bot.store.database import MIGRATIONS

    url = request.getfixturevalue("bare_postgres_url") if kind == "postgres" else None
    parts, _ = wired(tmp_path, url)
    database: Database = parts.database

    def to(revision: str, up: bool = True):
        def change(connection: sa.Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes.update(connection=connection, keys=parts.keys)
            (command.upgrade if up else command.downgrade)(config, revision)

        return change

    async def run(revision: str, up: bool = True) -> None:
        async with database.transaction() as db:
            await db.run_sync(to(revision, up))

    await run("0001")
    async with database.transaction() as db:
        for statement in OLD_ROWS:
            await db.exec_driver_sql(statement)
    await run("0002")
    async with database.reading() as db:
        row = (await db.execute(sa.text("SELECT * FROM submission"))).one()
        assert CANARY not in repr(row)
        box = await sealing.box(db, "submission:s1")
        words = box.opened(SubmissionRow.payload, "s1", bytes(row.payload))
        assert words == {"answers": [CANARY]}
        note = (await db.execute(sa.text("SELECT * FROM note"))).one()
        text = await sealing.opened(db, "desk:s1", Note.text, "n1", bytes(note.text))
        assert text == CANARY
        code = await conversations.return_code(db, "c1")
        assert len(code) == 14
        assert await sealing.box(db, "submission:s1", codes.tidy_code(code))
    await run("0001", up=False)
    async with database.reading() as db:
        row = (await db.execute(sa.text("SELECT * FROM note"))).one()
        assert row.text == CANARY
    await database.close()


AT = "'2026-11-01 10:00:00+00:00'"
OLD_ROWS = [
    f"INSERT INTO staff VALUES ('a', 'Ann', 'ann@example.org', 'mentor', NULL, true, {AT})",
    "INSERT INTO conversation (id, sender, flow, state, revision, status, started_at, changed_at, "
    f"expires_at) VALUES ('c1', 'web:x', 'f', '{{\"id\": \"{CANARY}\"}}', 1, 'submitted', "
    f"{AT}, {AT}, {AT})",
    "INSERT INTO submission (id, reference, handle, conversation, sender, channel, authority, "
    "flow, kind, title, sender_role, payload, priority, rank, reasons, status, received_at, "
    "reply_due, unread, return_key, version) VALUES ('s1', 'VS-1', 'Amber Owl', 'c1', 'web:x', "
    "'form', 'kirklees', 'f', 'concern', 'T', 'carer', "
    f"'{{\"answers\": [\"{CANARY}\"]}}', 'low', 3, '[]', 'new', {AT}, {AT}, true, 'k', 1)",
    f"INSERT INTO note VALUES ('n1', 's1', 'a', '{CANARY}', {AT})",
]
