"""Who was refused what: written down in a transaction of its own, what was refused being undone."""

from __future__ import annotations

import re

from bot import acting
from bot.errors import NotAllowed, UnknownSubmission
from bot.store import audit, openings
from bot.wiring import Waymark

_ID = re.compile(r"[0-9a-f]{8,64}")


async def keep(
    waymark: Waymark, error: NotAllowed | UnknownSubmission, object_type: str, object_id: str
) -> None:
    """What is kept from somebody is not told from what never was, neither in the answer nor in how
    long it takes: so both are written down. `object_id` may be anything somebody put into an
    address: only what can be an id is kept."""
    known = object_id if _ID.fullmatch(object_id) else "unknown"
    person = acting.now().person or "nobody"
    async with waymark.database.transaction() as db:
        what = (openings.REFUSED, object_type, known)
        await audit.refused(db, waymark.clock(), person, *what, wanted=error.wanted)
