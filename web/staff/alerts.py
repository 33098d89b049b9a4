"""An alert: someone may be unsafe, whether or not they have sent their answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from bot.errors import EditClash
from web.casework import alerts
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/alerts/{id_}")
Reader = Annotated[Person, Depends(allowed(Action.OPEN_SUBMISSION))]


@router.get("")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Reader, id_: str) -> Response:
    return desk.show("alert", alert=await alerts.open_(waymark, person, id_))


@router.post("")
async def settle(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.SETTLE_ALERT))],
    id_: str,
    action: Annotated[str, Form()] = "",
) -> Response:
    try:
        await alerts.settle(waymark, person, id_, action)
    except NotSaid as problem:
        found = await alerts.open_(waymark, person, id_)
        return desk.show("alert", 422, alert=found, problem=problem)
    except EditClash:
        found = await alerts.open_(waymark, person, id_)
        return desk.show("alert", 409, alert=found, unsaved=action)
    return onward(f"/staff/alerts/{id_}", "settled")
