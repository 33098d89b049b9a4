"""Where browsers say what our security policy made them refuse. Counted, and never written out:
a report tells which page somebody was on."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from web.doors import open_to_all
from web.headers import REPORTS

LARGEST = 16 * 1024
KINDS = frozenset(
    {"script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
     "style-src-attr", "img-src", "font-src", "connect-src", "form-action", "object-src",
     "base-uri", "frame-ancestors", "frame-src", "media-src", "worker-src", "manifest-src",
     "default-src", "trusted-types", "require-trusted-types-for"}
)  # fmt: skip
EVERY = 100
"""After the first of a kind, only so many more are worth another line in the log."""

router = APIRouter(
    dependencies=[Depends(open_to_all("Browsers say here what they refused; it is only counted."))]
)
log = logging.getLogger("waymark.web")


@router.post(REPORTS)
async def report(request: Request) -> Response:
    """One report. Whatever it says, the answer is the same."""
    kind = _kind(await request.body())
    counts: dict[str, int] = request.app.state.refused
    counts[kind] = counts.get(kind, 0) + 1
    if counts[kind] % EVERY == 1:
        log.warning("refused by a browser", extra={"directive": kind, "count": counts[kind]})
    return Response(status_code=204)


def _kind(body: bytes) -> str:
    """Which rule it was; anybody can post here, so only names that we know."""
    try:
        told: Any = json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):
        told = None
    inner = told.get("csp-report") if isinstance(told, dict) else None
    said = inner.get("effective-directive") if isinstance(inner, dict) else None
    return said if isinstance(said, str) and said in KINDS else "unclear"
