"""What is known of a person's rights; what is not known stays unknown, and widens the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from bot.signposting.history import Basis, History
from content.conditions import Known
from content.schema import Fact, Flow, Skip, Stage


class Care(StrEnum):
    """Whether a council looked after them, as they see it."""

    NOW = "now"
    BEFORE = "before"
    HOUSED = "housed"
    """The council only paid for a room or a flat (s. 17): that is not care in law."""
    RELATIVES = "relatives"
    """Raised by family or friends without coming into care: kinship."""
    NEVER = "never"


class At16(StrEnum):
    """Whether a day in care fell on or after the 16th birthday."""

    YES = "yes"
    NO = "no"
    AWAY = "custody-or-hospital"
    """In custody or hospital on that day: Care Leavers (England) Regulations 2010, reg 3."""


class Left(StrEnum):
    """How care ended."""

    AT_18 = "at-18"
    OWN_PLACE = "own-place"
    HOME = "home"
    """Home to family, for less than six months or until it broke down."""
    HOME_TO_STAY = "home-six-months"
    """Home to a parent, or someone with parental responsibility, for six months or more."""
    ADOPTED = "adopted"
    GUARDIAN = "special-guardian"
    """By special guardianship order made straight from care, in force now or at 18."""
    ORDER = "relatives-by-order"
    """By child arrangements order."""
    OTHERWISE = "another-way"


class Doing(StrEnum):
    """How they spend their weeks."""

    SCHOOL = "school"
    COLLEGE = "college"
    APPRENTICESHIP = "apprenticeship"
    UNIVERSITY = "university"
    WORK = "work"
    LOOKING = "looking"
    SOMETHING_ELSE = "something-else"


class Want(StrEnum):
    """What they would like next, or more of."""

    COLLEGE = "college"
    APPRENTICESHIP = "apprenticeship"
    UNIVERSITY = "university"
    WORK = "work"
    HOME = "home"
    MONEY = "money"
    HEALTH = "health"
    PEOPLE = "people"
    RIGHTS = "rights"


class Living(StrEnum):
    """Whom they live with. A row may name one of these among its circumstances."""

    FOSTER_CARER = "foster-carer"
    CHILDRENS_HOME = "childrens-home"
    PARENTS = "with-parents"
    FAMILY = "with-family-or-friends"
    OWN_PLACE = "own-place"
    ELSEWHERE = "living-elsewhere"


BIRTHDAY_SOON = "birthday-soon"
"""The next birthday is less than three months away."""


@dataclass(frozen=True)
class Facts:
    """What is known of one person. None is "not known", for whatever reason, and widens."""

    age: int | None = None
    born: date | None = None
    """The day of birth, where it was given; it stands above `age`."""
    care: Care | None = None
    at_16: At16 | None = None
    thirteen_weeks: bool | None = None
    """13 weeks in care since the 14th birthday, in one go or added together."""
    left: Left | None = None
    history: History | None = None
    """The record of their care by date, where there is one; it stands above simple answers."""
    agreed_course: bool | None = None
    """At 25 and over: still on a course that was agreed in the pathway plan before 25."""
    doing: Doing | None = None
    wants: frozenset[Want] | None = None
    stages: frozenset[Stage] | None = None
    """What they do or want next, where it was given as stages; it stands above the two before."""
    circumstances: frozenset[str] | None = None
    living: Living | None = None
    birthday_soon: bool | None = None
    level: int | None = None
    """The highest level of which they have a full qualification; 0 is none."""
    council: str | None = None
    """The council that looks after them or last did, wherever they live now."""
    home_council: str | None = None
    """The council of the area where they live."""

    def holds(self, circumstance: str) -> bool | None:
        """Whether this is true of them."""
        if circumstance == BIRTHDAY_SOON:
            return self.birthday_soon
        if circumstance == Care.HOUSED:
            if self.history is not None:
                return any(e.basis is Basis.SECTION_17 for e in self.history.episodes)
            return None if self.care is None else self.care is Care.HOUSED
        if circumstance in set(Living):
            return None if self.living is None else self.living == circumstance
        return None if self.circumstances is None else circumstance in self.circumstances


def facts(flow: Flow, known: Known) -> Facts:
    """Read the answers of the questions that carry a `fact:`."""
    told = _told(flow, known)
    wants = told.get(Fact.WANT_NEXT)
    return Facts(
        age=_number(told.get(Fact.AGE)),
        care=_one(Care, told.get(Fact.IN_CARE_NOW)),
        at_16=_one(At16, told.get(Fact.IN_CARE_AT_16)),
        thirteen_weeks=_yes(told.get(Fact.THIRTEEN_WEEKS)),
        left=_one(Left, told.get(Fact.LEFT_CARE_BY)),
        agreed_course=_yes(told.get(Fact.AGREED_COURSE)),
        doing=_one(Doing, told.get(Fact.DOING_NOW)),
        wants=None if wants is None else frozenset(want for want in Want if want in wants),
        circumstances=told.get(Fact.CIRCUMSTANCES),
        living=_one(Living, told.get(Fact.LIVING_WITH)),
        birthday_soon=_yes(told.get(Fact.BIRTHDAY), BIRTHDAY_SOON, "birthday-later"),
        level=_number(told.get(Fact.LEVEL)),
        council=_any(told.get(Fact.COUNCIL)),
        home_council=_any(told.get(Fact.HOME_COUNCIL)),
    )


def _told(flow: Flow, known: Known) -> dict[Fact, frozenset[str]]:
    """Fact -> what was said; "I don't know" and its like say nothing."""
    silent = {skip.value for skip in Skip}
    return {
        question.fact: said
        for question in flow.questions
        if question.fact is not None and (said := known.get(question.id, frozenset()) - silent)
    }


Kind = TypeVar("Kind", bound=StrEnum)


def _one(kind: type[Kind], said: frozenset[str] | None) -> Kind | None:
    """An answer this code has no rule for counts as unknown: it widens, never narrows."""
    return next((member for member in kind if member.value in (said or ())), None)


def _yes(said: frozenset[str] | None, yes: str = "yes", no: str = "no") -> bool | None:
    return yes in said if said and said <= {yes, no} else None


def _number(said: frozenset[str] | None) -> int | None:
    return next((int(digits) for digits in said or () if digits.isdecimal()), None)


def _any(said: frozenset[str] | None) -> str | None:
    return next(iter(said or ()), None)
