"""The web application: its parts mounted, its headers, and the one map from trouble to page."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import errors, logs, nightly, rescanning, watch
from bot.backup import nightly as backups
from bot.calling import rounds
from bot.conversation import speech
from bot.limits import TooMuch
from bot.telegram import app as telegram
from bot.wiring import Waymark
from web import demo, doors, gate, public, staff, templating
from web.api import reports
from web.api import telegram as telegram_webhook
from web.casework import oidc, refusals
from web.chores import CHORES
from web.headers import Headers
from web.request_id import RequestId
from web.staff import guard

HERE = Path(__file__).parent
LARGEST_BODY = 256 * 1024
LARGEST_UPLOAD = 64 * 1024 * 1024
"""Read to its end, so that a file that is too big gets an answer; far less of it is ever held."""
log = logging.getLogger("waymark.web")

PAGES: dict[type[Exception], tuple[int, str]] = {
    errors.UnknownFlow: (404, "not-found"),
    errors.UnknownFact: (404, "not-found"),
    errors.UnknownConversation: (404, "not-found"),
    errors.UnknownSubmission: (404, "not-found"),
    errors.UnknownPerson: (404, "not-found"),
    errors.NotAllowed: (403, "not-allowed"),
    errors.ReasonNeeded: (403, "reason-needed"),
    errors.InvalidMove: (409, "clash"),
    errors.EditClash: (409, "clash"),
    errors.Erased: (410, "erased"),
    errors.CannotOpen: (500, "cannot-open"),
}
"""What a named error looks like to the person: status, and words under `pages.error`."""
REFUSALS = {
    400: "unclear",
    401: "signed-out",
    403: "not-allowed",
    404: "not-found",
    405: "not-found",
    408: "late",
    413: "too-big",
    422: "unclear",
}
"""The same for a status alone."""


def create_app(waymark: Waymark, channel: telegram.Telegram | None = None) -> FastAPI:
    """The site on these parts. `channel` is Telegram, where it is set up. By the role of the
    settings, the pages of senders, those of staff, or both."""
    role = waymark.settings.role

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        _every_door_is_stated(app)  # what was added since, too
        logs.configure(waymark.settings.log_level)
        await waymark.database.migrate()
        if role != "public":
            await demo.prepare(waymark)
        try:
            async with (
                telegram.running(waymark, channel),
                watch.running(waymark),
                rescanning.running(waymark),
                nightly.running(waymark, CHORES),
                backups.running(waymark),
                rounds.running(waymark),
            ):
                yield
        finally:
            if council is not None:
                await council.close()
            await waymark.database.close()

    settings = waymark.settings
    signs_in = settings.oidc_issuer and role != "public"
    council = oidc.Provider(settings, waymark.clock) if signs_in else None
    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would send people to whatever the request calls us
    )
    app.state.waymark = waymark
    app.state.telegram = channel
    app.state.council = council
    app.state.pages = templating.Pages(waymark)
    app.state.refused = {}
    app.add_middleware(gate.BodyLimit, most=LARGEST_BODY, uploads=LARGEST_UPLOAD)
    app.add_middleware(gate.Hosts, allowed=gate.hosts(waymark.settings))
    app.add_middleware(_Sorry)
    app.add_middleware(Headers, secure=waymark.settings.secure)
    app.add_middleware(RequestId)
    add_doors(app, role)
    _every_door_is_stated(app)
    for kind in PAGES:
        app.add_exception_handler(kind, _known)
    for refusal in (errors.NotAllowed, errors.UnknownSubmission):
        app.add_exception_handler(refusal, _refused)
    app.add_exception_handler(TooMuch, _slow)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unclear)
    return app


def add_doors(app: FastAPI, role: str = "all") -> None:
    """Every address that people can come in by."""
    app.mount("/static", _Static(directory=HERE / "static"), name="static")
    app.router.routes.extend(_addresses(reports.router))
    if role != "staff":
        app.router.routes.extend(_addresses(public.router))
        app.router.routes.extend(_addresses(telegram_webhook.router))
    if role != "public":
        app.router.routes.extend(_addresses(staff.router))


def _addresses(router: APIRouter) -> list[BaseRoute]:
    """Worked out once for all sites of a process: FastAPI reads every signature to do it."""
    whole = _wholes.setdefault(id(router), APIRouter())
    if not whole.routes:
        whole.include_router(router)  # holds it, so no other will ever have its id
    return whole.routes


_wholes: dict[int, APIRouter] = {}


def _every_door_is_stated(app: FastAPI) -> None:
    if unstated := doors.unstated(app):
        raise RuntimeError(f"addresses without a rule who may use them: {'; '.join(unstated)}")


class _Static(StaticFiles):
    """Files that are the same for everyone, so a browser may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


class _Sorry:
    """A failing machine, and what was not let in, still get a page. It stands inside the headers,
    as the web framework's own place for this does not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            handle = _http if isinstance(error, HTTPException) else _unknown
            await (await handle(Request(scope), error))(scope, receive, send)


async def _known(request: Request, error: Exception) -> Response:
    status, key = PAGES[type(error)]
    if isinstance(error, errors.ReasonNeeded) and request.method == "GET":
        return RedirectResponse(f"/staff/submissions/{error.submission}/reason", 303)
    if status >= 500:
        log.error("failed", extra={"error": type(error).__name__, "what": str(error)})
    typed = await guard.typed(request) if _staff_side(request) else ""
    return _page(request, status, key, error, typed)


async def _refused(request: Request, error: Exception) -> Response:
    """Being refused is written down before it is said."""
    assert isinstance(error, errors.NotAllowed | errors.UnknownSubmission)
    if not error.wanted:
        return await _known(request, error)
    place = request.url.path.split("/")[2:3]
    about = {"submissions": "submission", "alerts": "alert"}.get("".join(place), "page")
    given = request.path_params.get("id_", "")
    await refusals.keep(request.app.state.waymark, error, about, given)
    return await _known(request, error)


async def _slow(request: Request, error: Exception) -> Response:
    """Asked to rest: until when, and everything they sent, to send it again then."""
    assert isinstance(error, TooMuch)
    response = _page(request, 429, "slow", error, wait=error.wait)
    response.headers["Retry-After"] = str(math.ceil(error.wait.total_seconds()))
    return response


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    if error.status_code == 404 and _CLOSED_BY_SLASH.fullmatch(path):
        return RedirectResponse(path.rstrip("/"), 308)
    key = REFUSALS.get(error.status_code, "sorry")
    response = _page(request, error.status_code, key, error)
    response.headers.update(error.headers or {})
    return response


_CLOSED_BY_SLASH = re.compile(r"(/[a-z0-9-]+)+/")
"""An address as people copy it from a letter: the page is the one without the slash."""


async def _unclear(request: Request, error: Exception) -> Response:
    """A field that can't be read. The framework's own answer would say the field back."""
    return _page(request, 422, "unclear", error)


async def _unknown(request: Request, error: Exception) -> Response:
    """A failing machine. The log gets the error's name and where; never its text, which may hold
    somebody's words."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    log.error("failed", extra={"error": type(error).__name__, "where": where})
    return _page(request, 500, "sorry", error)


def _page(
    request: Request,
    status: int,
    key: str,
    error: Exception,
    typed: str = "",
    wait: timedelta = timedelta(0),
) -> Response:
    pages: templating.Pages = request.app.state.pages
    name = "staff/error.html" if _staff_side(request) else "public/error.html"
    posted = getattr(request.state, "posted", None) if key == "slow" else None
    words = request.app.state.waymark.content.wording["en"]
    return pages.show(
        request,
        name,
        status=status,
        key=key,
        error=error,
        typed=typed,
        posted=posted,
        wait=speech.spoken_wait(words, wait),
    )


def _staff_side(request: Request) -> bool:
    return str(request.scope["path"]).startswith("/staff")
