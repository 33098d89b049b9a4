"""Headers on every response, where a form may come from, and who a browser is."""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.wiring import Waymark

UPLOADS = re.compile(r"/(?:form|chat)/[^/]+/[^/]+/files")
"""Where files are added, and nothing else is."""


class Headers:
    """Security headers on every response, errors and redirects included, with a fresh nonce."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), nonce, scope["path"])
            await send(message)

        await self.app(scope, receive, with_headers)

    def _add(self, headers: MutableHeaders, nonce: str, path: str) -> None:
        headers.setdefault(  # a file's own is stricter (serving.py)
            "Content-Security-Policy",
            "default-src 'none'; "
            f"script-src 'self' 'nonce-{nonce}'; "
            "style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "geolocation=(), camera=(), microphone=()"
        if self.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not path.startswith("/static/"):
            # A shared computer must not keep a child's page; only the colours may be kept.
            headers.setdefault("Cache-Control", "no-store")


class BodyLimit:
    """No body larger than this is read, but where files are added. The framework's own limit
    answers 413 by itself: with no page, and without the headers above."""

    def __init__(self, app: ASGIApp, most: int, uploads: int) -> None:
        self.app = app
        self.most = most
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = most = 0
        if scope["type"] == "http":
            most = self.uploads if UPLOADS.fullmatch(scope["path"]) else self.most
            declared = dict(scope["headers"]).get(b"content-length", b"0")
            read = 0 if not declared.isdigit() or int(declared) <= most else int(declared)

        async def counted() -> Message:
            nonlocal read
            message = {} if read > most else await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


def same_site(request: Request) -> None:
    """A form that changes something must come from our own pages."""
    if request.method in ("GET", "HEAD"):
        return
    came_from = request.headers.get("sec-fetch-site")
    if came_from not in (None, "same-origin", "none"):
        raise HTTPException(403)
    origin = request.headers.get("origin")
    if origin not in (None, "null") and origin.split("://")[-1] != request.headers.get("host"):
        raise HTTPException(403)


class Browser:
    """A browser someone talks to us from: a random key in a cookie, kept only as its hash."""

    def __init__(self, waymark: Waymark, key: str | None) -> None:
        self.known = key is not None
        self.key = key or secrets.token_urlsafe(24)
        self.sender = f"web:{waymark.keys.digest('browser', self.key)[:40]}"
        self._secure = waymark.settings.secure

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


def cookie_name(secure: bool) -> str:
    """`__Host-` binds a cookie to this very site; browsers take it over HTTPS only."""
    return "__Host-waymark" if secure else "waymark"


def browser(request: Request) -> Browser:
    waymark: Waymark = request.app.state.waymark
    return Browser(waymark, request.cookies.get(cookie_name(waymark.settings.secure)))


ThisBrowser = Annotated[Browser, Depends(browser)]
