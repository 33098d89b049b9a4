"""Who has an account: the headteacher's list, and a page for each thing that can be changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from content.schema import Role
from web.casework import people
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/people")
Head = Annotated[Person, Depends(allowed(Action.MANAGE_PEOPLE))]
Surely = Annotated[Person, Depends(allowed(Action.MANAGE_PEOPLE, fresh=True))]


@router.get("")
async def everyone(waymark: ThisWaymark, desk: ThisDesk, head: Head) -> Response:
    return desk.show("people", accounts=await people.everyone(waymark, head))


@router.get("/{id_}")
async def one(waymark: ThisWaymark, desk: ThisDesk, head: Head, id_: str) -> Response:
    return desk.show("person", account=await people.one(waymark, head, id_))


# --- Role ---------------------------------------------------------------------------------


@router.get("/{id_}/role")
async def ask_role(waymark: ThisWaymark, desk: ThisDesk, head: Surely, id_: str) -> Response:
    found = await people.one(waymark, head, id_)
    return _change(desk, "role", found, roles=list(Role))


@router.post("/{id_}/role")
async def change_role(
    waymark: ThisWaymark,
    desk: ThisDesk,
    head: Surely,
    id_: str,
    role: Annotated[str, Form()] = "",
) -> Response:
    try:
        await people.change_role(waymark, head, id_, role)
    except NotSaid as problem:
        found = await people.one(waymark, head, id_)
        return _change(desk, "role", found, 422, roles=list(Role), problem=problem)
    return onward(f"/staff/people/{id_}", "role")


# --- Team ---------------------------------------------------------------------------------


@router.get("/{id_}/team")
async def ask_team(waymark: ThisWaymark, desk: ThisDesk, head: Surely, id_: str) -> Response:
    return _change(desk, "team", await people.one(waymark, head, id_))


@router.post("/{id_}/team")
async def change_team(
    waymark: ThisWaymark,
    desk: ThisDesk,
    head: Surely,
    id_: str,
    team: Annotated[str, Form()] = "",
) -> Response:
    try:
        await people.change_team(waymark, head, id_, team)
    except NotSaid as problem:
        return _change(desk, "team", await people.one(waymark, head, id_), 422, problem=problem)
    return onward(f"/staff/people/{id_}", "team")


# --- On and off ---------------------------------------------------------------------------


@router.get("/{id_}/switch")
async def ask_switch(waymark: ThisWaymark, desk: ThisDesk, head: Surely, id_: str) -> Response:
    return _change(desk, "switch", await people.one(waymark, head, id_))


@router.post("/{id_}/switch")
async def switch(
    waymark: ThisWaymark, desk: ThisDesk, head: Surely, id_: str, to: Annotated[str, Form()] = ""
) -> Response:
    try:
        await people.switch(waymark, head, id_, on=to == "on")
    except NotSaid as problem:
        found = await people.one(waymark, head, id_)
        return _change(desk, "switch", found, 422, problem=problem)
    return onward(f"/staff/people/{id_}", "on" if to == "on" else "off")


# --- Out everywhere -----------------------------------------------------------------------


@router.post("/{id_}/sessions")
async def end_sessions(waymark: ThisWaymark, desk: ThisDesk, head: Head, id_: str) -> Response:
    await people.end_sessions(waymark, head, id_)
    return onward(f"/staff/people/{id_}", "out")


# --- A one-time way in --------------------------------------------------------------------


@router.get("/{id_}/way-in")
async def ask_way_in(waymark: ThisWaymark, desk: ThisDesk, head: Surely, id_: str) -> Response:
    return _change(desk, "way-in", await people.one(waymark, head, id_))


@router.post("/{id_}/way-in")
async def make_way_in(
    waymark: ThisWaymark,
    desk: ThisDesk,
    head: Surely,
    id_: str,
    phone: Annotated[str, Form()] = "",
) -> Response:
    """Shown on the page that answers, this once: it opens an account."""
    link, problem = "", None
    try:
        link = await people.new_way_in(waymark, head, id_, new_phone=phone == "gone")
    except NotSaid as fault:
        problem = fault
    found = await people.one(waymark, head, id_)
    return _change(desk, "way-in", found, 422 if problem else 200, link=link, problem=problem)


def _change(
    desk: Desk, what: str, account: people.Account, status: int = 200, **filled: object
) -> Response:
    return desk.show("person-change", status, what=what, account=account, **filled)
