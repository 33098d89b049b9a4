"""The chat in a browser: the same conversation, made anew from its answers each time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.conversation import buttons
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.wiring import Waymark
from content.schema import Channel
from web.dependencies import ThesePages, ThisWaymark
from web.public import places, told
from web.public.standing import SAID, Standing, goes, look
from web.public.turns import Posted, ThisPost, seen, take
from web.security import Browser, ThisBrowser

router = APIRouter(prefix="/chat/{conversation}")
_LASTING = (say.Ask, say.Review, say.Ended, say.Submitted, say.SafetyNotice)
"""What is still there when the page is opened again; anything else is said only once."""


@router.get("")
async def show(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    standing = await look(waymark, browser, conversation, channel=Channel.CHAT)
    return _page(request, pages, standing)


@router.post("")
async def hear(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, post: ThisPost,
) -> Response:  # fmt: skip
    """A button, boxes ticked, or words. What can't be shown again is shown at once."""
    event = await _event(waymark, browser, conversation, post)
    if event is None:
        return goes(places.home(Channel.CHAT, conversation))
    received = await take(waymark, Channel.CHAT, browser, conversation, event, post.one("key"))
    if received.turn is None or received.turn.forget:
        return goes("/deleted")
    if isinstance(event, ev.Begin):
        return goes(places.home(Channel.CHAT, received.turn.conversation.id))
    standing = Standing(waymark, received)
    if received.repeated:  # show what it led to the first time, problem and all
        standing = await look(waymark, browser, conversation, _asked_again(event), Channel.CHAT)
    if all(isinstance(message, _LASTING) for message in standing.messages):
        return goes(places.home(Channel.CHAT, conversation))
    status = 422 if standing.turn.problem else 200
    return _page(request, pages, standing, post.one("text"), status=status)


async def _event(
    waymark: Waymark, browser: Browser, conversation: str, post: Posted
) -> ev.Event | ev.Begin | None:
    """What was pressed, ticked or typed; None if nothing we made."""
    if pressed := buttons.read(post.one("press")):
        event = pressed.event
        return event if not isinstance(event, ev.Open | ev.SaidAge | ev.Lost) else None
    asked = post.one("asked") or None
    if post.one("tick"):
        return ev.Answered(post.one("tick"), values=post.all("answer"))
    late = await _moved_on(waymark, browser, conversation, asked, post.one("seen"))
    return ev.Typed(post.one("text"), asked=asked, late=late)
