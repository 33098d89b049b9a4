"""One's own account: who am I here, my password, my app, and where I am signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from bot.wiring import Waymark
from web.casework import accounts, second_factor, sessions
from web.casework.password_rules import BadPassword
from web.casework.permissions import Action, Person
from web.casework.second_factor import Given, WrongCode
from web.casework.throttle import SlowDown
from web.dependencies import ItsBrowser, ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward
from web.staff.guard import allowed, cookie, keep, safe_next

router = APIRouter(prefix="/account")
Me = Annotated[Person, Depends(allowed(Action.OWN_ACCOUNT))]
Surely = Annotated[Person, Depends(allowed(Action.OWN_ACCOUNT, fresh=True))]
Code = Annotated[str, Form(max_length=100)]


@router.get("")
async def account(waymark: ThisWaymark, desk: ThisDesk, me: Me) -> Response:
    return await _account(waymark, desk, me)


@router.post("")
async def set_password(
    waymark: ThisWaymark,
    desk: ThisDesk,
    me: Me,
    browser: ItsBrowser,
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    try:
        key = await accounts.set_password(waymark, me, current, new, desk.session, browser)
    except BadPassword as bad:
        return await _account(waymark, desk, me, 422, problem=bad)
    except SlowDown as slow:
        return await _account(waymark, desk, me, 429, until=slow.until)
    response = onward("/staff/account", "password")
    keep(response, waymark, cookie(waymark), key)
    return response


async def _account(
    waymark: Waymark, desk: Desk, me: Person, status: int = 200, **filled: object
) -> Response:
    left = await second_factor.recovery_codes_left(waymark, desk.session)
    row = await accounts.own(waymark, me)
    return desk.show("account", status, row=row, codes_left=left, **filled)


# --- Where I am signed in -----------------------------------------------------------------


@router.get("/sessions")
async def show_sessions(waymark: ThisWaymark, desk: ThisDesk, me: Me) -> Response:
    return desk.show("account-sessions", sessions=await sessions.own(waymark, desk.session))


@router.post("/sessions")
async def end_session(
    waymark: ThisWaymark,
    desk: ThisDesk,
    me: Me,
    which: Annotated[str, Form()] = "",
) -> Response:
    await sessions.end_own(waymark, desk.session, which)
    return onward("/staff/account/sessions", "ended")


# --- My app, my recovery codes ------------------------------------------------------------


@router.get("/authenticator")
async def ask_authenticator(waymark: ThisWaymark, desk: ThisDesk, me: Surely) -> Response:
    return await _authenticator(waymark, desk, me)


@router.post("/authenticator")
async def set_authenticator(
    waymark: ThisWaymark, desk: ThisDesk, me: Surely, browser: ItsBrowser, code: Code = ""
) -> Response:
    try:
        key, codes = await second_factor.set_up(waymark, desk.session, code, browser)
    except WrongCode as wrong:
        return await _authenticator(waymark, desk, me, 422, problem=wrong)
    except SlowDown as slow:
        return await _authenticator(waymark, desk, me, 429, until=slow.until)
    response = desk.show("recovery-codes", codes=codes)
    keep(response, waymark, cookie(waymark), key)
    return response


async def _authenticator(
    waymark: Waymark, desk: Desk, me: Person, status: int = 200, **filled: object
) -> Response:
    row = await accounts.own(waymark, me)
    app = await second_factor.offered(waymark, desk.session, row.email)
    return desk.show("set-authenticator", status, app=app, **filled)


@router.get("/recovery-codes")
async def ask_recovery_codes(waymark: ThisWaymark, desk: ThisDesk, me: Surely) -> Response:
    left = await second_factor.recovery_codes_left(waymark, desk.session)
    return desk.show("recovery-codes", left=left)


@router.post("/recovery-codes")
async def make_recovery_codes(waymark: ThisWaymark, desk: ThisDesk, me: Surely) -> Response:
    codes = await second_factor.new_recovery_codes(waymark, desk.session)
    return desk.show("recovery-codes", codes=codes)


# --- It is really me ----------------------------------------------------------------------


@router.get("/confirm")
async def ask_again(request: Request, desk: ThisDesk, me: Me) -> Response:
    wanted = safe_next(request.query_params.get("next", ""))
    return desk.show("confirm", session=desk.session, next=wanted)


@router.post("/confirm")
async def confirm(
    waymark: ThisWaymark,
    desk: ThisDesk,
    me: Me,
    browser: ItsBrowser,
    password: Annotated[str, Form()] = "",
    code: Code = "",
    recovery: Code = "",
    next_: Annotated[str, Form(alias="next")] = "",
) -> Response:
    wanted, shown = safe_next(next_), {"session": desk.session}
    try:
        given = Given(code, recovery)
        key = await accounts.confirm(waymark, desk.session, password, given, browser)
    except WrongCode as wrong:
        return desk.show("confirm", 422, **shown, next=wanted, problem=wrong)
    except SlowDown as slow:
        return desk.show("confirm", 429, **shown, next=wanted, until=slow.until)
    response = onward(wanted)
    keep(response, waymark, cookie(waymark), key)
    return response
