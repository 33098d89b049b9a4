"""What people ask about their own information: listed, entered, put right, refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import requests as asking
from bot.errors import NotAllowed, UnknownSubmission
from bot.requests import Kind
from bot.store import audit, requests, staff
from bot.store.models import Found
from bot.store.requests import Asked
from bot.wiring import Waymark
from web.casework import letters, review, rows
from web.casework.due import Due, reply_due
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, Subject, check

MOST = 200
KINDS: Mapping[Kind, str] = {
    "copy": "A full copy",
    "correction": "A correction",
    "deletion": "A deletion",
}
STATES = {
    "open": "To be looked at",
    "proposed": "Waits for a second person",
    "done": "Done",
    "refused": "Refused",
}
CHANNELS = {"web": "on the reply page", "telegram": "in Telegram", "staff": "through the team"}


@dataclass(frozen=True)
class Line:
    """One request in a list."""

    row: Found
    kind: str
    state: str
    channel: str
    due: Due


@dataclass(frozen=True)
class Requests:
    """Those that wait, and those that were decided."""

    waiting: Sequence[Line]
    decided: Sequence[Line]


async def listed(waymark: Waymark, person: Person) -> Requests:
    """About what this person may open."""
    check(person, Action.SEE_REQUESTS)
    within = rows.within(waymark, person, Action.OPEN_SUBMISSION)
    async with waymark.database.reading() as db:
        waiting = await requests.listed(db, within, decided=False, limit=MOST)
        decided = await requests.listed(db, within, decided=True, limit=MOST)
    return Requests([line(waymark, r) for r in waiting], [line(waymark, r) for r in decided])


def line(waymark: Waymark, row: Found) -> Line:
    return Line(
        row=row,
        kind=KINDS[row.kind],
        state=STATES[row.state],
        channel=CHANNELS[row.channel],
        due=reply_due(row.due_at, row.decided_at, waymark.clock(), waymark.authority.closures),
    )


async def enter(waymark: Waymark, person: Person, id_: str, kind: str, words: str) -> None:
    """Somebody asked the team: it is written down and gets its day. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.ENTER_REQUEST, id_)
        wanted = next((known for known in KINDS if known == kind), None)
        if wanted is None:
            raise NotSaid("kind", "Choose what they ask for")
        if not words.strip():
            raise NotSaid("words", "Write what they asked, when, and how you know who they are")
        await asking.ask(
            waymark, db, wanted, id_, "staff", words=words.strip(), entered_by=person.id
        )


# --- One of them --------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """Everything its page shows, but for what each kind needs besides."""

    line: Line
    asked: Asked
    submission: Found | None
    """None once it is gone."""
    subject: Subject | None
    """What that is to whoever opened this: their buttons follow from it."""
    names: Mapping[str, str]

    @property
    def row(self) -> Found:
        return self.line.row


async def load(
    waymark: Waymark, db: AsyncConnection, person: Person, action: Action, id_: str
) -> tuple[Found, Found | None]:
    """A request, for this person to do this about what it is about.

    Raises UnknownSubmission, ReasonNeeded, NotAllowed, as for the submission itself.
    """
    check(person, action)
    row = await requests.get(db, id_)
    if row is None:
        raise UnknownSubmission(id_, wanted=action.value)
    if row.submission is None:
        return row, None
    return row, await rows.load(waymark, db, person, action, row.submission)


async def open_(waymark: Waymark, person: Person, id_: str) -> Request:
    """Read it; that it was read is written down."""
    check(person, Action.SEE_REQUESTS)
    async with waymark.database.transaction() as db:
        row, submission = await load(waymark, db, person, Action.OPEN_SUBMISSION, id_)
        now = waymark.clock()
        await audit.record(db, now, person.id, "request.opened", "person_request", id_)
        if submission is not None:
            what = ("submission.opened", "submission", submission.id)
            await audit.record(db, now, person.id, *what, request=id_)
        subject = await rows.subject(waymark, db, person, submission.id) if submission else None
        asked, names = await requests.opened(db, row), await staff.names(db)
    return Request(line(waymark, row), asked, submission, subject, names)


def still(row: Found, state: str, kind: Kind | None = None) -> None:
    """Raises NotSaid where it stands elsewhere: somebody was quicker, or it is another thing."""
    if kind is not None and row.kind != kind:
        raise NotSaid("state", f"This asks for something else: {KINDS[row.kind].lower()}")
    if row.state != state:
        raise NotSaid("state", f"This can't be done now. It stands at: {STATES[row.state]}")


def second_person(row: Found, person: Person, action: Action) -> None:
    """Raises NotAllowed for whoever proposed it."""
    if row.proposed_by == person.id:
        raise NotAllowed(
            "You proposed this, so somebody else has to agree to it. Ask your headteacher or a "
            "co-ordinator.",
            wanted=action.value,
        )


# --- Answering ----------------------------------------------------------------------------


async def put_right(waymark: Waymark, person: Person, id_: str, text: str) -> None:
    """It is corrected, and the person is told how. Raises NotSaid, EditClash."""
    await _answer(waymark, person, id_, text, "done")


async def refuse(waymark: Waymark, person: Person, id_: str, text: str) -> None:
    """It can't be done, and the person is told why. Raises NotSaid, EditClash."""
    await _answer(waymark, person, id_, text, "refused")


async def _answer(waymark: Waymark, person: Person, id_: str, text: str, state: str) -> None:
    async with waymark.database.transaction() as db:
        row, about = await load(waymark, db, person, Action.ANSWER_REQUEST, id_)
        text = letters.sayable(text)
        still(row, "open", "correction" if state == "done" else None)
        assert about is not None, "what is open is about something"
        await requests.decide(db, row, state, person.id, waymark.clock())
        await review.send(waymark, db, person, about, text, uuid4().hex)
        await record(waymark, db, person, state, row)


async def send_back(waymark: Waymark, person: Person, id_: str) -> None:
    """Not as proposed: it is to be looked at again. Raises NotSaid, EditClash."""
    async with waymark.database.transaction() as db:
        row, _ = await load(waymark, db, person, Action.ANSWER_REQUEST, id_)
        still(row, "proposed")
        await requests.take_back(db, id_)
        await record(waymark, db, person, "sent-back", row)


async def record(
    waymark: Waymark, db: AsyncConnection, person: Person, what: str, row: Found, **detail: Any
) -> None:
    """In the log of the request, and in the history of what it is about."""
    now, told = waymark.clock(), {"kind": row.kind, **detail}
    await audit.record(db, now, person.id, f"request.{what}", "person_request", row.id, **told)
    if row.submission is not None:
        about = ("submission", row.submission)
        await audit.record(db, now, person.id, f"request.{what}", *about, request=row.id, **told)


async def due(waymark: Waymark, db: AsyncConnection, person: Person) -> list[datetime]:
    """When those that wait are due, the next first."""
    within = rows.within(waymark, person, Action.OPEN_SUBMISSION)
    found = await requests.listed(db, within, decided=False, limit=MOST)
    return [row.due_at for row in found]
