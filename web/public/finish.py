"""The form's pages beside the questions: check, send, stop, delete."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot.conversation import events as ev
from bot.conversation import messages as say
from content.schema import Channel
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.public import places, told
from web.public.standing import Standing, goes, look
from web.public.turns import ThisPost, take
from web.security import ThisBrowser

STATED = Depends(open_to_all("A conversation, only in the browser it was begun or taken up in."))
router = APIRouter(prefix="/form/{conversation}", dependencies=[STATED])


@router.get("")
async def here(
    waymark: ThisWaymark, browser: ThisBrowser, conversation: str, said: str = ""
) -> Response:
    """Where they are."""
    standing = await look(waymark, browser, conversation)
    return goes(places.form(conversation, standing.messages), said)


@router.get("/check")
async def check(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, said: str = "",
) -> Response:  # fmt: skip
    """Check your answers; before the end, only a look at them."""
    standing = await look(waymark, browser, conversation, ev.Check())
    review = standing.first(say.Review)
    if review is None:
        return standing.onward()
    return pages.show(
        request,
        "public/form/check.html",
        review=review,
        sections=told.sections(standing.rows),
        back=standing.before(None) if review.complete else places.home(Channel.FORM, conversation),
        said=standing.says_first(said),
        **standing.frame(),
    )


@router.post("/check")
async def send(
    waymark: ThisWaymark, browser: ThisBrowser, conversation: str, post: ThisPost
) -> Response:
    """Send what was reviewed."""
    revision = post.one("revision")
    event = ev.Submit(int(revision) if revision.isdecimal() and len(revision) < 10 else -1)
    received = await take(waymark, Channel.FORM, browser, conversation, event, post.one("key"))
    return Standing(waymark, received).onward()


@router.get("/sent")
async def sent(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    standing = await look(waymark, browser, conversation)
    submitted = standing.first(say.Submitted)
    if submitted is None:
        return standing.onward()
    return pages.show(
        request,
        "public/form/sent.html",
        submitted=submitted,
        sent=standing.sent,
        **standing.frame(),
    )


@router.get("/end")
async def end(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    """Pointed somewhere useful; nothing was sent."""
    standing = await look(waymark, browser, conversation)
    ended = standing.first(say.Ended)
    if ended is None:
        return standing.onward()
    return pages.show(
        request,
        "public/form/end.html",
        ended=ended,
        back=standing.before(None),
        **standing.frame(),
    )


@router.post("/stopped")
async def stop(
    waymark: ThisWaymark, browser: ThisBrowser, conversation: str, post: ThisPost
) -> Response:
    await take(waymark, Channel.FORM, browser, conversation, ev.Stop(), post.one("key"))
    return goes(f"{places.home(Channel.FORM, conversation)}/stopped")


@router.get("/stopped")
async def stopped(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    """Not now: the code to carry on with."""
    standing = await look(waymark, browser, conversation)
    if standing.first(say.Submitted):
        return standing.onward()
    return pages.show(
        request,
        "public/form/stopped.html",
        code=waymark.keys.resume_code(conversation),
        days=standing.days,
        **standing.frame(),
    )


@router.get("/delete")
async def ask_delete(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str,
) -> Response:  # fmt: skip
    standing = await look(waymark, browser, conversation, ev.Delete())
    if standing.first(say.ConfirmDelete) is None:
        return standing.onward()
    return pages.show(request, "public/form/delete.html", **standing.frame())


@router.post("/delete")
async def delete(
    waymark: ThisWaymark, browser: ThisBrowser, conversation: str, post: ThisPost
) -> Response:
    sure = ev.Delete(sure=True)
    received = await take(waymark, Channel.FORM, browser, conversation, sure, post.one("key"))
    if received.turn is None or received.turn.forget:
        return goes("/deleted")
    return Standing(waymark, received).onward()
