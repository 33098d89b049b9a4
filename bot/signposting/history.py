"""A record of someone's care by date, and what the law counts in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import product

THIRTEEN_WEEKS = 91
FOUR_WEEKS = 28
DAY = timedelta(days=1)


class Basis(StrEnum):
    """Why a council (or someone else) had them in its care."""

    CARE_ORDER = "care_order"
    INTERIM_CARE_ORDER = "interim_care_order"
    SECTION_20 = "s20"
    REMAND_OR_POLICE = "s21_remand_or_police"
    REMAND = "laspo_remand"
    SECTION_17 = "s17_only"
    PRIVATE_FOSTERING = "private_fostering"
    VOLUNTARY_HOME = "voluntary_home"
    HEALTH_OR_SCHOOL = "nhs_or_school_3m"
    OTHER_NATION = "other_uk_nation"


ORDERED = (Basis.CARE_ORDER, Basis.INTERIM_CARE_ORDER)
LOOKED_AFTER = (*ORDERED, Basis.SECTION_20, Basis.REMAND_OR_POLICE, Basis.REMAND)
"""What makes a child "looked after": Children Act 1989 s. 22, LASPO Act 2012 s. 104."""
QUALIFIES = (Basis.VOLUNTARY_HOME, Basis.HEALTH_OR_SCHOOL, Basis.PRIVATE_FOSTERING)
"""What makes somebody qualifying at 16 or 17 without being looked after: s. 24(2)(b) to (d)."""


class Order(StrEnum):
    """The court order that somebody left care by."""

    ADOPTION = "adoption"
    GUARDIANSHIP = "SGO"
    ARRANGEMENTS = "CAO"


class Home(StrEnum):
    """Whom somebody went home to."""

    PARENT = "parent"
    RESPONSIBLE = "person_with_PR"
    OTHER = "other"


@dataclass(frozen=True)
class Episode:
    """Days in somebody's care. `end` is the first day that no longer counts."""

    start: date
    end: date | None = None
    """None: it goes on."""
    basis: Basis | None = None
    """None: not known."""
    short_break: bool = False
    """One of a planned series of short stays, with a return home after each."""


@dataclass(frozen=True)
class Made:
    """A court order that was made about them. None is "not known"."""

    kind: Order
    made_on: date | None = None
    from_care: bool | None = None
    """Looked after immediately before it was made."""
    at_18: bool | None = None
    """In force at 18."""


@dataclass(frozen=True)
class Stay:
    """A time at home after care. `end` given before 18 means that it did not last."""

    start: date
    end: date | None = None
    to: Home | None = None


@dataclass(frozen=True)
class History:
    """Everything recorded. None is "not known"; an empty list is "there was none"."""

    episodes: tuple[Episode, ...]
    orders: tuple[Made, ...] | None = None
    homes: tuple[Stay, ...] | None = None
    away_at_16: bool | None = None
    """In custody or hospital on the 16th birthday, and looked after right before."""


@dataclass(frozen=True)
class Reading:
    """What one reading of a record comes to, on one day."""

    ever: bool
    """In care at some time."""
    now: bool
    weeks_since_14: bool
    """13 weeks or more since the 14th birthday, in one go or added together."""
    touched_16: bool
    """A day in care on or after the 16th birthday."""
    to_18: bool
    """In care on the day before the 18th birthday."""
    spans_16: bool
    """13 weeks or more in one go, with the 16th birthday in them."""
    settled: bool
    """Home for six months or more before 18, and that lasted."""
    went_home: bool | None
    """Back with a parent after care, for however long."""
    left: Order | None
    from_care: bool
    """The order was made straight from care."""
    at_18: bool
    """It is in force, or was at 18."""
    qualified_otherwise: bool
    """Private fostering, a voluntary home or a long stay in health care at 16 or 17, now over."""
    privately_fostered: bool
    elsewhere: bool
    """Some of it was in Wales, Scotland or Northern Ireland, under other law."""


def birthday(born: date, age: int) -> date:
    """The day somebody reaches an age; for 29 February, 1 March in other years."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def age_on(born: date, today: date) -> int:
    return today.year - born.year - (today < birthday(born, today.year - born.year))


def readings(history: History, born: date, today: date) -> Iterator[Reading]:
    """Every way to read the record: one only, where it leaves nothing open."""
    certain = [e for e in history.episodes if e.basis in LOOKED_AFTER and not _excused(e)]
    open_ = [e for e in history.episodes if e.basis in (None, Basis.OTHER_NATION)]
    for counted in dict.fromkeys((tuple(certain), (*certain, *open_))):
        yield from _reading(history, counted, born, today)


def _excused(episode: Episode) -> bool:
    """Short breaks don't count (Care Planning Regulations 2010 reg 40), unless one is long or a
    care order keeps the child looked after whatever happens."""
    if not episode.short_break or episode.basis in ORDERED:
        return False
    return episode.end is not None and (episode.end - episode.start).days <= FOUR_WEEKS


def _reading(
    history: History, counted: tuple[Episode, ...], born: date, today: date
) -> Iterator[Reading]:
    turned_14, turned_16, turned_18 = (birthday(born, age) for age in (14, 16, 18))
    close = min(today + DAY, turned_18)  # nothing after 18 counts: s. 22, s. 23C
    runs = _runs(counted, close)
    now = today < turned_18 and any(start <= today < end for start, end in runs)
    in_care_at_close = any(end == close for _, end in runs)
    since_14 = sum((end - max(start, turned_14)).days for start, end in runs if end > turned_14)
    ended = max((end for _, end in runs), default=None)
    spans_16 = any(s <= turned_16 < e and (e - s).days >= THIRTEEN_WEEKS for s, e in runs)
    other = [e for e in history.episodes if e.basis in QUALIFIES and (e.end or close) > turned_16]
    bases = {episode.basis for episode in history.episodes}
    left = _left(history, runs, in_care_at_close, today >= turned_18)
    for settled, (order, from_care, at_18) in product(
        _settled(history, in_care_at_close, ended, close), left
    ):
        yield Reading(
            ever=bool(runs),
            now=now,
            weeks_since_14=since_14 >= THIRTEEN_WEEKS,
            touched_16=any(end > turned_16 for _, end in runs),
            to_18=in_care_at_close and close == turned_18,
            spans_16=spans_16,
            settled=settled,
            went_home=settled or _went_home(history, in_care_at_close, ended),
            left=order,
            from_care=from_care,
            at_18=at_18,
            qualified_otherwise=any(_over(e, close, today >= turned_18) for e in other),
            privately_fostered=Basis.PRIVATE_FOSTERING in bases,
            elsewhere=Basis.OTHER_NATION in bases,
        )


def _over(episode: Episode, close: date, adult: bool) -> bool:
    """It began before 18 and is no longer going on."""
    return episode.start < close and (adult or (episode.end is not None and episode.end < close))


def _runs(episodes: Iterable[Episode], close: date) -> list[tuple[date, date]]:
    """Unbroken times in care up to `close`; days that two episodes share count once."""
    runs: list[tuple[date, date]] = []
    for episode in sorted(episodes, key=lambda e: e.start):
        start, end = episode.start, min(episode.end or close, close)
        if end <= start:
            continue
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        else:
            runs.append((start, end))
    return runs


def _settled(history: History, in_care: bool, ended: date | None, close: date) -> tuple[bool, ...]:
    """The six-month rule, as it stood on the day before 18: Care Leavers Regulations reg 3."""
    if in_care or ended is None:
        return (False,)
    if history.homes is None:
        return (True, False) if _six_months_after(ended) <= close else (False,)
    lasting = [
        stay
        for stay in history.homes
        if (stay.end is None or stay.end >= close) and _six_months_after(stay.start) <= close
    ]
    if any(stay.to in (Home.PARENT, Home.RESPONSIBLE) for stay in lasting):
        return (True,)
    return (True, False) if any(stay.to is None for stay in lasting) else (False,)


def _went_home(history: History, in_care: bool, ended: date | None) -> bool | None:
    if in_care or ended is None:
        return False
    if history.homes is None:
        return None
    after = [stay.to for stay in history.homes if stay.end is None or stay.end > ended]
    return True if Home.PARENT in after else None if None in after else False


def _six_months_after(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + 6, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + (day.day - 1) * DAY, first_of_next)


Left = tuple[Order | None, bool, bool]
"""An order, whether it came straight from care, and whether it stands or stood at 18."""
NO_ORDER: Left = (None, False, False)


def _left(
    history: History, runs: list[tuple[date, date]], in_care: bool, adult: bool
) -> tuple[Left, ...]:
    """Every order that may have ended care."""
    if in_care:
        return (NO_ORDER,)
    if history.orders is None:
        every = ((kind, True, at_18) for kind in Order for at_18 in (True, False))
        return (NO_ORDER, *every) if runs else (NO_ORDER,)
    each = [
        [
            (made.kind, from_care, at_18)
            for from_care in _from_care(made, runs)
            for at_18 in _stands(made, adult)
        ]
        for made in history.orders
    ]
    return tuple(dict.fromkeys(max(told, key=_weight, default=NO_ORDER) for told in product(*each)))


def _weight(left: Left) -> tuple[bool, bool, bool]:
    """Of several orders, the one that brings most: special guardianship straight from care."""
    kind, from_care, at_18 = left
    return from_care, kind is Order.GUARDIANSHIP, at_18


def _stands(made: Made, adult: bool) -> tuple[bool, ...]:
    if made.at_18 is not None:
        return (made.at_18,)
    return (True, False) if adult else (True,)


def _from_care(made: Made, runs: list[tuple[date, date]]) -> tuple[bool, ...]:
    if made.from_care is not None:
        return (made.from_care,)
    if not runs:
        return (False,)
    if made.made_on is None:
        return (True, False)
    return (any(start < made.made_on <= end for start, end in runs),)
