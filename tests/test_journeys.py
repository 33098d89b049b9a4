"""The journeys: each written once, lived on every channel, and the same bytes sent from each."""

from __future__ import annotations

import html
import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.state import Status
from bot.conversation.submission import Submission
from bot.store.models import Alert, SubmissionRow
from content.loader import _Yaml
from content.schema import Channel, QuestionType, Skip
from tests import opened
from tests.drivers import people
from tests.drivers.waymark import Running, deafened, running
from tests.small import Talk
from tests.test_every_path import WORDS, script

JOURNEYS = {
    path.stem: yaml.load(path.read_text(), _Yaml)
    for path in sorted((Path(__file__).parent / "journeys").glob("*.yaml"))
}
OWN_WORDS = (QuestionType.TEXT, QuestionType.PHONE, QuestionType.EMAIL)
LIVED = [(name, channel) for name, told in JOURNEYS.items() for channel in told["channels"]]


def test_there_are_journeys_to_live():
    assert len(JOURNEYS) >= 12
    assert sum(channel == "telegram" for _, channel in LIVED) >= 12


class Journey:
    """A journey under way: the person on their channel, and the engine alone as its twin."""

    def __init__(self, told: dict, channel: str, waymark: Running) -> None:
        self.told = told
        self.running = waymark
        self.twin = Talk(script(told["flow"]), Channel(channel))
        self.person = people.on(channel, waymark)
        self.code = ""
        self.typed: set[str] = set()
        """What was typed in their own words, wherever it went."""

    def type(self, question: str, text: str) -> None:
        if self.twin.script.flow.by_id[question].type in OWN_WORDS:
            self.typed.add(text)

    async def live(self) -> None:
        await self.person.begin(self.told["flow"])
        self.twin.hears(ev.Start())
        await self.agree()
        for step in self.told["steps"]:
            verb, detail = (step, None) if isinstance(step, str) else next(iter(step.items()))
            await getattr(self, verb.replace("-", "_"))(detail)

    def where(self) -> str:
        """Where the twin stands."""
        if self.twin.conversation.status is Status.SUBMITTED:
            return "sent"
        if self.twin.turn.asking is None:
            self.twin.hears(ev.Resume())
        if self.twin.asked:
            return self.twin.asked
        return "review" if self.twin.says(say.Review) else "ended"

    async def agree(self) -> None:
        assert await self.person.asked() == self.where()

    # --- Verbs ----------------------------------------------------------------------------

    async def choose(self, detail: dict) -> None:
        ((question, value),) = detail.items()
        await self.person.choose(question, value)
        self.twin.hears(ev.Answered(question, (value,)))
        await self.agree()

    async def say(self, detail: dict) -> None:
        ((question, text),) = detail.items()
        self.type(question, text)
        await self.person.say(question, text)
        self.twin.hears(ev.Answered(question, text=text))
        await self.agree()

    async def tick(self, detail: dict) -> None:
        ((question, values),) = detail.items()
        await self.person.tick(question, values)
        self.twin.hears(ev.Answered(question, tuple(values)))
        await self.agree()

    async def tick_first(self, detail: dict) -> None:
        ((question, count),) = detail.items()
        assert self.where() == question
        await self.tick({question: self.offered()[:count]})

    def offered(self) -> list[str]:
        ask = self.twin.turn.asking
        if ask.question.type is QuestionType.ENTITLEMENTS:
            return [post.entitlement.id for post in ask.signposts]
        harmless = [o.value for o in ask.options if not o.ends and not o.disclosure]
        return harmless or [o.value for o in ask.options]

    async def usual(self) -> None:
        """Answer what is asked in the plainest way."""
        question = self.twin.turn.asking.question
        if question.type in WORDS:
            later = question.time == "future"
            await self.say({question.id: "3 March 2027" if later else WORDS[question.type]})
        elif question.type.counts:
            value = str(question.min)
            await (self.choose if question.style == "scale" else self.say)({question.id: value})
        elif question.type is QuestionType.FILE:
            await self.skip({question.id: "skipped"})
        elif question.type is QuestionType.CARD:
            await self.choose({question.id: "read"})
        elif question.type in (QuestionType.CHOICES, QuestionType.ENTITLEMENTS):
            alone = {option.value for option in question.options if option.alone}
            together = [value for value in self.offered() if value not in alone]
            await self.tick({question.id: together[:2]})
        else:
            await self.choose({question.id: self.plain(question.id)})

    def plain(self, question: str) -> str:
        # The danger question's harmless answer is its last; elsewhere the first will do.
        return "not-now" if question == "danger" else self.offered()[0]

    async def until(self, question: str) -> None:
        for _ in range(80):
            if self.where() == question:
                return
            assert self.where() not in ("review", "ended"), f"{question} was never asked"
            await self.usual()
        raise AssertionError(f"{question} was never asked")

    async def rest(self, _: None) -> None:
        for _turn in range(80):
            if self.where() in ("review", "ended", "sent"):
                return
            await self.usual()
            assert self.twin.turn.problem is None, self.twin.turn.problem
        raise AssertionError("there is no end to the questions")

    async def unsure_until(self, question: str) -> None:
        while (at := self.where()) != question:
            skips = self.twin.turn.asking.skips
            if Skip.DONT_KNOW in skips:
                await self.skip({at: "dont-know"})
            else:
                await self.usual()

    async def skip(self, detail: dict) -> None:
        ((question, which),) = detail.items()
        await self.person.skip(question, Skip(which))
        self.twin.hears(ev.Skipped(Skip(which), question))
        await self.agree()

    async def skip_rest(self, _: None) -> None:
        while (at := self.where()) not in ("review", "ended"):
            skips = self.twin.turn.asking.skips
            await (self.skip({at: skips[0].value}) if skips else self.usual())

    async def back(self, _: None) -> None:
        await self.person.back()
        self.twin.hears(ev.Back())
        await self.agree()

    async def another_way(self, question: str) -> None:
        """Asked in other words, the same question stands, and nothing was answered."""
        before = self.twin.conversation
        said = await self.person.another_way(question)
        assert self.twin.script.flow.by_id[question].another_way in said
        self.twin.hears(ev.AnotherWay(question))
        assert self.twin.conversation == before
        await self.agree()

    async def change(self, detail: dict) -> None:
        ((question, value),) = detail.items()
        await self.person.change(question, value)
        self.twin.hears(ev.Answered(question, (value,)))
        await self.agree()

    async def edit(self, detail: dict) -> None:
        ((question, text),) = detail.items()
        self.type(question, text)
        await self.person.edit(question, text)
        self.twin.hears(ev.Answered(question, text=text))
        await self.agree()

    async def again(self, times: int) -> None:
        await self.person.again(times)
        await self.agree()

    async def late(self, detail: dict) -> None:
        ((question, text),) = detail.items()
        self.type(question, text)
        await self.person.late(question, text)
        await self.agree()

    async def unclear(self, detail: dict) -> None:
        ((question, text),) = detail.items()
        self.typed.add(text)
        said = await self.person.unclear(question, text)
        turn = self.twin.hears(ev.Typed(text))
        assert turn.problem is not None
        assert self.twin.script.languages["en"]["conversation.problem.choice"] in said
        await self.agree()

    async def start_over(self, _: None) -> None:
        said = await self.person.start_over()
        assert "carry on" in said.lower()

    async def carry_on(self, _: None) -> None:
        await self.person.carry_on()
        await self.agree()

    async def junk_link(self, payload: str) -> None:
        await self.person.junk_link(payload)

    async def help_now(self, number: str) -> None:
        assert number in await self.person.help_now()
        await self.person.carry_on()
        await self.agree()

    async def expect(self, where: str) -> None:
        assert await self.person.asked() == where

    async def stop(self, _: None) -> None:
        self.code = await self.person.stop()
        assert self.code

    async def a_day_later(self, _: None) -> None:
        self.running.clock.forward(timedelta(days=1))

    async def resume_in_browser(self, _: None) -> None:
        self.person = people.in_a_new_browser(self.running, self.person)
        await self.person.resume_in_browser(self.code)
        await self.agree()

    async def send(self, _: None) -> None:
        self.submission = self.sent()
        said = await self.person.send()
        assert "VS-" in said
        assert await self.person.asked() == "sent"

    async def send_if_asked(self, _: None) -> None:
        if self.where() == "review":
            await self.send(None)

    async def send_in_two_tabs(self, _: None) -> None:
        self.submission = self.sent()
        first, second = await self.person.send_in_two_tabs()
        references = {
            word.strip(".")
            for text in (first, second)
            for word in text.split()
            if word.startswith("VS-")
        }
        assert len(references) == 1

    def sent(self) -> Submission:
        (review,) = self.twin.says(say.Review)
        return self.twin.hears(ev.Submit(review.revision)).submission


def nothing_is_left_in_the_clear(folder: Path, log: str, journey: Journey) -> None:
    """No file of the installation and no line of the log holds what they typed."""
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    whole = b"".join(kept.values()) + log.encode()
    assert journey.told["flow"].encode() in whole, "the database was not looked through"
    # A few letters can stand among sealed bytes by chance.
    for text in (typed for typed in journey.typed if len(typed) > 3):
        for written in (text, json.dumps(text)[1:-1], html.escape(text)):
            found = [path.name for path, content in kept.items() if written.encode() in content]
            assert written.encode() not in whole, f"{written!r} in {found or 'the log'}"


@pytest.mark.parametrize(("name", "channel"), LIVED)
async def test_a_journey_is_the_same_on_every_channel(name, channel, tmp_path, caplog):
    told = JOURNEYS[name]
    async with running(tmp_path) as waymark:
        # The twin hears no words; what these lead to is test_disclosures.py's.
        deafened(waymark)
        journey = Journey(told, channel, waymark)
        await journey.live()
        async with waymark.database.reading() as db:
            alerts = (await db.execute(sa.select(Alert.urgency, Alert.submission))).all()
        rows = await opened.rows(waymark.waymark, SubmissionRow)
        nothing_is_left_in_the_clear(tmp_path, caplog.text, journey)
    if not hasattr(journey, "submission"):
        assert told.get("sent-or-ended")
        assert rows == []
        return
    (row,) = rows
    payload = json.dumps(row.payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert payload.encode() == journey.submission.canonical
    answers = {line["question"]: line["values"] for line in row.payload["answers"]}
    for question, values in told.get("sent", {}).items():
        assert answers[question] == values
    for question in told.get("not-sent", []):
        assert question not in answers
    if "alert" in told:
        assert [(alert.urgency, alert.submission) for alert in alerts] == [(told["alert"], row.id)]
