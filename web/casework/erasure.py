"""Erasing what somebody sent: proposed by one member of staff, confirmed by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import erased, erasure
from bot.conversation.days import spoken_day
from bot.erasure import Why
from bot.store import holds, outbox, receipts, requests, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON
from web.casework import delivery
from web.casework import requests as asked
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.receipts import REMOVED, STAYED, told


@dataclass(frozen=True)
class Foreseen:
    """What erasing would take, what would stay, and what stands in its way."""

    removed: Sequence[tuple[str, int]]
    stayed: Sequence[tuple[str, int]]
    backup_days: int
    obstacles: Sequence[str]


async def foresee(waymark: Waymark, about: Found) -> Foreseen:
    async with waymark.database.reading() as db:
        counts = await erasure.planned(db, about)
        obstacles = await _obstacles(db, about.id)
    return Foreseen(
        removed=told(counts.removed, REMOVED),
        stayed=told(counts.stayed, STAYED),
        backup_days=waymark.content.policy.retention.backup,
        obstacles=obstacles,
    )


async def _obstacles(db: AsyncConnection, submission: str) -> list[str]:
    found = []
    if await holds.current(db, submission):
        found.append("There is a legal hold on it. The headteacher has to lift it first.")
    if any(alert.seen_at is None for alert in await submissions.alerts_of(db, submission)):
        found.append("Someone may be unsafe. Say first what was done about the safety alert.")
    return found


async def propose(waymark: Waymark, person: Person, id_: str, reason: str) -> None:
    """Raises NotSaid, EditClash."""
    async with waymark.database.transaction() as db:
        row, about = await asked.load(waymark, db, person, Action.PROPOSE_ERASURE, id_)
        if not reason.strip():
            raise NotSaid("reason", "Say why it may be erased")
        asked.still(row, "open", "deletion")
        assert about is not None, "what is open is about something"
        await _check(db, about)
        now = waymark.clock()
        await requests.propose(db, id_, person.id, {"reason": reason.strip()}, now)
        await asked.record(waymark, db, person, "proposed", row)


async def confirm(waymark: Waymark, person: Person, id_: str) -> str:
    """The second person agrees: it is gone. The receipt's id.

    Raises NotSaid, EditClash, and NotAllowed for whoever proposed it.
    """
    async with waymark.database.transaction() as db:
        row, about = await asked.load(waymark, db, person, Action.CONFIRM_ERASURE, id_)
        asked.still(row, "proposed", "deletion")
        asked.second_person(row, person, Action.CONFIRM_ERASURE)
        assert about is not None, "what is proposed is about something"
        # Written to first: whoever places a hold now has to wait, or has been before us.
        await submissions.mark(db, about.id, changed_at=waymark.clock())
        await _check(db, about)
        await requests.decide(db, row, "done", person.id, waymark.clock())
        await asked.record(waymark, db, person, "done", row)
        await _settle_others(waymark, db, person, about)
        ids = [one.id for one in await requests.of(db, about.id)]
        gone = await erasure.submission(
            waymark, db, about, Why("request", by=row.proposed_by, second=person.id)
        )
        for one in ids:
            await receipts.tie(db, gone.receipt, one)
        await _tell(waymark, db, about, gone.receipt)
    await erased.write(waymark, [gone])
    return gone.receipt


async def _check(db: AsyncConnection, about: Found) -> None:
    for obstacle in await _obstacles(db, about.id):
        raise NotSaid("state", obstacle)


async def _settle_others(
    waymark: Waymark, db: AsyncConnection, person: Person, about: Found
) -> None:
    """Whatever else was asked about it has nothing left to be asked about."""
    for one in await requests.of(db, about.id):
        if one.decided_at is None:
            await requests.decide(db, one, "done", person.id, waymark.clock())
            await asked.record(waymark, db, person, "done", one)


async def _tell(waymark: Waymark, db: AsyncConnection, about: Found, receipt: str) -> None:
    """In their chat; in a browser the page of their reply says it."""
    if not delivery.by_telegram(about.sender):
        return
    kept = await receipts.get(db, receipt)
    assert kept is not None
    wording = waymark.content.wording
    words = wording.get(about.language, wording["en"])["replies-out.erased"]
    text = words.format(
        sent=spoken_day(about.received_at.astimezone(LONDON).date()),
        reference=about.reference,
        backups=spoken_day(kept.backups_forget_by.astimezone(LONDON).date()),
        receipt=receipt,
    )
    said: dict[str, Any] = {"kind": "reply", "text": text, "rows": [], "redraw": None}
    await outbox.post(db, f"erased:{receipt}", about.sender, said, waymark.clock())
