"""Legal care status: the decision table of England's leaving-care law, as far as facts tell.

A person may not know every fact, so the table is run over every *story* that agrees with what
is known; where the stories end in different statuses, each is possible. Sources: Children Act
1989 ss. 22, 23A, 23C, 23CA, 23CZB, 24, 24B and Schedule 2 para 19B; Care Leavers (England)
Regulations 2010 reg 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import TypeVar

from bot.signposting.facts import At16, Care, Doing, Facts, Left, Living
from bot.signposting.history import DAY, Order, Reading, age_on, birthday, readings
from content.schema import CareStatus, Stage

Statuses = frozenset[CareStatus]
Value = TypeVar("Value")

AGES = range(15, 33)
"""The ages tried when someone's is unknown: no rule and no row tells 32 from anything older."""
ON_A_COURSE = (Doing.COLLEGE, Doing.UNIVERSITY, Doing.APPRENTICESHIP)
COURSE_STAGES = frozenset(
    {Stage.COLLEGE, Stage.ADULT_LEARNING, Stage.APPRENTICESHIP, Stage.UNIVERSITY}
)
NO_CONTACT = "no-contact-parents"


@dataclass(frozen=True)
class Story:
    """One full account of a person's care, with nothing left open."""

    age: int
    ever: bool = False
    """In care at some time, however short."""
    now: bool = False
    thirteen_weeks: bool = False
    """13 weeks since the 14th birthday, in one go or added together."""
    touched_16: bool = False
    """A day in care on or after the 16th birthday."""
    away_at_16: bool = False
    """In custody or hospital on the 16th birthday, straight from care."""
    settled: bool = False
    """Six months or more, before 18, with a parent or someone with parental responsibility."""
    went_home: bool | None = False
    """Back with parents after care, for however long; None is not known."""
    to_18: bool = False
    spans_16: bool | None = False
    """13 weeks in one go across the 16th birthday; None where simple answers can't tell."""
    order: Order | None = None
    from_care: bool = False
    guardian_at_18: bool = False
    """Special guardianship straight from care, in force now or at 18: s. 24(1A)."""
    qualified_otherwise: bool = False
    """Private fostering, a voluntary home or health care at 16 or 17: s. 24(2)(b) to (d)."""
    privately_fostered: bool | None = False
    relatives: bool = False
    estranged: bool = False
    agreed_course: bool = False
    """At 25 and over: on a course that was agreed in the pathway plan before."""
    elsewhere: bool = False
    """Some care was under the law of Wales, Scotland or Northern Ireland."""


def statuses(story: Story) -> Statuses:
    """The status a story ends in, or several where the law gives several at once."""
    if story.now:
        return _in_care(story)
    return (
        _leaving_care(story)
        or _qualifying(story) | _by_order(story)
        or frozenset({_without_rights(story)})
    )


def _in_care(story: Story) -> Statuses:
    """Looked after: s. 22. From 16, with 13 weeks since 14, eligible too: Sch 2 para 19B."""
    eligible = story.age >= 16 and story.thirteen_weeks
    extra = {CareStatus.ELIGIBLE} if eligible else set()
    return frozenset({CareStatus.LOOKED_AFTER} | extra)


def left_with_rights(story: Story) -> bool:
    """Relevant after care at 16 or 17 (s. 23A, reg 3), or eligible or relevant at 18."""
    at_16 = story.touched_16 or story.away_at_16
    return story.thirteen_weeks and at_16 and not story.settled and not story.now


def _leaving_care(story: Story) -> Statuses:
    """Relevant at 16 and 17 (s. 23A), former relevant once 18 (s. 23C).

    Up to 21 it comes by itself; to 25 when they ask (s. 23CZB) or study (s. 23CA); after that
    only to the end of a course agreed in time (s. 23C(7), 23CA).
    """
    if not left_with_rights(story) or story.age < 16:
        return frozenset()
    if story.age < 18:
        return frozenset({CareStatus.RELEVANT})
    former = story.age < 25 or story.agreed_course
    return frozenset({CareStatus.FORMER_RELEVANT} if former else ())


def _qualifying(story: Story) -> Statuses:
    """Some care at 16 or 17 (s. 24(2)), or special guardianship from care (s. 24(1A)).

    From 21 to 25 it is only help with learning, and a home in the holidays: s. 24B.
    """
    qualifies = story.touched_16 or story.qualified_otherwise or story.guardian_at_18
    if not qualifies or not 16 <= story.age < 25:
        return frozenset()
    whole = story.age < 21
    return frozenset({CareStatus.QUALIFYING if whole else CareStatus.QUALIFYING_EDUCATION})


def _by_order(story: Story) -> Statuses:
    """Left care by adoption, special guardianship or child arrangements order: s. 23ZZA."""
    ordered = story.order is not None and story.from_care
    return frozenset({CareStatus.PREVIOUSLY_LOOKED_AFTER} if ordered else ())


def _without_rights(story: Story) -> CareStatus:
    if story.ever:
        return CareStatus.CARE_EXPERIENCED
    if story.relatives or story.order is not None:
        return CareStatus.KINSHIP
    return CareStatus.ESTRANGED if story.estranged else CareStatus.NOT_IN_CARE


# --- Every story that agrees with what is known ---------------------------------------------


def stories(facts: Facts, today: date) -> frozenset[Story]:
    """Every account that fits. Never empty: answers that can't all be true (a changed age,
    say) are worth no more than none."""
    found = frozenset(
        replace(story, estranged=estranged, went_home=_with_parents(facts) or story.went_home)
        for story in (_recorded(facts, today) if facts.history else _told(facts, today))
        for estranged in _either(facts.holds(NO_CONTACT), (True, False))
    )
    only_age = Facts(age=facts.age, born=facts.born)
    return found if found or facts == only_age else stories(only_age, today)


def age_of(facts: Facts, today: date) -> int | None:
    return facts.age if facts.born is None else age_on(facts.born, today)


def later(facts: Facts, today: date, years: int) -> tuple[Facts, date] | None:
    """The same person at a birthday to come, if life goes on as it is; None without an age."""
    age = age_of(facts, today)
    if age is None:
        return None
    then = birthday(today, years) if facts.born is None else birthday(facts.born, age + years)
    if facts.history is None:
        facts = _grown(facts, age, age + years)
    return replace(facts, age=age + years), then


def _grown(facts: Facts, age: int, then: int) -> Facts:
    """Simple answers as they would be given at a later age."""
    if facts.care is Care.BEFORE and age < 16:
        facts = replace(facts, at_16=At16.NO)
    if facts.care is Care.NOW and facts.thirteen_weeks is False:
        facts = replace(facts, thirteen_weeks=None)  # the weeks go on counting
    if facts.care is Care.NOW and then >= 18:
        facts = replace(facts, care=Care.BEFORE, left=Left.AT_18, at_16=At16.YES)
    if facts.left is Left.HOME and age < 18:
        facts = replace(facts, left=None)  # six months may pass yet
    return facts


def _told(facts: Facts, today: date) -> Iterator[Story]:
    """From simple answers."""
    ages = _either(age_of(facts, today), AGES)
    for age, care in product(ages, _either(facts.care, Care)):
        if care in (Care.NEVER, Care.RELATIVES, Care.HOUSED):
            yield Story(age, relatives=care is Care.RELATIVES)
        elif care is Care.BEFORE:
            yield from _after_care(age, facts)
        elif age >= 18:  # care ends at 18: they mean that they never moved out
            yield from _after_care(age, replace(facts, left=Left.AT_18, at_16=None))
        else:
            for weeks in _either(facts.thirteen_weeks, (True, False)):
                yield Story(age, True, True, weeks, touched_16=age >= 16, spans_16=None)


def _after_care(age: int, facts: Facts) -> Iterator[Story]:
    told = product(
        _either(facts.at_16, At16),
        _either(facts.thirteen_weeks, (True, False)),
        _either(facts.left, Left),
        _agreed_course(age, facts),
    )
    for at_16, weeks, left, course in told:
        if not _can_be(age, at_16, left):
            continue
        for settled in _settled(left):
            yield Story(
                age,
                ever=True,
                thirteen_weeks=weeks,
                touched_16=at_16 is At16.YES,
                away_at_16=at_16 is At16.AWAY,
                settled=settled,
                went_home=left in (Left.HOME, Left.HOME_TO_STAY),
                to_18=left is Left.AT_18,
                spans_16=None if weeks and at_16 is At16.YES else False,
                order=BY_ORDER.get(left),
                from_care=left in BY_ORDER,
                guardian_at_18=left is Left.GUARDIAN,
                privately_fostered=None,
                agreed_course=course,
            )


BY_ORDER = {
    Left.ADOPTED: Order.ADOPTION,
    Left.GUARDIAN: Order.GUARDIANSHIP,
    Left.ORDER: Order.ARRANGEMENTS,
}


def _can_be(age: int, at_16: At16, left: Left) -> bool:
    if left is Left.AT_18:
        return age >= 18 and at_16 is At16.YES
    return age >= 16 or at_16 is At16.NO


def _settled(left: Left) -> tuple[bool, ...]:
    """An order gives parental responsibility; whether six months passed before 18 is not asked."""
    if left in BY_ORDER:
        return (True, False)
    return (left is Left.HOME_TO_STAY,)


def _recorded(facts: Facts, today: date) -> Iterator[Story]:
    """From a record with dates, on every birthday that fits where only the age is known."""
    assert facts.history is not None
    for born in _births(facts, today):
        age = age_on(born, today)
        for reading in readings(facts.history, born, today):
            if not _agree(reading, facts):
                continue
            for course in _agreed_course(age, facts):
                for relatives in _relatives(reading, facts):
                    for away in _away(reading, facts, age):
                        yield _story(reading, age, course, relatives, away)


def _story(reading: Reading, age: int, course: bool, relatives: bool, away: bool) -> Story:
    guardian = reading.left is Order.GUARDIANSHIP and reading.from_care and reading.at_18
    return Story(
        age,
        ever=reading.ever,
        now=reading.now,
        thirteen_weeks=reading.weeks_since_14,
        touched_16=reading.touched_16,
        away_at_16=away,
        settled=reading.settled,
        went_home=reading.went_home,
        to_18=reading.to_18,
        spans_16=reading.spans_16,
        order=reading.left,
        from_care=reading.from_care,
        guardian_at_18=guardian,
        qualified_otherwise=reading.qualified_otherwise,
        privately_fostered=reading.privately_fostered,
        relatives=relatives,
        agreed_course=course,
        elsewhere=reading.elsewhere,
    )


def _away(reading: Reading, facts: Facts, age: int) -> tuple[bool, ...]:
    """It matters only where no day of care fell on or after 16."""
    if age < 16 or reading.touched_16 or not reading.weeks_since_14 or facts.history is None:
        return (False,)
    return _either(facts.history.away_at_16, (True, False))


def _births(facts: Facts, today: date) -> Iterator[date]:
    if facts.born is not None:
        yield facts.born
        return
    for age in _either(facts.age, AGES):
        latest = birthday(today, -age)
        earliest = birthday(today, -age - 1) + DAY
        days = (earliest + at * DAY for at in range((latest - earliest).days + 1))
        yield from (day for day in days if age_on(day, today) == age)


def _agree(reading: Reading, facts: Facts) -> bool:
    """A record leaves some things open that a simple answer may settle."""
    if facts.left is None or reading.now:
        return True
    if facts.left in BY_ORDER:
        return reading.left is BY_ORDER[facts.left]
    if facts.left is Left.HOME_TO_STAY:
        return reading.settled and reading.left is None
    return not reading.settled and reading.left is None


def _relatives(reading: Reading, facts: Facts) -> tuple[bool, ...]:
    if reading.ever or (facts.history is not None and facts.history.episodes):
        return (False,)
    return _either(None if facts.care is None else facts.care is Care.RELATIVES, (True, False))


def _with_parents(facts: Facts) -> bool:
    return facts.living is Living.PARENTS


def _agreed_course(age: int, facts: Facts) -> tuple[bool, ...]:
    if age < 25:
        return (False,)
    if facts.agreed_course is not None:
        return (facts.agreed_course,)
    if facts.stages is not None:
        may_be = not facts.stages.isdisjoint(COURSE_STAGES)
    else:
        may_be = facts.doing is None or facts.doing in ON_A_COURSE
    return (True, False) if may_be else (False,)


def _either(known: Value | None, every: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(every) if known is None else (known,)
