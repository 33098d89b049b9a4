"""The one door, on both databases: one transaction a turn, once, and for its own sender only."""

import asyncio
import json

import pytest

from bot import intake
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.errors import UnknownConversation, UnknownFlow
from bot.intake import Inbound, receive
from bot.store.models import Alert, Audit, ConversationRow, Inbox, Outbox, Sender, SubmissionRow
from content.schema import Channel, QuestionType, Skip
from tests.drivers.waymark import wired
from tests.opened import rows
from tests.test_properties import answer


class Caller:
    """Someone at the door, without any channel's dress."""

    def __init__(self, waymark, channel=Channel.FORM, sender="web:someone"):
        self.waymark, self.channel, self.sender = waymark, channel, sender
        self.count = 0
        self.got = None

    async def does(self, event, key=None, **more):
        self.count += 1
        inbound = Inbound(
            self.channel,
            self.sender,
            event,
            self.waymark.clock(),
            key or f"{self.sender}:{self.count}",
            conversation=self.conversation,
            order=self.count if self.channel is Channel.TELEGRAM else None,
            **more,
        )
        self.got = await receive(self.waymark, inbound)
        return self.got

    @property
    def conversation(self):
        return self.got.conversation.id if self.got and self.got.conversation else None

    async def finishes(self):
        """Answers everything in the plainest harmless way, to the review."""
        for _ in range(80):
            if self.got.turn.asking is None:
                return
            for event in plain(self):
                await self.does(event)
                assert self.got.turn.problem is None

    async def sends(self):
        (review,) = [m for m in self.got.turn.messages if isinstance(m, say.Review)]
        return await self.does(ev.Submit(review.revision))


class _Asked:
    def __init__(self, caller):
        self.turn, self.channel = caller.got.turn, Channel.FORM


def plain(caller):
    ask = caller.got.turn.asking
    if ask.question.type is QuestionType.FILE:
        return [ev.Skipped(Skip.SKIPPED, ask.question.id)]
    for at, option in enumerate(ask.options):
        if not option.ends and not option.disclosure:
            return answer(_Asked(caller), at)
    return answer(_Asked(caller), 0)


@pytest.fixture(params=["sqlite", "postgresql"])
async def waymark(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    parts, _ = wired(tmp_path, url)
    await parts.database.migrate()
    yield parts
    await parts.database.close()


async def test_a_concern_is_filed_with_its_priority_promise_and_code(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    await caller.finishes()
    got = await caller.sends()
    (row,) = await rows(waymark, SubmissionRow)
    assert got.turn.submission.id == row.id
    assert row.reference.startswith("VS-")
    assert row.reasons
    assert row.reply_due > row.received_at
    assert row.sender_role
    assert row.return_key == waymark.keys.return_key(
        row.reference.lower(), got.sent.return_code.replace("-", " ").lower()
    )
    assert [line["question"] for line in row.payload["answers"]]


async def test_the_same_event_is_taken_once(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    first = await caller.does(ev.Answered("danger", ("not-now",)), key="k")
    for _ in range(3):
        again = await caller.does(ev.Answered("danger", ("in-danger",)), key="k")
        assert again.repeated
        assert again.conversation == first.conversation


async def test_the_same_sending_from_two_tabs_at_once_is_one_record(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    await caller.finishes()
    (review,) = [m for m in caller.got.turn.messages if isinstance(m, say.Review)]
    conversation = caller.conversation
    tabs = [
        Inbound(
            Channel.FORM, caller.sender, ev.Submit(review.revision), waymark.clock(), f"tab{n}",
            conversation=conversation,
        )
        for n in range(6)
    ]  # fmt: skip
    got = await asyncio.gather(*(receive(waymark, tab) for tab in tabs))
    references = {
        message.reference
        for one in got
        for message in one.turn.messages
        if isinstance(message, say.Submitted)
    }
    assert len(references) == 1
    assert len(await rows(waymark, SubmissionRow)) == 1


async def test_many_people_at_once_lose_nothing(waymark):
    async def one(number):
        caller = Caller(waymark, sender=f"web:{number}")
        await caller.does(ev.Begin("my-views-years-3-to-6"))
        for _ in range(6):
            for event in plain(caller):
                await caller.does(event)
        return caller.got.conversation

    left = await asyncio.gather(*(one(number) for number in range(12)))
    kept = {row.id: row.state for row in await rows(waymark, ConversationRow)}
    assert len(kept) == 12
    for conversation in left:
        assert kept[conversation.id] == json.loads(json.dumps(conversation.dumps()))


async def test_a_conversation_is_open_to_its_own_sender_only(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    mine = caller.conversation
    stranger = Caller(waymark, sender="web:stranger")
    inbound = Inbound(
        Channel.FORM, "web:stranger", ev.Resume(), waymark.clock(), "x", conversation=mine
    )
    with pytest.raises(UnknownConversation):
        await receive(waymark, inbound)
    with pytest.raises(UnknownConversation):
        await intake.look(waymark, Channel.FORM, "web:stranger", mine)
    assert stranger.conversation is None


async def test_a_flow_is_only_on_its_own_channels(waymark):
    caller = Caller(waymark, Channel.TELEGRAM, "telegram:5")
    await caller.does(ev.SaidAge(over_16=True))
    with pytest.raises(UnknownFlow):
        await caller.does(ev.Begin("my-views-years-3-to-6"))


async def test_a_disclosure_is_before_staff_at_once_even_if_nothing_is_sent(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("my-views-years-7-to-9"))
    while caller.got.turn.asking.question.id != "unsafe":
        for event in plain(caller):
            await caller.does(event)
    got = await caller.does(ev.Answered("unsafe", ("yes",)))
    assert isinstance(got.turn.messages[0], say.SafetyNotice)
    (alert,) = await rows(waymark, Alert)
    assert (alert.urgency, alert.submission) == ("urgent", None)
    await caller.does(ev.Delete(sure=True))
    assert await rows(waymark, ConversationRow) == []
    (alert,) = await rows(waymark, Alert)
    assert alert.seen_at is None


async def test_under_16_on_telegram_nothing_is_kept(waymark):
    caller = Caller(waymark, Channel.TELEGRAM, "telegram:9")
    got = await caller.does(ev.Open("raise-a-concern"))
    assert any("16" in label for bubble in got.bubbles for row in bubble.rows for label, _ in row)
    await caller.does(ev.Typed("CANARY my name is"))
    got = await caller.does(ev.SaidAge(over_16=False))
    assert "0800 1111" in got.bubbles[0].text
    assert await rows(waymark, Sender) == []
    assert await rows(waymark, ConversationRow) == []
    kept = [*await rows(waymark, Outbox), *await rows(waymark, Inbox), *await rows(waymark, Audit)]
    assert "CANARY" not in repr(kept)


async def test_a_resume_code_opens_it_elsewhere_and_no_longer_here(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    await caller.does(ev.Answered("danger", ("not-now",)))
    mine = caller.conversation
    assert await intake.resume(waymark, "web:elsewhere", "AAAA-BBBB-CCCC") is None
    code = waymark.keys.resume_code(mine)
    assert await intake.resume(waymark, "web:elsewhere", code.lower()) == mine
    await intake.look(waymark, Channel.FORM, "web:elsewhere", mine)
    with pytest.raises(UnknownConversation):
        await intake.look(waymark, Channel.FORM, caller.sender, mine)


async def test_when_the_commit_fails_nothing_is_kept_and_nothing_said(waymark, monkeypatch):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    await caller.finishes()
    (review,) = [m for m in caller.got.turn.messages if isinstance(m, say.Review)]

    async def fails(self):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("sqlalchemy.ext.asyncio.AsyncConnection.commit", fails)
        with pytest.raises(OSError, match="full"):
            await caller.does(ev.Submit(review.revision))
    assert await rows(waymark, SubmissionRow) == []
    got = await caller.does(ev.Submit(review.revision))
    assert any(isinstance(message, say.Submitted) for message in got.turn.messages)


async def test_audit_rows_hold_ids_and_no_words(waymark):
    caller = Caller(waymark)
    await caller.does(ev.Begin("raise-a-concern"))
    await caller.finishes()
    await caller.sends()
    lines = await rows(waymark, Audit)
    assert {"conversation.begun", "submission.filed"} <= {line.action for line in lines}
    assert "Words" not in repr(lines)
