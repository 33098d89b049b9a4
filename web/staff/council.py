"""To the council's own sign-in and back."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from bot.wiring import Waymark
from web.casework import council, handshake, sessions
from web.casework.council import NotLetIn, Refusal
from web.casework.oidc import Provider, ProviderTrouble
from web.dependencies import ItsBrowser, ThesePages, ThisCouncil, ThisWaymark
from web.doors import open_to_all
from web.staff.guard import away_cookie, cookie, drop, keep, safe_next

WHY = "The way in for staff, through the council's own sign-in."
router = APIRouter(prefix="/sign-in", dependencies=[Depends(open_to_all(WHY))])
log = logging.getLogger("waymark.sign-in")
STATUS = {
    Refusal.NOT_FROM_HERE: 400,
    Refusal.DECLINED: 403,
    Refusal.NOT_BELIEVED: 403,
    Refusal.NO_ROLE: 403,
    Refusal.SWITCHED_OFF: 403,
    Refusal.SOMEBODY_ELSE: 403,
    Refusal.NOT_ANEW: 403,
}
AWAY_DAYS = handshake.LASTS.total_seconds() / 86_400


@router.get("/council")
async def leave(
    request: Request, waymark: ThisWaymark, pages: ThesePages, provider: ThisCouncil
) -> Response:
    """Off to the council's sign-in. A link, as a form may not lead to another site."""
    asked = request.query_params
    again = await _whose(request, waymark) if "again" in asked else ""
    try:
        address, carried = await council.leave(
            waymark, _here(provider), safe_next(asked.get("next", "")), asked.get("link", ""), again
        )
    except ProviderTrouble as trouble:
        return _trouble(request, waymark, pages, trouble)
    response = RedirectResponse(address, 303)
    keep(response, waymark, away_cookie(waymark), carried, days=AWAY_DAYS)
    return response


async def _whose(request: Request, waymark: Waymark) -> str:
    """Who is to prove themselves once more: whoever is signed in here."""
    session = await sessions.find(waymark, request.cookies.get(cookie(waymark)))
    return session.person.id if session and session.council else ""


@router.get("/callback")
async def come_back(
    request: Request,
    waymark: ThisWaymark,
    pages: ThesePages,
    provider: ThisCouncil,
    browser: ItsBrowser,
) -> Response:
    """Back from there. What the browser carried is used up, whatever comes of it."""
    carried = request.cookies.get(away_cookie(waymark))
    try:
        arrived = await council.come_back(
            waymark, _here(provider), carried, dict(request.query_params), browser
        )
    except NotLetIn as problem:
        log.warning("not let in", extra={"why": problem.why.value, "detail": problem.detail})
        response: Response = pages.show(
            request, "staff/not-let-in.html", status=STATUS[problem.why], why=problem.why.value
        )
    except ProviderTrouble as trouble:
        response = _trouble(request, waymark, pages, trouble)
    else:
        await sessions.end(waymark, request.cookies.get(cookie(waymark)))
        response = RedirectResponse(arrived.next, 303)
        keep(response, waymark, cookie(waymark), arrived.session)
    drop(response, waymark, away_cookie(waymark))
    return response


def _here(provider: Provider | None) -> Provider:
    if provider is None:
        raise HTTPException(404)
    return provider


def _trouble(
    request: Request, waymark: Waymark, pages: ThesePages, trouble: ProviderTrouble
) -> Response:
    log.error("the council's sign-in failed", extra={"detail": str(trouble)})
    return pages.show(request, "staff/not-let-in.html", status=503, why="trouble")
