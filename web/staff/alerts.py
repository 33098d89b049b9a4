"""An alert: someone may be unsafe, whether or not they have sent their answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from bot.errors import EditClash
from bot.wiring import Waymark
from bot.working_days import LONDON
from web.casework import alerts
from web.casework.alerts import Done
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/alerts/{id_}")
Reader = Annotated[Person, Depends(allowed(Action.OPEN_SUBMISSION))]
Settler = Annotated[Person, Depends(allowed(Action.SETTLE_ALERT))]


@router.get("")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Reader, id_: str) -> Response:
    return await _page(waymark, desk, person, id_)


@router.post("/look")
async def look(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Settler,
    id_: str,
    instead_of: Annotated[str, Form()] = "",
) -> Response:
    try:
        await alerts.look(waymark, person, id_, instead_of)
    except EditClash:
        return await _page(waymark, desk, person, id_, 409, quicker=True)
    return onward(f"/staff/alerts/{id_}", "looking")


@router.post("")
async def settle(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Settler,
    id_: str,
    told: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
    when: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "",
) -> Response:
    said = Done(told, when, action)
    try:
        settled = await alerts.settle(waymark, person, id_, said)
    except NotSaid as problem:
        return await _page(waymark, desk, person, id_, 422, problem=problem, said=said)
    except EditClash:
        return await _page(waymark, desk, person, id_, 409, said=said, unsaved=action)
    return onward(f"/staff/alerts/{id_}", "settled" if settled else "proposed")


@router.post("/second")
async def second(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Settler,
    id_: str,
    agrees: Annotated[str, Form()] = "",
) -> Response:
    try:
        await alerts.second(waymark, person, id_, agrees=agrees == "yes")
    except NotSaid as problem:
        return await _page(waymark, desk, person, id_, 422, problem=problem)
    except EditClash:
        return await _page(waymark, desk, person, id_, 409, quicker=True)
    return onward(f"/staff/alerts/{id_}", "agreed" if agrees == "yes" else "not-agreed")


async def _page(
    waymark: Waymark, desk: Desk, person: Person, id_: str, status: int = 200, **filled: Any
) -> Response:
    """The alert as it stands, beside what they filled in."""
    now = waymark.clock().astimezone(LONDON)
    filled.setdefault("said", Done((), f"{now:%Y-%m-%dT%H:%M}", ""))
    found = await alerts.open_(waymark, person, id_)
    choices = waymark.content.policy.alerts.told
    return desk.show("alert", status, alert=found, choices=choices, **filled)
