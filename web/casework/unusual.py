"""Unusual openings: what the headteacher is told of until somebody has looked into it.

Worked out from the audit each time, so nothing can be kept apart from it; that somebody looked is a
line of the audit too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from bot.errors import UnknownSubmission
from bot.store import audit, openings, staff
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON
from content.schema import OpeningPolicy
from web.casework.openings import at_night, is_opening, within_an_hour
from web.casework.permissions import Action, Person, check

LOOK_BACK = timedelta(days=31)
_WORDS = {
    "many": "opened {count} different records within an hour",
    "night": "opened {count} {records} in the night",
    "refused": "was refused {count} times",
}


@dataclass(frozen=True)
class Notice:
    """One unusual thing one person did on one day."""

    kind: str
    person: str
    day: date
    """Of a night, the day it began on."""
    count: int
    upto: int
    """The last line it rests on: more of the same makes it unusual anew."""
    name: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.person}:{self.day}"

    @property
    def words(self) -> str:
        records = "record" if self.count == 1 else "records"
        return _WORDS[self.kind].format(count=self.count, records=records)


async def waiting(waymark: Waymark, person: Person) -> list[Notice]:
    """Those nobody has looked into, newest first."""
    check(person, Action.SEE_AUDIT)
    now = waymark.clock()
    async with waymark.database.reading() as db:
        rows = await openings.between(db, now - LOOK_BACK, now + timedelta(minutes=1))
        seen = await openings.acknowledged(db, now - LOOK_BACK)
        names = await staff.names(db)
    found = [
        Notice(**{**vars(notice), "name": names.get(notice.person, "Someone")})
        for notice in notices(waymark.content.policy.openings, rows)
        if notice.upto > seen.get(notice.key, 0)
    ]
    return sorted(found, key=lambda notice: -notice.upto)


async def acknowledge(waymark: Waymark, person: Person, key: str, upto: int) -> None:
    """Somebody looked into it, as it stood on their page. Raises UnknownSubmission if there is no
    such notice."""
    if key not in {notice.key for notice in await waiting(waymark, person)}:
        raise UnknownSubmission(key)
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        what = (openings.ACKNOWLEDGED, "notice", key)
        await audit.record(db, now, person.id, *what, upto=upto)


# --- What is unusual ----------------------------------------------------------------------


def notices(policy: OpeningPolicy, rows: Sequence[Found]) -> Iterator[Notice]:
    """From openings and refusals in the order of time."""
    theirs: dict[str, list[Found]] = defaultdict(list)
    for row in rows:
        if row.actor not in audit.NOT_STAFF:
            theirs[row.actor].append(row)
    for who, lines in theirs.items():
        opened = [row for row in lines if is_opening(row)]
        yield from _many(policy, who, opened)
        yield from _night(policy, who, opened)
        yield from _refused(policy, who, [row for row in lines if not is_opening(row)])


def _many(policy: OpeningPolicy, who: str, opened: Iterable[Found]) -> Iterator[Notice]:
    over = [(r, count) for r, count in within_an_hour(opened) if count > policy.records_in_an_hour]
    for day, found in groupby(over, key=lambda pair: _day(pair[0].at)):
        pairs = list(found)
        most = max(count for _, count in pairs)
        yield Notice("many", who, day, most, max(row.seq for row, _ in pairs))


def _night(policy: OpeningPolicy, who: str, opened: Iterable[Found]) -> Iterator[Notice]:
    until = policy.night.until
    past_midnight = timedelta(hours=until.hour, minutes=until.minute)
    dark = [row for row in opened if at_night(policy, row.at)]
    for day, found in groupby(dark, key=lambda row: _day(row.at, past_midnight)):
        rows = list(found)
        records = len({row.object_id for row in rows})
        yield Notice("night", who, day, records, max(row.seq for row in rows))


def _refused(policy: OpeningPolicy, who: str, refused: Iterable[Found]) -> Iterator[Notice]:
    for day, found in groupby(refused, key=lambda row: _day(row.at)):
        rows = list(found)
        if len(rows) > policy.refusals_in_a_day:
            yield Notice("refused", who, day, len(rows), max(row.seq for row in rows))


def _day(at: datetime, into_the_day: timedelta = timedelta(0)) -> date:
    local = at.astimezone(LONDON).replace(tzinfo=None)
    return (local - into_the_day).date()
