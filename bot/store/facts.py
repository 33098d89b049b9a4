"""What staff decided about facts: added to, and read; never altered."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import sealing
from bot.store.models import FactDecision, Found, Staff

_LISTED = tuple(c for c in FactDecision.__table__.columns if c.info["class"] != "sealed")


async def add(db: AsyncConnection, *, note: str, **values: Any) -> None:
    id_ = values["id"]
    sealed = await sealing.seal(db, _owner(id_), FactDecision.note, id_, note)
    await db.execute(sa.insert(FactDecision).values(**values, note=sealed))


def _owner(decision: str) -> str:
    return f"fact:{decision}"


async def newest(db: AsyncConnection) -> list[Found]:
    """The one that counts for each row that anything was decided about."""
    places = FactDecision.kind, FactDecision.row
    turn = sa.func.row_number().over(
        partition_by=places, order_by=(FactDecision.at.desc(), FactDecision.id)
    )
    ranked = sa.select(*_LISTED, turn.label("turn")).subquery()
    return list((await db.execute(sa.select(ranked).where(ranked.c.turn == 1))).all())


async def of(db: AsyncConnection, kind: str, row: str) -> list[tuple[Found, str]]:
    """All that was decided about one, the newest first: each with who it was by, and its note."""
    found = await db.execute(
        sa.select(*FactDecision.__table__.columns, Staff.name.label("by_name"))
        .join(Staff, Staff.id == FactDecision.by)
        .where(FactDecision.kind == kind, FactDecision.row == row)
        .order_by(FactDecision.at.desc(), FactDecision.id)
    )
    return [
        (one, await sealing.opened(db, _owner(one.id), FactDecision.note, one.id, one.note))
        for one in found.all()
    ]


async def are_kept(db: AsyncConnection) -> bool:
    """Whether this database is new enough to hold any."""
    table = FactDecision.__tablename__
    return await db.run_sync(lambda sync: sa.inspect(sync).has_table(table))
