"""The chat in a browser: the same conversation, made anew from its answers each time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot.conversation import buttons
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.inbound import Arrived
from bot.intake import Received
from content.schema import Channel
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.public import places, site, told, uploads
from web.public.ask import LONGEST
from web.public.standing import Standing, goes, look
from web.public.turns import Posted, ThisPost, seen, take
from web.security import Browser, ThisBrowser
from web.templating import Pages

STATED = Depends(open_to_all("A conversation, only in the browser it was begun or taken up in."))
router = APIRouter(prefix="/chat/{conversation}", dependencies=[STATED])
KINDS: dict[type, str] = {
    say.Say: "say",
    say.Problem: "problem",
    say.SafetyNotice: "notice",
    say.OfferResume: "offer-resume",
    say.ConfirmDelete: "confirm-delete",
    say.Ask: "ask",
    say.Review: "review",
    say.Ended: "ended",
    say.Submitted: "submitted",
    say.Found: "found",
}
"""What can be said, and which template says it."""
LASTING = (say.Ask, say.Review, say.Ended, say.Submitted)
"""What is still there when the page is opened again; anything else is said only once."""


@router.get("")
async def show(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    standing = await look(waymark, browser, conversation, channel=Channel.CHAT)
    return pages.show(request, "public/chat.html", **_filled(standing, standing.messages))


@router.post("")
async def hear(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, post: ThisPost,
) -> Response:  # fmt: skip
    """A button, boxes ticked, or words. What can't be shown again is shown at once."""
    before = await look(waymark, browser, conversation, channel=Channel.CHAT)
    event = _event(before, post)
    if event is None:
        return goes(places.home(Channel.CHAT, conversation))
    return await _heard(request, pages, browser, before, event, post)


@router.get("/{question}/files")
async def show_again(conversation: str, question: str) -> Response:
    """Where a page that was answered there is opened anew."""
    return goes(places.home(Channel.CHAT, conversation))


@router.post("/{question}/files")
async def add_file(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, question: str,
) -> Response:  # fmt: skip
    """A file for the answer to the question being asked."""
    before = await look(waymark, browser, conversation, channel=Channel.CHAT)
    asked = before.turn.asking
    if asked is None or not uploads.takes(asked, question):
        return goes(places.home(Channel.CHAT, conversation))
    meant = await uploads.meant(waymark, request, browser, asked)
    return await _heard(request, pages, browser, before, meant.event, meant.post, meant.files)


async def _heard(
    request: Request, pages: Pages, browser: Browser, before: Standing,
    event: ev.Event | ev.Begin, post: Posted, files: tuple[Arrived, ...] = (),
) -> Response:  # fmt: skip
    waymark, conversation = before.waymark, before.conversation.id
    if isinstance(event, ev.Unfit):  # there is nothing to keep, only something to say
        unfit = await look(waymark, browser, conversation, event, Channel.CHAT)
        filled = _filled(unfit, unfit.messages)
        return pages.show(request, "public/chat.html", status=422, **filled)
    received = await take(
        waymark, Channel.CHAT, browser, conversation, event, post.one("key"), files
    )
    if (elsewhere := _elsewhere(received, event)) is not None:
        return goes(elsewhere)
    after = Standing(waymark, received)
    if received.repeated and not isinstance(event, ev.Begin):
        after = await look(waymark, browser, conversation, event, Channel.CHAT)
    messages = _once(before, after)
    if all(isinstance(message, LASTING) for message in messages):
        return goes(places.home(Channel.CHAT, conversation))
    status = 422 if after.turn.problem else 200
    unused = status == 422 or (isinstance(event, ev.Typed) and event.late)
    typed = post.one("text") if unused else ""
    filled = _filled(after, messages, typed)
    return pages.show(request, "public/chat.html", status=status, **filled)


def _event(before: Standing, post: Posted) -> ev.Event | ev.Begin | None:
    """What was pressed, ticked or typed; None for a button that we did not make."""
    if post.one("press"):
        pressed = buttons.read(post.one("press"))
        event = pressed.event if pressed else None
        return event if isinstance(event, ev.Event | ev.Begin) else None
    if post.one("find"):
        return ev.Find(post.one("question")[:LONGEST])
    if post.one("tick"):
        return ev.Answered(post.one("tick"), values=post.all("answer"))
    asked = post.one("asked")
    late = _shown(before, asked) != post.one("seen")
    return ev.Typed(post.one("text"), asked=asked or None, late=late)


def _shown(standing: Standing, question: str) -> str:
    """The mark of the answer to this question as it is now."""
    return seen(standing.waymark, standing.conversation.answers.get(question))


def _elsewhere(received: Received, event: ev.Event | ev.Begin) -> str | None:
    """Where to go when this conversation is over: it was deleted, or another was begun."""
    if received.turn is None or received.turn.forget:
        return "/deleted"
    if isinstance(event, ev.Begin):
        return places.home(Channel.CHAT, received.turn.conversation.id)
    return None


def _once(before: Standing, after: Standing) -> tuple[say.Message, ...]:
    """What there is to say, less the help that an answer called for: it stands by the answer."""
    if before.rows == after.rows:
        return after.messages
    return tuple(m for m in after.messages if not isinstance(m, say.SafetyNotice))


def _filled(
    standing: Standing, messages: tuple[say.Message, ...], typed: str = ""
) -> dict[str, Any]:
    """Everything the chat shows."""
    asked = standing.turn.asking
    return {
        **standing.frame(),
        "here": places.home(Channel.CHAT, standing.conversation.id),
        "press": buttons,
        "said": [(KINDS[type(m)], m) for m in messages if type(m) in KINDS],
        "ask": asked,
        "longest": LONGEST,
        "published": site.shown(standing.waymark),
        "asked": standing.asked or "",
        "at": standing.asked or KINDS[type(messages[-1])],
        "seen": _shown(standing, standing.asked or ""),
        "typed": typed,
        "sent": standing.sent,
        "code": standing.waymark.keys.resume_code(standing.conversation.id),
        "files": told.added(asked.question, asked.answer) if asked else (),
        **(uploads.asking(asked.question) if asked else {}),
        "days": standing.days,
        "site": standing.waymark.settings.address,
    }
