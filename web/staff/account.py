"""One's own account: who am I here, and my password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from web.casework import accounts
from web.casework.accounts import BadPassword
from web.casework.permissions import Action, Person
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk, onward
from web.staff.guard import allowed, cookie, keep

router = APIRouter()
Me = Annotated[Person, Depends(allowed(Action.OWN_ACCOUNT))]


@router.get("/account")
async def account(waymark: ThisWaymark, desk: ThisDesk, me: Me) -> Response:
    return desk.show("account", row=await accounts.own(waymark, me))


@router.post("/account")
async def set_password(
    waymark: ThisWaymark,
    desk: ThisDesk,
    me: Me,
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    try:
        session = await accounts.set_password(waymark, me, current, new)
    except BadPassword as bad:
        return desk.show("account", 422, row=await accounts.own(waymark, me), problem=bad)
    response = onward("/staff/account", "password")
    keep(response, waymark, cookie(waymark), session)
    return response
