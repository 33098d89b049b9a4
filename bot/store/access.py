"""What lets somebody in who else would not be: links by name, and grants for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import sealing
from bot.store.database import insert
from bot.store.models import AccessGrant, Found, Staff, SubmissionLink, SubmissionRow
from bot.store.submissions import desk

# --- Links --------------------------------------------------------------------------------


async def link(db: AsyncConnection, **values: Any) -> None:
    """Share with someone; again, for another while."""
    made = insert(db, SubmissionLink).values(**values)
    keys = ["submission", "staff"]
    await db.execute(made.on_conflict_do_update(index_elements=keys, set_=values))


async def unlink(db: AsyncConnection, submission: str, staff: str) -> bool:
    """False if it was not shared with them."""
    done = await db.execute(
        sa.delete(SubmissionLink).where(
            SubmissionLink.submission == submission, SubmissionLink.staff == staff
        )
    )
    return done.rowcount == 1


async def links(db: AsyncConnection, submission: str, now: datetime) -> list[Found]:
    """Whom it is shared with now, by name."""
    found = await db.execute(
        sa.select(*SubmissionLink.__table__.columns, Staff.name)
        .join(Staff, Staff.id == SubmissionLink.staff)
        .where(
            SubmissionLink.submission == submission,
            sa.or_(SubmissionLink.until.is_(None), SubmissionLink.until > now),
        )
        .order_by(Staff.name, Staff.id)
    )
    return list(found.all())


# --- Grants -------------------------------------------------------------------------------


async def grant(db: AsyncConnection, *, reason: str, **values: Any) -> None:
    whose = desk(values["submission"])
    words = await sealing.seal(db, whose, AccessGrant.reason, values["id"], reason)
    await db.execute(sa.insert(AccessGrant).values(**values, reason=words))


@dataclass(frozen=True)
class Broken:
    """Somebody broke the glass, and the headteacher has not taken note of it."""

    id: str
    submission: str
    handle: str
    reference: str
    staff_name: str
    purpose: str
    reason: str
    given_at: datetime
    until: datetime


async def unseen(db: AsyncConnection) -> list[Broken]:
    """The newest first."""
    found = await db.execute(
        sa.select(
            *AccessGrant.__table__.columns,
            SubmissionRow.handle,
            SubmissionRow.reference,
            Staff.name.label("staff_name"),
        )
        .join(SubmissionRow, SubmissionRow.id == AccessGrant.submission)
        .join(Staff, Staff.id == AccessGrant.staff)
        .where(AccessGrant.kind == "glass", AccessGrant.seen_at.is_(None))
        .order_by(AccessGrant.given_at.desc(), AccessGrant.id)
    )
    return [await _broken(db, row) for row in found.all()]


async def _broken(db: AsyncConnection, row: Found) -> Broken:
    whose = desk(row.submission)
    reason = await sealing.opened(db, whose, AccessGrant.reason, row.id, row.reason)
    return Broken(
        row.id, row.submission, row.handle, row.reference, row.staff_name, row.purpose, reason,
        row.given_at, row.until,
    )  # fmt: skip


async def reasons(db: AsyncConnection, submission: str) -> dict[str, str]:
    """Everything that was said for opening it, by grant."""
    found = await db.execute(
        sa.select(AccessGrant.id, AccessGrant.reason).where(AccessGrant.submission == submission)
    )
    rows = found.all()
    if not rows:
        return {}
    box = await sealing.box(db, desk(submission))
    return {row.id: box.opened(AccessGrant.reason, row.id, row.reason) for row in rows}


async def take_note(db: AsyncConnection, id_: str, staff: str, at: datetime) -> str | None:
    """The submission it was about; None if somebody already had."""
    done = await db.execute(
        sa.update(AccessGrant)
        .where(AccessGrant.id == id_, AccessGrant.seen_at.is_(None), AccessGrant.kind == "glass")
        .values(seen_by=staff, seen_at=at)
        .returning(AccessGrant.submission)
    )
    row = done.first()
    return row.submission if row else None
