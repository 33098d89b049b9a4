"""How the audit itself is doing: is it whole, when was it looked at, is it anchored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import anchors, watch
from bot.store import audit, checks
from bot.store.models import Found
from bot.store.verification import fault_from
from bot.wiring import Waymark
from web.casework.permissions import Action, Person, check

STALE = 3
"""So many times its interval, and what should have happened is late."""


@dataclass(frozen=True)
class State:
    """What the headteacher is told."""

    lines: int
    verified_at: datetime | None
    fault: str | None
    """What is wrong with the log."""
    verifying_late: bool
    anchors_set: bool
    anchored_at: datetime | None
    anchor_failed_at: datetime | None
    anchoring_late: bool

    @property
    def trouble(self) -> bool:
        """Whether to say so on the queue too."""
        return bool(self.fault or self.anchor_failed_at or self.anchoring_late)


async def state(waymark: Waymark, person: Person) -> State:
    check(person, Action.SEE_AUDIT)
    async with waymark.database.reading() as db:
        known = await checks.all_(db)
        end = audit.link(await audit.head(db))
        lines = end.seq - await audit.removed(db)
    verified, anchored = known.get(watch.VERIFIED), known.get(anchors.ANCHORED)
    now, wanted = waymark.clock(), waymark.settings.audit_anchor is not None
    return State(
        lines=lines,
        verified_at=verified.done_at if verified else None,
        fault=fault_from(verified.fault).words if verified and verified.fault else None,
        verifying_late=_late(verified, now, watch.VERIFY_EVERY),
        anchors_set=wanted,
        anchored_at=anchored.done_at if anchored else None,
        anchor_failed_at=anchored.tried_at if wanted and anchored and anchored.fault else None,
        anchoring_late=wanted and _late(anchored, now, watch.ANCHOR_EVERY),
    )


def _late(row: Found | None, now: datetime, every: timedelta) -> bool:
    """It went well once, and then no more for long."""
    return bool(row and row.done_at and now - row.done_at > every * STALE)
