"""Signed-in browsers of staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Found, Staff, StaffSession


async def add(db: AsyncConnection, **values: Any) -> None:
    await db.execute(sa.insert(StaffSession).values(**values))


async def get(db: AsyncConnection, key: str) -> Found | None:
    """A session with its person; none once the account is switched off or has another role."""
    found = await db.execute(
        sa.select(
            *StaffSession.__table__.columns,
            Staff.name,
            Staff.team,
            Staff.subject,
            Staff.password_hash.is_not(None).label("has_password"),
            Staff.totp.is_not(None).label("has_totp"),
        )
        .join(Staff, Staff.id == StaffSession.staff)
        .where(StaffSession.key == key, Staff.active.is_(True), StaffSession.role == Staff.role)
    )
    return found.first()


async def of(db: AsyncConnection, staff: str) -> list[Found]:
    """Where someone is signed in, the latest used first."""
    found = await db.execute(
        sa.select(*StaffSession.__table__.columns)
        .where(StaffSession.staff == staff)
        .order_by(StaffSession.seen_at.desc())
    )
    return list(found.all())


async def touch(db: AsyncConnection, key: str, at: datetime) -> None:
    await db.execute(sa.update(StaffSession).where(StaffSession.key == key).values(seen_at=at))


async def offer(db: AsyncConnection, key: str, sealed: bytes) -> None:
    """Keep the secret an app is being told."""
    await db.execute(sa.update(StaffSession).where(StaffSession.key == key).values(offered=sealed))


async def end(db: AsyncConnection, key: str) -> None:
    await db.execute(sa.delete(StaffSession).where(StaffSession.key == key))


async def end_all(db: AsyncConnection, staff: str, but: str | None = None) -> int:
    """Out everywhere, or everywhere but there. How many it were."""
    where = [StaffSession.staff == staff]
    if but is not None:
        where.append(StaffSession.key != but)
    return len(
        (await db.execute(sa.delete(StaffSession).where(*where).returning(StaffSession.key))).all()
    )


async def end_older(db: AsyncConnection, started: datetime, seen: datetime) -> None:
    """Forget those whose time is over, whether or not their browser ever comes back."""
    over = sa.or_(StaffSession.started_at < started, StaffSession.seen_at < seen)
    await db.execute(sa.delete(StaffSession).where(over))
