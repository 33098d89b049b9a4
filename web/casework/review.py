"""What staff do about a submission: take it, move it on, note, reply. Each is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import EditClash
from bot.store import audit, outbox, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from web.casework import colleagues, delivery, letters, rows, stages
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.stages import Status


@dataclass(frozen=True)
class Seen:
    """A submission as it was on the page they acted from."""

    id: str
    version: int


# --- Whose it is --------------------------------------------------------------------------


async def take(waymark: Waymark, person: Person, seen: Seen) -> None:
    """Raises EditClash if someone changed it since."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.TAKE, seen.id)
        theirs = {"owner": person.id, "team": person.team, **_in_hand(row)}
        await submissions.change(db, seen.id, seen.version, waymark.clock(), **theirs)
        await _audit(waymark, db, person, "taken", seen.id)


async def assign(waymark: Waymark, person: Person, seen: Seen, to: str) -> None:
    """Give it to someone; or back to nobody. Raises EditClash, NotSaid."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.ASSIGN, seen.id)
        if to == "nobody":
            nobody = {"owner": None, "team": None}
            await submissions.change(db, seen.id, seen.version, waymark.clock(), **nobody)
            await _audit(waymark, db, person, "unassigned", seen.id)
            return
        one = await colleagues.find(db, to)
        if one is None or not colleagues.could_own(one, row):
            raise NotSaid("to", "Choose who to give it to")
        theirs = {"owner": one.id, "team": one.team, **_in_hand(row)}
        await submissions.change(db, seen.id, seen.version, waymark.clock(), **theirs)
        await _audit(waymark, db, person, "assigned", seen.id, to=to)


def _in_hand(row: Found) -> dict[str, str]:
    """What nobody had looked at is somebody's now."""
    early = Status(row.status) in (Status.NEW, Status.TRIAGE)
    return {"status": Status.ASSIGNED.value} if early else {}


# --- Where it stands ----------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """A change of status; closing says what came of it and why."""

    to: str
    outcome: str = ""
    reason: str = ""

    def status(self) -> Status:
        """Raises NotSaid for what is missing."""
        if self.to not in tuple(Status):
            raise NotSaid("to", "Choose the new status")
        status = Status(self.to)
        if status in stages.CLOSED and self.outcome not in stages.OUTCOMES:
            raise NotSaid("outcome", "Choose what came of it")
        if status in stages.CLOSED and not self.reason.strip():
            raise NotSaid("reason", "Say why it is being closed")
        return status


async def move(waymark: Waymark, person: Person, seen: Seen, wanted: Move) -> None:
    """Change the status. Raises NotSaid, InvalidMove, EditClash."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.CHANGE_STATUS, seen.id)
        to = wanted.status()
        if row.version != seen.version:
            raise EditClash(seen.id)
        was = Status(row.status)
        stages.check_move(was, to)
        if to in stages.CLOSED and await submissions.alarmed(db, seen.id):
            raise NotSaid("to", stages.ALARMED)
        now = waymark.clock()
        # Opened again, its time starts anew, and staff are told anew before it goes.
        time = {"closed_at": now if to in stages.CLOSED else None, "warned_at": None}
        await submissions.change(db, seen.id, seen.version, now, status=to.value, **time)
        told: dict[str, Any] = {"was": was.value, "became": to.value}
        if to in stages.CLOSED:
            # The reason is words, so it is a note; the audit line holds none.
            text = f"{stages.LABELS[to]}. {stages.OUTCOMES[wanted.outcome]}.\n{wanted.reason}"
            await _keep_note(waymark, db, person, seen.id, text.strip(), waymark.new_id())
            await _audit(waymark, db, person, "closed", seen.id, outcome=wanted.outcome, **told)
        else:
            await _audit(waymark, db, person, "status", seen.id, **told)


# --- Staff to staff -----------------------------------------------------------------------


async def write_note(waymark: Waymark, person: Person, id_: str, text: str, once: str) -> None:
    """Only staff can see it. `once` names the form, so that sending it twice keeps one note."""
    async with waymark.database.transaction() as db:
        await rows.load(waymark, db, person, Action.WRITE_NOTE, id_)
        if not text.strip():
            raise NotSaid("text", "Write the note")
        note = _named(waymark, "note", id_, person, once)
        if await _keep_note(waymark, db, person, id_, text.strip(), note):
            await audit.record(
                db, waymark.clock(), person.id, "note.written", "submission", id_, note=note
            )


async def _keep_note(
    waymark: Waymark, db: AsyncConnection, person: Person, id_: str, text: str, note: str
) -> bool:
    values = {"id": note, "submission": id_, "author": person.id, "text": text}
    kept = await submissions.add_note(db, **values, written_at=waymark.clock())
    await submissions.mark(db, id_, changed_at=waymark.clock())
    return kept


# --- Staff to the sender ------------------------------------------------------------------


async def reply(
    waymark: Waymark, person: Person, id_: str, text: str, once: str, replies_seen: int
) -> None:
    """Send it. Raises EditClash if someone else has replied since they looked."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.REPLY, id_)
        text = letters.sayable(text)
        made = _named(waymark, "reply", id_, person, once)
        before = await submissions.replies(db, id_)
        if any(reply.id == made for reply in before):
            return
        if len(before) > replies_seen:
            raise EditClash(id_)
        await send(waymark, db, person, row, text, made)


async def send(
    waymark: Waymark, db: AsyncConnection, person: Person, row: Found, text: str, made: str
) -> None:
    """A reply, on its way in the transaction that decided it. `made` is its id: sent once."""
    now = waymark.clock()
    values = {"id": made, "submission": row.id, "author": person.id, "text": text}
    if not await submissions.add_reply(db, **values, written_at=now):
        return
    if delivery.by_telegram(row.sender):
        said: dict[str, Any] = {
            "kind": "reply",
            "text": letters.worded(waymark, row, text),
            "rows": [],
            "redraw": None,
        }
        await outbox.post(db, delivery.key(made), row.sender, said, now)
    await _answered(waymark, db, row)
    await audit.record(db, now, person.id, "reply.written", "submission", row.id, reply=made)


async def _answered(waymark: Waymark, db: AsyncConnection, row: Found) -> None:
    changes: dict[str, Any] = {}
    if row.replied_at is None:
        changes["replied_at"] = waymark.clock()
    if Status(row.status) is Status.NEW:
        changes["status"] = Status.TRIAGE.value
    if changes:
        await submissions.change(db, row.id, row.version, waymark.clock(), **changes)
    else:
        await submissions.mark(db, row.id, changed_at=waymark.clock())


# --- All of them --------------------------------------------------------------------------


async def _audit(
    waymark: Waymark, db: AsyncConnection, person: Person, what: str, id_: str, **detail: Any
) -> None:
    action = f"submission.{what}"
    await audit.record(db, waymark.clock(), person.id, action, "submission", id_, **detail)


def _named(waymark: Waymark, purpose: str, id_: str, person: Person, once: str) -> str:
    return waymark.keys.digest(purpose, f"{id_}:{person.id}:{once}")[:32]
