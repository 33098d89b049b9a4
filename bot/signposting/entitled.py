"""Rows against a person: which fit for certain, which may, and in what order they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.signposting.facts import Doing, Facts, Want, facts
from bot.signposting.status import Statuses, endings
from content.conditions import Known
from content.schema import Eligibility, Entitlement, Flow, Stage

TOPICS = ("rights", "money", "learning", "work", "home", "health", "people")
"""The order of rows that fit equally well."""
_COLLEGE = frozenset({Stage.COLLEGE, Stage.ADULT_LEARNING})  # a row's ages tell the two apart
STAGES_NOW = {
    Doing.SCHOOL: frozenset({Stage.SCHOOL}),
    Doing.COLLEGE: _COLLEGE,
    Doing.APPRENTICESHIP: frozenset({Stage.APPRENTICESHIP, Stage.WORK}),
    Doing.UNIVERSITY: frozenset({Stage.UNIVERSITY}),
    Doing.WORK: frozenset({Stage.WORK}),
    Doing.LOOKING: frozenset({Stage.LOOKING}),
    Doing.SOMETHING_ELSE: frozenset[Stage](),
}
STAGES_NEXT = {
    Want.COLLEGE: _COLLEGE,
    Want.APPRENTICESHIP: frozenset({Stage.APPRENTICESHIP}),
    Want.UNIVERSITY: frozenset({Stage.UNIVERSITY_PLAN}),
    Want.WORK: frozenset({Stage.LOOKING}),
}


@dataclass(frozen=True)
class Signpost:
    """A row that fits: whatever the unknown answers are, or only for some of them."""

    entitlement: Entitlement
    certain: bool


def entitled(
    rows: Iterable[Entitlement], flow: Flow, known: Known, today: date
) -> tuple[Signpost, ...]:
    """What this person gets for certain, then what they may get; what they want next first."""
    person = facts(flow, known)
    fits = ((row, fit(row.who, person, today)) for row in rows if row.published)
    posts = [Signpost(row, certain=truth is True) for row, truth in fits if truth is not False]
    return tuple(sorted(posts, key=lambda post: _rank(post, person)))


def possible_statuses(flow: Flow, known: Known) -> tuple[Statuses, ...]:
    """Every set of legal statuses this person may hold; one only, when their answers settle it."""
    found = {held for _, held in endings(facts(flow, known))}
    return tuple(sorted(found, key=sorted))


def fit(who: Eligibility, person: Facts, today: date) -> bool | None:
    """True, False, or None where it hangs on something unknown."""
    return _all(
        (
            _age_and_care(who, person, today),
            _stage(who, person),
            _circumstances(who, person),
            _council(who, person),
        )
    )


def _age_and_care(who: Eligibility, person: Facts, today: date) -> bool | None:
    """Age and status move together, so both are asked of each story at once."""
    return _same(
        {
            _all((_age(who, age, today), not who.care or not held.isdisjoint(who.care)))
            for age, held in endings(person)
        }
    )


def _age(who: Eligibility, age: int, today: date) -> bool | None:
    if who.age_from is not None and age < who.age_from:
        return False
    if who.age_below is None or age < who.age_below:
        return True
    # Someone just too old today may have been young enough on the last 31 August.
    birthday_since = (today.month, today.day) != (8, 31)
    just_over = who.age_on_31_august and age == who.age_below and birthday_since
    return None if just_over else False


def _stage(who: Eligibility, person: Facts) -> bool | None:
    now = STAGES_NOW[person.doing] if person.doing else frozenset[Stage]()
    then = {stage for want in person.wants or () for stage in STAGES_NEXT.get(want, ())}
    if not who.stages or not (now | then).isdisjoint(who.stages):
        return True
    return None if person.doing is None or person.wants is None else False


def _circumstances(who: Eligibility, person: Facts) -> bool | None:
    if not who.circumstances:
        return True
    if person.circumstances is None:
        return None
    return not person.circumstances.isdisjoint(who.circumstances)


def _council(who: Eligibility, person: Facts) -> bool | None:
    if not who.councils:
        return True
    return None if person.council is None else person.council in who.councils


def _rank(post: Signpost, person: Facts) -> tuple[bool, bool, int]:
    """Sorting is stable: rows that tie keep the order they are written in."""
    row = post.entitlement
    wanted = {stage for want in person.wants or () for stage in STAGES_NEXT.get(want, ())}
    asked_for = row.topic in (person.wants or ()) or not wanted.isdisjoint(row.who.stages)
    return not post.certain, not asked_for, TOPICS.index(row.topic)


def _all(truths: Iterable[bool | None]) -> bool | None:
    seen = set(truths)
    if False in seen:
        return False
    return None if None in seen else True


def _same(truths: set[bool | None]) -> bool | None:
    """What every story agrees on; None when they don't."""
    return next(iter(truths)) if len(truths) == 1 else None
