"""What a person's answers tell about their rights; what they don't tell stays unknown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from content.conditions import Known
from content.schema import Fact, Flow, Skip


class Care(StrEnum):
    """Whether a council looked after them, as they see it."""

    NOW = "now"
    BEFORE = "before"
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


@dataclass(frozen=True)
class Facts:
    """What is known of one person. None is "not known", for whatever reason, and widens."""

    age: int | None = None
    care: Care | None = None
    at_16: At16 | None = None
    thirteen_weeks: bool | None = None
    """13 weeks in care since the 14th birthday, in one go or added together."""
    left: Left | None = None
    doing: Doing | None = None
    wants: frozenset[Want] | None = None
    circumstances: frozenset[str] | None = None
    council: str | None = None
    """The council that looks after them or last did, wherever they live now."""


def facts(flow: Flow, known: Known) -> Facts:
    """Read the answers of the questions that carry a `fact:`."""
    told = _told(flow, known)
    age, weeks = told.get(Fact.AGE), told.get(Fact.THIRTEEN_WEEKS)
    wants = told.get(Fact.WANT_NEXT)
    council = told.get(Fact.COUNCIL)
    return Facts(
        age=next((int(digits) for digits in age or () if digits.isdigit()), None),
        care=_one(Care, told.get(Fact.IN_CARE_NOW)),
        at_16=_one(At16, told.get(Fact.IN_CARE_AT_16)),
        thirteen_weeks=None if not weeks or not weeks <= {"yes", "no"} else "yes" in weeks,
        left=_one(Left, told.get(Fact.LEFT_CARE_BY)),
        doing=_one(Doing, told.get(Fact.DOING_NOW)),
        wants=None if wants is None else frozenset(want for want in Want if want in wants),
        circumstances=told.get(Fact.CIRCUMSTANCES),
        council=None if council is None else next(iter(council), None),
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
