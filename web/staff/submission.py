"""One submission: what they said, whose it is, where it stands, and notes among staff."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from bot.errors import EditClash, InvalidMove
from bot.wiring import Waymark
from web import serving
from web.casework import attached, record, review, stages
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.record import Record
from web.casework.review import Move, Seen
from web.dependencies import ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward
from web.staff.desk import submission as address
from web.staff.guard import allowed

router = APIRouter(prefix="/submissions/{id_}")
Reader = Annotated[Person, Depends(allowed(Action.OPEN_SUBMISSION))]
Version = Annotated[int, Form()]


@router.get("")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Reader, id_: str) -> Response:
    return desk.show("submission", record=await record.open_(waymark, person, id_))


@router.post("/take")
async def take(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.TAKE))],
    id_: str,
    version: Version = 0,
) -> Response:
    try:
        await review.take(waymark, person, Seen(id_, version))
    except EditClash:
        return await _clash(waymark, desk, person, id_, wanted="take")
    return onward(address(id_), "taken")


@router.post("/assign")
async def assign(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.ASSIGN))],
    id_: str,
    to: Annotated[str, Form()] = "",
    version: Version = 0,
) -> Response:
    try:
        await review.assign(waymark, person, Seen(id_, version), to)
    except EditClash:
        return await _clash(waymark, desk, person, id_, wanted="assign", to=to)
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_)
        return desk.show("submission", 422, record=found, problem=problem)
    return onward(address(id_), "unassigned" if to == "nobody" else "assigned")


# --- Files --------------------------------------------------------------------------------


@router.get("/files/{file}")
async def download(waymark: ThisWaymark, person: Reader, id_: str, file: str) -> Response:
    found = await attached.open_(waymark, person, id_, file, "file.downloaded")
    return serving.to_save(found.content, found.media_type, found.name)


@router.get("/files/{file}/within")
async def show_within(
    request: Request, waymark: ThisWaymark, person: Reader, id_: str, file: str
) -> Response:
    """A picture to see, or a voice note to hear, in the submission's page."""
    serving.only_within(request)
    found = await attached.open_(waymark, person, id_, file, "file.shown")
    return serving.within(request, found.content, found.media_type)


# --- Status -------------------------------------------------------------------------------

Mover = Annotated[Person, Depends(allowed(Action.CHANGE_STATUS))]


@router.get("/status")
async def ask_status(waymark: ThisWaymark, desk: ThisDesk, person: Mover, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.CHANGE_STATUS)
    return _status_page(desk, found, Move(""))


@router.post("/status")
async def change_status(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Mover,
    id_: str,
    to: Annotated[str, Form()] = "",
    outcome: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    version: Version = 0,
) -> Response:
    wanted = Move(to, outcome, reason)
    try:
        await review.move(waymark, person, Seen(id_, version), wanted)
    except EditClash:
        return await _clash(waymark, desk, person, id_, wanted="status", move=wanted)
    except (NotSaid, InvalidMove) as problem:
        found = await record.open_(waymark, person, id_, Action.CHANGE_STATUS)
        return _status_page(desk, found, wanted, 422, problem=problem)
    return onward(address(id_), "status")


def _status_page(
    desk: Desk, found: Record, move: Move, status: int = 200, **filled: Any
) -> Response:
    return desk.show(
        "status",
        status,
        record=found,
        move=move,
        labels=stages.LABELS,
        closed=stages.CLOSED,
        outcomes=stages.OUTCOMES,
        **filled,
    )


async def _clash(waymark: Waymark, desk: Desk, person: Person, id_: str, **filled: Any) -> Response:
    """Someone was quicker: how it stands now, beside what was wanted; nothing typed is lost."""
    found = await record.open_(waymark, person, id_)
    return desk.show(
        "clash",
        409,
        record=found,
        labels=stages.LABELS,
        closed=stages.CLOSED,
        outcomes=stages.OUTCOMES,
        **filled,
    )


# --- Notes --------------------------------------------------------------------------------

Writer = Annotated[Person, Depends(allowed(Action.WRITE_NOTE))]


@router.get("/notes")
async def notes(waymark: ThisWaymark, desk: ThisDesk, person: Writer, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.WRITE_NOTE)
    return desk.show("notes", record=found)


@router.post("/notes")
async def write_note(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Writer,
    id_: str,
    text: Annotated[str, Form()] = "",
    once: Annotated[str, Form()] = "",
) -> Response:
    try:
        await review.write_note(waymark, person, id_, text, once)
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_, Action.WRITE_NOTE)
        return desk.show("notes", 422, record=found, problem=problem)
    return onward(f"{address(id_)}/notes", "noted")
