"""What was done, by whom, to what: appended in the transaction that does it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Audit, Found


async def record(
    db: AsyncConnection,
    at: datetime,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    **detail: Any,
) -> None:
    """One line. `detail` holds ids, statuses and counts; never names or words."""
    await db.execute(
        sa.insert(Audit).values(
            at=at,
            actor=actor,
            action=action,
            object_type=object_type,
            object_id=object_id,
            detail=detail,
        )
    )


async def of(db: AsyncConnection, object_id: str) -> list[Found]:
    """Everything recorded of one thing, oldest first."""
    found = await db.execute(
        sa.select(*Audit.__table__.columns).where(Audit.object_id == object_id).order_by(Audit.seq)
    )
    return list(found.all())
