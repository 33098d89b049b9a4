"""Rows against a person: what they should get, may get, or not yet; why; and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache

from bot.signposting.facts import Doing, Facts, Want, facts
from bot.signposting.history import age_on
from bot.signposting.schemes import TESTS
from bot.signposting.status import Statuses, Story, age_of, later, statuses, stories
from content.conditions import Known
from content.schema import CareStatus, Eligibility, Entitlement, Flow, Scheme, Stage, Standing

TOPICS = ("rights", "money", "learning", "work", "home", "health", "people")
"""The order of rows that fit equally well."""
EVERYONE = Eligibility()
MOST_TELLING = (
    CareStatus.ELIGIBLE,
    CareStatus.RELEVANT,
    CareStatus.FORMER_RELEVANT,
    *CareStatus,
)
"""Of several statuses at once, the one that says most."""
YEARS_AHEAD = 3
"""How far to look for what starts at a birthday: at 15, as far as 18."""
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


class Told(StrEnum):
    """How much is said of a row, in the order the groups are shown."""

    SHOULD = "should"
    MAY = "may"
    NOT_YET = "not-yet"


@dataclass(frozen=True)
class Because:
    """A reason; its words are the wording's `why.<key>`, or stand in the row (`words`)."""

    key: str
    gaps: Mapping[str, str] = field(default_factory=dict)
    words: str | None = None

    def said(self, wording: Mapping[str, str]) -> str:
        """The reason in words."""
        return self.words or wording[f"why.{self.key}"].format(**self.gaps)


@dataclass(frozen=True)
class Signpost:
    """A row that fits this person, how sure that is, and why."""

    entitlement: Entitlement
    told: Told
    because: tuple[Because, ...] = ()
    starts: str | None = None
    """Not yet: the day (as an ISO date), the age in years, or the row's own words for when."""

    @property
    def certain(self) -> bool:
        """Whatever the unknown answers turn out to be."""
        return self.told is Told.SHOULD

    @property
    def now(self) -> bool:
        """It can be asked for today."""
        return self.told is not Told.NOT_YET


def entitled(
    rows: Iterable[Entitlement], flow: Flow, known: Known, today: date
) -> tuple[Signpost, ...]:
    """What this person should get, then may get, then not yet; what they want next first."""
    return signposts(rows, facts(flow, known), today)


def signposts(rows: Iterable[Entitlement], person: Facts, today: date) -> tuple[Signpost, ...]:
    """The same, from facts."""
    found = (_signpost(row, person, today) for row in rows if row.confidence.publishable)
    return tuple(sorted((post for post in found if post), key=lambda post: _rank(post, person)))


def possible_statuses(flow: Flow, known: Known, today: date) -> tuple[Statuses, ...]:
    """Every set of legal statuses this person may hold; one only, when their answers settle it."""
    return statuses_of(facts(flow, known), today)


def statuses_of(person: Facts, today: date) -> tuple[Statuses, ...]:
    """The same, from facts."""
    return tuple(sorted({case.held for case in cases(person, today)}, key=sorted))


def _signpost(row: Entitlement, person: Facts, today: date) -> Signpost | None:
    if row.standing is Standing.ENDED:
        return None
    tests = judged(row.who, person, today)
    truth = _all(tests.values())
    if truth is False:
        time_alone = not row.to_come and all(
            t is not False for n, t in tests.items() if n != "care"
        )
        return _begins(row, person, today) if time_alone else None
    if row.to_come:
        why = Because(f"not-yet.{row.standing.value}", {"starts": row.starts or ""})
        return Signpost(row, Told.NOT_YET, (why, *_open(row, tests, person, today)), row.starts)
    if truth is None:
        return Signpost(row, Told.MAY, (*_open(row, tests, person, today), *_unsure(row)))
    if row.unsure:
        return Signpost(row, Told.MAY, _unsure(row))
    return Signpost(row, Told.SHOULD, tuple(_reasons(row, person, today)))


def _begins(row: Entitlement, person: Facts, today: date) -> Signpost | None:
    """A row that only time stands before, and when it starts."""
    for years in range(1, YEARS_AHEAD + 1):
        ahead = later(person, today, years)
        if ahead is None:
            return None
        grown, then = ahead
        tests = judged(row.who, grown, then)
        if _all(tests.values()) is not False:
            starts = then.isoformat() if person.born else str(grown.age)
            why = Because("not-yet.age", {"age": str(grown.age)})
            open_ = _open(row, tests, grown, then)
            return Signpost(row, Told.NOT_YET, (why, *open_, *_unsure(row)), starts)
    return None


# --- One row against one person -----------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """What one story comes to: all that a row asks about time in care."""

    age: int
    held: Statuses
    counts: frozenset[Scheme]
    """The schemes for which they were in care."""
    unclear: frozenset[Scheme]
    """The schemes for which that is not settled."""

    def counts_for(self, scheme: Scheme) -> bool | None:
        """Whether they count as having been in care for this scheme."""
        return None if scheme in self.unclear else scheme in self.counts


@lru_cache(maxsize=256)
def cases(person: Facts, today: date) -> frozenset[Case]:
    """Every way it may be for this person. Never empty."""
    return frozenset(_come_to(story) for story in stories(person, today))


def _come_to(story: Story) -> Case:
    tested = {scheme: test(story) for scheme, test in TESTS.items()}
    return Case(
        story.age,
        statuses(story),
        frozenset(scheme for scheme, truth in tested.items() if truth),
        frozenset(scheme for scheme, truth in tested.items() if truth is None),
    )


def fit(who: Eligibility, person: Facts, today: date) -> bool | None:
    """True, False, or None where it hangs on something unknown."""
    return _all(judged(who, person, today).values())


def judged(who: Eligibility, person: Facts, today: date) -> dict[str, bool | None]:
    """Each thing a row asks of a person -> its truth, None where it hangs on something unknown."""
    return {
        "care": _age_and_care(who, person, today),
        "doing": _stage(who, person),
        "situation": _circumstances(who, person),
        "council": _among(who.councils, person.council),
        "home": _among(who.home_councils, person.home_council),
        "level": _level(who, person),
    }


def _age_and_care(who: Eligibility, person: Facts, today: date) -> bool | None:
    """Age and status move together, so both are asked of each case at once."""
    return _same({_case(who, case, person, today) for case in cases(person, today)})


def _case(who: Eligibility, case: Case, person: Facts, today: date) -> bool | None:
    return _all(
        (
            _age(who, case.age, person.born, today),
            not who.care or not case.held.isdisjoint(who.care),
            who.scheme is None or case.counts_for(who.scheme),
        )
    )


def _age(who: Eligibility, age: int, born: date | None, today: date) -> bool | None:
    if who.age_from is not None and age < who.age_from:
        return False
    if who.age_below is None or age < who.age_below:
        return True
    if not who.age_on_31_august or age > who.age_below:
        return False
    august = date(today.year - ((today.month, today.day) < (8, 31)), 8, 31)
    if born is not None:
        return age_on(born, august) < who.age_below
    # Just too old today, but young enough then if there was a birthday since.
    return None if today != august else False


def _stage(who: Eligibility, person: Facts) -> bool | None:
    if not who.stages:
        return True
    if person.stages is not None:
        return not person.stages.isdisjoint(who.stages)
    now = STAGES_NOW[person.doing] if person.doing else frozenset[Stage]()
    if not (now | _wanted(person)).isdisjoint(who.stages):
        return True
    return None if person.doing is None or person.wants is None else False


def _circumstances(who: Eligibility, person: Facts) -> bool | None:
    """At least one of them holds."""
    held = {person.holds(circumstance) for circumstance in who.circumstances}
    if not held or True in held:
        return True
    return None if None in held else False


def _among(places: tuple[str, ...], place: str | None) -> bool | None:
    if not places:
        return True
    return None if place is None else place in places


def _level(who: Eligibility, person: Facts) -> bool | None:
    if who.level_below is None:
        return True
    return None if person.level is None else person.level < who.level_below


# --- Why ------------------------------------------------------------------------------------


def _reasons(row: Entitlement, person: Facts, today: date) -> Iterator[Because]:
    """What in their answers makes it fit, what weighs most first."""
    who, found = row.who, cases(person, today)
    if who.scheme:
        yield Because(f"scheme.{who.scheme.value}")
    elif who.care:
        held = {case.held & set(who.care) for case in found}
        status = next(s for s in MOST_TELLING if s in frozenset[CareStatus]().union(*held))
        yield Because("care.any" if len(held) > 1 else f"care.{status.value}")
    for circumstance in who.circumstances:
        if person.holds(circumstance):
            yield Because(f"situation.{circumstance}")
    if who.councils or who.home_councils:
        yield Because("council" if who.councils else "home")
    if who.level_below is not None:
        yield Because("level")
    if who.stages:
        yield Because("doing")
    age = age_of(person, today)
    if age is not None and (who.age_from is not None or who.age_below is not None):
        yield Because("age", {"age": str(age)})
    if who == EVERYONE:
        yield Because("everyone")


def _open(
    row: Entitlement, tests: Mapping[str, bool | None], person: Facts, today: date
) -> tuple[Because, ...]:
    """What it hangs on."""
    found: list[Because] = []
    for name, truth in tests.items():
        if truth is not None:
            continue
        if name == "care":
            found.append(Because(f"unknown.{_missing(row.who, person, today)}"))
        elif name == "situation":
            unknown = (c for c in row.who.circumstances if person.holds(c) is None)
            found.extend(Because(f"if.{circumstance}") for circumstance in unknown)
        else:
            found.append(Because(f"unknown.{name}"))
    return tuple(found)


def _missing(who: Eligibility, person: Facts, today: date) -> str:
    """Which fact about age or care would settle it: the one that most hangs on."""
    found = cases(person, today)
    if age_of(person, today) is None:
        return "age"
    if who.scheme and any(who.scheme in case.unclear for case in found):
        return "scheme"
    if len({(case.held, case.counts, case.unclear) for case in found}) == 1:
        return "august"
    told = person.history is not None or None not in (person.care, person.left, person.at_16)
    return "weeks" if person.history is None and told and person.thirteen_weeks is None else "care"


def _unsure(row: Entitlement) -> tuple[Because, ...]:
    return (Because("row", words=row.unsure),) if row.unsure else ()


# --- Order ------------------------------------------------------------------------------------


def _rank(post: Signpost, person: Facts) -> tuple[int, bool, int]:
    """Sorting is stable: rows that tie keep the order they are written in."""
    row = post.entitlement
    asked_for = row.topic in (person.wants or ()) or not _wanted(person).isdisjoint(row.who.stages)
    return list(Told).index(post.told), not asked_for, TOPICS.index(row.topic)


def _wanted(person: Facts) -> frozenset[Stage]:
    return frozenset(s for want in person.wants or () for s in STAGES_NEXT.get(want, ()))


def _all(truths: Iterable[bool | None]) -> bool | None:
    seen = set(truths)
    if False in seen:
        return False
    return None if None in seen else True


def _same(truths: set[bool | None]) -> bool | None:
    """What every case agrees on; None when they don't."""
    return next(iter(truths)) if len(truths) == 1 else None
