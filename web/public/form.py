"""The form: one question on each page, and each page an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot import attaching
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.wiring import Waymark
from content.schema import Channel
from web import fields, serving
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.public import places, told, uploads
from web.public.standing import Standing, goes, look
from web.public.turns import Posted, ThisPost, seen, take
from web.public.uploads import Meant
from web.security import Browser, ThisBrowser
from web.templating import Pages

STATED = Depends(open_to_all("A conversation, only in the browser it was begun or taken up in."))
router = APIRouter(prefix="/form/{conversation}/{question}", dependencies=[STATED])


@dataclass(frozen=True)
class Said:
    """What a question's page adds to the question: what was typed, and what came of it."""

    typed: tuple[str, ...] | None = None
    said: str | None = None
    clash: tuple[str, ...] = ()
    """What they answered in another window meanwhile."""


@router.get("")
async def ask(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, question: str, said: str = "",
) -> Response:  # fmt: skip
    """A question of theirs; any other address leads to where they are. Nothing is changed."""
    standing = await look(waymark, browser, conversation, ev.GoTo(question))
    if standing.asked != question:
        return goes(places.home(Channel.FORM, conversation))
    extra = Said(said=standing.says_first(said))
    return pages.show(request, "public/form/question.html", **_filled(standing, extra))


@router.post("")
async def answer(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, question: str, post: ThisPost,
) -> Response:  # fmt: skip
    """Take an answer: on to the next page, or the same one with what is wrong."""
    standing = await look(waymark, browser, conversation, ev.GoTo(question))
    if standing.turn.asking is None or standing.asked != question:
        return goes(places.home(Channel.FORM, conversation), "no-longer-asked")
    asked = standing.turn.asking.question
    if post.one("again"):  # back from asking something, with what they had half written
        extra = Said(post.all("answer"))
        filled = {**_filled(standing, extra), "seen": post.one("seen")}
        return pages.show(request, "public/form/question.html", **filled)
    event = fields.meant(asked, post.all("answer"), post.one("skip"))
    return await _answered(request, pages, browser, standing, Meant(event, post))


@router.get("/files")
async def ask_again(conversation: str, question: str) -> Response:
    """Where a page that was answered there is opened anew."""
    return goes(places.question(conversation, question))


@router.post("/files")
async def add_file(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, question: str,
) -> Response:  # fmt: skip
    """A file for an answer, one taken away, or no more of them. Only the body of somebody whose
    question this is is read at all."""
    standing = await look(waymark, browser, conversation, ev.GoTo(question))
    asked = standing.turn.asking
    if asked is None or not uploads.takes(asked, question):
        return goes(places.home(Channel.FORM, conversation), "no-longer-asked")
    meant = await uploads.meant(waymark, request, browser, asked)
    return await _answered(request, pages, browser, standing, meant)


@router.get("/files/{file}")
async def show_file(
    request: Request, waymark: ThisWaymark, browser: ThisBrowser, conversation: str, file: str
) -> Response:
    """One of their own files, within a page, as long as it was not sent."""
    serving.only_within(request)
    found = await attaching.shown(waymark, browser.sender, conversation, file)
    return serving.within(request, found.content, found.media_type)


async def _answered(
    request: Request, pages: Pages, browser: Browser, standing: Standing, meant: Meant
) -> Response:
    conversation, question = standing.conversation.id, standing.asked or ""
    clash = await _clash(standing, browser, meant.event, meant.post)
    status, extra = 409, Said(meant.post.all("answer"), clash=clash)
    if not extra.clash:
        status, standing = 422, await _taken(standing.waymark, browser, conversation, meant)
        if standing.turn.problem is None:
            row = standing.row(question)
            alarming = row is not None and row.notices
            return goes(places.notice(conversation, question)) if alarming else standing.onward()
    filled = _filled(standing, extra)
    return pages.show(request, "public/form/question.html", status=status, **filled)


@router.get("/notice")
async def notice(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser,
    conversation: str, question: str,
) -> Response:  # fmt: skip
    """The help that an answer calls for: a page of its own, which can be opened again."""
    standing = await look(waymark, browser, conversation)
    row = standing.row(question)
    if row is None or not row.notices:
        return standing.onward()
    return pages.show(request, "public/form/notice.html", called=row.notices, **standing.frame())


async def _taken(waymark: Waymark, browser: Browser, conversation: str, meant: Meant) -> Standing:
    event, key = meant.event, meant.post.one("key")
    if isinstance(event, ev.Unfit):  # there is nothing to keep, only something to say
        return await look(waymark, browser, conversation, event)
    received = await take(waymark, Channel.FORM, browser, conversation, event, key, meant.files)
    if received.repeated:  # show what it led to the first time, problem and all
        return await look(waymark, browser, conversation, event)
    return Standing(waymark, received)


async def _clash(
    standing: Standing, browser: Browser, event: ev.Event, post: Posted
) -> tuple[str, ...]:
    """The answer given in another window since this page was shown, if this would change it."""
    asked = standing.turn.asking
    assert asked is not None
    now = asked.answer
    if now is None or seen(standing.waymark, now) == post.one("seen"):
        return ()
    would = await look(standing.waymark, browser, standing.conversation.id, event)
    if not any(isinstance(m, say.Say) and m.key == "changed" for m in would.messages):
        return ()
    return told.said(standing.script, standing.conversation.language, asked.question, now)


def _filled(standing: Standing, extra: Said) -> dict[str, Any]:
    """Everything a question's page shows."""
    asked = standing.turn.asking
    assert asked is not None
    name = asked.question.id
    typed = extra.typed
    if typed is None:
        typed = fields.before(standing.script, standing.conversation.language, asked)
    return {
        **standing.frame(),
        "ask": asked,
        "problem": standing.turn.problem,
        "typed": typed,
        "seen": seen(standing.waymark, asked.answer),
        "files": told.added(asked.question, asked.answer),
        **uploads.asking(asked.question),
        "back": standing.before(name),
        "here": places.question(standing.conversation.id, name),
        "said": extra.said,
        "clash": extra.clash,
    }
