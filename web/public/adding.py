"""Adding to what was sent, once it is open in this browser."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot import adding
from bot.conversation import events as ev
from content.schema import Channel
from web.dependencies import ThesePages, ThisWaymark
from web.public import places
from web.public.replies import STATED, passed
from web.public.standing import goes
from web.public.start import in_browser
from web.public.turns import ThisPost, new_key, take
from web.security import ThisBrowser

router = APIRouter(prefix="/reply/add", dependencies=[STATED])


@router.get("")
async def ask(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """What this is, and the choice of form or chat."""
    box = passed(request, waymark, browser)
    offer = await adding.offer(waymark, box, Channel.FORM) if box else None
    if offer is None:
        return goes("/reply")
    return pages.show(
        request,
        "public/start.html",
        flow=offer.flow,
        channels=in_browser(offer.flow),
        begun=None,
        key=new_key(),
        no_cookie=False,
        action="/reply/add",
        back="/reply/read",
    )


@router.post("")
async def begin(
    request: Request, waymark: ThisWaymark, browser: ThisBrowser, post: ThisPost
) -> Response:
    box = passed(request, waymark, browser)
    offer = await adding.offer(waymark, box, Channel.FORM) if box else None
    if offer is None:
        return goes("/reply")
    channel = Channel.CHAT if post.one("mode") == "chat" else Channel.FORM
    event = ev.AddTo(offer.reference, proved=True)
    received = await take(waymark, channel, browser, None, event, post.one("key"))
    # What was begun before and not sent goes on.
    return goes(places.home(channel, received.turn.conversation.id) if received.turn else "/reply")
