"""Telegram, from the update that comes in to the message that is shown: conversation.md 8."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from bot import intake, logs
from bot.keys import Keys
from bot.settings import Settings
from bot.store import outbox
from bot.store.database import Database
from bot.store.models import Alert, Audit, ConversationRow, Inbox, Outbox, Sender, SubmissionRow
from bot.telegram import app as telegram
from bot.telegram import contact, outbound
from bot.wiring import Waymark
from content import loader
from content.schema import Kind
from tests import opened
from tests.drivers.telegram import Person
from tests.fake_telegram import FakeTelegram, Fault
from web.api import telegram as webhook

SMALL = loader.read(Path(__file__).parent / "content_small").served_by("staffordshire")
TOKEN = "123456789:CANARY-token_abcdefghijklmnopqrstuv"
START = datetime.fromisoformat("2026-11-23T10:00:00+00:00")


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """A running bot with a Bot API and people of its own."""

    waymark: Waymark
    fake: FakeTelegram
    channel: telegram.Telegram
    http: httpx.AsyncClient
    clock: Clock
    people: list[Person] = field(default_factory=list)

    def stranger(self) -> Person:
        self.people.append(Person(self.http, self.fake, self.channel))
        return self.people[-1]

    async def person(self) -> Person:
        """Someone who has said that they are 16 or over."""
        person = self.stranger()
        await person.start()
        await person.tap("Yes, I am 16 or over")
        return person

    async def rows(self, table: type, **where: Any) -> list[Any]:
        wanted = [getattr(table, name) == value for name, value in where.items()]
        return await opened.rows(self.waymark, table, *wanted)

    async def states(self, person: Person) -> list[str]:
        rows = await self.rows(Outbox, sender=person.address)
        return [row.state for row in rows]

    async def idle(self) -> None:
        """Until nothing is on its way, the little things included."""
        await self.channel.delivery.run_due()
        while self.channel._asides:
            await asyncio.wait(self.channel._asides)


@asynccontextmanager
async def living(
    database: str, folder: Path, polling: bool = False, content: loader.Content = SMALL
) -> AsyncIterator[World]:
    fake, clock = FakeTelegram(), Clock()
    given = {
        "telegram_token": TOKEN,
        "telegram_api_base": "http://fake/bot",
        "telegram_file_base": "http://fake/file/bot",
        "telegram_webhook_url": None if polling else "https://here.example/telegram/webhook",
        "telegram_webhook_secret": None if polling else "the-secret",
        "data_dir": folder,
    }
    made = Settings(**given)
    keys = Keys.at(folder)
    waymark = Waymark(made, content, Database(database, keys), keys, clock)
    await waymark.database.migrate()
    channel = telegram.connect(made, fake.transport)
    channel._pace = telegram._Pace(100_000)
    site = FastAPI()
    site.state.telegram = channel
    site.include_router(webhook.router)
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    async with (
        telegram.running(waymark, channel),
        httpx.AsyncClient(transport=transport, base_url="http://here") as http,
    ):
        yield World(waymark, fake, channel, http, clock)
    await waymark.database.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(f"sqlite+aiosqlite:///{tmp_path}/w.db", tmp_path) as world:
        yield world
        assert not [r for r in world.fake.refusals if "not modified" not in r]


async def answered(person: Person, upto: str = "review") -> None:
    """Through the small flow with plain answers, as far as this question."""
    steps = {
        "danger": lambda: person.tap("Small concern"),
        "role": lambda: person.tap("No, not right now"),
        "topics": lambda: person.tap("Foster carer"),
        "days": lambda: person.say("attendance"),
        "happened": lambda: person.say("3"),
        "more": lambda: person.say("They stay at home."),
        "review": lambda: person.tap("Skip this"),
    }
    for name, step in steps.items():
        await step()
        if name == upto:
            return


async def submitted(person: Person) -> None:
    await answered(person)
    await person.tap("Send my answers")


# --- The ordinary way ---------------------------------------------------------------------


async def test_a_concern_from_start_to_reference(world: World) -> None:
    person = world.stranger()
    (age,) = await person.start()
    assert age.labels == ["Yes, I am 16 or over", "No, I am under 16"]
    (menu,) = await person.tap("Yes, I am 16 or over")
    assert menu.labels == ["Small concern"]
    (first,) = await person.tap("Small concern")
    assert "This is a small flow." in first.text
    assert "Is the child in danger right now?" in first.text
    await person.tap("No, not right now")
    await person.tap("Foster carer")
    await person.tap("Attendance")
    assert "☑ Attendance" in person.last.labels
    (days,) = await person.tap("Done")
    assert "How many days" in days.text
    await person.say("3")
    await person.say("They stay at home.")
    (review,) = await person.tap("Skip this")
    assert "Check your answers" in review.text
    assert "They stay at home." in review.text
    assert review.protected
    (sent,) = await person.tap("Send my answers")
    (row,) = await world.rows(SubmissionRow)
    assert row.reference in sent.text
    assert row.channel == "telegram"
    assert not sent.protected, "people must be able to copy their return code"
    assert await world.states(person) == ["carried"] * 9 + ["sent"]


async def test_each_tap_is_answered(world: World) -> None:
    person = await world.person()
    await answered(person, "role")
    await world.idle()
    assert len(world.fake.called("answerCallbackQuery")) == 3


async def test_a_tick_redraws_its_message_and_says_nothing(world: World) -> None:
    person = await world.person()
    await answered(person, "topics")
    asked = person.last
    assert await person.tap("Attendance") == []
    assert await person.tap("Exams") == []
    assert [label[0] for label in asked.labels[:4]] == ["☑", "☑", "☐", "☐"]
    await person.tap("None of these")
    assert [label[0] for label in asked.labels[:4]] == ["☐", "☐", "☐", "☑"]


async def test_telegram_is_told_commands_secret_and_where_to_post(world: World) -> None:
    await world.channel.ready.wait()
    (hook,) = world.fake.called("setWebhook")
    assert hook["secret_token"] == "the-secret"
    assert hook["allowed_updates"] == contact.ALLOWED
    (menu,) = world.fake.called("setMyCommands")
    assert [c["command"] for c in menu["commands"]][:3] == ["start", "back", "skip"]


async def test_commands(world: World) -> None:
    person = await world.person()
    await answered(person, "more")
    assert "What has happened?" in (await person.say("/back"))[-1].text
    assert "They stay at home." in (await person.say("/check"))[-1].text
    assert "Anything else?" in (await person.say("/continue"))[-1].text
    assert "Check your answers" in (await person.say("/skip"))[-1].text
    assert "You can type" in (await person.say("/help"))[-1].text
    assert "You can type" in (await person.say("/nonsense"))[-1].text
    assert "Call 999" in (await person.say("/helpnow@waymark_bot"))[-1].text
    assert "Come back" in (await person.say("/stop"))[-1].text
    await person.tap("Carry on")
    assert "Are you sure?" in (await person.say("/delete"))[-1].text
    await person.tap("Yes, delete it")
    assert await world.rows(ConversationRow) == []


# --- At the door --------------------------------------------------------------------------


def many(small: loader.Content, each: int) -> loader.Content:
    """So many flows of two kinds."""
    kinds = {"concern": Kind(name="Concern", group="worry"), "more": Kind(name="M", group="talk")}
    (flow,) = small.flows.values()
    flows = {}
    for kind in kinds:
        for number in range(each):
            shape = flow.submission.model_copy(update={"kind": kind})
            name = {"id": f"{kind}-{number}", "title": f"{kind} {number}", "submission": shape}
            flows[name["id"]] = flow.model_copy(update=name)
    return replace(small, flows=flows, policy=small.policy.model_copy(update={"kinds": kinds}))


async def test_where_there_is_much_to_choose_it_is_offered_by_group(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/w.db"
    async with living(database, tmp_path, content=many(SMALL, 4)) as world:
        person = world.stranger()
        await person.start()
        (menu,) = await person.tap("Yes, I am 16 or over")
        assert menu.labels == ["Raise a concern or ask for support", "Talk to us"]
        (menu,) = await person.tap("Talk to us")
        assert menu.labels == [*(f"more {number}" for number in range(4)), "Something else"]
        (menu,) = await person.tap("Something else")
        assert len(menu.labels) == 2
        await person.tap("Talk to us")
        (first,) = await person.tap("more 3")
        assert "Is the child in danger right now?" in first.text


async def test_under_16_keeps_nothing_and_hands_over_a_link(world: World) -> None:
    child = world.stranger()
    await child.say("my secret words")
    await child.say("/start small-concern")
    await child.send(sticker=STICKER)
    (told,) = await child.tap("No, I am under 16")
    assert world.waymark.settings.address in told.text
    assert await world.rows(Sender) == []
    assert await world.rows(ConversationRow) == []
    assert await world.rows(Audit) == []
    kept = json.dumps([row.payload for row in await world.rows(Outbox)])
    assert "secret" not in kept
    assert all(row.raw is None for row in await world.rows(Inbox))


async def test_help_now_comes_before_the_age_question(world: World) -> None:
    person = world.stranger()
    said = await person.say("/helpnow")
    assert "999" in said[0].text
    assert "16 or over" in said[-1].text
    assert await world.rows(Sender) == []


async def test_a_link_to_a_flow_survives_the_age_question(world: World) -> None:
    person = world.stranger()
    await person.start("small-concern")
    await person.tap("Yes, I am 16 or over")
    assert "Is the child in danger" in person.last.text


@pytest.mark.parametrize(
    "payload", ["junk", "a" * 64, "a" * 65, "ребёнок", "\ud800", "|%'\"", "x y", "../..", "<b>"]
)
async def test_a_junk_link_is_an_ordinary_start(world: World, payload: str) -> None:
    person = world.stranger()
    await person.start(payload)
    await person.tap("Yes, I am 16 or over")
    assert person.last.labels == ["Small concern"]


async def test_someone_elses_link_and_button_open_nothing(world: World) -> None:
    owner, other = await world.person(), await world.person()
    await answered(owner, "topics")
    conversation = (await world.rows(ConversationRow))[0].id
    await other.start(conversation)
    assert other.last.labels == ["Small concern"]
    said = await other.press(owner.last.token("Attendance"), owner.last.id)
    assert "no longer have that conversation" in said[0].text
    assert said[-1].labels == ["Small concern"]


async def test_start_midway_offers_to_carry_on_or_start_again(world: World) -> None:
    person = await world.person()
    await answered(person, "days")
    said = await person.start()
    assert said[0].labels == ["Carry on", "Start again"]
    assert said[-1].labels == ["Small concern"]
    (asked,) = await person.tap("Carry on")
    assert "How many days" in asked.text
    await person.start()
    (first,) = await person.tap("Start again")
    assert "in danger right now" in first.text
    await person.tap("No, not right now")
    assert "Who are you?" in person.last.text


# --- Late, twice, too often ---------------------------------------------------------------


async def test_the_same_update_three_times_is_one_answer(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say("It happened.")
    first = await person.post(person.last_update)
    assert await person.post(person.last_update) == first
    assert first is not None
    assert "Anything else?" in first["text"]
    (row,) = await world.rows(ConversationRow)
    assert row.revision == 5
    keys = [row.key for row in await world.rows(Outbox)]
    assert len(keys) == len(set(keys))


async def test_a_repeated_submit_sends_nothing_twice(world: World) -> None:
    person = await world.person()
    await answered(person)
    review = person.last
    await person.tap("Send my answers")
    await person.again()
    assert await person.tap("Send my answers", review)
    assert "nothing was sent twice" in person.last.text
    assert len(await world.rows(SubmissionRow)) == 1


async def test_an_answer_that_comes_late_is_not_taken_for_another_question(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    late = person.message(text="this was for somewhere else")
    await person.say("It happened.")
    said = await person.do(late)
    assert "reached us late" in said[0].text
    (row,) = await world.rows(ConversationRow)
    assert "somewhere else" not in json.dumps(row.state)


async def test_two_taps_at_once(world: World) -> None:
    person = await world.person()
    await answered(person, "role")
    token = person.last.token("Foster carer")
    both = [person.pressed(token, person.last.id) for _ in range(2)]
    await asyncio.gather(*(person.post(update) for update in both))
    await world.idle()
    (row,) = await world.rows(ConversationRow)
    assert set(row.state["answers"]) == {"danger", "role"}
    assert person.status == 200


async def test_fifty_messages_in_a_second(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    updates = [person.message(text=f"message {n}") for n in range(50)]
    await asyncio.gather(*(person.post(update) for update in updates))
    await world.idle()
    (row,) = await world.rows(ConversationRow)
    assert row.state["answers"]["happened"]["values"][0].startswith("message")
    assert set(await world.states(person)) <= {"sent", "carried"}


async def test_the_first_button_after_sending_gives_the_reference_again(world: World) -> None:
    person = await world.person()
    await answered(person, "danger")
    first = person.last
    await person.tap("No, not right now")
    await person.tap("Foster carer")
    for words in ("attendance", "3", "At home.", "skip", "send"):
        await person.say(words)
    (row,) = await world.rows(SubmissionRow)
    (said,) = await person.tap("I am not sure", first)
    assert row.reference in said.text
    assert len(await world.rows(SubmissionRow)) == 1


async def test_an_old_button_changes_that_answer_and_returns(world: World) -> None:
    person = await world.person()
    await answered(person, "role")
    who = person.last
    await person.tap("Foster carer")
    await person.say("attendance")
    said = await person.tap("Teacher", who)
    assert "We have changed that answer." in said[0].text
    assert "How many days" in said[-1].text


async def test_a_tick_on_a_question_no_longer_asked_leaves_its_message(world: World) -> None:
    person = await world.person()
    await answered(person, "days")
    ticks = next(m for m in person.shown if "☐ Attendance" in m.labels)
    labels = list(ticks.labels)
    await person.say("/back")
    await person.say("/back")
    await person.say("/back")
    await person.tap("Yes, in danger now")
    said = await person.press(ticks.token("Exams"), ticks.id)
    assert "no longer applies" in said[0].text
    assert ticks.labels == labels


@pytest.mark.parametrize("token", ["nonsense", "a|zzzzzz|role|carer", "f|gone", "\x00", "é" * 40])
async def test_an_unknown_button_is_answered_kindly(world: World, token: str) -> None:
    person = await world.person()
    await answered(person, "topics")
    said = await person.press(token)
    assert person.status == 200
    assert "no longer have that conversation" in said[0].text
    assert said[-1].labels == ["Small concern"]


async def test_a_flow_that_was_withdrawn_is_said_kindly(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    content = replace(SMALL, flows=MappingProxyType({}))
    world.channel.waymark = replace(world.waymark, content=content)
    said = await person.say("It happened.")
    assert "We do not use those questions any more" in said[0].text
    await person.again()
    assert person.status == 200


# --- Editing ------------------------------------------------------------------------------


async def test_editing_a_message_edits_the_answer_it_gave(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say("It hapened.")
    said = await person.edit("It happened.")
    assert "We have changed that answer." in said[0].text
    assert "Anything else?" in said[-1].text
    (row,) = await world.rows(ConversationRow)
    assert row.state["answers"]["happened"]["values"] == ["It happened."]


async def test_editing_after_sending_changes_nothing(world: World) -> None:
    person = await world.person()
    await answered(person, "more")
    told = person.last_message
    await person.tap("Skip this")
    await person.tap("Send my answers")
    said = await person.edit("Something else entirely.", told)
    assert "after your answers were sent" in said[0].text
    (row,) = await world.rows(SubmissionRow)
    assert "entirely" not in json.dumps(row.payload)


async def test_an_edited_start_does_nothing(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    assert await person.edit("/start small-concern") == []
    assert await person.edit("/delete", 1) == []


# --- Things that are not words ------------------------------------------------------------

FILE = {"file_id": "f", "file_unique_id": "u"}
STICKER = {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False,
           "is_video": False}  # fmt: skip
PHOTO = [{**FILE, "width": 1, "height": 1, "file_size": 10}]
POLL = {"id": "1", "question": "?", "options": []}  # of an older Bot API
FORWARD = {"type": "hidden_user", "date": 1_770_000_000, "sender_user_name": "Canaryname"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"sticker": STICKER}, "That is kind"),
        ({"voice": {**FILE, "duration": 3}}, "can't listen"),
        ({"photo": PHOTO, "caption": "look"}, "can't look at pictures"),
        ({"document": FILE}, "can't open files"),
        ({"contact": {"phone_number": "07700900123", "first_name": "A"}}, "that kind of message"),
        ({"location": {"longitude": 1.0, "latitude": 2.0}}, "that kind of message"),
        ({"poll": POLL}, "that kind of message"),
        ({"dice": {"value": 3, "emoji": "🎲"}}, "that kind of message"),
        ({"text": "read this", "forward_origin": FORWARD}, "somebody else's message"),
    ],
)
async def test_what_is_no_answer_is_said_to_be(
    world: World, content: dict[str, Any], words: str
) -> None:
    person = await world.person()
    await answered(person, "happened")
    said = await person.send(**content)
    assert words in said[0].text
    assert "What has happened?" in said[-1].text


async def test_an_album_is_answered_once(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    before = len(person.shown)
    album = [person.message(photo=PHOTO, media_group_id="g1") for _ in range(4)]
    await asyncio.gather(*(person.post(update) for update in album))
    await world.idle()
    assert len(person.shown) == before + 1


async def test_telegrams_own_notes_and_other_bots_are_left_alone(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    bot = {"id": 5, "is_bot": True, "first_name": "Other"}
    assert await person.send(text="from a bot", via_bot=bot) == []
    assert await person.send(new_chat_title="x") == []
    assert await person.do(person.update(poll=POLL)) == []


# --- Hostile words ------------------------------------------------------------------------

HOSTILE = {
    "emoji": "😀👨‍👩‍👧‍👦",
    "right to left": "مرحبا",
    "markup": "<b>bold</b> &amp;",
    "markdown": "_*[x](http://a.example)`",
    "sql": "'); DROP TABLE conversation;--",
    "format": "{reply_by} {0} %s",
    "long": "x" * 3_900,
    "path": "/etc/passwd",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
async def test_words_arrive_as_they_were_typed(world: World, words: str) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say(words)
    said = await person.tap("Skip this")
    assert words in "".join(shown.text for shown in said)
    assert not any("parse_mode" in call for _, call in world.fake.calls)
    await person.tap("Send my answers")
    (row,) = await world.rows(SubmissionRow)
    assert json.dumps(words) in json.dumps(row.payload)


@pytest.mark.parametrize(
    ("words", "kept"),
    [("nul\x00here", "nulhere"), ("half\ud800", "half\ufffd"), ("zero\u200bwidth", "zerowidth")],
)
async def test_broken_characters_are_mended(world: World, words: str, kept: str) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say(words)
    (row,) = await world.rows(ConversationRow)
    assert row.state["answers"]["happened"]["values"] == [kept]


async def test_too_many_words_are_asked_for_again(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    said = await person.say("x" * 5_000)
    assert "1000" in said[0].text
    assert "What has happened?" in said[-1].text


async def test_a_review_longer_than_a_message_keeps_its_buttons(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say("😀 " * 1_990)
    said = await person.tap("Skip this")
    assert "Send my answers" in said[-1].labels
    assert sum(bool(shown.labels) for shown in said) <= len(said)


# --- Steering -----------------------------------------------------------------------------


async def test_back_at_the_first_question_and_after_the_review(world: World) -> None:
    person = await world.person()
    await answered(person, "danger")
    said = await person.say("back")
    assert "first question" in said[0].text
    await person.tap("No, not right now")
    await person.tap("Foster carer")
    for words in ("attendance", "3", "At home.", "skip"):
        await person.say(words)
    assert "Check your answers" in person.last.text
    assert "Anything else?" in (await person.say("back"))[-1].text


async def test_stop_then_resume(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    await person.say("stop")
    said = await person.say("hello again")
    assert said[0].labels == ["Carry on", "Start again"]
    assert "What has happened?" in (await person.tap("Carry on"))[-1].text


async def test_a_required_question_can_not_be_skipped(world: World) -> None:
    person = await world.person()
    await answered(person, "role")
    said = await person.say("/skip")
    assert "We do need an answer" in said[0].text


async def test_a_disclosure_is_answered_with_help_and_raises_an_alert(world: World) -> None:
    person = await world.person()
    await answered(person, "danger")
    said = await person.tap("I am not sure")
    assert "Call 999" in said[0].text
    assert "Who are you?" in said[-1].text
    (alert,) = await world.rows(Alert)
    assert alert.urgency == "urgent"


# --- Groups, blocking ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_added_to_a_group_it_says_why_and_leaves(world: World, kind: str) -> None:
    person = world.stranger()
    group = {"id": -100_500, "type": kind, "title": "Canarygroup"}
    status = "member" if kind != "channel" else "left"
    await person.post(person.membership(status, group))
    message = person.message(text="hello")
    message["message"]["chat"] = group
    await person.post(message)
    await world.idle()
    assert all(call["chat_id"] == "-100500" for call in world.fake.called("leaveChat"))
    assert len(world.fake.called("leaveChat")) == (1 if kind == "channel" else 2)
    assert len(world.fake.called("sendMessage")) == (0 if kind == "channel" else 1)
    assert await world.rows(Inbox) == []
    assert await world.rows(Outbox) == []


async def test_blocking_and_coming_back(world: World) -> None:
    person = await world.person()
    await post_reply(world, person)
    await person.post(person.membership("kicked"))
    (row,) = await world.rows(Sender)
    assert row.blocked_at is not None
    await person.post(person.membership("member"))
    (row,) = await world.rows(Sender)
    assert row.blocked_at is None


# --- The webhook's own door ---------------------------------------------------------------


async def post(world: World, body: bytes, secret: str | None = "the-secret") -> int:
    headers = {} if secret is None else {webhook.SECRET: secret}
    answer = await world.http.post("/telegram/webhook", content=body, headers=headers)
    return answer.status_code


async def test_the_secret_is_asked_for(world: World) -> None:
    person = world.stranger()
    body = json.dumps(person.message(text="/start")).encode()
    assert await post(world, body, None) == 403
    assert await post(world, body, "wrong") == 403
    assert await post(world, body, "") == 403
    headers = [(webhook.SECRET.encode(), "é".encode())]
    answer = await world.http.post("/telegram/webhook", content=body, headers=headers)
    assert answer.status_code == 403
    assert await world.rows(Inbox) == []


async def test_what_is_no_update_is_refused(world: World) -> None:
    assert await post(world, b"x" * 2_000_000) == 413
    assert await post(world, b"not json") == 400
    assert await post(world, b"\xff\xfe") == 400
    assert await post(world, b"[" * 30_000) == 400
    assert await post(world, b"[]") == 400
    assert await post(world, b"{}") == 400
    assert await post(world, b'{"update_id": true}') == 400
    assert await post(world, b'{"update_id": 1}') == 200


async def test_without_telegram_there_is_no_webhook(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert telegram.connect(settings) is None
    site = FastAPI()
    site.state.telegram = None
    site.include_router(webhook.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site), base_url="http://here"
    ) as http:
        assert (await http.post("/telegram/webhook", json={})).status_code == 404


# --- When things break --------------------------------------------------------------------


@pytest.mark.parametrize("text", [5, ["x"], {"a": 1}])
async def test_a_poison_update_is_kept_for_staff_and_blocks_nobody(world: World, text: Any) -> None:
    person = await world.person()
    await answered(person, "happened")
    said = await person.send(text=text)
    assert person.status == 200
    assert "went wrong on our side" in said[0].text
    (dead,) = await world.rows(Inbox, dead=True)
    assert dead.reason
    assert "canary" not in dead.raw.lower()
    assert "Anything else?" in (await person.say("It happened."))[-1].text


async def test_a_bug_in_a_turn_is_buried_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await world.person()
    await answered(person, "happened")

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("canary words")

    with monkeypatch.context() as patch:
        patch.setattr(intake, "receive", broken)
        await person.say("It happened.")
    assert person.status == 200
    (dead,) = await world.rows(Inbox, dead=True)
    assert dead.reason == "ZeroDivisionError"
    assert "It happened." in dead.raw


async def test_the_poison_of_someone_unknown_is_not_kept(world: World) -> None:
    person = world.stranger()
    await person.send(text=5, caption="canary")
    (dead,) = await world.rows(Inbox, dead=True)
    assert dead.raw is None


async def test_when_the_database_fails_nothing_is_said_and_it_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await world.person()
    await answered(person, "happened")

    async def full(*_: Any, **__: Any) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(sa.ext.asyncio.AsyncConnection, "commit", full)
        assert await person.post(person.message(text="It happened.")) is None
        assert person.status == 500
    assert await world.rows(Inbox, dead=True) == []
    assert "Anything else?" in (await person.say("It happened."))[-1].text


# --- Delivery -----------------------------------------------------------------------------


async def post_reply(world: World, person: Person, text: str = "A reply.", key: str = "1") -> None:
    payload = {"kind": "reply", "text": text, "rows": []}
    async with world.waymark.database.transaction() as db:
        await outbox.post(db, f"reply:{key}", person.address, payload, world.clock())


async def test_a_reply_is_sent_in_order_and_protected(world: World) -> None:
    person = await world.person()
    for n in range(5):
        await post_reply(world, person, f"Reply {n}", str(n))
    await world.idle()
    assert [shown.text for shown in person.shown[-5:]] == [f"Reply {n}" for n in range(5)]
    assert person.last.protected
    assert world.fake.called("sendMessage")[-1]["link_preview_options"] == {"is_disabled": True}


async def test_the_loop_sends_without_being_asked(world: World) -> None:
    person = await world.person()
    await post_reply(world, person)
    world.channel.delivery.wake()
    for _ in range(200):
        if person.last.text == "A reply.":
            return
        await asyncio.sleep(0.01)
    pytest.fail("not sent")


async def test_429_on_the_confirmation_waits_as_long_as_asked(world: World) -> None:
    person, other = await world.person(), await world.person()
    await answered(person)
    world.fake.faults.append(Fault("sendMessage", 429, "Too Many Requests", retry_after=30))
    assert await person.tap("Send my answers") == []
    await post_reply(world, other)
    await world.idle()
    assert other.last.text != "A reply."
    assert await world.states(other) == ["carried", "queued"]
    world.clock.pass_(31)
    await world.idle()
    assert "Your reference is" in person.last.text
    assert other.last.text == "A reply."
    assert len(await world.rows(SubmissionRow)) == 1


@pytest.mark.parametrize("why", ["bot was blocked by the user", "user is deactivated"])
async def test_403_on_the_confirmation_marks_them_blocked(world: World, why: str) -> None:
    person = await world.person()
    await answered(person)
    world.fake.faults.append(Fault("sendMessage", 403, f"Forbidden: {why}"))
    await post_reply(world, person, key="later")
    assert await person.tap("Send my answers") == []
    await world.idle()
    assert (await world.rows(Sender))[0].blocked_at is not None
    assert (await world.states(person))[-2:] == ["blocked", "blocked"]
    told = [row.object_id for row in await world.rows(Audit, action="delivery.blocked")]
    assert "reply:later" in told
    await person.say("I am back")
    assert (await world.rows(Sender))[0].blocked_at is None


async def test_a_timeout_after_delivery_is_never_sent_again(world: World) -> None:
    person = await world.person()
    await answered(person)
    world.fake.faults.append(Fault("sendMessage", cut=httpx.ReadTimeout))
    await person.tap("Send my answers")
    world.clock.pass_(3600)
    await world.idle()
    assert sum("Your reference is" in shown.text for shown in person.shown) == 1
    assert (await world.states(person))[-1] == "unknown"
    assert await world.rows(Audit, action="delivery.unknown")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("sendMessage", 502, "Bad Gateway", times=2),
        Fault("sendMessage", refused=httpx.ConnectError, times=2),
        Fault("sendMessage", refused=httpx.ConnectTimeout, times=2),
    ],
    ids=["502", "no connection", "no connection in time"],
)
async def test_what_never_arrived_is_tried_again(world: World, fault: Fault) -> None:
    person = await world.person()
    world.fake.faults.append(replace(fault))
    await post_reply(world, person)
    await world.idle()
    assert (await world.states(person))[-1] == "queued"
    world.clock.pass_(11)
    await world.idle()
    assert (await world.states(person))[-1] == "queued"
    world.clock.pass_(21)
    await world.idle()
    assert person.last.text == "A reply."
    assert (await world.states(person))[-1] == "sent"


async def test_after_six_tries_it_has_failed(world: World) -> None:
    person = await world.person()
    world.fake.faults.append(Fault("sendMessage", 502, times=99))
    await post_reply(world, person)
    for _ in range(10):
        await world.idle()
        world.clock.pass_(1000)
    assert (await world.states(person))[-1] == "failed"
    assert len(world.fake.called("sendMessage failed")) == 6


async def test_400_fails_and_lets_the_next_through(world: World) -> None:
    person = await world.person()
    world.fake.faults.append(Fault("sendMessage", 400, "Bad Request: chat not found"))
    await post_reply(world, person, "first", "1")
    await post_reply(world, person, "second", "2")
    await world.idle()
    assert (await world.states(person))[-2:] == ["failed", "sent"]
    assert await world.rows(Audit, action="delivery.failed", object_id="reply:1")


async def test_a_wrong_token_loses_no_letter(world: World) -> None:
    person = await world.person()
    world.fake.faults.append(Fault("sendMessage", 401, "Unauthorized"))
    await post_reply(world, person)
    await world.idle()
    assert (await world.states(person))[-1] == "queued"
    world.clock.pass_(61)
    await world.idle()
    assert person.last.text == "A reply."


async def test_one_chat_in_trouble_holds_up_nobody_else(world: World) -> None:
    stuck, other = await world.person(), await world.person()
    world.fake.faults.append(Fault("sendMessage", 502, times=99, chat=stuck.chat))
    await post_reply(world, stuck, key="1")
    await post_reply(world, other, key="2")
    await world.idle()
    assert other.last.text == "A reply."


async def test_benign_refusals_of_an_edit_count_as_sent(world: World) -> None:
    person = await world.person()
    rows = [["☑ A", "t|abcdef|q|a"]]
    payload = {"kind": "ask", "text": "x", "rows": [rows], "redraw": person.last.id}
    for key in ("1", "2"):
        async with world.waymark.database.transaction() as db:
            await outbox.post(db, key, person.address, payload, world.clock())
        await world.idle()
    assert (await world.states(person))[-2:] == ["sent", "sent"]


async def test_an_edit_of_a_message_that_is_gone_is_said_anew(world: World) -> None:
    person = await world.person()
    payload = {"kind": "ask", "text": "anew", "rows": [], "redraw": 1}
    async with world.waymark.database.transaction() as db:
        await outbox.post(db, "1", person.address, payload, world.clock())
    await world.idle()
    assert person.last.text == "anew"
    world.fake.refusals.clear()


async def test_an_old_query_is_swallowed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    person = await world.person()
    world.fake.faults.append(
        Fault("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout")
    )
    await answered(person, "danger")
    await world.idle()
    assert not [r for r in caplog.records if r.name == "waymark.telegram"]


async def test_the_rest_of_a_long_reply_goes_out_once(world: World) -> None:
    person = await world.person()
    text = "\n\n".join(f"{n} " + "word " * 300 for n in range(8))
    sent_before = len(person.shown)
    real = world.fake.perform

    def second_is_refused(method: str, parameters: dict[str, Any]) -> Any:
        if method == "sendMessage" and len(person.shown) == sent_before + 1:
            world.fake.faults.append(Fault("sendMessage", 429, "slow down", retry_after=5))
            world.fake.perform = real
        return real(method, parameters)

    world.fake.perform = second_is_refused
    await post_reply(world, person, text)
    await world.idle()
    world.clock.pass_(6)
    await world.idle()
    said = "\n\n".join(shown.text.strip() for shown in person.shown[sent_before:])
    assert said.split() == text.split()


async def test_a_lease_that_ran_out_is_stepped_in_for(world: World) -> None:
    """The process died between taking the letter and saying so."""
    person = await world.person()
    await post_reply(world, person)
    async with world.waymark.database.transaction() as db:
        await outbox.claim(db, world.clock(), "telegram")
    await world.idle()
    assert person.last.text != "A reply."
    world.clock.pass_(61)
    await world.idle()
    assert sum(shown.text == "A reply." for shown in person.shown) == 1


async def test_what_was_sent_but_not_settled_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await world.person()
    await post_reply(world, person)

    async def broken(*_: Any) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "settle", broken)
        await world.idle()
    world.clock.pass_(61)
    await world.idle()
    assert sum(shown.text == "A reply." for shown in person.shown) == 1
    assert (await world.states(person))[-1] == "sent"


async def test_letters_for_the_browser_stay_until_read(world: World) -> None:
    async with world.waymark.database.transaction() as db:
        await outbox.post(db, "reply:w", "web:abc", {"kind": "reply", "text": "x"}, world.clock())
    await world.idle()
    (row,) = await world.rows(Outbox)
    assert row.state == "queued"


async def test_nothing_overtakes_what_is_still_on_its_way(world: World) -> None:
    person = await world.person()
    await answered(person, "happened")
    world.fake.faults.append(Fault("sendMessage", 502, times=1))
    await post_reply(world, person)
    await world.idle()
    assert await person.say("It happened.") == []
    world.clock.pass_(11)
    await world.idle()
    assert [shown.text[:8] for shown in person.shown[-2:]] == ["A reply.", "Question"]


def test_a_text_is_split_where_it_reads_best() -> None:
    paragraphs = "\n\n".join("word " * 200 for _ in range(9))
    for text in (paragraphs, "😀" * 5_000, "x" * 9_000, "a b " * 3_000, "short"):
        parts = outbound.split(text)
        assert all(len(part.encode("utf-16-le")) <= 8192 for part in parts)
        assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part.startswith("word") for part in outbound.split(paragraphs))


# --- The flows as shipped -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_a_restless_person_never_breaks_it(tmp_path: Path, seed: int) -> None:
    """Old buttons, new buttons, words that fit and words that don't, in the real content."""
    dice = random.Random(seed)
    url = f"sqlite+aiosqlite:///{tmp_path}/w.db"
    typed = ["hello", "3", "AB", "3 March", "back", "skip", "check", "stop", "/start", "send",
             "1", "07700 900123", "😀", "/helpnow", "x" * 4_096]  # fmt: skip
    async with living(url, tmp_path, content=loader.read().served_by("kirklees")) as world:
        person = await world.person()
        for _ in range(70):
            offered = [m for m in person.shown[-6:] if m.rows]
            on = offered[-1] if dice.random() < 0.8 else dice.choice(offered)
            token = dice.choice([token for row in on.rows for _, token in row])
            if dice.random() < 0.7:
                await person.press(token, on.id)
            elif dice.random() < 0.9:
                await person.say(dice.choice(typed))
            else:
                await person.edit("changed my mind")
            assert person.status == 200
        assert not [r for r in world.fake.refusals if "not modified" not in r]
        assert await world.rows(Inbox, dead=True) == []
        assert set(await world.states(person)) <= {"sent", "carried"}


# --- PostgreSQL, and more than one process ------------------------------------------------


async def test_two_processes_take_an_update_once_and_send_a_letter_once(
    postgres_url: str, tmp_path: Path
) -> None:
    async with (
        living(postgres_url, tmp_path) as one,
        living(postgres_url, tmp_path) as two,
    ):
        person = await one.person()
        await answered(person, "happened")
        there = Person(two.http, two.fake, two.channel)
        there.chat = person.chat
        update = person.message(text="It happened.")
        first, second = await asyncio.gather(person.post(update), there.post(update))
        assert first == second
        (row,) = await one.rows(ConversationRow)
        assert row.revision == 5
        for n in range(10):
            await post_reply(one, person, f"Reply {n}", str(n))
        while "queued" in await one.states(person):
            await asyncio.gather(one.idle(), two.idle())
        replies = [s.text for f in (one.fake, two.fake) for s in f.chats[person.chat]]
        assert sorted(r for r in replies if r.startswith("Reply")) == [
            f"Reply {n}" for n in range(10)
        ]
        await person.tap("Skip this")
        await person.tap("Send my answers")
        await two.idle()  # either of them may have sent it
        said = [s.text for f in (one.fake, two.fake) for s in f.chats[person.chat]]
        assert any("Your reference is" in text for text in said)


async def test_a_poison_with_nul_is_buried_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    async with living(postgres_url, tmp_path) as world:
        person = await world.person()
        await person.send(text=["nul \x00 and \ud800"])
        assert person.status == 200
        assert len(await world.rows(Inbox, dead=True)) == 1
        await person.press("a|\x00|q|v")
        assert person.status == 200


# --- Polling ------------------------------------------------------------------------------


async def test_polling_takes_the_same_path(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/w.db"
    async with living(url, tmp_path, polling=True) as world:
        person = world.stranger()
        world.fake.faults.append(Fault("getUpdates", 502))
        world.fake.updates.append(person.message(text=5))
        world.fake.updates.append(person.message(text="/start"))
        for _ in range(300):
            if len(person.shown) == 2:
                break
            await asyncio.sleep(0.01)
        assert "16 or over" in person.last.text
        assert world.fake.called("deleteWebhook")
        assert (await world.rows(Inbox, dead=True))[0].reason
        answer = await world.http.post(
            "/telegram/webhook", json={"update_id": 1}, headers={webhook.SECRET: ""}
        )
        assert answer.status_code == 403


# --- Logs ---------------------------------------------------------------------------------


async def test_neither_token_nor_words_are_ever_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: logging.getLogger(name).level for name in ("", "waymark", *logs._QUIET)}
    caplog.set_level(logging.DEBUG)
    logs.configure("debug")
    logging.getLogger().setLevel(logging.DEBUG)
    url = f"sqlite+aiosqlite:///{tmp_path}/w.db"
    try:
        async with living(url, tmp_path) as world:
            person = await world.person()
            await answered(person, "happened")
            for fault in (
                Fault("sendMessage", 401, f"Unauthorized {TOKEN}"),
                Fault("sendMessage", 502),
                Fault("sendMessage", 400, "Bad Request: canarywords"),
                Fault("sendMessage", cut=httpx.ReadTimeout),
                Fault("sendMessage", refused=httpx.ConnectError),
                Fault("answerCallbackQuery", 401, TOKEN, times=9),
            ):
                world.fake.faults.append(fault)
                await post_reply(world, person, "canarywords", str(len(world.fake.faults)))
                await world.idle()
                world.clock.pass_(100)
            await person.send(text=["canarywords"])
            await person.say("canarywords")
            await submitted_rest(person)
        logging.getLogger("waymark.x").error("%s", f"http://x/bot{TOKEN}/getMe")
        logging.getLogger("waymark.x").debug("x", extra={"url": f"bot{TOKEN}"})
        try:
            raise ValueError(f"canarywords {TOKEN}")
        except ValueError:
            logging.getLogger("anyone").exception("it failed")
    finally:
        root = logging.getLogger()
        root.handlers = [h for h in root.handlers if not isinstance(h, logs._Ours)]
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    written = capsys.readouterr().err
    assert '"error": "ValueError"' in written
    assert "not processed" in written
    ours = [r for r in caplog.records if r.name not in ("anyone", "waymark.x")]
    heard = "\n".join([written, *(logging.Formatter().format(record) for record in ours)])
    assert "CANARY" not in heard
    assert "canarywords" not in heard
    assert "the-secret" not in heard
    assert "canaryname" not in heard.lower()
    assert all(json.loads(line) for line in written.splitlines())


async def submitted_rest(person: Person) -> None:
    await person.say("skip")
    await person.say("send")
