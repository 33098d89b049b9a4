"""Who opened what, and whether the log of it is whole: for the headteacher."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from web.casework import log, openings, unusual
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/audit")
Reader = Annotated[Person, Depends(allowed(Action.SEE_AUDIT))]


@router.get("")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Reader) -> Response:
    return desk.show(
        "audit",
        weeks=await openings.weeks(waymark, person),
        unusual=await unusual.waiting(waymark, person),
        log=await log.state(waymark, person),
        policy=waymark.content.policy.openings,
    )


@router.post("/acknowledge")
async def acknowledge(
    waymark: ThisWaymark,
    person: Reader,
    notice: Annotated[str, Form()] = "",
    upto: Annotated[int, Form()] = 0,
) -> Response:
    await unusual.acknowledge(waymark, person, notice, upto)
    return onward("/staff/audit", "looked-into")


@router.get("/people/{id_}")
async def of_a_person(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Reader,
    id_: str,
    week: str = "this",
    page: str = "1",
) -> Response:
    asked = "last" if week == "last" else "this"
    number = min(int(page), 10_000) if page.isdecimal() and int(page) > 0 else 1
    found = await openings.by(waymark, person, id_, asked, number)
    return desk.show("audit-person", found=found, week=asked)
