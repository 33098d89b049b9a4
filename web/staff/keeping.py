"""How long things are kept: what goes soon, holds, and receipts of what is gone."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from bot.wiring import Waymark
from web.casework import keeping, receipts, record
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.queue import sender_words
from web.dependencies import ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward, submission
from web.staff.guard import allowed

router = APIRouter()
Holder = Annotated[Person, Depends(allowed(Action.HOLD))]
Reason = Annotated[str, Form()]


@router.get("/keeping")
async def soon(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.SEE_KEEPING))],
) -> Response:
    return desk.show("keeping", soon=await keeping.soon(waymark, person), sender=sender_words)


# --- One submission -----------------------------------------------------------------------


@router.get("/submissions/{id_}/keeping")
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Holder, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.HOLD)
    return desk.show("keeping-one", record=found)


async def _try(
    waymark: Waymark,
    desk: Desk,
    person: Person,
    id_: str,
    act: Awaitable[None],
    done: str,
    **typed: str,
) -> Response:
    try:
        await act
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_, Action.HOLD)
        return desk.show("keeping-one", 422, record=found, problem=problem, **typed)
    return onward(submission(id_), done)


@router.post("/submissions/{id_}/hold")
async def hold(
    waymark: ThisWaymark, desk: ThisDesk, person: Holder, id_: str, reason: Reason = ""
) -> Response:
    act = keeping.hold(waymark, person, id_, reason)
    return await _try(waymark, desk, person, id_, act, "held", hold_reason=reason)


@router.post("/submissions/{id_}/hold/lift")
async def lift(
    waymark: ThisWaymark, desk: ThisDesk, person: Holder, id_: str, reason: Reason = ""
) -> Response:
    act = keeping.lift(waymark, person, id_, reason)
    return await _try(waymark, desk, person, id_, act, "hold-lifted", hold_reason=reason)


@router.post("/submissions/{id_}/keep-longer")
async def keep_longer(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.KEEP_LONGER))],
    id_: str,
    until: Annotated[str, Form()] = "",
    reason: Reason = "",
) -> Response:
    act = keeping.keep_longer(waymark, person, id_, until, reason)
    typed = {"until": until, "longer_reason": reason}
    return await _try(waymark, desk, person, id_, act, "kept-longer", **typed)


# --- Receipts -----------------------------------------------------------------------------

Reader = Annotated[Person, Depends(allowed(Action.SEE_REQUESTS))]


@router.get("/receipts")
async def listed(
    request: Request, waymark: ThisWaymark, desk: ThisDesk, person: Reader
) -> Response:
    kind, page = request.query_params.get("kind", ""), request.query_params.get("page", "")
    kind = kind if kind in receipts.KINDS else "submission"
    number = min(int(page), 10_000) if page.isdecimal() and int(page) > 0 else 1
    found = await receipts.listed(waymark, person, kind, number)
    return desk.show("receipts", found=found, kinds=receipts.KINDS, why=receipts.WHY)


@router.get("/receipts/{receipt_id}")
async def receipt(
    waymark: ThisWaymark, desk: ThisDesk, person: Reader, receipt_id: str
) -> Response:
    found = await receipts.show(waymark, person, receipt_id)
    return desk.show("receipt", receipt=found, kinds=receipts.KINDS, why=receipts.WHY)
