"""Who opened what, for the headteacher: each person's week, and one person's openings."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.errors import UnknownSubmission
from bot.store import audit, openings, staff
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON, is_working_day
from content.schema import OpeningPolicy
from web.casework.permissions import Action, Person, check, phrase
from web.casework.reasons import said

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
PAGE = 100


@dataclass(frozen=True)
class Sum:
    """One person's openings in one week."""

    person: str
    name: str
    role: str | None
    records: int
    """Different ones."""
    times: int
    out_of_hours: int
    at_night: int
    most_in_an_hour: int
    """Different ones within any 60 minutes."""
    refused: int


@dataclass(frozen=True)
class Week:
    """A week with everyone who opened something in it, those who opened most first."""

    name: str
    """this or last."""
    monday: date
    people: Sequence[Sum]
    failed_sign_ins: int


@dataclass(frozen=True)
class Opening:
    """One line of a person's list. No words, and nothing that leads to any."""

    at: datetime
    record: Found | None
    """None for what is no longer kept, or was never sent."""
    alert: bool
    refused: str | None
    """What they were not let do."""
    role: str | None
    purpose: str | None
    out_of_hours: bool


@dataclass(frozen=True)
class Openings:
    """A page of them, newest first."""

    person: Found
    sum: Sum
    lines: Sequence[Opening]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


async def weeks(waymark: Waymark, person: Person) -> list[Week]:
    """This week and the last."""
    check(person, Action.SEE_AUDIT)
    async with waymark.database.reading() as db:
        names = await staff.names(db)
        found = []
        for name in ("this", "last"):
            since = monday(waymark.clock(), name)
            rows = await openings.between(db, since, since + WEEK)
            failed = await openings.failed_sign_ins(db, since, since + WEEK)
            found.append(Week(name, since.date(), list(_sums(waymark, rows, names)), failed))
    return found


async def by(waymark: Waymark, person: Person, whose: str, week: str, page: int) -> Openings:
    """What one person opened in a week; that somebody looked is written down. Raises
    UnknownSubmission for someone who was never here."""
    check(person, Action.SEE_AUDIT)
    now = waymark.clock()
    since = monday(now, week)
    async with waymark.database.transaction() as db:
        row = await staff.get(db, whose)
        if row is None:
            raise UnknownSubmission(whose)
        rows = [r for r in await openings.between(db, since, since + WEEK) if r.actor == whose]
        shown = rows[::-1][(page - 1) * PAGE : page * PAGE]
        records = await openings.records(db, {r.object_id for r in shown})
        wanted = await openings.wanted(db, [r.seq for r in shown if not is_opening(r)])
        await audit.record(db, now, person.id, "openings.seen", "staff", whose)
    whole = next(_sums(waymark, rows, {whose: row.name}), _nothing(row))
    lines = [_opening(waymark, r, records.get(r.object_id), wanted.get(r.seq)) for r in shown]
    return Openings(row, whole, lines, len(rows), page)


def monday(now: datetime, week: str) -> datetime:
    """When this week began, or the last, in London."""
    local = now.astimezone(LONDON)
    day = local.date() - timedelta(days=local.weekday() + (7 if week == "last" else 0))
    return datetime.combine(day, time(), LONDON)


# --- Counting -----------------------------------------------------------------------------


def _sums(waymark: Waymark, rows: Sequence[Found], names: dict[str, str]) -> Iterator[Sum]:
    people = Counter(row.actor for row in rows if row.actor not in audit.NOT_STAFF)
    for who, _ in people.most_common():
        theirs = [row for row in rows if row.actor == who]
        opened = [row for row in theirs if is_opening(row)]
        yield Sum(
            person=who,
            name=names.get(who, "Someone who is no longer kept"),
            role=theirs[-1].acting_as,
            records=len({row.object_id for row in opened}),
            times=len(opened),
            out_of_hours=sum(out_of_hours(waymark, row.at) for row in opened),
            at_night=sum(at_night(waymark.content.policy.openings, row.at) for row in opened),
            most_in_an_hour=max((count for _, count in within_an_hour(opened)), default=0),
            refused=len(theirs) - len(opened),
        )


def _nothing(row: Found) -> Sum:
    return Sum(row.id, row.name, row.role, 0, 0, 0, 0, 0, 0)


def is_opening(row: Found) -> bool:
    return row.action in openings.OPENED


def within_an_hour(opened: Iterable[Found]) -> Iterator[tuple[Found, int]]:
    """Each opening, and how many different records were opened in the hour that ends with it."""
    last: deque[Found] = deque()
    counts: Counter[str] = Counter()
    for row in opened:
        last.append(row)
        counts[row.object_id] += 1
        while row.at - last[0].at > HOUR:
            gone = last.popleft().object_id
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
        yield row, len(counts)


def at_night(policy: OpeningPolicy, at: datetime) -> bool:
    return policy.night.hold(at.astimezone(LONDON).time())


def out_of_hours(waymark: Waymark, at: datetime) -> bool:
    local = at.astimezone(LONDON)
    closures: Collection[date] = waymark.authority.closures
    working = is_working_day(local.date(), closures)
    return not (working and waymark.content.policy.openings.office.hold(local.time()))


def _opening(waymark: Waymark, row: Found, record: Found | None, wanted: str | None) -> Opening:
    return Opening(
        at=row.at,
        record=record,
        alert=row.object_type == "alert",
        refused=None if is_opening(row) else phrase(wanted),
        role=row.acting_as,
        purpose=said(row.purpose),
        out_of_hours=out_of_hours(waymark, row.at),
    )
