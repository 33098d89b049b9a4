"""The security headers of every response: pages, errors, redirects, files and JSON alike."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REPORTS = "/csp-report"
"""Where a browser says what it refused to do (web/api/reports.py)."""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        # No 'self': a script of ours that someone points to without the nonce doesn't run either.
        "script-src 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        # No script of ours makes markup or code from text, so none may.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
        f"report-uri {REPORTS}",
    )
)
_UNUSED = (
    "accelerometer", "autoplay", "bluetooth", "camera", "clipboard-read", "display-capture",
    "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection",
    "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "screen-wake-lock", "serial", "usb", "web-share", "xr-spatial-tracking",
)  # fmt: skip
"""What a browser could do for a page and ours don't ask for."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # To other sites nothing is said. Ours must see it: with `no-referrer` a browser would hide
    # where a form came from, and `same_site` could not tell.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    # A shared computer must not keep a child's page; what may be kept says so itself.
    "Cache-Control": "no-store",
}
FORGET = {"Clear-Site-Data": '"cache", "storage"'}
"""For the page after which nothing may be left in the browser. Not "cookies": that would reach
the cookies of every other site of the council; ours are taken back one by one."""


class Headers:
    """Sets what a response doesn't set itself. A fresh nonce for each is in the request's state."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self.always = dict(_ALWAYS)
        if secure:
            self.always["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
                for name, value in self.always.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
