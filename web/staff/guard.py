"""Who is at the desk: every staff route states which action it is, and is refused without it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request, Response
from starlette.datastructures import FormData

from bot import acting
from bot.wiring import Waymark
from web import doors
from web.casework import permissions, sessions
from web.casework.permissions import Action, Person
from web.casework.sessions import Session, Step
from web.dependencies import ThisWaymark

SIGN_IN = "/staff/sign-in"
AGAIN = "/staff/account/confirm"
SIGNED_OUT = "/staff/signed-out"


async def begun(request: Request, waymark: ThisWaymark) -> Session:
    """The session of this browser, perhaps with a step left. Without one they are sent to sign
    in; a form that doesn't carry the session's own token is refused."""
    session = await sessions.find(waymark, request.cookies.get(cookie(waymark)))
    if session is None:
        raise await _sign_in_first(request)
    acting.become(person=session.person.id, role=session.person.role.value)
    if request.method not in ("GET", "HEAD"):
        given = (await _words(request)).get("csrf")
        if not isinstance(given, str) or not secrets.compare_digest(
            given.encode(), session.csrf.encode()
        ):
            raise HTTPException(403)
    return session


Begun = Annotated[Session, Depends(begun)]


async def signed_in(request: Request, session: Begun) -> Session:
    """The session of somebody who is in; anybody else is sent to the step that is left."""
    if session.step:
        raise _to(_and_back(f"{SIGN_IN}/{session.step.value}", request))
    return session


ThisSession = Annotated[Session, Depends(signed_in)]
TYPED = ("text", "reason", "action", "words")
"""Fields that people write sentences in."""


def allowed(
    action: Action, *, fresh: bool = False, touch: bool = True
) -> Callable[..., Awaitable[Person]]:
    """The guard of a route: who is signed in, if they may do this.

    `fresh` is for grave things: they prove who they are once more unless they just did, and come
    back to the page at this address, so there must be one. Without `touch` the visit doesn't count
    as being at work: for what a page asks by itself.
    """

    async def guard(request: Request, waymark: ThisWaymark, session: ThisSession) -> Person:
        permissions.check(session.person, action)
        if fresh and not sessions.fresh(waymark, session):
            raise _to(f"{AGAIN}?next={quote(request.url.path, safe='')}")
        if touch:
            await sessions.touch(waymark, session)
        return session.person

    doors.states(guard, action)
    return guard


def step(which: Step) -> Callable[..., Awaitable[Session]]:
    """The guard of a page for one step of signing in: only whoever has it before them."""

    async def guard(session: Begun) -> Session:
        if session.step is not which:
            raise _to("/staff")
        return session

    doors.states(guard, Action.OWN_ACCOUNT)
    return guard


async def leaving(session: Begun) -> Session:
    """The guard of signing out: one can do so half-way too."""
    return session


doors.states(leaving, Action.OWN_ACCOUNT)


# --- Coming and going ---------------------------------------------------------------------


def cookie(waymark: Waymark) -> str:
    """`__Host-` binds a cookie to this very site; browsers take it over HTTPS only."""
    return "__Host-waymark-staff" if waymark.settings.secure else "waymark-staff"


def known_cookie(waymark: Waymark) -> str:
    return f"{cookie(waymark)}-known"


def away_cookie(waymark: Waymark) -> str:
    """What a browser carries while somebody is away at the council's sign-in."""
    return f"{cookie(waymark)}-away"


def keep(response: Response, waymark: Waymark, name: str, value: str, days: float = 0) -> None:
    """Set a cookie; without days it goes when the browser closes.

    Lax, so that it comes along when the council's sign-in sends the browser back to us.
    """
    secure = waymark.settings.secure
    lasts = int(days * 86_400) or None
    response.set_cookie(name, value, max_age=lasts, httponly=True, secure=secure, samesite="lax")


def drop(response: Response, waymark: Waymark, name: str) -> None:
    secure = waymark.settings.secure
    response.delete_cookie(name, secure=secure, httponly=True, samesite="lax")


class SignedOut(HTTPException):
    """The session ended while they were writing; what they typed is shown, to be copied."""

    def __init__(self, typed: str) -> None:
        super().__init__(401)
        self.typed = typed


async def _sign_in_first(request: Request) -> HTTPException:
    if words := await typed(request):
        return SignedOut(words)
    return _to(_and_back(SIGN_IN, request))


async def typed(request: Request) -> str:
    """What they wrote in the form that can't be taken: it must not be lost."""
    if request.method in ("GET", "HEAD"):
        return ""
    form = await _words(request)
    found = (value for name in TYPED if isinstance(value := form.get(name), str) and value)
    return next(found, "")


async def _words(request: Request) -> FormData:
    """A form's fields. No page for staff asks for a file, so none that came is kept open."""
    async with request.form() as form:
        return form


def _to(address: str) -> HTTPException:
    return HTTPException(303, headers={"Location": address})


def _and_back(address: str, request: Request) -> str:
    """There, and afterwards back to the page they wanted."""
    wanted: str = request.scope["path"]
    if request.method != "GET" or wanted == "/staff":
        return address
    if query := request.scope["query_string"].decode("latin-1"):
        wanted = f"{wanted}?{query}"
    return f"{address}?next={quote(wanted, safe='')}"


def safe_next(wanted: str) -> str:
    """A page of the staff site to go on to; never another site, nor out again."""
    parts = urlsplit(wanted)
    plain = not parts.scheme and not parts.netloc and wanted.isascii() and wanted.isprintable()
    if not plain or "\\" in wanted or not f"{parts.path}/".startswith("/staff/"):
        return "/staff"
    if parts.path.startswith((SIGN_IN, AGAIN, "/staff/sign-out")) or "/../" in f"{parts.path}/":
        return "/staff"
    return wanted
