"""Ask a question: what fits it, or honestly nothing; and back to the very question they were at.

The words travel in the body of a form only, so that no address, log or history has them, and they
are kept nowhere. What somebody had half written before they asked travels with them and back.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot import asking
from bot.conversation import messages as say
from bot.errors import UnknownConversation
from bot.wiring import Waymark
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.public import places, site
from web.public.standing import Standing, look
from web.public.turns import Posted, ThisPost
from web.security import Browser, ThisBrowser

STATED = Depends(open_to_all("Anybody may ask; nothing of it is kept."))
router = APIRouter(prefix="/ask", dependencies=[STATED])
LONGEST = 500
"""Characters of a question; finding looks at no more."""
CARRIED = ("answer", "seen")
"""What was half written where they came from."""


@router.get("")
async def show(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """The box, and the way back."""
    came_from = Posted((("from", request.query_params.get("from", "")),))
    standing = await _standing(waymark, browser, came_from)
    return pages.show(request, "public/ask.html", **_filled(waymark, came_from, standing))


@router.post("")
async def ask(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, post: ThisPost
) -> Response:
    """What fits. Without a question yet it is only the box, for somebody who was writing."""
    standing = await _standing(waymark, browser, post)
    filled = _filled(waymark, post, standing)
    if not filled["typed"]:
        empty = any(name == "text" for name, _ in post.fields)
        status = 422 if empty else 200
        return pages.show(request, "public/ask.html", status=status, **filled, empty=empty)
    within = standing.script.flow if standing else None
    messages = asking.in_browser(waymark, filled["typed"], browser.whose, within)
    called = [m.notice for m in messages if isinstance(m, say.SafetyNotice)]
    found = next((m for m in messages if isinstance(m, say.Found)), None)
    return pages.show(request, "public/ask.html", **filled, called=called, found=found)


async def _standing(waymark: Waymark, browser: Browser, post: Posted) -> Standing | None:
    """The conversation they came from, if it is theirs."""
    _, conversation = places.came_from(post.one("from"))
    if conversation is None:
        return None
    try:
        return await look(waymark, browser, conversation)
    except UnknownConversation:
        return None


def _filled(waymark: Waymark, post: Posted, standing: Standing | None) -> dict[str, Any]:
    return_to, conversation = places.came_from(post.one("from"))
    return {
        **(standing.frame() if standing else {}),
        "notices": waymark.content.notices,
        "helplines": waymark.lines(waymark.clock()),
        "published": site.shown(waymark),
        "return_to": return_to,
        "returns": conversation is not None,
        "typed": post.one("text").strip()[:LONGEST],
        "longest": LONGEST,
        "carried": [(name, value) for name, value in post.fields if name in CARRIED],
    }
