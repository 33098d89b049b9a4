"""Who else may see a submission: sharing it, restricting it, and opening it by saying why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import access, audit, submissions
from bot.store.submissions import Filter
from bot.tries import tried
from bot.wiring import Waymark
from web.casework import colleagues, rows
from web.casework.faults import NotSaid
from web.casework.find import reference
from web.casework.permissions import Action, Person, admit, check, may
from web.casework.reasons import Why
from web.casework.review import Seen

REASON_HOLDS = timedelta(hours=8)
GLASS_HOLDS = timedelta(minutes=60)
LASTS: Mapping[str, tuple[str, timedelta | None]] = {
    "open": ("Until someone stops it", None),
    "week": ("For a week", timedelta(weeks=1)),
    "month": ("For four weeks", timedelta(weeks=4)),
}
"""How long something can be shared for."""


# --- Saying why ---------------------------------------------------------------------------


async def needs_reason(waymark: Waymark, person: Person, id_: str) -> bool:
    """Whether it takes a reason to open this. Raises UnknownSubmission, NotAllowed."""
    async with waymark.database.reading() as db:
        seen = await rows.subject(waymark, db, person, id_)
    if seen is not None and may(person, Action.OPEN_SUBMISSION, seen):
        return False
    admit(person, Action.GIVE_REASON, seen, id_)
    return True


async def give_reason(waymark: Waymark, person: Person, id_: str, why: Why) -> None:
    """It opens for a working day. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.GIVE_REASON, id_)
        why.check()
        await _grant(waymark, db, person, id_, why, "reason", REASON_HOLDS)


@dataclass(frozen=True)
class Opened:
    """What a reference led to, and whether the glass had to be broken for it."""

    id: str
    broken: bool


async def break_glass(waymark: Waymark, person: Person, typed: str, why: Why) -> Opened:
    """Open a restricted submission by its reference, for an hour and before the headteacher's
    eyes; one that opens without is left whole.

    Raises NotSaid; TooManyTries after many references that are none.
    """
    check(person, Action.BREAK_GLASS)
    why.check()

    async def attempt() -> Opened | None:
        return await _broken(waymark, person, reference(typed), why)

    opened = await tried(waymark, "break-glass", {"sender": person.id}, attempt)
    if opened is None:
        raise NotSaid("reference", "No submission has this reference. Check it and try again")
    return opened


async def _broken(waymark: Waymark, person: Person, name: str, why: Why) -> Opened | None:
    ways = (Action.OPEN_SUBMISSION, Action.GIVE_REASON, Action.BREAK_GLASS)
    async with waymark.database.transaction() as db:
        for action in ways:
            asked = Filter(rows.within(waymark, person, action), reference=name)
            found = await submissions.queue(db, asked, 1) if name else []
            broken = action is Action.BREAK_GLASS
            if found and broken:
                await _grant(waymark, db, person, found[0].id, why, "glass", GLASS_HOLDS)
            if found:
                return Opened(found[0].id, broken)
        await audit.record(db, waymark.clock(), person.id, "access.missed", "staff", person.id)
    return None


async def _grant(
    waymark: Waymark,
    db: AsyncConnection,
    person: Person,
    id_: str,
    why: Why,
    kind: str,
    holds: timedelta,
) -> None:
    now, grant = waymark.clock(), waymark.new_id()
    values: dict[str, Any] = {"id": grant, "submission": id_, "staff": person.id, "kind": kind}
    told = {"purpose": why.purpose, "reason": why.words.strip()}
    await access.grant(db, **values, **told, given_at=now, until=now + holds)
    detail = {"purpose": why.purpose, "grant": grant}
    await audit.record(db, now, person.id, f"access.{kind}", "submission", id_, **detail)


async def take_note(waymark: Waymark, person: Person, grant: str) -> None:
    """The headteacher has seen that the glass was broken."""
    check(person, Action.SEE_NOTICES)
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        id_ = await access.take_note(db, grant, person.id, now)
        if id_:
            what = ("access.noted", "submission", id_)
            await audit.record(db, now, person.id, *what, grant=grant)


# --- Sharing and restricting --------------------------------------------------------------


async def share(waymark: Waymark, person: Person, id_: str, to: str, lasts: str) -> None:
    """A colleague may open it and work on it too. Raises NotSaid."""
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.SHARE, id_)
        one = await colleagues.find(db, to)
        if one is None:
            raise NotSaid("with", "Choose whom to share it with")
        if lasts not in LASTS:
            raise NotSaid("lasts", "Choose for how long")
        until = _until(now, lasts)
        values = {"submission": id_, "staff": one.id, "by": person.id, "at": now}
        await access.link(db, **values, until=until)
        what = ("submission.shared", "submission", id_)
        await audit.record(db, now, person.id, *what, to=one.id, lasts=lasts)


def _until(now: datetime, lasts: str) -> datetime | None:
    period = LASTS[lasts][1]
    return now + period if period else None


async def stop_sharing(waymark: Waymark, person: Person, id_: str, with_: str) -> None:
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.SHARE, id_)
        if await access.unlink(db, id_, with_):
            what = ("submission.unshared", "submission", id_)
            await audit.record(db, waymark.clock(), person.id, *what, to=with_)


async def restrict(waymark: Waymark, person: Person, seen: Seen, on: bool) -> None:
    """From now on only for its owner, whom it is shared with, and the headteacher; or for the
    team again. Raises EditClash."""
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.RESTRICT, seen.id)
        await submissions.change(db, seen.id, seen.version, now, restricted=on)
        what = "submission.restricted" if on else "submission.unrestricted"
        await audit.record(db, now, person.id, what, "submission", seen.id)
