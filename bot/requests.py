"""Asked by the person themselves: a copy, a correction or a deletion of what they sent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, requests, submissions
from bot.store.models import Found
from bot.store.sealing import Box
from bot.wiring import Waymark
from bot.working_days import in_a_month

Kind = Literal["copy", "correction", "deletion"]
LONGEST = 3000
"""Characters of what they want put right."""


async def by_code(
    waymark: Waymark, box: Box, place: str | None, kind: Kind, words: str | None = None
) -> datetime | None:
    """Whoever opened it with their return code asks; None if it is gone meanwhile.

    Raises TooMuch for a flood.
    """
    count(waymark, box, place)
    submission = box.owner.partition(":")[2]
    async with waymark.database.transaction() as db:
        if await submissions.get(db, submission) is None:
            return None
        return await ask(waymark, db, kind, submission, "web", words=words)


def count(waymark: Waymark, box: Box, place: str | None) -> None:
    """One more thing asked or taken, from the browser's place. Raises TooMuch."""
    whose = {"sender": box.owner, "place": place, "everyone": ""}
    limit = waymark.content.policy.limits.submissions
    waymark.limits.count("requests", limit, whose, waymark.clock())


async def waiting(db: AsyncConnection, submission: str, kind: Kind) -> Found | None:
    """What they asked before and nobody has decided yet."""
    found = await requests.of(db, submission)
    return next((row for row in found if row.kind == kind and row.decided_at is None), None)


async def ask(
    waymark: Waymark,
    db: AsyncConnection,
    kind: Kind,
    submission: str,
    channel: Literal["web", "telegram", "staff"],
    *,
    words: str | None = None,
    entered_by: str | None = None,
) -> datetime:
    """Put it before staff; by when they will be answered. Asked again without new words, it is
    still the same."""
    before = await waiting(db, submission, kind)
    if before is not None and not words:
        due: datetime = before.due_at
        return due
    id_, now = waymark.new_id(), waymark.clock()
    due = in_a_month(now)
    await requests.add(
        db,
        id=id_,
        kind=kind,
        submission=submission,
        channel=channel,
        entered_by=entered_by,
        words=words,
        state="open",
        made_at=now,
        due_at=due,
    )
    actor = entered_by or "sender"
    await audit.record(db, now, actor, "request.made", "person_request", id_, kind=kind)
    told = {"kind": kind, "request": id_}
    await audit.record(db, now, actor, "request.made", "submission", submission, **told)
    return due
