"""What is asked and told here: every flow to go through, and every fact to be sure of."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from bot.errors import UnknownFlow
from bot.files.cleaning import LARGEST
from bot.wiring import Waymark
from content import walk
from content.schema import Channel
from web.casework import facts, rehearsal
from web.casework.facts import Basis
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person
from web.casework.rehearsal import Rehearsal, Step
from web.dependencies import ThisWaymark
from web.staff.desk import Desk, ThisDesk, onward
from web.staff.guard import allowed

router = APIRouter(prefix="/content")
Reader = Annotated[Person, Depends(allowed(Action.SEE_CONTENT))]
Confirmer = Annotated[Person, Depends(allowed(Action.CONFIRM_FACTS))]
Remover = Annotated[Person, Depends(allowed(Action.TAKE_DOWN_FACTS))]
Several = Annotated[list[str], Form()]
Words = Annotated[str, Form()]
CHANNELS = {Channel.FORM: "Form", Channel.CHAT: "Chat", Channel.TELEGRAM: "Telegram"}
AUDIENCES = {"child": "Children", "young-person": "Young people", "adult": "Adults"}


@router.get("")
async def overview(waymark: ThisWaymark, desk: ThisDesk, person: Reader) -> Response:
    flows = [(flow, walk.lengths(flow)) for flow in waymark.content.flows.values()]
    health = await facts.health(waymark, person)
    return desk.show("content", listed=flows, health=health, channels=CHANNELS, audiences=AUDIENCES)


# --- A flow, as its senders meet it -------------------------------------------------------


@router.get("/flows/{flow}")
async def begin(
    waymark: ThisWaymark, desk: ThisDesk, person: Reader, flow: str, channel: str = ""
) -> Response:
    found = waymark.content.flows.get(flow)
    if found is None:
        raise UnknownFlow(flow)
    first = next(one for one in CHANNELS if one in found.channels)
    return _shown(desk, rehearsal.rehearse(waymark, person, flow, channel or first.value))


@router.post("/flows/{flow}")
async def carry_on(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Reader,
    flow: str,
    channel: str = "",
    said: Several = [],  # noqa: B006  # FastAPI copies it
    answer: Several = [],  # noqa: B006
    press: Words = "",
    words: Words = "",
    skip: Words = "",
    undo: Words = "",
) -> Response:
    """Everything that was said, and one thing more or less."""
    more = Step(press, words, tuple(answer) if channel == Channel.FORM else None, skip)
    if press or words:
        more = Step(press, words)
    carried = said[:-1] if undo else [*said, more.carried()]
    steps = rehearsal.read(carried)
    lost = len(steps) < len(carried)
    return _shown(desk, rehearsal.rehearse(waymark, person, flow, channel, steps), lost=lost)


def _shown(desk: Desk, found: Rehearsal, lost: bool = False) -> Response:
    return desk.show(
        "rehearsal",
        found=found,
        flow=found.script.flow,
        ask=found.ask,
        channels=CHANNELS,
        lost=lost,
        # What the templates of a question ask for:
        conversation=found.turn.conversation,
        files=(),
        accept="",
        megabytes=LARGEST // 1024 // 1024,
    )


# --- Facts --------------------------------------------------------------------------------

LISTS = {
    "to-do": "To look at",
    "taken-down": "Taken down",
    "all": "Everything",
}


@router.get("/facts")
async def every_fact(
    waymark: ThisWaymark, desk: ThisDesk, person: Reader, show: str = ""
) -> Response:
    chosen = show if show in LISTS else "to-do"
    health = await facts.health(waymark, person)
    return desk.show("facts", health=health, lists=LISTS, chosen=chosen)


@router.get("/facts/{kind}/{row}")
async def one_fact(
    waymark: ThisWaymark, desk: ThisDesk, person: Reader, kind: str, row: str
) -> Response:
    return _fact(desk, await facts.one(waymark, person, kind, row))


def _fact(desk: Desk, found: facts.One, status: int = 200, **typed: Any) -> Response:
    return desk.show("fact", status, found=found, kinds=facts.KINDS, **typed)


async def _try(
    waymark: Waymark,
    desk: Desk,
    person: Person,
    where: tuple[str, str],
    act: Awaitable[None],
    done: str,
    **typed: Any,
) -> Response:
    try:
        await act
    except NotSaid as problem:
        found = await facts.one(waymark, person, *where)
        return _fact(desk, found, 422, problem=problem, doing=done, **typed)
    return onward(f"/staff/content/facts/{where[0]}/{where[1]}", done)


@router.post("/facts/{kind}/{row}/confirm")
async def confirm(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Confirmer,
    kind: str,
    row: str,
    seen: Words = "",
    source: Words = "",
    publisher: Words = "",
    address: Words = "",
    review_by: Words = "",
    reason: Words = "",
) -> Response:
    basis = Basis(source, publisher, address, review_by)
    act = facts.confirm(waymark, person, kind, row, seen, basis, reason)
    return await _try(
        waymark, desk, person, (kind, row), act, "confirmed", typed=basis, reason=reason
    )


@router.post("/facts/{kind}/{row}/take-down")
async def take_down(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Remover,
    kind: str,
    row: str,
    seen: Words = "",
    reason: Words = "",
) -> Response:
    act = facts.take_down(waymark, person, kind, row, seen, reason)
    return await _try(waymark, desk, person, (kind, row), act, "taken-down", reason=reason)


@router.post("/facts/{kind}/{row}/restore")
async def restore(
    waymark: ThisWaymark,
    desk: ThisDesk,
    person: Confirmer,
    kind: str,
    row: str,
    seen: Words = "",
    reason: Words = "",
) -> Response:
    act = facts.restore(waymark, person, kind, row, seen, reason)
    return await _try(waymark, desk, person, (kind, row), act, "restored", reason=reason)
