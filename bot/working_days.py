"""Working days in England: when a promise to answer falls due."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

LONDON = ZoneInfo("Europe/London")
CLOSES = time(17)
LAST_HOUR_FOR_TODAY = time(15)
"""What arrives later in the day than this counts as the next working day's."""


@lru_cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date, closures: Collection[date]) -> bool:
    weekend = day.weekday() >= 5
    return not weekend and day not in closures and day not in _bank_holidays(day.year)


def _next_working_day(day: date, closures: Collection[date]) -> date:
    while not is_working_day(day, closures):
        day += timedelta(days=1)
    return day


def in_a_month(received: datetime) -> datetime:
    """The end of the day by which the law wants an answer about somebody's information: the same
    day next month, or its last day; where nobody works then, the next day on which they do."""
    day = received.astimezone(LONDON).date()
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    last = monthrange(year, month)[1]
    due = _next_working_day(date(year, month, min(day.day, last)), ())
    return datetime.combine(due, CLOSES, LONDON)


def reply_by(received: datetime, days: int, closures: Collection[date]) -> datetime:
    """The end of the working day by which a person will have answered.

    Nought days means today, if it came on a working day with time left; a day on which
    nobody works never counts.
    """
    local = received.astimezone(LONDON)
    day = local.date()
    if not is_working_day(day, closures) or local.time() > LAST_HOUR_FOR_TODAY:
        day = _next_working_day(day + timedelta(days=1), closures)
    for _ in range(days):
        day = _next_working_day(day + timedelta(days=1), closures)
    return datetime.combine(day, CLOSES, LONDON)


@dataclass(frozen=True)
class Office:
    """When somebody is at work: minutes of working time are counted here."""

    opens: time
    closes: time
    closures: Collection[date] = ()

    def is_open(self, at: datetime) -> bool:
        return self.next_open(at) == at

    def next_open(self, at: datetime) -> datetime:
        """That moment, if somebody is at work then; or when somebody next is."""
        local = at.astimezone(LONDON)
        day = _next_working_day(local.date(), self.closures)
        if day == local.date() and local.time() < self.closes:
            return max(at, datetime.combine(day, self.opens, LONDON))
        if day == local.date():
            day = _next_working_day(day + timedelta(days=1), self.closures)
        return datetime.combine(day, self.opens, LONDON)

    def later(self, at: datetime, minutes: int) -> datetime:
        """So many minutes of working time after that moment."""
        begins, left = self.next_open(at), timedelta(minutes=minutes)
        while left > (today := self.end_of_day(begins) - begins):
            left -= today
            begins = self.next_open(self.end_of_day(begins))
        return begins + left

    def end_of_day(self, at: datetime) -> datetime:
        """When the office shuts on the day it is next open."""
        day = self.next_open(at).astimezone(LONDON).date()
        return datetime.combine(day, self.closes, LONDON)
