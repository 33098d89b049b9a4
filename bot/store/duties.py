"""Jobs that one process at a time does: who may begin, and when each was last done."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import insert
from bot.store.models import Duty, Found


async def take(db: AsyncConnection, name: str, at: datetime, lasts: timedelta) -> bool:
    """Begin a job, unless somebody else is at it. Who dies at it is stepped in for afterwards."""
    values = {"name": name, "taken_until": at + lasts, "left": 0}
    made = insert(db, Duty).values(**values)
    taken = made.on_conflict_do_update(
        index_elements=["name"],
        set_={"taken_until": at + lasts},
        where=Duty.taken_until <= at,
    )
    return (await db.execute(taken.returning(Duty.name))).first() is not None


async def take_on(db: AsyncConnection, name: str, until: datetime) -> None:
    """Still at it."""
    await db.execute(sa.update(Duty).where(Duty.name == name).values(taken_until=until))


async def done(db: AsyncConnection, name: str, at: datetime, left: int) -> None:
    """It is done, but for what is left."""
    change = sa.update(Duty).where(Duty.name == name)
    await db.execute(change.values(taken_until=at, done_at=at, left=left))


async def get(db: AsyncConnection, name: str) -> Found | None:
    return (await db.execute(sa.select(*Duty.__table__.columns).where(Duty.name == name))).first()
