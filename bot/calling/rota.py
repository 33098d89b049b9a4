"""Who is called next, and when: worked out from the alert, the lists and the calls made. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from bot.working_days import Office
from content.schema import AlertPolicy, Urgency

Rota = Literal["duty", "out-of-hours"]


@dataclass(frozen=True)
class Rung:
    """Those who are called together, and how long they have before the next are. Perhaps nobody of
    them can be reached."""

    whom: tuple[str, ...]
    minutes: int


@dataclass(frozen=True)
class Lists:
    """Whom an authority calls for one urgency."""

    office: Office
    duty: tuple[Rung, ...]
    out_of_hours: tuple[Rung, ...]
    again: int

    @property
    def nobody(self) -> bool:
        return not any(rung.whom for rung in self.duty)


class Raised(Protocol):
    """An alert, as far as calling goes."""

    @property
    def urgency(self) -> str: ...

    @property
    def raised_at(self) -> datetime: ...


class Made(Protocol):
    """A call that was made."""

    @property
    def rota(self) -> str: ...

    @property
    def round(self) -> int: ...

    @property
    def place(self) -> int: ...

    @property
    def state(self) -> str: ...

    @property
    def made_at(self) -> datetime: ...


@dataclass(frozen=True)
class Step:
    """The next who are called, and when; `at` may be over."""

    rota: Rota
    round: int
    place: int
    at: datetime
    whom: tuple[str, ...]


def next_step(alert: Raised, made: Sequence[Made], lists: Lists, now: datetime) -> Step | None:
    """None if nobody can be called at all."""
    night = not lists.office.is_open(now) and alert.urgency == Urgency.URGENT.value
    if night and lists.out_of_hours:
        return _next("out-of-hours", lists.out_of_hours, made, lists, now)
    return _next("duty", lists.duty, made, lists, now)


def _next(
    rota: Rota, rungs: tuple[Rung, ...], made: Sequence[Made], lists: Lists, now: datetime
) -> Step | None:
    first = _from(rungs, 0)
    if first is None:
        return None
    opens = now if rota == "out-of-hours" else lists.office.next_open(now)
    there = [call for call in made if call.rota == rota]
    if not there:
        return Step(rota, 0, first, opens, rungs[first].whom)
    round_, place = newest = max((call.round, call.place) for call in there)
    latest = [call for call in there if (call.round, call.place) == newest]
    called_at = max(call.made_at for call in latest)
    following = _from(rungs, place + 1)
    if following is None:
        due = _later(rota, lists, called_at, lists.again)
        return Step(rota, round_ + 1, first, max(opens, due), rungs[first].whom)
    # Nobody waits for somebody who can't be reached.
    lost = all(call.state == "failed" for call in latest)
    due = called_at if lost else _later(rota, lists, called_at, rungs[place].minutes)
    return Step(rota, round_, following, max(opens, due), rungs[following].whom)


def _from(rungs: tuple[Rung, ...], start: int) -> int | None:
    """The next place at which anybody can be reached."""
    return next((at for at in range(start, len(rungs)) if rungs[at].whom), None)


def _later(rota: Rota, lists: Lists, at: datetime, minutes: int) -> datetime:
    """By the clock in the night, by working time otherwise."""
    if rota == "out-of-hours":
        return at + timedelta(minutes=minutes)
    return lists.office.later(at, minutes)


def promised(alert: Raised, policy: AlertPolicy, office: Office) -> datetime:
    """By when somebody is to have said that they are looking."""
    within = policy.promises[Urgency(alert.urgency)].within  # type: ignore[index]
    if within == "same-day":
        return office.end_of_day(alert.raised_at)
    return office.later(alert.raised_at, within)
