"""How we are called: who is on the list, and whether calling works. For the headteacher."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from web.casework import called
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/called")
Head = Annotated[Person, Depends(allowed(Action.SEE_CALLS))]


@router.get("")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Head) -> Response:
    return desk.show("called", how=await called.how(waymark, person), **_policy(waymark))


@router.post("/test")
async def test(waymark: ThisWaymark, desk: ThisDesk, person: Head) -> Response:
    try:
        await called.test_now(waymark, person)
    except NotSaid as problem:
        found = await called.how(waymark, person)
        return desk.show("called", 422, how=found, problem=problem, **_policy(waymark))
    return onward("/staff/called", "tested")


def _policy(waymark: ThisWaymark) -> dict[str, Any]:
    return {"policy": waymark.content.policy.alerts, "hours": waymark.authority.alerts.office}
