"""A random number for every request, by which audit lines and log lines are laid side by side."""

from __future__ import annotations

import secrets

from starlette.types import ASGIApp, Receive, Scope, Send

from bot import acting


class RequestId:
    """Ours alone: a number that came with the request could be anybody's words."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with acting.within(request=secrets.token_hex(8)):
            await self.app(scope, receive, send)
