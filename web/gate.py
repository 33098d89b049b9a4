"""What is not let in: a request for another host, a body too large, a body too slow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.settings import Settings

PATIENCE = 30.0
"""Seconds within which a body must have come."""
PATIENCE_WITH_FILES = 300.0
UPLOADS = re.compile(r"/(?:form|chat)/[^/]+/[^/]+/files")
"""Where files are added, and nothing else is."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def hosts(settings: Settings) -> Collection[str] | None:
    """The names this site goes by; None for any, where it isn't served to the world."""
    ours = urlsplit(settings.address).hostname or ""
    return {ours, *_LOOPBACK} if settings.secure else None


class Hosts:
    """Answers only to its own name. What a request calls us must never find its way into a page,
    a link or somebody's cache."""

    def __init__(self, app: ASGIApp, allowed: Collection[str] | None) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._ours(scope):
            raise HTTPException(400)
        await self.app(scope, receive, send)

    def _ours(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        found = _HOST.fullmatch(named[0].decode("latin-1").lower()) if len(named) == 1 else None
        if found is None:
            return not named and self.allowed is None
        return self.allowed is None or found[1] in self.allowed


class BodyLimit:
    """No body larger than this is read, but where files are added; nor waited for longer. The
    framework's own limit answers 413 by itself: with no page, and without our headers."""

    def __init__(self, app: ASGIApp, most: int, uploads: int) -> None:
        self.app = app
        self.most = most
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, most, patience = 0, self.most, PATIENCE
        if scope["type"] == "http":
            if UPLOADS.fullmatch(scope["path"]):
                most, patience = self.uploads, PATIENCE_WITH_FILES
            declared = dict(scope["headers"]).get(b"content-length", b"0")
            read = 0 if not declared.isdigit() or int(declared) <= most else int(declared)
        until = asyncio.get_running_loop().time() + patience
        whole = False

        async def counted() -> Message:
            nonlocal read, whole
            if read > most:
                raise HTTPException(413)
            message = await receive() if whole else await _by(until, receive)
            read += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if read > most:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


async def _by(until: float, receive: Receive) -> Message:
    try:
        async with asyncio.timeout_at(until):
            return await receive()
    except TimeoutError:
        raise HTTPException(408) from None
