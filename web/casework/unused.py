"""Accounts that nobody uses are switched off: a forgotten one is a way in for somebody else."""

from __future__ import annotations

from datetime import timedelta

from bot.store import audit, staff
from bot.wiring import Waymark

UNUSED = timedelta(days=45)


async def switch_off(waymark: Waymark) -> int:
    """Done before each sign-in, and nightly. How many it were; none in the demo."""
    if waymark.settings.demo:
        return 0
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        off = await staff.switch_off_unused(db, now - UNUSED, now)
        for id_ in off:
            await audit.record(db, now, "waymark", "staff.switched-off", "staff", id_, why="unused")
    return len(off)
