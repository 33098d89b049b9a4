"""Forgetting the audit by age: whole months go, and what is left of them still verifies."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, chain
from bot.store.chain import Link
from bot.store.models import Audit, AuditSegment
from bot.store.verification import Walk


async def cut(db: AsyncConnection, at: datetime, before: datetime) -> int:
    """Remove the lines of the months that were over before then; how many went.

    Raises Broken, and removes nothing, if one of them isn't genuine: it is evidence.
    """
    walk = Walk(db, audit.keys_of(db), ())
    await walk.segments()
    since = walk.at
    await walk.lines(until=await _last_before(db, _month(before)))
    if walk.at == since:
        return 0
    count = walk.at.seq - since.seq
    await db.execute(sa.insert(AuditSegment).values(**_segment(db, since, walk.at), cut_at=at))
    await db.execute(sa.delete(Audit).where(Audit.seq <= walk.at.seq))
    which = f"{since.seq + 1}-{walk.at.seq}"
    await audit.record(db, at, "waymark", "audit.cut", "audit", which, lines=count)
    return count


def _segment(db: AsyncConnection, since: Link, until: Link) -> dict[str, Any]:
    keys = audit.keys_of(db)
    values = {
        "first": since.seq + 1,
        "last": until.seq,
        "count": until.seq - since.seq,
        "prev": since.mac,
        "last_mac": until.mac,
    }
    mac = chain.signed_segment(keys, keys.newest, SimpleNamespace(**values))
    return {**values, "key": keys.newest, "mac": mac}


def _month(moment: datetime) -> datetime:
    local = moment.astimezone(UTC)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def _last_before(db: AsyncConnection, month: datetime) -> int:
    """The last line before the first that is kept. Times don't quite follow numbers: a line that
    stands between younger ones stays with them."""
    kept = await db.scalar(
        sa.select(Audit.seq).where(Audit.at >= month).order_by(Audit.seq).limit(1)
    )
    end = audit.link(await audit.head(db))
    return kept - 1 if kept is not None else end.seq
