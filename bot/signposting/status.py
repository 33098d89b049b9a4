"""Legal care status: the decision table of England's leaving-care law, as far as answers tell.

A person may not know every fact, so the table is run over every *story* that agrees with what
they said; where the stories end in different statuses, each is possible. Sources: Children Act
1989 ss. 22, 23A, 23C, 23CA, 23CZB, 24, 24B and Schedule 2 para 19B; Care Leavers (England)
Regulations 2010 reg 3. The coarse answers can't show: how many weeks are still to come before
18; private fostering, children's homes and long hospital stays at 16 or 17 (s. 24(2)(b)-(d));
short breaks that don't count (the question tells people to leave them out).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import TypeVar

from bot.signposting.facts import At16, Care, Doing, Facts, Left
from content.schema import CareStatus

Statuses = frozenset[CareStatus]
Value = TypeVar("Value")

AGES = range(15, 31)
"""The ages tried when someone's is unknown: no rule and no row tells 30 from anything older."""
ON_A_COURSE = (Doing.COLLEGE, Doing.UNIVERSITY, Doing.APPRENTICESHIP)
BY_ORDER = (Left.ADOPTED, Left.GUARDIAN, Left.ORDER)


@dataclass(frozen=True)
class Story:
    """One full account of a person's care."""

    age: int
    care: Care
    at_16: At16 = At16.NO
    thirteen_weeks: bool = False
    left: Left | None = None
    settled: bool = False
    """Six months or more, before 18, with a parent or someone with parental responsibility."""
    agreed_course: bool = False
    """Still on a course that was agreed in the pathway plan before 25."""


def statuses(story: Story) -> Statuses:
    """The status a story ends in, or several where the law gives several at once."""
    if story.care is Care.NEVER:
        return frozenset({CareStatus.NOT_IN_CARE})
    if story.care is Care.RELATIVES:
        return frozenset({CareStatus.KINSHIP})
    if story.care is Care.NOW:
        return _in_care(story)
    return _leaving_care(story) or _qualifying(story) | _by_order(story) or _only_experience()


def _in_care(story: Story) -> Statuses:
    """Looked after: s. 22. From 16, with 13 weeks since 14, eligible too: Sch 2 para 19B."""
    eligible = story.age >= 16 and story.thirteen_weeks
    extra = {CareStatus.ELIGIBLE} if eligible else set()
    return frozenset({CareStatus.LOOKED_AFTER} | extra)


def _leaving_care(story: Story) -> Statuses:
    """Relevant at 16 and 17 (s. 23A, reg 3), former relevant once 18 (s. 23C).

    Up to 21 it comes by itself; to 25 when they ask (s. 23CZB) or study (s. 23CA); after that
    only to the end of a course agreed in time (s. 23C(7), 23CA).
    """
    weeks = story.thirteen_weeks and story.at_16 is not At16.NO
    if not weeks or story.settled or story.age < 16:
        return frozenset()
    if story.age < 18:
        return frozenset({CareStatus.RELEVANT})
    former = story.age < 25 or story.agreed_course
    return frozenset({CareStatus.FORMER_RELEVANT} if former else ())


def _qualifying(story: Story) -> Statuses:
    """Some care at 16 or 17 (s. 24(2)), or special guardianship from care (s. 24(1A)).

    Up to 21; from then to 25 only help with learning and holiday housing (s. 24B), which is in
    each row's own ages.
    """
    qualifies = story.at_16 is At16.YES or story.left is Left.GUARDIAN
    return frozenset({CareStatus.QUALIFYING} if qualifies and 16 <= story.age < 25 else ())


def _by_order(story: Story) -> Statuses:
    """Left care by adoption, special guardianship or child arrangements order: s. 23ZZA."""
    ordered = story.left in BY_ORDER
    return frozenset({CareStatus.PREVIOUSLY_LOOKED_AFTER} if ordered else ())


def _only_experience() -> Statuses:
    return frozenset({CareStatus.CARE_EXPERIENCED})


# --- Every story that agrees with the answers ----------------------------------------------


@lru_cache(maxsize=256)
def endings(facts: Facts) -> frozenset[tuple[int, Statuses]]:
    """Every age and status this person may have. Never empty: answers that can't all be true
    (a changed age, say) are worth no more than none."""
    found = frozenset((story.age, statuses(story)) for story in stories(facts))
    return found or endings(Facts(age=facts.age))


def stories(facts: Facts) -> Iterator[Story]:
    """Every account that fits what they said."""
    for age, care in product(_either(facts.age, AGES), _either(facts.care, Care)):
        if care in (Care.NEVER, Care.RELATIVES):
            yield Story(age, care)
        elif care is Care.BEFORE:
            yield from _after_care(age, facts)
        elif age >= 18:  # care ends at 18: they mean that they never moved out
            yield from _after_care(age, replace(facts, left=Left.AT_18, at_16=None))
        else:
            at_16 = At16.YES if age >= 16 else At16.NO
            for weeks in _either(facts.thirteen_weeks, (True, False)):
                yield Story(age, care, at_16, weeks)


def _after_care(age: int, facts: Facts) -> Iterator[Story]:
    told = product(
        _either(facts.at_16, At16),
        _either(facts.thirteen_weeks, (True, False)),
        _either(facts.left, Left),
        _agreed_course(age, facts.doing),
    )
    for at_16, weeks, left, course in told:
        if _can_be(age, at_16, left):
            for settled in _settled(left):
                yield Story(age, Care.BEFORE, at_16, weeks, left, settled, course)


def _can_be(age: int, at_16: At16, left: Left) -> bool:
    if left is Left.AT_18:
        return age >= 18 and at_16 is At16.YES
    return age >= 16 or at_16 is At16.NO


def _settled(left: Left) -> tuple[bool, ...]:
    """An order gives parental responsibility; whether six months passed before 18 is not asked."""
    if left in BY_ORDER:
        return (True, False)
    return (left is Left.HOME_TO_STAY,)


def _agreed_course(age: int, doing: Doing | None) -> tuple[bool, ...]:
    may_be = age >= 25 and (doing is None or doing in ON_A_COURSE)
    return (True, False) if may_be else (False,)


def _either(known: Value | None, every: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(every) if known is None else (known,)
