"""Who has seen one record: for the headteacher, and for the person it is about who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.store import audit, openings, staff
from bot.store.models import Found
from bot.wiring import Waymark
from web.casework import rows
from web.casework.permissions import Action, Person, check
from web.casework.reasons import said

ONE_SITTING = timedelta(minutes=30)
"""Pages of a record opened one after the other within this time are one visit."""
_WHAT = {
    "submission.opened": "Opened the record",
    "alert.opened": "Opened the safety alert",
    "file.shown": "Looked at or listened to a file in it",
    "file.downloaded": "Saved a file of it",
    "access.glass": "Broke the glass to open it",
    "access.refused": "Tried to do something with it, and was not let",
    "reply.read": "Read their own answers and the reply",
}


@dataclass(frozen=True)
class Visit:
    """Somebody saw it, or tried to."""

    who: str
    role: str | None
    what: str
    purpose: str | None
    began: datetime
    ended: datetime
    times: int = 1


@dataclass(frozen=True)
class Access:
    """Everyone who saw one record, oldest first."""

    row: Found
    visits: Sequence[Visit]
    since: datetime
    """How far back lines are kept."""
    told_at: datetime


async def of(waymark: Waymark, person: Person, id_: str) -> Access:
    """Raises UnknownSubmission. That somebody looked is written down."""
    check(person, Action.SEE_AUDIT)
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.OPEN_SUBMISSION, id_)
        names = await staff.names(db)
        lines = await openings.of_record(db, id_)
        await audit.record(db, now, person.id, "access.seen", "submission", id_)
    kept = timedelta(days=waymark.content.policy.retention.audit)
    return Access(row, visits(lines, names), max(row.received_at, now - kept), now)


def visits(lines: Sequence[Found], names: dict[str, str]) -> list[Visit]:
    """The same person's openings close together are one visit."""
    found: list[Visit] = []
    for line in lines:
        visit = Visit(
            who=_who(line.actor, names),
            role=line.acting_as,
            what=_WHAT[line.action],
            purpose=said(line.purpose),
            began=line.at,
            ended=line.at,
        )
        last = found[-1] if found else None
        if last and _goes_on(last, visit):
            found[-1] = replace(last, ended=visit.ended, times=last.times + 1)
        else:
            found.append(visit)
    return found


def _goes_on(last: Visit, visit: Visit) -> bool:
    same = replace(visit, began=last.began, ended=last.ended, times=last.times) == last
    return same and visit.began - last.ended <= ONE_SITTING


def _who(actor: str, names: dict[str, str]) -> str:
    others = {"sender": "The person who wrote it", "waymark": "Waymark", "nobody": "Someone"}
    return others.get(actor) or names.get(actor, "A member of staff who is no longer kept")
