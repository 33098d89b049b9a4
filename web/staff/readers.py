"""Who has seen one record: a page to read, and to print for the person it is about."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from web.casework import readers
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk
from web.staff.guard import allowed

router = APIRouter(prefix="/submissions/{id_}/readers")


@router.get("")
async def show(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.SEE_AUDIT))],
    id_: str,
) -> Response:
    return desk.show("readers", readers=await readers.of(waymark, person, id_))
