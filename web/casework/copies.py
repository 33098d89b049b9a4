"""A full copy for the person: one member of staff looks through it, another releases it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import copies
from bot.copies import Copy, Item, Team
from bot.errors import UnknownSubmission
from bot.store import audit, requests, sealing, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from web.casework import requests as asked
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person


@dataclass(frozen=True)
class Own:
    """Something that staff wrote for each other, to be looked through before it is let out."""

    id: str
    kind: str
    at: datetime
    text: str


async def own(waymark: Waymark, about: Found) -> list[Own]:
    """Every note, and what was done about each alert; the oldest first."""
    async with waymark.database.reading() as db:
        return await _own(db, about.id)


async def _own(db: AsyncConnection, submission: str) -> list[Own]:
    notes = await submissions.notes(db, submission)
    alerts = await submissions.alerts_of(db, submission)
    found = [Own(note.id, "note", note.written_at, note.text) for note in notes]
    found += [Own(a.id, "alert", a.seen_at, a.action) for a in alerts if a.seen_at and a.action]
    return sorted(found, key=lambda one: one.at)


async def prepare(
    waymark: Waymark, person: Person, id_: str, let_out: Sequence[str], why: Mapping[str, str]
) -> None:
    """Let out these; the rest is held back, each for a reason. Raises NotSaid, EditClash."""
    async with waymark.database.transaction() as db:
        row, about = await asked.load(waymark, db, person, Action.ANSWER_REQUEST, id_)
        asked.still(row, "open", "copy")
        assert about is not None, "what is open is about something"
        chosen: dict[str, str | None] = {}
        for one in await _own(db, about.id):
            reason = why.get(one.id, "").strip()
            if one.id not in let_out and not reason:
                raise NotSaid(f"why-{one.id}", "Say why each part that is held back is")
            chosen[one.id] = None if one.id in let_out else reason
        await requests.propose(db, id_, person.id, {"items": chosen}, waymark.clock())
        held = sum(reason is not None for reason in chosen.values())
        await asked.record(waymark, db, person, "proposed", row, held=held)


async def release(waymark: Waymark, person: Person, id_: str) -> None:
    """The second person agrees: it may be handed over. Raises as confirming an erasure does."""
    async with waymark.database.transaction() as db:
        row, _ = await asked.load(waymark, db, person, Action.RELEASE_COPY, id_)
        asked.still(row, "proposed", "copy")
        asked.second_person(row, person, Action.RELEASE_COPY)
        await requests.decide(db, row, "done", person.id, waymark.clock())
        await asked.record(waymark, db, person, "done", row)


async def full(waymark: Waymark, person: Person, id_: str) -> tuple[Copy, bool]:
    """As it was looked through, and whether it is released. What was written since is not in it:
    nobody has looked through that. That it was taken is written down."""
    async with waymark.database.transaction() as db:
        row, about = await asked.load(waymark, db, person, Action.ANSWER_REQUEST, id_)
        if about is None or row.kind != "copy" or row.proposed_by is None:
            raise UnknownSubmission(id_)
        chosen = (await requests.opened(db, row)).proposal["items"]
        items = [_item(one, chosen) for one in await _own(db, about.id) if one.id in chosen]
        payload = await submissions.payload(db, about)
        replies = await submissions.replies(db, about.id)
        box = await sealing.box(db, submissions.owner(about.id))
        files = await copies.files_of(db, about.id, box)
        wishes = await requests.of(db, about.id)
        await asked.record(waymark, db, person, "copied", row)
        await audit.record(
            db, waymark.clock(), person.id, "submission.opened", "submission", about.id, request=id_
        )
    labels = waymark.content.policy.priorities
    team = Team(labels[about.priority], tuple(about.reasons), tuple(items))
    copy = copies.compose(waymark, about, payload, replies, files, wishes, team)
    return copy, row.decided_at is not None


def _item(one: Own, chosen: Mapping[str, str | None]) -> Item:
    held_back = chosen[one.id]
    return Item(one.kind, one.at, one.text if held_back is None else None, held_back)
