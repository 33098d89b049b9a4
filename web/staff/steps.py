"""What is left of signing in after the first thing: a code, a password to set, an app to set up."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.wiring import Waymark
from web.casework import accounts, second_factor
from web.casework.password_rules import BadPassword
from web.casework.second_factor import Given, WrongCode
from web.casework.sessions import Session, Step
from web.casework.throttle import SlowDown
from web.dependencies import ItsBrowser, ThesePages, ThisWaymark
from web.staff.guard import cookie, keep, safe_next, step

router = APIRouter(prefix="/sign-in")
Code = Annotated[str, Form(max_length=100)]
Wanted = Annotated[str, Form(alias="next")]


def _page(
    request: Request, pages: ThesePages, session: Session, status: int = 200, **filled: Any
) -> Response:
    name = f"staff/{filled.pop('name')}.html"
    return pages.show(request, name, status=status, csrf=session.csrf, step=True, **filled)


def _in(waymark: Waymark, key: str, to: str) -> Response:
    response = RedirectResponse(to, 303)
    keep(response, waymark, cookie(waymark), key)
    return response


# --- The code of somebody who has an app ---------------------------------------------------

AtCode = Annotated[Session, Depends(step(Step.CODE))]


@router.get("/code")
async def ask_code(request: Request, pages: ThesePages, session: AtCode) -> Response:
    wanted = safe_next(request.query_params.get("next", ""))
    return _page(request, pages, session, name="code", next=wanted)


@router.post("/code")
async def give_code(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    browser: ItsBrowser,
    session: AtCode,
    code: Code = "",
    recovery: Code = "",
    next_: Wanted = "",
) -> Response:
    wanted = safe_next(next_)
    try:
        key = await second_factor.give(waymark, session, Given(code, recovery), browser)
    except WrongCode as wrong:
        return _page(request, pages, session, 422, name="code", next=wanted, problem=wrong)
    except SlowDown as slow:
        return _page(request, pages, session, 429, name="code", next=wanted, until=slow.until)
    return _in(waymark, key, wanted)


# --- A first password, or a new one after a one-time link ----------------------------------

AtPassword = Annotated[Session, Depends(step(Step.PASSWORD))]


@router.get("/set-password")
async def ask_password(
    request: Request, waymark: ThisWaymark, pages: ThesePages, session: AtPassword
) -> Response:
    row = await accounts.own(waymark, session.person)
    return _page(request, pages, session, name="set-password", email=row.email)


@router.post("/set-password")
async def set_password(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    browser: ItsBrowser,
    session: AtPassword,
    new: Annotated[str, Form()] = "",
) -> Response:
    try:
        key = await accounts.set_password(waymark, session.person, "", new, session, browser)
    except BadPassword as bad:
        row = await accounts.own(waymark, session.person)
        return _page(
            request, pages, session, 422, name="set-password", email=row.email, problem=bad
        )
    return _in(waymark, key, "/staff")


# --- An authenticator app ------------------------------------------------------------------

AtAuthenticator = Annotated[Session, Depends(step(Step.AUTHENTICATOR))]


@router.get("/set-authenticator")
async def ask_authenticator(
    request: Request, waymark: ThisWaymark, pages: ThesePages, session: AtAuthenticator
) -> Response:
    row = await accounts.own(waymark, session.person)
    app = await second_factor.offered(waymark, session, row.email)
    return _page(request, pages, session, name="set-authenticator", app=app)


@router.post("/set-authenticator")
async def set_authenticator(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    browser: ItsBrowser,
    session: AtAuthenticator,
    code: Code = "",
) -> Response:
    row = await accounts.own(waymark, session.person)
    app = await second_factor.offered(waymark, session, row.email)
    shown = {"name": "set-authenticator", "app": app}
    try:
        key, codes = await second_factor.set_up(waymark, session, code, browser)
    except WrongCode as wrong:
        return _page(request, pages, session, 422, **shown, problem=wrong)
    except SlowDown as slow:
        return _page(request, pages, session, 429, **shown, until=slow.until)
    response = _page(request, pages, session, name="recovery-codes", codes=codes)
    keep(response, waymark, cookie(waymark), key)
    return response
