"""Where a form may come from, and who a browser is."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response

from bot.wiring import Waymark
from web.place import place


def same_site(request: Request) -> None:
    """A form that changes something must come from our own pages, and its browser must say so:
    every one that knows SameSite cookies sends one of these two headers with a form."""
    if request.method in ("GET", "HEAD"):
        return
    came_from = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    ours = origin.partition("://")[2] == request.headers.get("host")
    if came_from is not None and origin == "null":  # hidden, but the browser vouches for it
        ours = True
    if not ours or came_from not in (None, *_OWN):
        raise HTTPException(403)


_OWN = ("same-origin", "none")
"""What browsers say of our own pages, and of what a person did by hand."""


class Browser:
    """A browser someone talks to us from: a random key in a cookie, kept only as its hash."""

    def __init__(self, waymark: Waymark, key: str | None, place: str | None) -> None:
        self.known = key is not None
        self.key = key or secrets.token_urlsafe(24)
        self.sender = f"web:{waymark.keys.digest('browser', self.key)[:40]}"
        self.place = place
        self._secure = waymark.settings.secure

    @property
    def whose(self) -> dict[str, str | None]:
        """Who is counted for what it does (bot/limits.py)."""
        return {"sender": self.sender, "place": self.place, "everyone": ""}

    def remember(self, response: Response) -> None:
        """Set the cookie; it goes when the browser closes, as a shared computer needs."""
        response.set_cookie(
            cookie_name(self._secure),
            self.key,
            httponly=True,
            secure=self._secure,
            samesite="lax",
            path="/",
        )


def cookie_name(secure: bool, of: str = "waymark") -> str:
    """`__Host-` binds a cookie to this very site; browsers take it over HTTPS only."""
    return f"__Host-{of}" if secure else of


def browser(request: Request) -> Browser:
    waymark: Waymark = request.app.state.waymark
    key = request.cookies.get(cookie_name(waymark.settings.secure))
    return Browser(waymark, key, place(request, waymark))


ThisBrowser = Annotated[Browser, Depends(browser)]
