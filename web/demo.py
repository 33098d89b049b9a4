"""An invented team and invented submissions to look at, made through the same door as real ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import typer
import yaml

from bot import acting, intake
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.intake import Inbound, Received
from bot.store import staff
from bot.wiring import Waymark
from content.schema import Channel, Question, QuestionType, Role
from web.casework import access, accounts, record, review
from web.casework.permissions import Person
from web.casework.review import Seen

STORIES = Path(__file__).parent / "demo.yaml"
HEAD = "headteacher@demo.example"


async def prepare(waymark: Waymark) -> None:
    """At every start: say where to go; with the demo on, fill an empty house first."""
    address = waymark.settings.address
    typer.echo(f"People start here:    {address}/")
    typer.echo(f"Staff sign in here:   {address}/staff/sign-in")
    if waymark.settings.demo:
        await fill(waymark)
        typer.echo(f"Look round as the invented headteacher (once): {await _way_in(waymark)}")


async def _way_in(waymark: Waymark) -> str:
    async with waymark.database.transaction() as db:
        row = await staff.by_email(db, HEAD)
        assert row is not None
        return await accounts.new_way_in(waymark, db, row.id)


async def fill(waymark: Waymark) -> None:
    """Once: the headteacher is added last, so that a start broken off is taken up again."""
    async with waymark.database.reading() as db:
        if await staff.by_email(db, HEAD):
            return
    people = _read()["people"]
    team = {email: await _person(waymark, email, *person) for email, person in people.items()}
    restricted = []
    for number, story in enumerate(stories()):
        submission = await _tell(waymark, f"demo-{number}", story, team)
        restricted += [submission] if submission and story.restricted else []
    head = await _person(waymark, HEAD, *_read()["headteacher"])
    for submission in restricted:
        with _as(head):
            version = (await record.open_(waymark, head, submission)).row.version
            await access.restrict(waymark, head, Seen(submission, version), on=True)


async def _person(waymark: Waymark, email: str, name: str, role: str, team: str) -> Person:
    seat = Role(role)
    async with waymark.database.transaction() as db:
        row = await staff.by_email(db, email)
        id_ = row.id if row else await accounts.make(waymark, db, name, email, seat, team)
    return Person(id_, name, seat, team)


# --- Stories ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """What somebody invented said, when, and what was done about it."""

    flow: str
    hours_ago: int
    answers: dict[str, Any]
    """Question id -> option value, several of them, words or a number. The rest is skipped, or
    answered with the first choice."""
    channel: Channel = Channel.FORM
    until: str | None = None
    """Stops before this question: never sent."""
    owner: str | None = None
    given_by: str | None = None
    """Who gave it to them, if they did not take it."""
    shared_with: str | None = None
    restricted: bool = False
    note: str | None = None
    reply: str | None = None


@cache
def _read() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    return found


def stories() -> Iterator[Story]:
    for told in _read()["stories"]:
        channel = Channel(told.get("channel", "form"))
        yield Story(**{**told, "channel": channel})


async def _tell(waymark: Waymark, name: str, story: Story, team: dict[str, Person]) -> str | None:
    if story.flow not in waymark.content.flows:
        return None
    submission = await Sender(waymark, name, story).talk()
    if submission and story.owner:
        await _handle(waymark, submission, story, team)
    return submission


async def _handle(waymark: Waymark, submission: str, story: Story, team: dict[str, Person]) -> None:
    owner = team[story.owner or ""]
    if story.given_by:
        giver = team[story.given_by]
        with _as(giver):
            await review.assign(waymark, giver, Seen(submission, 1), owner.id)
    with _as(owner):
        if not story.given_by:
            await review.take(waymark, owner, Seen(submission, 1))
        await record.open_(waymark, owner, submission)
        if story.shared_with:
            with_ = team[story.shared_with].id
            await access.share(waymark, owner, submission, with_, "open")
        if story.note:
            await review.write_note(waymark, owner, submission, story.note, "demo")
        if story.reply:
            await review.reply(waymark, owner, submission, story.reply, "demo", 0)


def _as(person: Person) -> AbstractContextManager[None]:
    """Whoever acts, as the audit knows them."""
    return acting.within(person=person.id, role=person.role.value)


class Sender:
    """Somebody invented, talking with us by the real rules; so nothing impossible is kept."""

    def __init__(self, waymark: Waymark, name: str, story: Story) -> None:
        self._waymark = waymark
        self._name = name
        self._story = story
        self._at = waymark.clock() - timedelta(hours=story.hours_ago)
        self._said = 0
        self._conversation: str | None = None

    async def talk(self) -> str | None:
        """The submission, if they sent it."""
        received = await self._say(ev.Begin(self._story.flow))
        while (asked := _asking(received)) and asked.question.id != self._story.until:
            received = await self._say(self._answer(asked))
            if _refused(received):  # the flow was edited since this story was written
                received = await self._say(self._anything(asked))
            if _refused(received):
                return None
        review_ = next((m for m in _messages(received) if isinstance(m, say.Review)), None)
        if review_ is None:
            return None
        received = await self._say(ev.Submit(review_.revision))
        sent = received.turn.submission if received.turn else None
        return sent.id if sent else None

    async def _say(self, event: ev.Event | ev.AtTheDoor) -> Received:
        self._said += 1
        inbound = Inbound(
            channel=self._story.channel,
            sender=f"web:{self._name}",
            event=event,
            received_at=self._at + timedelta(seconds=20 * self._said),
            dedupe_key=f"demo:{self._name}:{self._said}",
            conversation=self._conversation,
        )
        received = await intake.receive(self._waymark, inbound)
        if received.conversation:
            self._conversation = received.conversation.id
        return received

    def _answer(self, asked: say.Ask) -> ev.Event:
        question = asked.question
        given = self._story.answers.get(question.id)
        if given is None:
            return self._anything(asked)
        if question.options:
            values = given if isinstance(given, list) else [given]
            return ev.Answered(question.id, values=tuple(str(value) for value in values))
        return ev.Answered(question.id, text=_words(question, given, self._at))

    def _anything(self, asked: say.Ask) -> ev.Event:
        """What the story doesn't tell: skipped where that is offered."""
        question = asked.question
        if question.type is QuestionType.CARD:
            return ev.Answered(question.id, values=("read",))
        if asked.skips:
            return ev.Skipped(asked.skips[0], question.id)
        if question.type is QuestionType.ENTITLEMENTS:
            return ev.Answered(question.id, values=())
        if not question.options:
            return ev.Answered(question.id, text=_filler(question))
        plain = [o for o in asked.options if not (o.ends or o.disclosure)]
        return ev.Answered(question.id, values=((plain or list(asked.options))[0].value,))


def _filler(question: Question) -> str:
    plain = {
        QuestionType.NUMBER: str(question.max),
        QuestionType.MONEY: str(question.max),
        QuestionType.PHONE: "07700 900000",
        QuestionType.EMAIL: "somebody@demo.example",
    }
    return plain.get(question.type, "Invented")


def _words(question: Question, given: Any, at: datetime) -> str:
    """Days are told from the day they write: `-7` is a week before."""
    if question.type is QuestionType.DATE and isinstance(given, int):
        return (at + timedelta(days=given)).date().isoformat()
    return str(given)


def _asking(received: Received) -> say.Ask | None:
    return received.turn.asking if received.turn else None


def _refused(received: Received) -> bool:
    return received.turn is not None and received.turn.problem is not None


def _messages(received: Received) -> tuple[say.Message, ...]:
    return received.turn.messages if received.turn else ()
