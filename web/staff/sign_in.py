"""Signing in with a password or a one-time link, and out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.wiring import Waymark
from web.casework import accounts, sessions
from web.casework.accounts import SignedIn, SlowDown, WrongSignIn
from web.casework.permissions import Action, Person
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.headers import FORGET
from web.staff.guard import allowed, cookie, keep, known_cookie, safe_next

router = APIRouter(dependencies=[Depends(open_to_all("The way in for staff."))])
KNOWN_FOR = 365
"""Days for which a browser is remembered as one this account was used in."""


@router.get("/sign-in")
async def ask(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    wanted = safe_next(request.query_params.get("next", ""))
    if await sessions.find(waymark, request.cookies.get(cookie(waymark))):
        return RedirectResponse(wanted, 303)
    return _form(request, waymark, pages, next=wanted, asked=wanted != "/staff")


@router.post("/sign-in")
async def sign_in(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_: Annotated[str, Form(alias="next")] = "",
) -> Response:
    wanted = safe_next(next_)
    known = request.cookies.get(known_cookie(waymark))
    try:
        done = await accounts.sign_in(waymark, email, password, known)
    except WrongSignIn:
        return _form(request, waymark, pages, 422, next=wanted, email=email, wrong=True)
    except SlowDown as slow:
        return _form(request, waymark, pages, 429, next=wanted, email=email, until=slow.until)
    return await _welcome(request, waymark, done, wanted)


def _form(
    request: Request, waymark: Waymark, pages: ThesePages, status: int = 200, **filled: Any
) -> Response:
    demo = waymark.settings.demo
    return pages.show(request, "staff/sign-in.html", status=status, demo=demo, **filled)


async def _welcome(request: Request, waymark: Waymark, done: SignedIn, to: str) -> Response:
    """A new key at every sign-in; what the browser held before is over."""
    await sessions.end(waymark, request.cookies.get(cookie(waymark)))
    response = RedirectResponse(to, 303)
    keep(response, waymark, cookie(waymark), done.session)
    keep(response, waymark, known_cookie(waymark), done.known, days=KNOWN_FOR)
    return response


@router.get("/sign-in/{token}")
async def show_way_in(request: Request, pages: ThesePages, token: str) -> Response:
    """Only a button: programs that look at links before people do would use it up."""
    return pages.show(request, "staff/way-in.html", token=token)


@router.post("/sign-in/{token}")
async def use_way_in(
    request: Request, waymark: ThisWaymark, pages: ThesePages, token: str
) -> Response:
    done = await accounts.use_way_in(waymark, token)
    if done is None:
        return pages.show(request, "staff/way-in.html", status=410, over=True)
    return await _welcome(request, waymark, done, "/staff")


@router.post("/sign-out")
async def sign_out(
    request: Request,
    waymark: ThisWaymark,
    person: Annotated[Person, Depends(allowed(Action.OWN_ACCOUNT))],
) -> Response:
    await sessions.end(waymark, request.cookies.get(cookie(waymark)))
    response = RedirectResponse("/staff/sign-in", 303)
    secure = waymark.settings.secure
    response.delete_cookie(cookie(waymark), secure=secure, httponly=True, samesite="lax")
    response.headers.update(FORGET)
    return response
