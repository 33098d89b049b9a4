"""The queue, with its tabs and filters in the address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, QueryParams

from content.schema import Level
from web.casework import called, exports, log, people, stages, unusual
from web.casework.find import find
from web.casework.permissions import Action, Person, can
from web.casework.queue import Asked, Queue, kinds, news, queue
from web.casework.reasons import PURPOSES
from web.casework.stages import Status
from web.dependencies import ThisWaymark
from web.staff.desk import ThisDesk
from web.staff.guard import allowed

router = APIRouter()
Fields = QueryParams | FormData


@router.get("")
async def show(
    request: Request,
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.SEE_QUEUE))],
) -> Response:
    asked = read(request.query_params, tuple(kinds(waymark)))
    found = await queue(waymark, person, asked)
    labels = waymark.content.policy.priorities
    statuses = stages.STAGES[asked.stage][1]
    watching = can(person, Action.SEE_AUDIT)
    return desk.show(
        "queue",
        queue=found,
        unusual=await unusual.waiting(waymark, person) if watching else (),
        log=await log.state(waymark, person) if watching else None,
        asked=asked,
        stages=stages.STAGES,
        chips=list(_chips(found, labels)),
        clear=address(Asked(stage=asked.stage)),
        people_choices=[(row.id, row.name) for row in found.people],
        status_choices=[(s, stages.LABELS[s]) for s in stages.in_order(statuses)],
        to=lambda **changes: address(replace(asked, page=1, **changes)),
        to_page=lambda page: address(replace(asked, page=page)),
        here=address(asked),
        as_fields=fields(asked),
        purposes=PURPOSES,
        pages_shown=_pages(found),
        calling=await called.state(waymark, person),
        emergencies=await people.emergencies(waymark, person),
    )


@router.get("/queue/new")
async def new(
    waymark: ThisWaymark,
    person: Annotated[Person, Depends(allowed(Action.SEE_QUEUE, touch=False))],
    since: str = "",
) -> Response:
    """What came since the queue was shown, for the page to ask by itself."""
    now = waymark.clock()
    found = await news(waymark, person, _moment(since) or now)
    return JSONResponse({"changed": found.changed, "alerts": found.alerts})


def _moment(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None


@router.get("/find")
async def look(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Annotated[Person, Depends(allowed(Action.SEE_QUEUE))],
    q: str = "",
) -> Response:
    found = await find(waymark, person, q[:80])
    return desk.show("found", finds=found, q=q[:80])


@router.post("/queue/export")
async def export(
    request: Request,
    waymark: ThisWaymark,
    person: Annotated[Person, Depends(allowed(Action.EXPORT))],
) -> Response:
    form = await request.form()
    asked = read(form, tuple(kinds(waymark)))
    made = await exports.queue(waymark, person, asked)
    kept = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.body, media_type="text/csv; charset=utf-8", headers=kept)


def read(params: Fields, known_kinds: tuple[str, ...]) -> Asked:
    """What is asked for; what makes no sense is left out, so an old link still works."""
    stage, page, owner = (str(params.get(name, "")) for name in ("stage", "page", "owner"))
    return Asked(
        stage=stage if stage in stages.STAGES else "open",
        status=tuple(str(s) for s in params.getlist("status") if s in tuple(Status)),
        priority=tuple(str(p) for p in params.getlist("priority") if p in tuple(Level)),
        kind=tuple(str(k) for k in params.getlist("kind") if k in known_kinds),
        owner=owner[:40],
        unread=params.get("unread") == "yes",
        page=min(int(page), 10_000) if page.isdecimal() and int(page) > 0 else 1,
    )


def address(asked: Asked) -> str:
    """The queue as asked, as a link."""
    pairs = fields(asked)
    pairs += [("page", str(asked.page))] if asked.page > 1 else []
    return f"/staff?{urlencode(pairs)}" if pairs else "/staff"


def fields(asked: Asked) -> list[tuple[str, str]]:
    """What was asked, all pages of it."""
    pairs = [("stage", asked.stage)] if asked.stage != "open" else []
    pairs += [("status", value) for value in asked.status]
    pairs += [("priority", value) for value in asked.priority]
    pairs += [("kind", value) for value in asked.kind]
    pairs += [("owner", asked.owner)] if asked.owner else []
    pairs += [("unread", "yes")] if asked.unread else []
    return pairs


def _pages(found: Queue) -> list[dict[str, Any]]:
    """The first page, the last, and those around this one."""
    at, last = found.asked.page, found.pages
    shown = sorted({1, last, *range(max(1, at - 1), min(last, at + 1) + 1)})
    items: list[dict[str, Any]] = []
    for page in shown:
        if items and page - 1 > items[-1]["number"]:
            items.append({"ellipsis": True, "number": page - 1})
        href = address(replace(found.asked, page=page))
        items.append({"number": page, "href": href, "current": page == at})
    return items


@dataclass(frozen=True)
class Chip:
    """A filter that is on, and the queue without it."""

    words: str
    without: str


def _chips(found: Queue, priorities: Mapping[Level, str]) -> Iterator[Chip]:
    asked = replace(found.asked, page=1)
    for status in asked.status:
        without = replace(asked, status=_less(asked.status, status))
        yield Chip(stages.LABELS[Status(status)], address(without))
    for level in asked.priority:
        without = replace(asked, priority=_less(asked.priority, level))
        yield Chip(priorities[Level(level)], address(without))
    for kind in asked.kind:
        yield Chip(found.kinds[kind], address(replace(asked, kind=_less(asked.kind, kind))))
    if asked.owner:
        people = {"me": "Mine", "nobody": "Nobody's"} | {p.id: p.name for p in found.people}
        yield Chip(people.get(asked.owner, "Someone's"), address(replace(asked, owner="")))
    if asked.unread:
        yield Chip("Unread", address(replace(asked, unread=False)))


def _less(chosen: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(other for other in chosen if other != one)
