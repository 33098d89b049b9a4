"""Signing in with a password or a one-time link, and out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.wiring import Waymark
from web.casework import accounts, sessions
from web.casework.accounts import SignedIn, WrongSignIn
from web.casework.sessions import Session
from web.casework.throttle import SlowDown
from web.dependencies import ItsBrowser, ThesePages, ThisCouncil, ThisWaymark
from web.doors import open_to_all
from web.headers import FORGET
from web.staff.guard import SIGNED_OUT, cookie, drop, keep, known_cookie, leaving, safe_next

router = APIRouter(dependencies=[Depends(open_to_all("The way in for staff."))])
KNOWN_FOR = 365
"""Days for which a browser is remembered as one this account was used in."""


@router.get("/sign-in")
async def ask(
    request: Request, waymark: ThisWaymark, pages: ThesePages, council: ThisCouncil
) -> Response:
    wanted = safe_next(request.query_params.get("next", ""))
    if await sessions.find(waymark, request.cookies.get(cookie(waymark))):
        return RedirectResponse(wanted, 303)
    here = council is None or waymark.settings.demo
    asked = wanted != "/staff"
    return _form(request, waymark, pages, next=wanted, asked=asked, council=council, local=here)


@router.get("/sign-in/emergency")
async def ask_in_emergency(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    """For the day when the council's own sign-in fails."""
    return _form(request, waymark, pages, next="/staff")


@router.post("/sign-in")
async def sign_in(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    browser: ItsBrowser,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_: Annotated[str, Form(alias="next")] = "",
) -> Response:
    wanted = safe_next(next_)
    known = request.cookies.get(known_cookie(waymark))
    try:
        done = await accounts.sign_in(waymark, email, password, known, browser)
    except WrongSignIn:
        return _form(request, waymark, pages, 422, next=wanted, email=email, wrong=True)
    except SlowDown as slow:
        return _form(request, waymark, pages, 429, next=wanted, email=email, until=slow.until)
    return await welcome(request, waymark, done, wanted)


def _form(
    request: Request, waymark: Waymark, pages: ThesePages, status: int = 200, **filled: Any
) -> Response:
    shown = {"demo": waymark.settings.demo, "local": True, **filled}
    shown["emergency"] = waymark.settings.oidc_issuer and not waymark.settings.demo
    return pages.show(request, "staff/sign-in.html", status=status, **shown)


async def welcome(request: Request, waymark: Waymark, done: SignedIn, to: str) -> Response:
    """A new key at every sign-in; what the browser held before is over."""
    await sessions.end(waymark, request.cookies.get(cookie(waymark)))
    response = RedirectResponse(to, 303)
    keep(response, waymark, cookie(waymark), done.session)
    keep(response, waymark, known_cookie(waymark), done.known, days=KNOWN_FOR)
    return response


@router.get("/sign-in/{token}")
async def show_way_in(
    request: Request, waymark: ThisWaymark, pages: ThesePages, token: str
) -> Response:
    """Only a button: programs that look at links before people do would use it up."""
    tie = await accounts.council_way_in(waymark, token)
    return pages.show(request, "staff/way-in.html", token=token, tie=tie)


@router.post("/sign-in/{token}")
async def use_way_in(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ItsBrowser, token: str
) -> Response:
    done = await accounts.use_way_in(waymark, token, browser)
    if done is None:
        return pages.show(request, "staff/way-in.html", status=410, over=True)
    return await welcome(request, waymark, done, "/staff")


@router.post("/sign-out")
async def sign_out(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    council: ThisCouncil,
    session: Annotated[Session, Depends(leaving)],
) -> Response:
    """Out here at once, and then out of the council's sign-in too: the next person at this
    computer would come in as this one."""
    await sessions.end(waymark, request.cookies.get(cookie(waymark)))
    back_to = f"{waymark.settings.address}{SIGNED_OUT}"
    onward = await council.way_out(back_to) if council and session.council else None
    response: Response = RedirectResponse(SIGNED_OUT, 303)
    if onward:
        # Our forms may not lead to other sites, redirects included: a page goes on by itself.
        response = pages.show(request, "staff/signed-out.html", onward=onward)
    drop(response, waymark, cookie(waymark))
    response.headers.update(FORGET)
    return response


@router.get("/signed-out")
async def signed_out(request: Request, pages: ThesePages) -> Response:
    return pages.show(request, "staff/signed-out.html")
