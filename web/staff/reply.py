"""A reply to the sender: written, looked at exactly as it will arrive, then sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from bot.errors import EditClash
from web.casework import letters, record, review
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/submissions/{id_}/reply")
Replier = Annotated[Person, Depends(allowed(Action.REPLY))]
Text = Annotated[str, Form()]
Once = Annotated[str, Form()]
Before = Annotated[int, Form()]
"""How many replies there were when they began to write."""


@router.get("")
async def write(waymark: ThisWaymark, desk: ThisDesk, person: Replier, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.REPLY)
    return desk.show("reply", record=found, text="")


@router.post("")
async def change(
    waymark: ThisWaymark, desk: ThisDesk, person: Replier, id_: str, text: Text = ""
) -> Response:
    """Back from the preview to the same words."""
    found = await record.open_(waymark, person, id_, Action.REPLY)
    return desk.show("reply", record=found, text=text)


@router.post("/check")
async def check(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Replier,
    id_: str,
    text: Text = "",
    before: Before = 0,
) -> Response:
    found = await record.open_(waymark, person, id_, Action.REPLY)
    try:
        letter = await letters.preview(waymark, person, id_, text)
    except NotSaid as problem:
        return desk.show("reply", 422, record=found, text=text, problem=problem)
    return desk.show("reply-check", record=found, letter=letter, before=before)


@router.post("/send")
async def send(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Replier,
    id_: str,
    text: Text = "",
    once: Once = "",
    before: Before = 0,
) -> Response:
    try:
        await review.reply(waymark, person, id_, text, once, before)
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_, Action.REPLY)
        return desk.show("reply", 422, record=found, text=text, problem=problem)
    except EditClash:
        found = await record.open_(waymark, person, id_, Action.REPLY)
        letter = await letters.preview(waymark, person, id_, text)
        return desk.show(
            "reply-check",
            409,
            record=found,
            letter=letter,
            before=len(found.replies),
            newer=found.replies[before:],
        )
    return onward(f"/staff/submissions/{id_}", "replied")
