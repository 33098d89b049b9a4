"""Who is at the desk: every staff route states which action it is, and is refused without it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request, Response

from bot import acting
from bot.wiring import Waymark
from web import doors
from web.casework import permissions, sessions
from web.casework.permissions import Action, Person
from web.casework.sessions import Session
from web.dependencies import ThisWaymark

SIGN_IN = "/staff/sign-in"
BY_ITSELF = ("/staff/queue/new",)
"""What an open page asks for without anybody there: it doesn't keep them signed in."""


async def signed_in(request: Request, waymark: ThisWaymark) -> Session:
    """The session of this browser. Without one they are sent to sign in; a form that doesn't
    carry the session's own token is refused."""
    key = request.cookies.get(cookie(waymark))
    session = await sessions.find(waymark, key, touch=request.url.path not in BY_ITSELF)
    if session is None:
        raise await _sign_in_first(request)
    acting.become(person=session.person.id, role=session.person.role.value)
    if request.method not in ("GET", "HEAD"):
        given = (await request.form()).get("csrf")
        if not isinstance(given, str) or not secrets.compare_digest(
            given.encode(), session.csrf.encode()
        ):
            raise HTTPException(403)
    return session


ThisSession = Annotated[Session, Depends(signed_in)]
TYPED = ("text", "reason", "action", "words")
"""Fields that people write sentences in."""


def allowed(action: Action) -> Callable[..., Awaitable[Person]]:
    """The guard of a route: who is signed in, if they may do this."""

    async def guard(session: ThisSession) -> Person:
        permissions.check(session.person, action)
        return session.person

    doors.states(guard, action)
    return guard


# --- Coming and going ---------------------------------------------------------------------


def cookie(waymark: Waymark) -> str:
    """`__Host-` binds a cookie to this very site; browsers take it over HTTPS only."""
    return "__Host-waymark-staff" if waymark.settings.secure else "waymark-staff"


def known_cookie(waymark: Waymark) -> str:
    return f"{cookie(waymark)}-known"


def keep(response: Response, waymark: Waymark, name: str, value: str, days: int = 0) -> None:
    """Set a cookie; without days it goes when the browser closes."""
    secure = waymark.settings.secure
    lasts = days * 86_400 or None
    response.set_cookie(name, value, max_age=lasts, httponly=True, secure=secure, samesite="lax")


class SignedOut(HTTPException):
    """The session ended while they were writing; what they typed is shown, to be copied."""

    def __init__(self, typed: str) -> None:
        super().__init__(401)
        self.typed = typed


async def _sign_in_first(request: Request) -> HTTPException:
    if words := await typed(request):
        return SignedOut(words)
    return HTTPException(303, headers={"Location": _back_through_sign_in(request)})


async def typed(request: Request) -> str:
    """What they wrote in the form that can't be taken: it must not be lost."""
    if request.method in ("GET", "HEAD"):
        return ""
    form = await request.form()
    found = (value for name in TYPED if isinstance(value := form.get(name), str) and value)
    return next(found, "")


def _back_through_sign_in(request: Request) -> str:
    """Where to sign in, and from there back to the page they wanted."""
    wanted: str = request.scope["path"]
    if request.method != "GET" or wanted == "/staff":
        return SIGN_IN
    if query := request.scope["query_string"].decode("latin-1"):
        wanted = f"{wanted}?{query}"
    return f"{SIGN_IN}?next={quote(wanted, safe='')}"


def safe_next(wanted: str) -> str:
    """A page of the staff site to go on to; never another site, nor out again."""
    parts = urlsplit(wanted)
    plain = not parts.scheme and not parts.netloc and wanted.isascii() and wanted.isprintable()
    if not plain or "\\" in wanted or not f"{parts.path}/".startswith("/staff/"):
        return "/staff"
    if parts.path.startswith((SIGN_IN, "/staff/sign-out")) or "/../" in f"{parts.path}/":
        return "/staff"
    return wanted
