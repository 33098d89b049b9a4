"""The pages that only tell: help now, questions people ask, entitlements, privacy; and colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot.errors import UnknownConversation
from bot.wiring import Waymark
from content.schema import Audience, Entitlement, Helpline
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.public import places
from web.public.standing import look
from web.security import Browser, ThisBrowser

STATED = Depends(open_to_all("Pages that only tell."))
router = APIRouter(dependencies=[STATED])
TOPICS = ("rights", "money", "learning", "work", "home", "health", "people")


@router.get("/help-now")
async def help_now(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    """Who to ring. From a conversation, the lines for whoever it speaks to, and the way back."""
    return_to, conversation = places.came_from(request.query_params.get("from", ""))
    own = await _own_notice(waymark, browser, conversation)
    called = [own] if own else _every_notice(waymark)
    helplines = waymark.lines(waymark.clock())
    ours = (helplines.get(line.id) for line in waymark.authority.helplines)
    local = [line for line in ours if line and line.phone]
    named = [name for notice in called for name in waymark.content.notices[notice].helplines]
    return pages.show(
        request,
        "public/help-now.html",
        return_to=return_to,
        called=called,
        notices=waymark.content.notices,
        helplines=helplines,
        local=local,
        shown={name: helplines[name] for name in _once(named, local) if name in helplines},
    )


def _once(named: Iterable[str], local: Iterable[Helpline]) -> list[str]:
    return list(dict.fromkeys((*named, *(line.id for line in local))))


async def _own_notice(waymark: Waymark, browser: Browser, conversation: str | None) -> str | None:
    if conversation is None:
        return None
    try:
        standing = await look(waymark, browser, conversation)
    except UnknownConversation:
        return None
    return standing.script.flow.help_notice


def _every_notice(waymark: Waymark) -> list[str]:
    """One for each audience, children first."""
    found = {flow.audience: flow.help_notice for flow in waymark.content.flows.values()}
    return [found[audience] for audience in Audience if audience in found]


@router.get("/answers")
async def answers(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    answers = waymark.told(waymark.clock()).answers.values()
    return pages.show(request, "public/answers.html", answers=answers)


@router.get("/entitlements")
async def entitlements(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    """Everything published, by topic."""
    rows = shown(waymark).values()
    by_topic = {topic: [row for row in rows if row.topic == topic] for topic in TOPICS}
    return pages.show(request, "public/entitlements.html", by_topic=by_topic)


def shown(waymark: Waymark) -> Mapping[str, Entitlement]:
    """Every entitlement that this page has."""
    authority = waymark.settings.authority
    return {
        row.id: row
        for row in waymark.told(waymark.clock()).entitlements.values()
        if row.published and (not row.who.councils or authority in row.who.councils)
    }


@router.get("/privacy")
async def privacy(request: Request, waymark: ThisWaymark, pages: ThesePages) -> Response:
    kept = waymark.content.policy.retention
    return pages.show(request, "public/privacy.html", kept=kept)


@router.get("/brand.css")
async def brand(waymark: ThisWaymark) -> Response:
    """The council's colours, for the style sheet."""
    authority = waymark.authority
    css = f":root{{--brand:{authority.colour};--accent:{authority.accent}}}"
    cache = {"Cache-Control": "public, max-age=3600"}
    return Response(css, media_type="text/css", headers=cache)
