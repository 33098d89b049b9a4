"""The team as colleagues see it: whom something can be given to, or shared with."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import staff
from bot.store.models import Found
from content.schema import Role
from web.casework.permissions import Action, Person, Subject, may


async def find(db: AsyncConnection, id_: str) -> Person | None:
    """None for whoever is not here any more."""
    row = await staff.get(db, id_)
    return _person(row) if row and row.active else None


async def everyone(db: AsyncConnection) -> list[Person]:
    return [_person(row) for row in await staff.everyone(db)]


def could_own(person: Person, row: Found) -> bool:
    """Whether they could open it, were it theirs."""
    theirs = Subject(owner=person.id, team=person.team, restricted=row.restricted)
    return may(person, Action.OPEN_SUBMISSION, theirs)


def _person(row: Found) -> Person:
    return Person(row.id, row.name, Role(row.role), row.team)
