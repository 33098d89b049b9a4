"""How long a submission is kept: what goes soon, what is held, what is kept longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import periods, retention
from bot.store import audit, duties, holds, requests, submissions
from bot.store.holds import Held
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON
from web.casework import rows
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, check

LONGEST = timedelta(days=10 * 366)
"""Nobody keeps something longer than that in one go."""


@dataclass(frozen=True)
class Wish:
    """Something the person asked about it."""

    row: Found
    words: str | None
    """What they want put right."""


@dataclass(frozen=True)
class Keeping:
    """What the page of a submission says about how long it is kept."""

    days: int
    """After closing."""
    goes_on: datetime | None
    until: datetime | None
    hold: Held | None
    lifted: Sequence[Held]
    asked: Sequence[Wish]


async def of(waymark: Waymark, db: AsyncConnection, row: Found) -> Keeping:
    found = await holds.of(db, row.id)
    return Keeping(
        days=periods.days(waymark.content, "submission", row.kind),
        goes_on=periods.submission_goes(waymark.content, row, waymark.clock()),
        until=row.kept_until,
        hold=next((one for one in found if one.lifted_at is None), None),
        lifted=[one for one in found if one.lifted_at is not None],
        asked=[await _wish(db, one) for one in await requests.of(db, row.id)],
    )


async def _wish(db: AsyncConnection, row: Found) -> Wish:
    whole = await requests.get(db, row.id)
    assert whole is not None
    return Wish(row, (await requests.opened(db, whole)).words)


# --- What goes soon -----------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A submission that goes soon, or should have gone and can't."""

    row: Found
    goes_on: datetime
    held_by: Sequence[str]


@dataclass(frozen=True)
class Soon:
    """What goes, the next first; and how the removing itself fares."""

    lines: Sequence[Line]
    warning: int
    last_run: datetime | None
    left: int


async def soon(waymark: Waymark, person: Person) -> Soon:
    """Of what this person may open."""
    check(person, Action.SEE_KEEPING)
    async with waymark.database.reading() as db:
        duty = await duties.get(db, retention.NAME)
        lines = await going(waymark, db, person)
    return Soon(
        lines=lines,
        warning=waymark.content.policy.retention.warning,
        last_run=duty.done_at if duty else None,
        left=duty.left if duty else 0,
    )


async def going(waymark: Waymark, db: AsyncConnection, person: Person) -> list[Line]:
    found = await retention.going(waymark, db)
    within = rows.within(waymark, person, Action.OPEN_SUBMISSION)
    near = await submissions.these(db, within, [one.id for one, _ in found])
    return [Line(near[one.id], ends, one.held_by) for one, ends in found if one.id in near]


# --- Holding, and keeping longer ----------------------------------------------------------


async def hold(waymark: Waymark, person: Person, id_: str, reason: str) -> None:
    """It doesn't go, and isn't erased, until the hold is lifted. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.HOLD, id_)
        if not reason.strip():
            raise NotSaid("reason", "Say why it must not go")
        if await holds.current(db, id_):
            raise NotSaid("reason", "There is a legal hold on it already")
        now, made = waymark.clock(), uuid4().hex
        # Written to first: whoever is about to remove it has to wait, and then sees the hold.
        await submissions.mark(db, id_, changed_at=now)
        await holds.place(db, made, id_, person.id, reason.strip(), now)
        await audit.record(db, now, person.id, "submission.held", "submission", id_, hold=made)


async def lift(waymark: Waymark, person: Person, id_: str, reason: str) -> None:
    """From now on its time runs again; before it goes, staff are told anew. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.HOLD, id_)
        if not reason.strip():
            raise NotSaid("reason", "Say why the hold can be lifted")
        now = waymark.clock()
        lifted = await holds.lift(db, id_, person.id, reason.strip(), now)
        if lifted is not None:
            await submissions.mark(db, id_, changed_at=now, warned_at=None)
            what = ("submission.hold-lifted", "submission", id_)
            await audit.record(db, now, person.id, *what, hold=lifted)


async def keep_longer(waymark: Waymark, person: Person, id_: str, until: str, reason: str) -> None:
    """Not to go before that day. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.KEEP_LONGER, id_)
        now = waymark.clock()
        day = _day(until, now)
        if not reason.strip():
            raise NotSaid("reason", "Say why it is kept longer")
        goes = periods.submission_goes(waymark.content, row, now)
        if goes is not None and day <= goes:
            raise NotSaid("until", "It is kept that long anyway: choose a later day")
        await submissions.mark(db, id_, changed_at=now, kept_until=day, warned_at=None)
        # The reason is words, so it is a note; the audit line holds none.
        text = f"Kept until {day.astimezone(LONDON):%d.%m.%Y}.\n{reason.strip()}"
        note = {"id": uuid4().hex, "submission": id_, "author": person.id, "written_at": now}
        await submissions.add_note(db, text=text, **note)
        what = ("submission.kept-longer", "submission", id_)
        await audit.record(db, now, person.id, *what, until=day.date().isoformat())


def _day(typed: str, now: datetime) -> datetime:
    try:
        day = datetime.combine(date.fromisoformat(typed), time(12), LONDON)
    except ValueError:
        raise NotSaid("until", "Choose until which day it is kept") from None
    if not now < day < now + LONGEST:
        raise NotSaid("until", "Choose a day to come, within ten years")
    return day
