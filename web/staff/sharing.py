"""Who else may see a submission: shared with a colleague by name, or restricted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from bot.errors import EditClash
from web.casework import access, record
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.review import Seen
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward, submission
from web.staff.guard import allowed

router = APIRouter(prefix="/submissions/{id_}")
Sharer = Annotated[Person, Depends(allowed(Action.SHARE))]


@router.get("/share")
async def ask(waymark: ThisWaymark, desk: ThisDesk, person: Sharer, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.SHARE)
    return desk.show("share", record=found, lasts=access.LASTS)


@router.post("/share")
async def share(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Sharer,
    id_: str,
    with_: Annotated[str, Form(alias="with")] = "",
    lasts: Annotated[str, Form()] = "",
) -> Response:
    try:
        await access.share(waymark, person, id_, with_, lasts)
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_, Action.SHARE)
        filled = {"record": found, "lasts": access.LASTS, "chosen": with_}
        return desk.show("share", 422, **filled, problem=problem)
    return onward(submission(id_), "shared")


@router.post("/share/stop")
async def stop(
    waymark: ThisWaymark,
    person: Sharer,
    id_: str,
    with_: Annotated[str, Form(alias="with")] = "",
) -> Response:
    await access.stop_sharing(waymark, person, id_, with_)
    return onward(submission(id_), "unshared")


@router.post("/restrict")
async def restrict(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.RESTRICT))],
    id_: str,
    on: Annotated[str, Form()] = "",
    version: Annotated[int, Form()] = 0,
) -> Response:
    try:
        await access.restrict(waymark, person, Seen(id_, version), on == "yes")
    except EditClash:
        found = await record.open_(waymark, person, id_)
        return desk.show("clash", 409, record=found, wanted="restrict", on=on)
    return onward(submission(id_), "restricted" if on == "yes" else "unrestricted")
