"""Who is at the desk: every staff route states which action it is, and is refused without it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bot.wiring import Waymark
from web.casework import permissions, sessions
from web.casework.permissions import Action, Person
from web.casework.sessions import Session
from web.dependencies import ThisWaymark

SIGN_IN = "/staff/sign-in"
OPEN = (SIGN_IN, f"{SIGN_IN}/{{token}}")
"""The only staff pages for people who are not signed in."""


async def signed_in(request: Request, waymark: ThisWaymark) -> Session:
    """The session of this browser. Without one they are sent to sign in; a form that doesn't
    carry the session's own token is refused."""
    session = await sessions.find(waymark, request.cookies.get(cookie(waymark)))
    if session is None:
        raise await _sign_in_first(request)
    if request.method not in ("GET", "HEAD"):
        given = (await request.form()).get("csrf")
        if not isinstance(given, str) or not secrets.compare_digest(
            given.encode(), session.csrf.encode()
        ):
            raise HTTPException(403)
    return session


ThisSession = Annotated[Session, Depends(signed_in)]
TYPED = ("text", "reason", "action")
"""Fields that people write sentences in."""
_guards: dict[Callable[..., Awaitable[Person]], Action] = {}


def allowed(action: Action) -> Callable[..., Awaitable[Person]]:
    """The guard of a route: who is signed in, if they may do this."""

    async def guard(session: ThisSession) -> Person:
        permissions.check(session.person, action)
        return session.person

    _guards[guard] = action
    return guard


def unguarded(app: FastAPI) -> list[str]:
    """Routes under /staff that anybody could use; there must be none."""
    return [
        f"{', '.join(sorted(route.methods or ()))} {path}"
        for path, route in _routes(app.routes, "")
        if path.startswith("/staff")
        and path not in OPEN
        and not any(call in _guards for call in _calls(route.dependant))
    ]


def _routes(routes: list[Any], prefix: str) -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes, prefix + route.include_context.prefix)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)


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
    if request.method not in ("GET", "HEAD"):
        form = await request.form()
        if typed := next((value for name in TYPED if (value := form.get(name))), None):
            return SignedOut(str(typed))
    return HTTPException(303, headers={"Location": _back_through_sign_in(request)})


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
