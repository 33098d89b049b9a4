"""What a sender can do about what they sent, once they have opened it: copy, correct, delete."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot import copies, requests
from bot.copies import Copy
from bot.replies import Box
from bot.wiring import Waymark
from web import copying
from web.dependencies import ThesePages, ThisWaymark
from web.public.replies import STATED, passed
from web.public.standing import goes
from web.public.turns import ThisPost
from web.security import Browser, ThisBrowser

router = APIRouter(prefix="/reply", dependencies=[STATED])
CLOSED = "/reply"
BACK = "/reply/read"


@router.get("/copy")
async def copy(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """To read, now or in years, without us."""
    found = await _copy(request, waymark, browser)
    return copying.page(request, pages, found) if found else goes(CLOSED)


@router.get("/copy.json")
async def copy_for_programs(
    request: Request, waymark: ThisWaymark, browser: ThisBrowser
) -> Response:
    found = await _copy(request, waymark, browser)
    return copying.data(waymark, found) if found else goes(CLOSED)


async def _copy(request: Request, waymark: Waymark, browser: Browser) -> Copy | None:
    box = passed(request, waymark, browser)
    if box is None:
        return None
    requests.count(waymark, box, browser.place)
    return await copies.own(waymark, box)


@router.get("/correct")
async def ask_correction(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    if passed(request, waymark, browser) is None:
        return goes(CLOSED)
    return pages.show(request, "public/reply/correct.html", typed="", problem=None)


@router.post("/correct")
async def correct(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, post: ThisPost
) -> Response:
    """Their words, sealed for staff: nobody else can read them, not even this process."""
    box, words = passed(request, waymark, browser), post.one("words").replace("\r\n", "\n").strip()
    if box is None:
        return goes(CLOSED)
    problem = "empty" if not words else "too-long" if len(words) > requests.LONGEST else None
    if problem:
        page = "public/reply/correct.html"
        return pages.show(request, page, status=422, typed=words, problem=problem)
    return await _ask(waymark, browser, box, "correction", words)


@router.get("/delete")
async def ask_deletion(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """What will happen, by when, and what can't be deleted."""
    if passed(request, waymark, browser) is None:
        return goes(CLOSED)
    return pages.show(request, "public/reply/delete.html")


@router.post("/delete")
async def delete(request: Request, waymark: ThisWaymark, browser: ThisBrowser) -> Response:
    box = passed(request, waymark, browser)
    return await _ask(waymark, browser, box, "deletion") if box else goes(CLOSED)


async def _ask(
    waymark: Waymark, browser: Browser, box: Box, kind: requests.Kind, words: str | None = None
) -> Response:
    due = await requests.by_code(waymark, box, browser.place, kind, words)
    return goes(f"{BACK}#yours" if due else CLOSED)
