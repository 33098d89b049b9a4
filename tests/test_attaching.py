"""Files of answers where they are kept, on both databases: as the answers say, and sealed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import attaching, intake, rescanning
from bot.conversation import events as ev
from bot.errors import CannotOpen, UnknownConversation
from bot.files.scanning import ScanState
from bot.inbound import Arrived
from bot.store import conversations, sealing
from bot.store.models import Attachment, DataKey, SubmissionRow
from content.schema import FileKind, Skip
from tests import corpus
from tests.drivers.waymark import wired
from tests.opened import rows
from tests.test_intake import Caller, plain

FLOW, QUESTION = "my-views-years-3-to-6", "show-us"
DRAWING = Arrived(FileKind.PICTURE, "image/jpeg", b"CANARY drawing" * 50, ScanState.UNSCANNED)
VOICE = Arrived(FileKind.VOICE, "audio/webm", b"CANARY voice" * 50, ScanState.UNSCANNED)


@pytest.fixture(params=["sqlite", "postgresql"])
async def waymark(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    parts, _ = wired(tmp_path, url)
    await parts.database.migrate()
    yield parts
    await parts.database.close()


async def asked_for_files(waymark, sender="web:someone") -> Caller:
    caller = Caller(waymark, sender=sender)
    await caller.does(ev.Begin(FLOW))
    while caller.got.turn.asking.question.id != QUESTION:
        for event in plain(caller):
            await caller.does(event)
    return caller


async def add(caller, *files, done=False):
    return await caller.does(ev.Added(QUESTION, done=done), files=files)


async def kept(waymark):
    return await rows(waymark, Attachment)


def answered(caller):
    given = caller.got.conversation.answers.get(QUESTION)
    return given.values if given else ()


async def raw(waymark):
    async with waymark.database.reading() as db:
        return list((await db.execute(sa.select(Attachment.__table__))).all())


async def test_a_file_is_kept_sealed_with_its_answer(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    await add(caller, VOICE)
    first, second = sorted(await kept(waymark), key=lambda row: row.made_at)
    assert (first.content, first.size) == (DRAWING.content, len(DRAWING.content))
    assert (first.kind, first.media_type, first.submission) == ("picture", "image/jpeg", None)
    assert answered(caller) == (f"picture:{first.id}", f"voice:{second.id}")
    assert all(b"CANARY" not in row.content for row in await raw(waymark))


async def test_the_same_arrival_is_kept_once(waymark):
    caller = await asked_for_files(waymark)
    await caller.does(ev.Added(QUESTION), key="same", files=(DRAWING,))
    again = await caller.does(ev.Added(QUESTION), key="same", files=(DRAWING,))
    assert again.repeated
    assert len(await kept(waymark)) == 1


async def test_nobody_can_name_a_file_into_an_answer(waymark):
    theirs = await asked_for_files(waymark, "web:them")
    await add(theirs, DRAWING)
    (value,) = answered(theirs)
    mine = await asked_for_files(waymark)
    for event in (
        ev.Added(QUESTION, (value,)),
        ev.Answered(QUESTION, values=(value,)),
        ev.Answered(QUESTION, text=value),
        ev.Typed(value),
        ev.Toggled(QUESTION, value),
    ):
        await mine.does(event)
        assert answered(mine) == ()
    await mine.does(ev.Removed(QUESTION, value))
    assert len(await kept(waymark)) == 1


async def test_what_is_taken_away_is_gone(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    await add(caller, VOICE)
    drawing, voice = answered(caller)
    await caller.does(ev.Removed(QUESTION, drawing))
    (left,) = await kept(waymark)
    assert f"voice:{left.id}" == voice
    await caller.does(ev.Removed(QUESTION, voice))
    assert await kept(waymark) == []
    assert QUESTION not in caller.got.conversation.answers
    assert caller.got.turn.asking.question.id == QUESTION


async def test_no_more_than_the_question_takes(waymark):
    caller = await asked_for_files(waymark)
    for _ in range(4):
        await add(caller, DRAWING)
    assert caller.got.turn.problem.key == "file-enough"
    assert len(await kept(waymark)) == 3


async def test_to_skip_after_adding_loses_nothing(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    for event in (ev.Skipped(Skip.SKIPPED, QUESTION), ev.GoTo(QUESTION), ev.Typed("skip")):
        await caller.does(event)
    assert caller.got.turn.asking.question.id == "easy"
    assert len(await kept(waymark)) == 1
    assert len(answered(caller)) == 1


async def test_what_is_sent_is_sealed_anew_and_the_rest_goes(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, VOICE)
    await add(caller, DRAWING, done=True)
    await caller.finishes()
    await caller.sends()
    (sent,) = await rows(waymark, SubmissionRow)
    voice, drawing = sorted(await kept(waymark), key=lambda row: row.place)
    assert (voice.place, drawing.place) == (1, 2)
    assert {voice.submission, drawing.submission} == {sent.id}
    assert (voice.content, drawing.content) == (VOICE.content, DRAWING.content)
    (line,) = [line for line in sent.payload["answers"] if line["question"] == QUESTION]
    assert line["words"] == ["1 voice note", "1 picture"]
    assert line["values"] == [f"voice:{voice.id}", f"picture:{drawing.id}"]
    with pytest.raises(UnknownConversation):  # their browser may have other users by now
        await attaching.shown(waymark, caller.sender, caller.conversation, drawing.id)


async def test_a_file_off_the_path_is_not_sent(waymark):
    """As when the flow was changed under an open conversation: nobody is asked for it any more."""
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING, done=True)
    await caller.finishes()
    async with waymark.database.transaction() as db:
        await db.execute(sa.update(Attachment).values(id="somethingelse"))
    await caller.sends()
    assert await kept(waymark) == []
    assert len(await rows(waymark, SubmissionRow)) == 1, "better sent without than not at all"


async def test_whoever_only_faces_the_public_cannot_open_what_was_sent(waymark, tmp_path):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING, done=True)
    await caller.finishes()
    await caller.sends()
    async with waymark.database.reading() as db:
        wraps = (await db.execute(sa.select(DataKey.__table__))).all()
        (row,) = (await db.execute(sa.select(Attachment.__table__))).all()
        whose = conversations.owner(caller.conversation)
        with pytest.raises(CannotOpen):  # moved back under the conversation, it stays shut
            await sealing.opened_bytes(db, whose, Attachment.content, row.id, row.content)
    readers = {wrap.reader for wrap in wraps if wrap.owner == f"submission:{row.submission}"}
    assert readers == {"case", "sender"}


async def test_deleting_a_conversation_deletes_its_files_and_no_others(waymark):
    sent = await asked_for_files(waymark, "web:sent")
    await add(sent, DRAWING, done=True)
    await sent.finishes()
    await sent.sends()
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    await caller.does(ev.Delete(sure=True))
    (left,) = await kept(waymark)
    assert left.submission is not None


async def test_only_its_sender_sees_a_file(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    (file,) = await kept(waymark)
    seen = await attaching.shown(waymark, caller.sender, caller.conversation, file.id)
    assert seen.content == DRAWING.content
    other = await asked_for_files(waymark, "web:other")
    for sender, conversation in (
        ("web:other", caller.conversation),
        ("web:other", other.conversation),
        (caller.sender, other.conversation),
    ):
        with pytest.raises(UnknownConversation):
            await attaching.shown(waymark, sender, conversation, file.id)


async def test_a_file_goes_where_its_conversation_goes(waymark):
    caller = await asked_for_files(waymark)
    await add(caller, DRAWING)
    (file,) = await kept(waymark)
    code = waymark.keys.resume_code(caller.conversation)
    assert await intake.resume(waymark, "web:new", code) == caller.conversation
    assert await attaching.shown(waymark, "web:new", caller.conversation, file.id)
    with pytest.raises(UnknownConversation):
        await attaching.shown(waymark, caller.sender, caller.conversation, file.id)


async def test_nothing_of_a_file_is_kept_when_the_turn_fails(waymark, monkeypatch):
    caller = await asked_for_files(waymark)

    async def fail(*given):
        raise OSError("the disk is full")

    monkeypatch.setattr(conversations, "keep_sender", fail)
    with pytest.raises(OSError, match="full"):
        await add(caller, DRAWING)
    monkeypatch.undo()
    assert await kept(waymark) == []


# --- The scanner, afterwards ----------------------------------------------------------------


@pytest.fixture
async def scanned(tmp_path):
    """With a scanner that says what a file in this folder tells it to."""
    verdict = tmp_path / "verdict"
    command = f"sh -c 'exit $(cat {verdict})'"
    parts, clock = wired(tmp_path, scan_command=command)
    await parts.database.migrate()
    yield parts, clock, verdict
    await parts.database.close()


async def states(waymark):
    return [row.scan for row in await kept(waymark)]


async def test_a_file_the_scanner_finds_something_in_is_not_kept(scanned):
    waymark, _, verdict = scanned
    verdict.write_text("1")
    with pytest.raises(attaching.Unfit, match="file-unsafe"):
        await attaching.take_in(waymark, corpus.picture(), [FileKind.PICTURE], {})


async def test_a_scanner_that_sleeps_is_asked_again(scanned):
    waymark, clock, verdict = scanned
    verdict.write_text("2")
    unsent, sent = await asked_for_files(waymark, "web:a"), await asked_for_files(waymark, "web:b")
    for caller in (unsent, sent):
        arrived = await attaching.take_in(waymark, corpus.picture(), [FileKind.PICTURE], {})
        assert arrived.scan is ScanState.PENDING
        await add(caller, arrived, done=True)
    await sent.finishes()
    await sent.sends()
    await rescanning.scan_waiting(waymark)
    assert await states(waymark) == ["pending", "pending"]
    verdict.write_text("0")
    await rescanning.scan_waiting(waymark)
    assert await states(waymark) == ["clean", "clean"]
    async with waymark.database.transaction() as db:
        await db.execute(sa.update(Attachment).values(scan="unscanned"))
    verdict.write_text("1")
    await rescanning.scan_waiting(waymark)
    assert await states(waymark) == ["suspect", "suspect"], "from before there was a scanner"
    async with waymark.database.transaction() as db:
        await db.execute(sa.update(Attachment).values(scan="pending"))
    verdict.write_text("2")
    clock.forward(timedelta(days=2))
    await rescanning.scan_waiting(waymark)
    assert await states(waymark) == ["error", "error"]
