"""Legal holds: what must not go, why, and who said so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from bot.store import sealing, submissions
from bot.store.models import Hold, Staff


@dataclass(frozen=True)
class Held:
    """A hold, opened."""

    id: str
    placed_by: str
    placed_by_name: str
    placed_at: datetime
    reason: str
    lifted_by_name: str | None
    lifted_at: datetime | None
    lifted_because: str | None


async def place(
    db: AsyncConnection, id_: str, submission: str, by: str, reason: str, at: datetime
) -> None:
    words = await sealing.seal(db, submissions.desk(submission), Hold.reason, id_, reason)
    values = {"id": id_, "submission": submission, "placed_by": by, "placed_at": at}
    await db.execute(sa.insert(Hold).values(**values, reason=words))


async def lift(
    db: AsyncConnection, submission: str, by: str, reason: str, at: datetime
) -> str | None:
    """The hold that is lifted; none if there was none."""
    id_ = await current(db, submission)
    if id_ is not None:
        owner = submissions.desk(submission)
        words = await sealing.seal(db, owner, Hold.lifted_because, id_, reason)
        change = sa.update(Hold).where(Hold.id == id_)
        await db.execute(change.values(lifted_by=by, lifted_at=at, lifted_because=words))
    return id_


async def current(db: AsyncConnection, submission: str) -> str | None:
    """The hold that is on it now."""
    found: str | None = await db.scalar(
        sa.select(Hold.id).where(Hold.submission == submission, Hold.lifted_at.is_(None))
    )
    return found


async def of(db: AsyncConnection, submission: str) -> list[Held]:
    """Every hold there was on it, the oldest first."""
    placer, lifter = aliased(Staff), aliased(Staff)
    found = await db.execute(
        sa.select(
            *Hold.__table__.columns,
            placer.name.label("placed_by_name"),
            lifter.name.label("lifted_by_name"),
        )
        .join(placer, placer.id == Hold.placed_by)
        .outerjoin(lifter, lifter.id == Hold.lifted_by)
        .where(Hold.submission == submission)
        .order_by(Hold.placed_at, Hold.id)
    )
    rows = found.all()
    if not rows:
        return []
    box = await sealing.box(db, submissions.desk(submission))
    return [
        Held(
            id=row.id,
            placed_by=row.placed_by,
            placed_by_name=row.placed_by_name,
            placed_at=row.placed_at,
            reason=box.opened(Hold.reason, row.id, row.reason),
            lifted_by_name=row.lifted_by_name,
            lifted_at=row.lifted_at,
            lifted_because=row.lifted_because
            and box.opened(Hold.lifted_because, row.id, row.lifted_because),
        )
        for row in rows
    ]
