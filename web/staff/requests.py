"""What people ask about their own information: a copy, a correction, a deletion."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from bot.errors import EditClash
from bot.wiring import Waymark
from web import copying
from web.casework import copies, erasure, record, requests
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThesePages, ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward, submission
from web.staff.guard import allowed

router = APIRouter()
Reader = Annotated[Person, Depends(allowed(Action.SEE_REQUESTS))]
Answerer = Annotated[Person, Depends(allowed(Action.ANSWER_REQUEST))]
ONE = "/requests/{request_id}"


@router.get("/requests")
async def listed(waymark: ThisWaymark, desk: ThisDesk, person: Reader) -> Response:
    return desk.show("requests", found=await requests.listed(waymark, person))


# --- Entering one -------------------------------------------------------------------------

Enterer = Annotated[Person, Depends(allowed(Action.ENTER_REQUEST))]


@router.get("/submissions/{id_}/ask")
async def ask(waymark: ThisWaymark, desk: ThisDesk, person: Enterer, id_: str) -> Response:
    found = await record.open_(waymark, person, id_, Action.ENTER_REQUEST)
    return desk.show("request-enter", record=found, kinds=requests.KINDS)


@router.post("/submissions/{id_}/ask")
async def enter(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Enterer,
    id_: str,
    kind: Annotated[str, Form()] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    try:
        await requests.enter(waymark, person, id_, kind, words)
    except NotSaid as problem:
        found = await record.open_(waymark, person, id_, Action.ENTER_REQUEST)
        filled = {"kinds": requests.KINDS, "kind": kind, "words": words}
        return desk.show("request-enter", 422, record=found, problem=problem, **filled)
    return onward(submission(id_), "asked")


# --- One of them --------------------------------------------------------------------------


@router.get(ONE)
async def show(waymark: ThisWaymark, desk: ThisDesk, person: Reader, request_id: str) -> Response:
    return await _page(waymark, desk, person, request_id)


async def _page(
    waymark: Waymark, desk: Desk, person: Person, id_: str, status: int = 200, **filled: Any
) -> Response:
    found = await requests.open_(waymark, person, id_)
    about = found.submission
    if about is not None and found.row.kind == "deletion" and found.row.decided_at is None:
        filled["foreseen"] = await erasure.foresee(waymark, about)
    if about is not None and found.row.kind == "copy":
        filled["own"] = await copies.own(waymark, about)
    return desk.show("request", status, found=found, **filled)


async def _try(
    waymark: Waymark,
    desk: Desk,
    person: Person,
    id_: str,
    act: Callable[[], Awaitable[Any]],
    done: str,
    **typed: Any,
) -> Response:
    """Do it, and back to the request; or the request again, saying what is wrong."""
    try:
        await act()
    except NotSaid as problem:
        return await _page(waymark, desk, person, id_, 422, problem=problem, **typed)
    except EditClash:
        sentence = "Somebody was quicker: look at how it stands now. What you wrote is still here."
        clash = NotSaid("state", sentence)
        return await _page(waymark, desk, person, id_, 409, problem=clash, **typed)
    return onward(f"/staff/requests/{id_}", done)


@router.post(f"{ONE}/put-right")
async def put_right(
    waymark: ThisWaymark, desk: ThisDesk, person: Answerer, request_id: str,
    text: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    def act() -> Awaitable[Any]:
        return requests.put_right(waymark, person, request_id, text)

    return await _try(waymark, desk, person, request_id, act, "put-right", answer=text)


@router.post(f"{ONE}/refuse")
async def refuse(
    waymark: ThisWaymark, desk: ThisDesk, person: Answerer, request_id: str,
    text: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    def act() -> Awaitable[Any]:
        return requests.refuse(waymark, person, request_id, text)

    return await _try(waymark, desk, person, request_id, act, "refused", refusal=text)


@router.post(f"{ONE}/send-back")
async def send_back(
    waymark: ThisWaymark, desk: ThisDesk, person: Answerer, request_id: str
) -> Response:
    def act() -> Awaitable[Any]:
        return requests.send_back(waymark, person, request_id)

    return await _try(waymark, desk, person, request_id, act, "sent-back")


# --- Erasing ------------------------------------------------------------------------------


@router.post(f"{ONE}/propose")
async def propose(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.PROPOSE_ERASURE))],
    request_id: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    def act() -> Awaitable[Any]:
        return erasure.propose(waymark, person, request_id, reason)

    return await _try(waymark, desk, person, request_id, act, "proposed", reason=reason)


@router.post(f"{ONE}/confirm")
async def confirm(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.CONFIRM_ERASURE))],
    request_id: str,
) -> Response:
    def act() -> Awaitable[Any]:
        return erasure.confirm(waymark, person, request_id)

    return await _try(waymark, desk, person, request_id, act, "erased")


# --- A full copy --------------------------------------------------------------------------


@router.post(f"{ONE}/prepare")
async def prepare(
    request: Request, waymark: ThisWaymark, desk: ThisDesk, person: Answerer, request_id: str
) -> Response:
    form = await request.form()
    let_out = [str(value) for value in form.getlist("let-out")]
    why = {
        key.removeprefix("why-"): str(value)
        for key, value in form.multi_items()
        if key.startswith("why-")
    }

    def act() -> Awaitable[Any]:
        return copies.prepare(waymark, person, request_id, let_out, why)

    typed = {"let_out": let_out, "why": why}
    return await _try(waymark, desk, person, request_id, act, "proposed", **typed)


@router.post(f"{ONE}/release")
async def release(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.RELEASE_COPY))],
    request_id: str,
) -> Response:
    def act() -> Awaitable[Any]:
        return copies.release(waymark, person, request_id)

    return await _try(waymark, desk, person, request_id, act, "released")


@router.get(f"{ONE}/copy")
async def copy(
    request: Request, waymark: ThisWaymark, pages: ThesePages, person: Answerer, request_id: str
) -> Response:
    found, released = await copies.full(waymark, person, request_id)
    return copying.page(request, pages, found, draft=not released)


@router.get(f"{ONE}/copy.json")
async def copy_for_programs(waymark: ThisWaymark, person: Answerer, request_id: str) -> Response:
    found, released = await copies.full(waymark, person, request_id)
    return copying.data(waymark, found, draft=not released)
