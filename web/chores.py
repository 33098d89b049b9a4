"""What else is done every night, besides removing what was kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.retention import Chore
from bot.store import segments
from bot.wiring import Waymark
from web.casework import unused


async def _cut_audit(waymark: Waymark, now: datetime) -> int:
    """Whole months of the log, once they are old enough."""
    before = now - timedelta(days=waymark.content.policy.retention.audit)
    async with waymark.database.transaction() as db:
        return await segments.cut(db, now, before)


async def _switch_off_unused(waymark: Waymark, now: datetime) -> int:
    return await unused.switch_off(waymark)


CHORES: tuple[Chore, ...] = (
    Chore("audit", _cut_audit),
    Chore("unused-accounts", _switch_off_unused),
)
"""Each is called once a night, by one process, and says how many things it did. One that removes
what is kept for a period is named as the period is."""
