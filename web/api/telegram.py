"""Where Telegram posts updates. 200 means committed; anything else, and it sends them again."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from bot.telegram.app import Telegram
from web.doors import open_to_all

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name
LARGEST = 64 * 1024

STATED = Depends(open_to_all("Telegram, by the secret agreed with it."))
router = APIRouter(dependencies=[STATED])
log = logging.getLogger("waymark.telegram")


@router.post("/telegram/webhook")
async def post_update(request: Request) -> Response:
    channel: Telegram | None = request.app.state.telegram
    if channel is None:
        return Response(status_code=404)
    if not channel.knows(request.headers.get(SECRET, "")):
        return Response(status_code=403)
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    raw = _read(body)
    if raw is None:
        return Response(status_code=400)
    try:
        said = await channel.take(raw, carries=True)
    except Exception as error:  # noqa: BLE001  # of whatever kind: Telegram is to send it again
        log.error("not kept", extra={"update": raw["update_id"], "error": type(error).__name__})
        return Response(status_code=500)
    return JSONResponse(said) if said else Response()


async def _body(request: Request) -> bytes | None:
    """The body, or None for one that is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return None
    return body


def _read(body: bytes) -> dict[str, Any] | None:
    """An update as JSON, or None for what can't be one."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) and type(raw.get("update_id")) is int else None
