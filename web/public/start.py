"""The way in: the front page, beginning something, and carrying on with it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bot import intake
from bot.begun import Begun, begun
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.tries import tried
from bot.wiring import Waymark
from content.schema import Audience, Channel, Flow
from web.dependencies import ThesePages, ThisWaymark
from web.doors import open_to_all
from web.headers import FORGET
from web.public import places
from web.public.standing import goes
from web.public.turns import LONGEST_KEY, ThisPost, new_key, take
from web.security import Browser, ThisBrowser

STATED = Depends(
    open_to_all("Anybody may begin; to carry on elsewhere takes the code they were given.")
)
router = APIRouter(dependencies=[STATED])
AUDIENCES = frozenset(Audience)
IN_BROWSER = (Channel.FORM, Channel.CHAT)


def in_browser(flow: Flow) -> tuple[Channel, ...]:
    return tuple(channel for channel in IN_BROWSER if channel in flow.channels)


async def _unfinished(waymark: Waymark, browser: Browser) -> tuple[Begun, ...]:
    found = await begun(waymark, browser.sender) if browser.known else ()
    return tuple(one for one in found if in_browser(one.flow))


@router.get("/")
async def front(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser
) -> Response:
    return pages.show(
        request,
        "public/front.html",
        audiences=tuple(who for who in Audience if waymark.content.offered(IN_BROWSER, who)),
        unfinished=await _unfinished(waymark, browser),
    )


@router.get("/for/{audience}")
async def choose(
    request: Request, waymark: ThisWaymark, pages: ThesePages, audience: str
) -> Response:
    """What there is for them, by group."""
    groups = (
        waymark.content.offered(IN_BROWSER, Audience(audience)) if audience in AUDIENCES else {}
    )
    if not groups:
        return pages.show(request, "public/error.html", status=404, key="not-found")
    return pages.show(request, "public/choose.html", audience=audience, groups=groups)


@router.get("/start/{flow}")
async def start(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, flow: str
) -> Response:
    """What this is, and the choice of form or chat."""
    return await _start(request, waymark, pages, browser, flow)


async def _start(
    request: Request, waymark: Waymark, pages: ThesePages, browser: Browser, flow: str,
    *, no_cookie: bool = False,
) -> Response:  # fmt: skip
    found = waymark.content.flows.get(flow)
    if found is None or found.withdrawn or not in_browser(found):
        return pages.show(request, "public/error.html", status=404, key="not-found")
    if found.submission.addition:  # only from what was sent
        return goes("/reply")
    unfinished = await _unfinished(waymark, browser)
    response = pages.show(
        request,
        "public/start.html",
        status=422 if no_cookie else 200,
        flow=found,
        channels=in_browser(found),
        begun=next((one for one in unfinished if one.flow.id == flow), None),
        key=new_key(),
        no_cookie=no_cookie,
    )
    browser.remember(response)
    return response


@router.post("/start/{flow}")
async def begin(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, flow: str,
    post: ThisPost,
) -> Response:  # fmt: skip
    if not browser.known:  # begun without a cookie, it could never be found again
        return await _start(request, waymark, pages, browser, flow, no_cookie=True)
    channel = Channel.CHAT if post.one("mode") == "chat" else Channel.FORM
    event = ev.Begin(flow, fresh=post.one("fresh") == "yes")
    received = await take(waymark, channel, browser, None, event, post.one("key"))
    if received.turn is None or any(isinstance(m, say.OfferResume) for m in received.turn.messages):
        return goes(f"/start/{flow}")
    return goes(places.home(channel, received.turn.conversation.id))


@router.get("/resume")
async def ask_code(request: Request, pages: ThesePages, browser: ThisBrowser) -> Response:
    response = pages.show(request, "public/resume.html", typed="", problem=None)
    browser.remember(response)
    return response


@router.post("/resume")
async def resume(
    request: Request, waymark: ThisWaymark, pages: ThesePages, browser: ThisBrowser, post: ThisPost
) -> Response:
    """Carry on here with what was begun elsewhere."""
    code = post.one("code")[:LONGEST_KEY]
    conversation = await tried(
        waymark,
        "resume-code",
        browser.whose,
        lambda: intake.resume(waymark, browser.sender, code),
    )
    if conversation is None:
        filled = {"typed": code, "problem": "wrong"}
        response: Response = pages.show(request, "public/resume.html", status=422, **filled)
    else:
        response = goes(places.home(Channel.FORM, conversation))
    browser.remember(response)
    return response


@router.get("/deleted")
async def deleted(request: Request, pages: ThesePages) -> Response:
    response = pages.show(request, "public/deleted.html")
    response.headers.update(FORGET)
    return response
