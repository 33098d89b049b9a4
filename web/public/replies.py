"""Reading a reply: reference and return code, then the page, for a while, in this browser."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot import adding
from bot import replies as letters
from bot.replies import Box, Gone
from bot.wiring import Waymark
from content.schema import Channel
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.headers import FORGET
from web.public.standing import goes
from web.public.turns import ThisPost
from web.security import Browser, ThisBrowser, cookie_name

STATED = Depends(
    open_to_all("Reference and return code together; then that browser, for half an hour.")
)
router = APIRouter(prefix="/reply", dependencies=[STATED])
OPEN_FOR = timedelta(minutes=30)


@router.get("")
async def ask(request: Request, pages: ThesePages, browser: ThisBrowser) -> Response:
    response = pages.show(request, "public/reply/ask.html", problems={}, typed={})
    browser.remember(response)
    return response


@router.post("")
async def open_(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, post: ThisPost
) -> Response:
    """Reference and return code. Whichever is wrong, the answer is the same."""
    reference, code = post.one("reference").strip(), post.one("code").strip()
    problems = _left_empty(reference, code)
    if not problems:
        found = await letters.find(waymark, reference[:64], code[:64], browser.whose)
        if isinstance(found, Gone):
            return pages.show(
                request,
                "public/reply/gone.html",
                gone=found,
                backups=waymark.content.policy.retention.backup,
            )
        if found:
            return _opened(waymark, browser, found)
        problems = {"reference": "wrong"}
    typed = {"reference": reference, "code": code}
    page = "public/reply/ask.html"
    response = pages.show(request, page, status=422, problems=problems, typed=typed)
    browser.remember(response)
    return response


def _left_empty(reference: str, code: str) -> dict[str, str]:
    given = {"reference": reference, "code": code}
    return {name: f"empty-{name}" for name, value in given.items() if not value}


def _opened(waymark: Waymark, browser: Browser, box: Box) -> Response:
    """On to the page; a short-lived cookie, good in this browser only, keeps it open. It carries
    the key that the return code gave, which is kept nowhere else."""
    response = goes("/reply/read")
    until = int((waymark.clock() + OPEN_FOR).timestamp())
    carried = json.dumps({"owner": box.owner, "key": box.key.hex(), "until": until})
    response.set_cookie(
        _cookie(waymark),
        waymark.keys.ring.carry(_purpose(browser), carried.encode()),
        max_age=int(OPEN_FOR.total_seconds()),
        path="/",
        httponly=True,
        secure=waymark.settings.secure,
        samesite="strict",
    )
    browser.remember(response)
    return response


def _cookie(waymark: Waymark) -> str:
    return cookie_name(waymark.settings.secure, "waymark-reply")


def _purpose(browser: Browser) -> str:
    return f"reply-pass:{browser.sender}"


def passed(request: Request, waymark: Waymark, browser: Browser) -> Box | None:
    """What this browser may read just now."""
    kept = request.cookies.get(_cookie(waymark), "")
    carried = waymark.keys.ring.carried(_purpose(browser), kept)
    if carried is None:
        return None
    told = json.loads(carried)
    if waymark.clock().timestamp() >= told["until"]:
        return None
    return Box(told["owner"], bytes.fromhex(told["key"]))


@router.get("/read")
async def read(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """What they sent, where it stands, and what was answered."""
    box = passed(request, waymark, browser)
    opened = await letters.read(waymark, box) if box else None
    if box is None or opened is None:
        return goes("/reply")
    return pages.show(
        request,
        "public/reply/read.html",
        opened=opened,
        flow=waymark.content.flows.get(opened.flow),
        late=_late(waymark.clock(), opened),
        adds=await adding.offer(waymark, box, Channel.FORM) is not None,
    )


def _late(now: datetime, opened: letters.Opened) -> bool:
    return not opened.replies and now > opened.reply_due


@router.post("/close")
async def close(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    response = pages.show(request, "public/reply/closed.html")
    secure = waymark.settings.secure
    response.delete_cookie(_cookie(waymark), secure=secure, httponly=True, samesite="strict")
    response.headers.update(FORGET)
    return response
