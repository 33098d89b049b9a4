"""Whom we called to an alert and what came of it; whether calling works at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calling import rota, rounds
from bot.store import calls, staff
from bot.store.models import Found
from bot.store.submissions import Alerted
from bot.wiring import Waymark
from content.schema import Called, Urgency
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, check

FAULTS = {
    "down": "it can't be reached",
    "slow": "it took too long to answer",
    "busy": "it asked us to try again later",
    "refused": "it refused the address or the letter",
    "sign-in": "it did not take our name and password",
    "gone": "there is no such person or channel any more",
    "not-installed": "the extra `alerts` (Apprise) is not installed",
    "broken": "the letter could not be written",
}


@dataclass(frozen=True)
class Line:
    """One call: to whom, when, by what way, and whether it went out."""

    who: str
    way: str
    at: datetime
    words: str
    went: bool


@dataclass(frozen=True)
class Standing:
    """Where an alert stands: its promise, who looks, who was called, and who is next."""

    promise: str
    by: datetime
    late: bool
    """Nobody looked in time."""
    looks: str | None
    since: datetime | None
    second: bool
    """Waiting for a second person."""
    lines: Sequence[Line]
    next: str
    next_at: datetime | None
    """When the next are called, unless somebody looks before."""
    shut: bool
    """Nobody is called yet because nobody is at work."""
    off: bool
    """There is no way to call anybody."""

    @property
    def reached(self) -> Sequence[Line]:
        return [line for line in self.lines if line.went]


async def standing(
    waymark: Waymark, db: AsyncConnection, alerts: Sequence[Found | Alerted]
) -> Mapping[str, Standing]:
    """Of each of these, by id."""
    if not alerts:
        return {}
    made = await calls.of(db, [alert.id for alert in alerts])
    team, names = await calls.reachable(db), await staff.names(db)
    return {alert.id: _standing(waymark, alert, made[alert.id], team, names) for alert in alerts}


def _standing(
    waymark: Waymark,
    alert: Found | Alerted,
    made: Sequence[Found],
    team: Sequence[Found],
    names: Mapping[str, str],
) -> Standing:
    now, policy, office = waymark.clock(), waymark.content.policy.alerts, rounds.office(waymark)
    by = rota.promised(alert, policy, office)
    lists = rounds.lists(waymark, team, alert.urgency)
    looked = alert.taken_at or alert.seen_at
    step = None if looked else rota.next_step(alert, made, lists, now)
    return Standing(
        promise=policy.promises[Urgency(alert.urgency)].label,  # type: ignore[index]
        by=by,
        late=(looked or now) > by,
        looks=alert.taken_by_name,
        since=alert.taken_at,
        second=alert.seen_at is None and alert.proposed_at is not None,
        lines=[_line(waymark, call, names) for call in made],
        next=_and([_who(whom, names) for whom in step.whom]) if step else "",
        next_at=step.at if step else None,
        shut=bool(step and not made and step.at > now),
        off=not rounds.ways(waymark),
    )


def _line(waymark: Waymark, call: Found, names: Mapping[str, str]) -> Line:
    return Line(
        who=_who(call.whom, names),
        way="Channel" if call.whom.startswith("channel:") else "E-mail",
        at=call.made_at,
        words=_became(call),
        went=call.state == "sent",
    )


def _who(whom: str, names: Mapping[str, str]) -> str:
    kind, _, name = whom.partition(":")
    return {"staff": names.get(name, "Someone"), "channel": f"Channel {name}"}.get(kind, name)


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _became(call: Found) -> str:
    wrong = FAULTS.get(call.fault or "", "")
    if call.state == "sent":
        return "went out"
    if call.state == "failed":
        return f"did not go out: {wrong}"
    if call.state == "dropped":
        return "not needed any more" + (f"; before that, {wrong}" if wrong else "")
    return f"not out yet: {wrong}. We go on trying" if wrong else "on its way"


# --- How we are called --------------------------------------------------------------------


@dataclass(frozen=True)
class WayState:
    """One way of calling, and how it does."""

    label: str
    worked_at: datetime | None
    wrong: str
    wrong_at: datetime | None
    late: bool
    """It should have worked since, and did not."""


@dataclass(frozen=True)
class State:
    """Whether staff can be called, for everyone to see on the queue."""

    ways: Sequence[WayState]
    nobody: bool
    """There is a way, but nobody on the list."""

    @property
    def off(self) -> bool:
        return not self.ways

    @property
    def late(self) -> Sequence[WayState]:
        return [way for way in self.ways if way.late]


async def state(waymark: Waymark, person: Person) -> State:
    check(person, Action.SEE_QUEUE)
    async with waymark.database.reading() as db:
        return await _state(waymark, db)


async def _state(waymark: Waymark, db: AsyncConnection) -> State:
    expected = _expected(waymark)
    found = []
    for way, label in rounds.ways(waymark).items():
        worked, wrong = await calls.worked(db, way), await calls.went_wrong(db, way)
        late = worked is None or worked < expected
        words = FAULTS.get(wrong.fault, wrong.fault) if wrong else ""
        found.append(WayState(label, worked, words, wrong.tried_at if wrong else None, late))
    team = await calls.reachable(db)
    listed = rounds.lists(waymark, team, Urgency.URGENT.value)
    return State(found, nobody=bool(found) and listed.nobody)


def _expected(waymark: Waymark) -> datetime:
    """The newest time at which it was tried out, and must have worked by now."""
    grace = timedelta(minutes=waymark.content.policy.alerts.test.grace)
    at = until = waymark.clock() - grace
    while (tried := rounds.tried_out_at(waymark, at)) is None or tried > until:
        at -= timedelta(days=1)
    return tried


@dataclass(frozen=True)
class Rung:
    """A place on a list, as the page shows it."""

    named: str
    people: Sequence[str]
    minutes: Mapping[str, int]


@dataclass(frozen=True)
class HowWeAreCalled:
    """The page for the headteacher."""

    state: State
    duty: Sequence[Rung]
    out_of_hours: Sequence[Rung]
    waiting: int
    next_test: datetime


async def how(waymark: Waymark, person: Person) -> HowWeAreCalled:
    check(person, Action.SEE_CALLS)
    async with waymark.database.reading() as db:
        team = await calls.reachable(db)
        listed = waymark.authority.alerts
        return HowWeAreCalled(
            state=await _state(waymark, db),
            duty=[_rung(waymark, one, team) for one in listed.duty],
            out_of_hours=[_rung(waymark, one, team) for one in listed.out_of_hours],
            waiting=await calls.waiting(db),
            next_test=_next_test(waymark),
        )


def _rung(waymark: Waymark, called: Called, team: Sequence[Found]) -> Rung:
    policy = waymark.content.policy.alerts.promises
    minutes = {urgency.value: called.minutes or of.next for urgency, of in policy.items()}
    if called.role is None:
        return Rung(called.address or "", (), minutes)
    people = [f"{one.name}, {one.email}" for one in team if one.role == called.role]
    return Rung(waymark.authority.roles[called.role], people, minutes)


def _next_test(waymark: Waymark) -> datetime:
    at = now = waymark.clock()
    while (tried := rounds.tried_out_at(waymark, at)) is None or tried <= now:
        at += timedelta(days=1)
    return tried


async def test_now(waymark: Waymark, person: Person) -> None:
    """It goes the way an alert goes. Raises NotSaid where there is no way, or nobody."""
    check(person, Action.SEE_CALLS)
    async with waymark.database.transaction() as db:
        if not await rounds.try_out(waymark, db, person.id):
            raise NotSaid("", "There is nobody to send a test to")
