"""What people ask of us about their own information: a copy, a correction, a deletion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import EditClash
from bot.store import sealing
from bot.store.models import Found, PersonRequest, Staff, SubmissionRow
from bot.store.rights import Within

_LISTED = tuple(c for c in PersonRequest.__table__.columns if c.info["class"] != "sealed")


@dataclass(frozen=True)
class Asked:
    """What was asked and proposed, opened."""

    words: str | None
    proposal: dict[str, Any]


async def add(db: AsyncConnection, *, words: str | None, **values: Any) -> None:
    """Keep a request. Whoever takes it in need not be able to read its words again."""
    sealed = None
    if words:
        box = await sealing.new_box(db, _owner(values["id"]))
        sealed = box.seal(PersonRequest.words, values["id"], words)
    await db.execute(sa.insert(PersonRequest).values(**values, words=sealed))


def _owner(request: str) -> str:
    return f"request:{request}"


async def get(db: AsyncConnection, id_: str) -> Found | None:
    found = await db.execute(
        sa.select(*PersonRequest.__table__.columns).where(PersonRequest.id == id_)
    )
    return found.first()


async def opened(db: AsyncConnection, row: Found) -> Asked:
    """Its words, for staff. Raises CannotOpen."""
    words, proposal = row.words, row.proposal
    if words is None and proposal is None:
        return Asked(None, {})
    box = await sealing.box(db, _owner(row.id))
    return Asked(
        words and box.opened(PersonRequest.words, row.id, words),
        box.opened(PersonRequest.proposal, row.id, proposal) if proposal else {},
    )


async def of(db: AsyncConnection, submission: str) -> list[Found]:
    """Those about this submission, the oldest first; no words."""
    found = await db.execute(
        sa.select(*_LISTED)
        .where(PersonRequest.submission == submission)
        .order_by(PersonRequest.made_at, PersonRequest.id)
    )
    return list(found.all())


async def listed(db: AsyncConnection, within: Within, *, decided: bool, limit: int) -> list[Found]:
    """Those that wait, the next due first; or those decided, the newest first. No words, and none
    about what is out of reach."""
    order = PersonRequest.decided_at.desc() if decided else PersonRequest.due_at
    found = await db.execute(
        sa.select(*_LISTED, SubmissionRow.handle, Staff.name.label("entered_by_name"))
        .outerjoin(SubmissionRow, SubmissionRow.id == PersonRequest.submission)
        .outerjoin(Staff, Staff.id == PersonRequest.entered_by)
        .where(PersonRequest.decided_at.is_not(None) if decided else _waiting(), _near(within))
        .order_by(order, PersonRequest.id)
        .limit(limit)
    )
    return list(found.all())


def _waiting() -> sa.ColumnElement[bool]:
    return PersonRequest.decided_at.is_(None)


def _near(within: Within) -> sa.ColumnElement[bool]:
    return sa.or_(PersonRequest.submission.is_(None), within.test)


async def propose(
    db: AsyncConnection, id_: str, by: str, proposal: dict[str, Any], at: datetime
) -> None:
    """Raises EditClash if somebody proposed or decided before."""
    words = await sealing.seal(db, _owner(id_), PersonRequest.proposal, id_, proposal)
    values = {"state": "proposed", "proposed_by": by, "proposed_at": at, "proposal": words}
    await _move(db, id_, "open", values)


async def take_back(db: AsyncConnection, id_: str) -> None:
    """Somebody else looked at what was proposed and doesn't agree. Raises EditClash."""
    values = {"state": "open", "proposed_by": None, "proposed_at": None, "proposal": None}
    await _move(db, id_, "proposed", values)


async def decide(db: AsyncConnection, row: Found, state: str, by: str, at: datetime) -> None:
    """Raises EditClash if it is not as it was seen."""
    await _move(db, row.id, row.state, {"state": state, "decided_by": by, "decided_at": at})


async def _move(db: AsyncConnection, id_: str, was: str, values: dict[str, Any]) -> None:
    done = await db.execute(
        sa.update(PersonRequest)
        .where(PersonRequest.id == id_, PersonRequest.state == was)
        .values(**values)
    )
    if done.rowcount != 1:
        raise EditClash(id_)
