"""Opening what is outside one's caseload: by saying why, or by breaking the glass."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from bot.tries import TooManyTries
from web.casework import access
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.reasons import PURPOSES, Why
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward, submission
from web.staff.guard import allowed

router = APIRouter()
Reasoner = Annotated[Person, Depends(allowed(Action.GIVE_REASON))]
Breaker = Annotated[Person, Depends(allowed(Action.BREAK_GLASS))]
Purpose = Annotated[str, Form()]
Words = Annotated[str, Form()]
_REASON = "/submissions/{id_}/reason"


@router.get(_REASON)
async def ask_reason(waymark: ThisWaymark, desk: ThisDesk, person: Reasoner, id_: str) -> Response:
    if not await access.needs_reason(waymark, person, id_):
        return onward(submission(id_))
    return desk.show("reason", id=id_, why=Why(), purposes=PURPOSES)


@router.post(_REASON)
async def give_reason(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Reasoner,
    id_: str,
    purpose: Purpose = "",
    words: Words = "",
) -> Response:
    why = Why(purpose, words)
    try:
        await access.give_reason(waymark, person, id_, why)
    except NotSaid as problem:
        return desk.show("reason", 422, id=id_, why=why, purposes=PURPOSES, problem=problem)
    return onward(submission(id_), "reason")


@router.get("/break-glass")
async def ask_glass(desk: ThisDesk, person: Breaker) -> Response:
    return desk.show("break-glass", why=Why(), purposes=PURPOSES, reference="")


@router.post("/break-glass")
async def break_glass(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Breaker,
    reference: Annotated[str, Form()] = "",
    purpose: Purpose = "",
    words: Words = "",
) -> Response:
    why = Why(purpose, words)
    filled = {"why": why, "purposes": PURPOSES, "reference": reference}
    try:
        opened = await access.break_glass(waymark, person, reference, why)
    except NotSaid as problem:
        return desk.show("break-glass", 422, **filled, problem=problem)
    except TooManyTries:
        slow = NotSaid("reference", "There were many wrong references. Wait 15 minutes")
        return desk.show("break-glass", 429, **filled, problem=slow)
    return onward(submission(opened.id), "glass" if opened.broken else "")


@router.post("/notices/{grant}")
async def take_note(
    waymark: ThisWaymark,
    person: Annotated[Person, Depends(allowed(Action.SEE_NOTICES))],
    grant: str,
) -> Response:
    await access.take_note(waymark, person, grant)
    return onward("/staff", "noted-glass")
