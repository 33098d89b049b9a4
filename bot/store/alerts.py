"""What comes of an alert: somebody looks, says what was done, or that nothing need be; who agrees.

Each says whether it was so still: False if somebody else was quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import calls, sealing
from bot.store.models import Alert
from bot.store.submissions import Alerted

_OPEN = Alert.seen_at.is_(None)


async def take(db: AsyncConnection, row: Alerted, staff: str, at: datetime) -> bool:
    """They look at it from now on; so nobody else need be called."""
    same = Alert.taken_by.is_not_distinct_from(row.taken_by)
    done = await _change(db, row, same, taken_by=staff, taken_at=at)
    return done and await _answered(db, row, at)


async def settle(
    db: AsyncConnection,
    row: Alerted,
    staff: str,
    told: Sequence[str],
    told_at: datetime,
    words: str,
    at: datetime,
) -> bool:
    """What was done, and whom they told; whatever was proposed before is over."""
    values = {"seen_by": staff, "seen_at": at, "proposed_by": None, "proposed_at": None}
    return await _said(db, row, staff, told, told_at, words, at, **values)


async def propose(
    db: AsyncConnection,
    row: Alerted,
    staff: str,
    told: Sequence[str],
    told_at: datetime,
    words: str,
    at: datetime,
) -> bool:
    """Nothing need be done; it stays open until a second person agrees."""
    values = {"proposed_by": staff, "proposed_at": at}
    return await _said(db, row, staff, told, told_at, words, at, **values)


async def agree(db: AsyncConnection, row: Alerted, staff: str, at: datetime) -> bool:
    """Never the one who proposed it."""
    another = Alert.proposed_by != staff
    return await _change(db, row, another, seen_by=staff, seen_at=at)


async def disagree(db: AsyncConnection, row: Alerted, staff: str, words: str) -> bool:
    """It is as open as before; what was said stays with it."""
    nothing = {"proposed_by": None, "proposed_at": None, "told": None, "told_at": None}
    another = Alert.proposed_by != staff
    return await _change(db, row, another, action=await _sealed(db, row, words), **nothing)


async def _said(
    db: AsyncConnection,
    row: Alerted,
    staff: str,
    told: Sequence[str],
    told_at: datetime,
    words: str,
    at: datetime,
    **values: Any,
) -> bool:
    values |= {"told": list(told), "told_at": told_at, "action": await _sealed(db, row, words)}
    if row.taken_by is None:
        values |= {"taken_by": staff, "taken_at": at}
    return await _change(db, row, sa.true(), **values) and await _answered(db, row, at)


async def _change(
    db: AsyncConnection, row: Alerted, test: sa.ColumnElement[bool], **values: Any
) -> bool:
    as_seen = Alert.proposed_at.is_not_distinct_from(row.proposed_at)
    change = sa.update(Alert).where(Alert.id == row.id, _OPEN, as_seen, test)
    return (await db.execute(change.values(**values))).rowcount == 1


async def _answered(db: AsyncConnection, row: Alerted, at: datetime) -> bool:
    await calls.answered(db, row.id, at)
    return True


async def _sealed(db: AsyncConnection, row: Alerted, words: str) -> bytes:
    return await sealing.seal(db, f"alert:{row.id}", Alert.action, row.id, words)
