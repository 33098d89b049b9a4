"""The way to submissions: loaded for an action, or listed within one; nobody gets one otherwise."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import acting
from bot.errors import UnknownSubmission
from bot.store import rights, submissions
from bot.store.models import Found
from bot.store.rights import Viewer, Within
from bot.store.submissions import Alerted
from bot.wiring import Waymark
from web.casework.permissions import RULES, Action, Person, Subject, admit, can, check, why


async def load(
    waymark: Waymark, db: AsyncConnection, person: Person, action: Action, id_: str
) -> Found:
    """The submission, for this person to do this to.

    Raises UnknownSubmission, whether there is none or they may not know of it; ReasonNeeded;
    NotAllowed. What they may not have is not even read.
    """
    seen = await subject(waymark, db, person, id_)
    _let_in(person, action, seen, id_)
    row = await submissions.get(db, id_)
    if row is None:
        raise UnknownSubmission(id_)
    return row


async def load_alert(
    waymark: Waymark, db: AsyncConnection, person: Person, action: Action, id_: str
) -> Alerted:
    """An alert, for this person to do this to the submission it is about; on what was not sent,
    for those who see such alerts. Raises as `load` does."""
    check(person, action)
    about = await submissions.alert_on(db, id_)
    if about is None or (about.submission is None and not can(person, Action.SEE_DRAFT)):
        raise UnknownSubmission(id_, wanted=action.value)
    if about.submission is not None:
        seen = await subject(waymark, db, person, about.submission)
        _let_in(person, action, seen, about.submission)
    row = await submissions.alert(db, id_)
    if row is None:
        raise UnknownSubmission(id_)
    return row


def _let_in(person: Person, action: Action, seen: Subject | None, id_: str) -> None:
    """Or raise; the audit then says for what purpose, where there has to be one."""
    admit(person, action, seen, id_)
    if seen is not None and (purpose := why(person, seen)):
        acting.become(purpose=purpose)


async def subject(
    waymark: Waymark, db: AsyncConnection, person: Person, id_: str
) -> Subject | None:
    """What is so of a submission for this person, now; none if there is no such submission."""
    row = await rights.facts(db, _viewer(waymark, person), id_)
    if row is None:
        return None
    return Subject(
        owner=row.owner,
        team=row.team,
        restricted=row.restricted,
        shared_with=(person.id,) * row.linked,
        reason_of=(person.id,) * row.reason,
        glass_of=(person.id,) * row.glass,
        purpose=row.purpose,
        first=await subject(waymark, db, person, row.adds_to) if row.adds_to else None,
    )


def within(waymark: Waymark, person: Person, action: Action) -> Within:
    """Every submission that this person may do this to, now: for a list, a count, an export."""
    return Within(_viewer(waymark, person), RULES[action].ways(person.role))


def _viewer(waymark: Waymark, person: Person) -> Viewer:
    return Viewer(person.id, person.team, waymark.clock())
