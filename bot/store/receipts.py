"""Receipts of what was removed: no words, and nothing that leads back to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Found, PersonRequest, Receipt


async def add(db: AsyncConnection, **values: Any) -> None:
    await db.execute(sa.insert(Receipt).values(**values))


async def get(db: AsyncConnection, id_: str) -> Found | None:
    found = await db.execute(sa.select(*Receipt.__table__.columns).where(Receipt.id == id_))
    return found.first()


async def by_return_key(db: AsyncConnection, key: str) -> Found | None:
    """The receipt of something that a return code used to open."""
    found = await db.execute(
        sa.select(*Receipt.__table__.columns)
        .where(Receipt.return_key == key)
        .order_by(Receipt.at.desc())
        .limit(1)
    )
    return found.first()


async def newest(db: AsyncConnection, kind: str | None, limit: int, offset: int) -> list[Found]:
    """The newest first; of one kind, or of all."""
    query = sa.select(*Receipt.__table__.columns).order_by(Receipt.at.desc(), Receipt.id)
    if kind is not None:
        query = query.where(Receipt.kind == kind)
    return list((await db.execute(query.limit(limit).offset(offset))).all())


async def counts(db: AsyncConnection) -> dict[str, int]:
    """How many there are of each kind."""
    found = await db.execute(sa.select(Receipt.kind, sa.func.count()).group_by(Receipt.kind))
    return {row[0]: row[1] for row in found}


async def everything(db: AsyncConnection) -> list[Found]:
    """What each is of, the oldest first."""
    query = sa.select(Receipt.id, Receipt.kind, Receipt.objects, Receipt.at)
    return list((await db.execute(query.order_by(Receipt.at, Receipt.id))).all())


async def tie(db: AsyncConnection, receipt: str, request: str) -> None:
    """What the person who asked for it is shown."""
    change = sa.update(PersonRequest).where(PersonRequest.id == request)
    await db.execute(change.values(receipt=receipt))
