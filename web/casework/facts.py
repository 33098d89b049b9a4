"""How sure what we tell is: what must be looked at again, what awaits somebody's word, and that
word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import facts as told
from bot.errors import UnknownFact
from bot.facts import Judged, State, Verdict
from bot.store import audit, facts, staff
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON
from content.facts import Stated
from content.schema import (
    Entitlement,
    Helpline,
    Misconception,
    QuestionType,
    ServiceAnswer,
    Standing,
)
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, check

FURTHEST = timedelta(days=2 * 366)
"""Nobody can say of a fact that it will hold longer than that."""
KINDS = {
    "entitlement": "Entitlement",
    "helpline": "Helpline",
    "answer": "Answer",
    "misconception": "Put right",
}
CONFIDENCE = {"high": "High", "medium": "Medium", "low": "Low", "unverified": "Not checked yet"}


@dataclass(frozen=True)
class Line:
    """A fact, and how it stands."""

    judged: Judged
    state: State
    soon: bool
    """It is told, and must be looked at again before long."""
    where: Sequence[str]
    by: str | None
    """Who decided last."""

    @property
    def stated(self) -> Stated:
        return self.judged.stated

    @property
    def kind(self) -> str:
        return KINDS[self.stated.kind]

    @property
    def confidence(self) -> str:
        return CONFIDENCE[self.stated.row.confidence.value]


@dataclass(frozen=True)
class Health:
    """Every fact, by what has to be done about it; what is due first comes first."""

    lines: Sequence[Line]
    days: int
    """How far ahead "soon" is."""

    def state(self, state: str) -> list[Line]:
        any_ = state == State.TAKEN_DOWN
        return [x for x in self.lines if x.state == state and (any_ or not x.stated.over)]

    @property
    def soon(self) -> list[Line]:
        return [line for line in self.lines if line.soon and not line.stated.over]

    @property
    def to_do(self) -> int:
        return len(self.state(State.PAST)) + len(self.state(State.AWAITING)) + len(self.soon)


@dataclass(frozen=True)
class One:
    """One fact, with all that was decided about it."""

    line: Line
    says: Sequence[tuple[str, str]]
    decided: Sequence[tuple[Found, str]]
    """What was decided, the newest first, and its note."""

    @property
    def seen(self) -> str:
        """What a form on its page is about: this text, after that decision."""
        last = self.decided[0][0].id if self.decided else ""
        return f"{self.line.stated.digest} {last}"

    @property
    def day(self) -> date:
        return self.line.judged.row().checked


async def health(waymark: Waymark, person: Person) -> Health:
    check(person, Action.SEE_CONTENT)
    async with waymark.database.reading() as db:
        lines = await _lines(waymark, db)
    lines.sort(key=lambda line: (line.judged.review_by, line.stated.title))
    return Health(lines, waymark.content.policy.facts.soon)


async def one(waymark: Waymark, person: Person, kind: str, id_: str) -> One:
    """Raises UnknownFact."""
    check(person, Action.SEE_CONTENT)
    async with waymark.database.reading() as db:
        return await _one(waymark, db, kind, id_)


async def _one(waymark: Waymark, db: AsyncConnection, kind: str, id_: str) -> One:
    lines = await _lines(waymark, db)
    line = next((line for line in lines if line.stated.key == (kind, id_)), None)
    if line is None:
        raise UnknownFact(id_)
    return One(line, list(_says(line.stated)), await facts.of(db, kind, id_))


async def _lines(waymark: Waymark, db: AsyncConnection) -> list[Line]:
    """As the database has it now: what is told may be some seconds older."""
    decisions = {(row.kind, row.row): row for row in await facts.newest(db)}
    names = await staff.names(db)
    return [
        _line(waymark, each, names.get(each.decision.by) if each.decision else None)
        for each in told.judged(waymark.content, waymark.settings.authority, decisions)
    ]


def _line(waymark: Waymark, judged: Judged, by: str | None) -> Line:
    today = waymark.clock().astimezone(LONDON).date()
    state = judged.state(today)
    ahead = today + timedelta(days=waymark.content.policy.facts.soon)
    soon = state is State.TOLD and judged.review_by <= ahead
    return Line(judged, state, soon, list(_where(waymark, judged.stated)), by)


# --- What it says, and where --------------------------------------------------------------


def _says(stated: Stated) -> Iterator[tuple[str, str]]:
    row = stated.row
    if isinstance(row, Entitlement):
        parts = {
            "What": row.what,
            "How much": f"{row.amount} ({row.year})" if row.amount else None,
            "What else must be true": row.condition,
            "Why somebody who fits may not get it": row.unsure,
            "When it starts": row.starts,
            "Who decides": row.decides,
            "How to get it": row.how,
        }
    elif isinstance(row, Helpline):
        parts = {
            "How to reach it": row.contact,
            "On the web": row.web,
            "When": row.hours,
            "Who for": row.who_for,
            "What it can't keep to itself": row.limits,
        }
    elif isinstance(row, Misconception):
        parts = {"What people say": "\n".join(row.said), "What is true": row.truth}
    else:
        parts = {"Answer": row.answer}
    yield from ((name, words) for name, words in parts.items() if words)


def _where(waymark: Waymark, stated: Stated) -> Iterator[str]:
    """Where it stands when it is told."""
    if isinstance(stated.row, Helpline):
        yield from _of_helpline(waymark, stated.row)
    elif isinstance(stated.row, Entitlement):
        yield from _of_entitlement(waymark, stated.row) if not stated.over else ()
    else:
        yield from ("Questions people ask",) * isinstance(stated.row, ServiceAnswer)
        yield "Ask a question"


def _of_entitlement(waymark: Waymark, row: Entitlement) -> Iterator[str]:
    here = not row.who.councils or waymark.settings.authority in row.who.councils
    if here and row.standing is Standing.IN_FORCE:
        yield from ("What you can get", "Ask a question")
    for flow in waymark.content.flows.values():
        if any(question.type is QuestionType.ENTITLEMENTS for question in flow.questions):
            yield flow.title


def _of_helpline(waymark: Waymark, row: Helpline) -> Iterator[str]:
    yield from (
        f"Notice: {notice.title} ({notice.audience.value})"
        for notice in waymark.content.notices.values()
        if row.id in notice.helplines
    )
    for flow in waymark.content.flows.values():
        if any(row.id in ending.helplines for ending in flow.endings):
            yield flow.title
    if row.phone and row in waymark.authority.helplines:
        yield "I need help now"


# --- Deciding -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Basis:
    """What a confirmation rests on, as it was typed."""

    source: str = ""
    publisher: str = ""
    address: str = ""
    review_by: str = ""


async def confirm(
    waymark: Waymark, person: Person, kind: str, id_: str, seen: str, basis: Basis, note: str
) -> None:
    """It is right as it reads now. Raises UnknownFact, NotSaid."""
    check(person, Action.CONFIRM_FACTS)
    async with waymark.database.transaction() as db:
        found = await _one(waymark, db, kind, id_)
        _same(found, seen)
        if found.line.state is State.TAKEN_DOWN:
            raise NotSaid("reason", "It is taken down: put it back first")
        now = waymark.clock()
        values = {
            "source": _short(basis.source, "source", "Say where you read it"),
            "publisher": _short(basis.publisher, "publisher", "Say who publishes that"),
            "address": _address(basis.address),
            "review_by": _day(basis.review_by, now),
        }
        await _decide(waymark, db, person, found, Verdict.CONFIRMED, note, **values)
    waymark.facts.changed()


async def take_down(
    waymark: Waymark, person: Person, kind: str, id_: str, seen: str, note: str
) -> None:
    """Nobody is told it any more. Raises UnknownFact, NotSaid."""
    check(person, Action.TAKE_DOWN_FACTS)
    async with waymark.database.transaction() as db:
        found = await _one(waymark, db, kind, id_)
        _same(found, seen)
        if found.line.state is State.TAKEN_DOWN:
            raise NotSaid("reason", "It is taken down already")
        if kind == "helpline":
            await _leaves_a_line(waymark, db, id_)
        await _decide(waymark, db, person, found, Verdict.TAKEN_DOWN, note)
    waymark.facts.changed()


async def restore(
    waymark: Waymark, person: Person, kind: str, id_: str, seen: str, note: str
) -> None:
    """It is told again as far as its file is sure of it. Raises UnknownFact, NotSaid."""
    check(person, Action.CONFIRM_FACTS)
    async with waymark.database.transaction() as db:
        found = await _one(waymark, db, kind, id_)
        _same(found, seen)
        if found.line.state is not State.TAKEN_DOWN:
            raise NotSaid("reason", "It is not taken down")
        await _decide(waymark, db, person, found, Verdict.RESTORED, note)
    waymark.facts.changed()


async def _decide(
    waymark: Waymark,
    db: AsyncConnection,
    person: Person,
    found: One,
    verdict: Verdict,
    note: str,
    **values: object,
) -> None:
    if not note.strip():
        raise NotSaid("reason", "Say how you know, or why")
    kind, id_ = found.line.stated.key
    made, now, digest = uuid4().hex, waymark.clock(), found.line.stated.digest
    row = {"id": made, "kind": kind, "row": id_, "digest": digest, "verdict": verdict.value}
    await facts.add(db, **row, **values, by=person.id, at=now, note=note.strip())
    what = (f"fact.{verdict.value}", "fact", f"{kind}:{id_}")
    await audit.record(db, now, person.id, *what, decision=made, digest=digest)


def _same(found: One, seen: str) -> None:
    """What somebody decides must be what they saw: its text, and what was decided before."""
    if found.seen != seen:
        raise NotSaid("reason", "It was changed or decided about since you opened this")


async def _leaves_a_line(waymark: Waymark, db: AsyncConnection, id_: str) -> None:
    """A notice with nobody to ring would be worse than a number that may be wrong."""
    gone = {
        row.row
        for row in await facts.newest(db)
        if row.kind == "helpline" and row.verdict == Verdict.TAKEN_DOWN
    }
    for notice in waymark.content.notices.values():
        if id_ in notice.helplines and not set(notice.helplines) - gone - {id_}:
            raise NotSaid("reason", f"“{notice.title}” would have no line left: change that first")


def _short(typed: str, field: str, sentence: str) -> str:
    if not typed.strip():
        raise NotSaid(field, sentence)
    if len(typed) > 200:
        raise NotSaid(field, "Make this shorter: 200 characters at most")
    return " ".join(typed.split())


def _address(typed: str) -> str:
    """Of a page on the web."""
    typed = typed.strip()
    try:
        parts = urlsplit(typed)
    except ValueError:
        parts = urlsplit("")
    plain = typed.isprintable() and " " not in typed and len(typed) <= 500
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise NotSaid("address", "Give the address it was read at, beginning with https://")
    return typed


def _day(typed: str, now: datetime) -> date:
    today = now.astimezone(LONDON).date()
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise NotSaid("review_by", "Choose the day by which it is looked at again") from None
    if not today < day <= today + FURTHEST:
        raise NotSaid("review_by", "Choose a day to come, within two years")
    return day
