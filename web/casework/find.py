"""Finding one submission by what somebody reads out: its reference, or its two words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.keys import tidy_code
from bot.store import submissions
from bot.store.submissions import Filter
from bot.wiring import Waymark
from web.casework import rows
from web.casework.permissions import Action, Person, check
from web.casework.queue import Line, line

MOST = 20
"""Two words may stand for more than one; that many would be a fault of ours."""


@dataclass(frozen=True)
class Finds:
    """What is called so, as far as this person may know."""

    lines: Sequence[Line]
    elsewhere: Sequence[str]
    """Outside their caseload: these open once they say why."""


async def find(waymark: Waymark, person: Person, called: str) -> Finds:
    """Exactly this reference or handle. Nothing tells what is kept from them from what is not."""
    check(person, Action.SEE_QUEUE)
    name, handle = reference(called), " ".join(called.casefold().split())
    if not handle:
        return Finds((), ())
    found = {
        action: Filter(rows.within(waymark, person, action), reference=name, handle=handle)
        for action in (Action.OPEN_SUBMISSION, Action.GIVE_REASON)
    }
    async with waymark.database.reading() as db:
        theirs = await submissions.queue(db, found[Action.OPEN_SUBMISSION], MOST)
        others = await submissions.queue(db, found[Action.GIVE_REASON], MOST)
    known = {row.id for row in theirs}
    return Finds(
        lines=[line(waymark, row) for row in theirs],
        elsewhere=[row.id for row in others if row.id not in known],
    )


def reference(typed: str) -> str:
    """A reference as we write it, from one as people type it; empty if it can't be one."""
    tidy = re.fullmatch(r"(?:VS)?([0-9A-Z]{4})([0-9A-Z]{4})", tidy_code(typed))
    return f"VS-{tidy[1]}-{tidy[2]}" if tidy else ""
