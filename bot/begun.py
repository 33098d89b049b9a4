"""What someone began and has not sent: what they may carry on with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.store import conversations
from bot.wiring import Waymark
from content.schema import Flow


@dataclass(frozen=True)
class Begun:
    """One unfinished conversation."""

    conversation: str
    flow: Flow
    changed_at: datetime


async def begun(waymark: Waymark, sender: str) -> tuple[Begun, ...]:
    """The newest of each flow, the last changed first."""
    async with waymark.database.reading() as db:
        rows = await conversations.unsent(db, sender)
    newest = {row.flow: row for row in reversed(rows) if row.flow in waymark.content.flows}
    found = (Begun(r.id, waymark.content.flows[r.flow], r.changed_at) for r in newest.values())
    return tuple(sorted(found, key=lambda one: one.changed_at, reverse=True))
