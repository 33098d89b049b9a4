"""How often staff may be wrong about what opens an account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.errors import WaymarkError
from bot.store import staff
from bot.wiring import Waymark

WINDOW = timedelta(minutes=15)
TRIES = 5
"""Wrong tries for one account within the window."""


class SlowDown(WaymarkError):
    """Too many wrong tries; `until` is when the next may be."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


async def count(waymark: Waymark, bucket: str, most: Mapping[str, int]) -> None:
    """Count this try before looking at it, or many at once would all be let through.

    `most` says how many tries there may be in this bucket and in others. Raises SlowDown.
    """
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        for what, limit in most.items():
            if await staff.attempts(db, what, now - WINDOW) >= limit:
                oldest = await staff.oldest_attempt(db, what, now - WINDOW)
                raise SlowDown((oldest or now) + WINDOW)
        await staff.add_attempt(db, bucket, now)
