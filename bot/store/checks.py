"""When the log was last anchored and verified, for staff to see."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import AuditCheck, Found


async def went_well(db: AsyncConnection, name: str, at: datetime, seq: int) -> None:
    await _keep(db, name, {"tried_at": at, "done_at": at, "seq": seq, "fault": None})


async def failed(db: AsyncConnection, name: str, at: datetime, fault: str) -> None:
    """When it last went well stays."""
    await _keep(db, name, {"tried_at": at, "fault": fault})


async def _keep(
    db: AsyncConnection, name: str, values: dict[str, datetime | int | str | None]
) -> None:
    done = await db.execute(sa.update(AuditCheck).where(AuditCheck.name == name).values(**values))
    if done.rowcount == 0:
        await db.execute(sa.insert(AuditCheck).values(name=name, **values))


async def all_(db: AsyncConnection) -> dict[str, Found]:
    """By name: anchored, verified."""
    found = await db.execute(sa.select(*AuditCheck.__table__.columns))
    return {row.name: row for row in found}
