"""The half minutes whose codes were taken, and recovery codes."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import RecoveryCode, Staff, StaffSession

TOTP, OFFERED = Staff.totp, StaffSession.offered
"""Where the key of an authenticator is kept, sealed: taken, and while it is being set up."""


async def take_step(db: AsyncConnection, staff: str, step: int) -> bool:
    """False if the code of this half minute, or of a later one, was taken before."""
    taken = await db.execute(
        sa.update(Staff)
        .where(Staff.id == staff, sa.or_(Staff.totp_step.is_(None), Staff.totp_step < step))
        .values(totp_step=step)
        .returning(Staff.id)
    )
    return taken.first() is not None


async def set_recovery_codes(db: AsyncConnection, staff: str, keys: Iterable[str]) -> None:
    """New ones; the old ones stop working."""
    await db.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff == staff))
    rows = [{"key": key, "staff": staff} for key in keys]
    if rows:
        await db.execute(sa.insert(RecoveryCode), rows)


async def use_recovery_code(db: AsyncConnection, key: str) -> bool:
    used = await db.execute(
        sa.delete(RecoveryCode).where(RecoveryCode.key == key).returning(RecoveryCode.key)
    )
    return used.first() is not None


async def recovery_codes(db: AsyncConnection, staff: str) -> int:
    """How many are left."""
    found = await db.scalar(sa.select(sa.func.count()).where(RecoveryCode.staff == staff))
    return found or 0
