"""What staff do about a submission: take it, move it on, note, reply. Each is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import EditClash, UnknownSubmission
from bot.store import audit, outbox, staff, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import Role
from web.casework import delivery, letters, stages
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, can, check
from web.casework.stages import Status


@dataclass(frozen=True)
class Seen:
    """A submission as it was on the page they acted from."""

    id: str
    version: int


# --- Whose it is --------------------------------------------------------------------------


async def take(waymark: Waymark, person: Person, seen: Seen) -> None:
    """Raises EditClash if someone changed it since."""
    check(person, Action.TAKE)
    async with waymark.database.transaction() as db:
        row = await _row(db, seen)
        await submissions.change(db, seen.id, seen.version, owner=person.id, **_in_hand(row))
        await _audit(waymark, db, person, "taken", seen.id)


async def assign(waymark: Waymark, person: Person, seen: Seen, to: str) -> None:
    """Give it to someone who may open it; or back to nobody. Raises EditClash, NotSaid."""
    check(person, Action.ASSIGN)
    async with waymark.database.transaction() as db:
        row = await _row(db, seen)
        if to == "nobody":
            await submissions.change(db, seen.id, seen.version, owner=None)
            await _audit(waymark, db, person, "unassigned", seen.id)
            return
        if not await _may_open(db, to):
            raise NotSaid("to", "Choose who to give it to")
        await submissions.change(db, seen.id, seen.version, owner=to, **_in_hand(row))
        await _audit(waymark, db, person, "assigned", seen.id, to=to)


def _in_hand(row: Found) -> dict[str, str]:
    """What nobody had looked at is somebody's now."""
    early = Status(row.status) in (Status.NEW, Status.TRIAGE)
    return {"status": Status.ASSIGNED.value} if early else {}


async def _may_open(db: AsyncConnection, id_: str) -> bool:
    row = await staff.get(db, id_)
    if row is None or not row.active:
        return False
    return can(Person(row.id, row.name, Role(row.role)), Action.OPEN_SUBMISSION)


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
    check(person, Action.CHANGE_STATUS)
    to = wanted.status()
    async with waymark.database.transaction() as db:
        row = await _row(db, seen)
        if row.version != seen.version:
            raise EditClash(seen.id)
        was = Status(row.status)
        stages.check_move(was, to)
        await submissions.change(db, seen.id, seen.version, status=to.value)
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
    check(person, Action.WRITE_NOTE)
    if not text.strip():
        raise NotSaid("text", "Write the note")
    async with waymark.database.transaction() as db:
        if await submissions.get(db, id_) is None:
            raise UnknownSubmission(id_)
        note = _named(waymark, "note", id_, person, once)
        if await _keep_note(waymark, db, person, id_, text.strip(), note):
            await audit.record(
                db, waymark.clock(), person.id, "note.written", "submission", id_, note=note
            )


async def _keep_note(
    waymark: Waymark, db: AsyncConnection, person: Person, id_: str, text: str, note: str
) -> bool:
    values = {"id": note, "submission": id_, "author": person.id, "text": text}
    return await submissions.add_note(db, **values, written_at=waymark.clock())


# --- Staff to the sender ------------------------------------------------------------------


async def reply(
    waymark: Waymark, person: Person, id_: str, text: str, once: str, replies_seen: int
) -> None:
    """Send it. Raises EditClash if someone else has replied since they looked."""
    check(person, Action.REPLY)
    text, now = letters.sayable(text), waymark.clock()
    async with waymark.database.transaction() as db:
        row = await submissions.get(db, id_)
        if row is None:
            raise UnknownSubmission(id_)
        made = _named(waymark, "reply", id_, person, once)
        before = await submissions.replies(db, id_)
        if any(reply.id == made for reply in before):
            return
        if len(before) > replies_seen:
            raise EditClash(id_)
        values = {"id": made, "submission": id_, "author": person.id, "text": text}
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
        await audit.record(db, now, person.id, "reply.written", "submission", id_, reply=made)


async def _answered(waymark: Waymark, db: AsyncConnection, row: Found) -> None:
    changes: dict[str, Any] = {}
    if row.replied_at is None:
        changes["replied_at"] = waymark.clock()
    if Status(row.status) is Status.NEW:
        changes["status"] = Status.TRIAGE.value
    if changes:
        await submissions.change(db, row.id, row.version, **changes)


# --- All of them --------------------------------------------------------------------------


async def _row(db: AsyncConnection, seen: Seen) -> Found:
    row = await submissions.get(db, seen.id)
    if row is None:
        raise UnknownSubmission(seen.id)
    return row


async def _audit(
    waymark: Waymark, db: AsyncConnection, person: Person, what: str, id_: str, **detail: Any
) -> None:
    action = f"submission.{what}"
    await audit.record(db, waymark.clock(), person.id, action, "submission", id_, **detail)


def _named(waymark: Waymark, purpose: str, id_: str, person: Person, once: str) -> str:
    return waymark.keys.digest(purpose, f"{id_}:{person.id}:{once}")[:32]
