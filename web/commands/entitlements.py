"""`waymark entitlements`: facts in, one person a line; what they should or may get, and why."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bot.facts import told
from bot.settings import Settings
from bot.signposting.entitled import Signpost, Told, signposts, statuses_of
from bot.signposting.facts import At16, Care, Doing, Facts, Left, Living, Want
from bot.signposting.history import (
    Basis,
    Episode,
    History,
    Home,
    Made,
    Order,
    Stay,
    age_on,
)
from bot.wiring import decided
from content import loader
from content.loader import Content
from content.schema import CareStatus, Stage

CODES = {
    CareStatus.LOOKED_AFTER: "LAC",
    CareStatus.ELIGIBLE: "EL",
    CareStatus.RELEVANT: "REL",
    CareStatus.FORMER_RELEVANT: "FR",
    CareStatus.QUALIFYING: "QC",
    CareStatus.QUALIFYING_EDUCATION: "QC-edu",
    CareStatus.PREVIOUSLY_LOOKED_AFTER: "PLA",
    CareStatus.KINSHIP: "KIN",
    CareStatus.CARE_EXPERIENCED: "CE",
    CareStatus.ESTRANGED: "EST",
}
"""Short names of the statuses. Never having been in care is none of them."""
STAGES: Mapping[str, tuple[Stage, ...]] = {
    "Y9-11": (Stage.SCHOOL,),
    "FE16": (Stage.COLLEGE,),
    "FE19": (Stage.COLLEGE, Stage.ADULT_LEARNING),
    "APP": (Stage.APPRENTICESHIP,),
    "HEX": (Stage.UNIVERSITY_PLAN,),
    "HE": (Stage.UNIVERSITY,),
    "WORK": (Stage.WORK,),
    "NEET": (Stage.LOOKING,),
}
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 1, 1)
HELP = """What a person is entitled to, from facts; pure rules, nothing kept, nobody asked.

Standard input: one JSON object of facts on each line. Standard output: one JSON object for each,
{"id", "status", "status_may", "flags", "told": [{"id", "title", "because"}], "may": [...],
"not_yet": [{"id", "title", "from", "because"}]}; or {"id", "error"} where a line can't be read.

A fact left out, or null, is not known: it widens the answer ("may"), it never narrows it. An empty
list says that there was none.

id, today, dob or age, episodes [{start, end, legal_basis, short_break}], orders [{kind, made_on,
looked_after_immediately_before, in_force_at_18}], returned_home [{start, end, to}],
detained_or_hospital_at_16, programme_agreed_before_25, care, in_care_at_16, thirteen_weeks, left,
stage, doing, wants, level, flags, living, birthday_soon, responsible_authority, home_authority.

Each with its values: docs/entitlements-facts.md
"""


def show() -> None:
    """Answer each line of standard input as it comes."""
    content, today = loader.read(), datetime.now(UTC).date()
    shown = told(content, None, asyncio.run(decided(Settings())), today).entitlements
    for told_of in answers(sys.stdin.buffer, replace(content, entitlements=shown), today):
        sys.stdout.write(json.dumps(told_of) + "\n")
        sys.stdout.flush()


# --- What a line may hold ------------------------------------------------------------------


class Line(BaseModel):
    """Every key is known, so that a misspelt fact is a fault and not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _iso(value: object) -> object:
    """Only a day written as 2026-11-21: a bare number is no date."""
    if value is not None and not (isinstance(value, str) and len(value) == 10):
        raise ValueError("write a day as 2026-11-21")
    return value


Day = Annotated[date, BeforeValidator(_iso), Field(ge=EARLIEST, le=LATEST)]
Start = Field(validation_alias=AliasChoices("start", "from"))
End = Field(default=None, validation_alias=AliasChoices("end", "to"))
Truth = Annotated[bool, Field(strict=True)]


class EpisodeLine(Line):
    """Days in somebody's care; `end` is the first day after."""

    start: Day = Start
    end: Day | None = End
    legal_basis: Basis | None = None
    placement_kind: str | None = None
    """Taken, and not needed by any rule: what counts is the legal basis."""
    short_break: Truth = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("it ends before it starts")
        return self

    def read(self) -> Episode:
        return Episode(self.start, self.end, self.legal_basis, self.short_break)


class OrderLine(Line):
    """A court order."""

    kind: Order
    made_on: Day | None = None
    looked_after_immediately_before: Truth | None = None
    in_force_at_18: Truth | None = None

    def read(self) -> Made:
        return Made(
            self.kind, self.made_on, self.looked_after_immediately_before, self.in_force_at_18
        )


class HomeLine(Line):
    """A time at home after care."""

    start: Day
    end: Day | None = None
    to: Home | None = None
    planned: Truth | None = None
    """Taken, and not needed by any rule."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("it ends before it starts")
        return self

    def read(self) -> Stay:
        return Stay(self.start, self.end, self.to)


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


StageName = Literal["Y9-11", "FE16", "FE19", "APP", "HEX", "HE", "WORK", "NEET"]
Few = Field(max_length=200)
Flag = Literal[
    "parent",
    "disabled",
    "ehcp",
    "needs-home",
    "universal-credit",
    "no-contact-parents",
    "seeking-asylum",
    "UASC",
    "in-custody",
    "placed-out-of-area",
]
"""The last two change no answer: they are handed back, for a person to look at."""
AS_CIRCUMSTANCE = {"UASC": "seeking-asylum"}


class PersonLine(Line):
    """One person. None is "not known"."""

    id: str | int | None = None
    today: Day | None = None
    dob: Day | None = None
    age: Annotated[int, Field(ge=0, le=120, strict=True)] | None = None
    episodes: Annotated[tuple[EpisodeLine, ...], Few] | None = None
    orders: Annotated[tuple[OrderLine, ...], Field(max_length=10)] | None = None
    returned_home: Annotated[tuple[HomeLine, ...], Few] | None = None
    detained_or_hospital_at_16: Truth | None = None
    programme_agreed_before_25: Truth | None = None
    care: Care | None = None
    in_care_at_16: At16 | None = None
    thirteen_weeks: Truth | None = None
    left: Left | None = None
    stage: Annotated[tuple[StageName, ...], BeforeValidator(_several)] | None = None
    doing: Doing | None = None
    wants: Annotated[frozenset[Want], BeforeValidator(_several)] | None = None
    level: Annotated[int, Field(ge=0, le=8, strict=True)] | None = None
    flags: Annotated[frozenset[Flag], BeforeValidator(_several)] | None = None
    living: Living | None = None
    birthday_soon: Truth | None = None
    responsible_authority: Annotated[str, Field(max_length=100)] | None = None
    home_authority: Annotated[str, Field(max_length=100)] | None = None

    def read(self, today: date, councils: Collection[str]) -> Facts:
        """The facts, as the rules know them."""
        if self.dob and self.dob > today:
            raise ValueError("dob: this is after today")
        if self.dob and self.age is not None and self.age != age_on(self.dob, today):
            raise ValueError("age: this does not go with dob")
        stages = (stage for name in self.stage or () for stage in STAGES[name])
        flags = (AS_CIRCUMSTANCE.get(flag, flag) for flag in self.flags or ())
        return Facts(
            age=self.age,
            born=self.dob,
            care=self.care,
            at_16=At16.AWAY if self.detained_or_hospital_at_16 else self.in_care_at_16,
            thirteen_weeks=self.thirteen_weeks,
            left=self.left,
            history=self._history(),
            agreed_course=self.programme_agreed_before_25,
            doing=self.doing,
            wants=self.wants,
            stages=None if self.stage is None else frozenset(stages),
            circumstances=None if self.flags is None else frozenset(flags),
            living=self.living,
            birthday_soon=self.birthday_soon,
            level=self.level,
            council=_council(self.responsible_authority, councils),
            home_council=_council(self.home_authority, councils),
        )

    def _history(self) -> History | None:
        if self.episodes is None:
            return None
        orders, homes = self.orders, self.returned_home
        return History(
            tuple(line.read() for line in self.episodes),
            None if orders is None else tuple(line.read() for line in orders),
            None if homes is None else tuple(line.read() for line in homes),
            self.detained_or_hospital_at_16,
        )


def _council(name: str | None, known: Collection[str]) -> str | None:
    """A council as the rows know it: "Kirklees Council" is `kirklees`."""
    words = [w for w in (name or "").casefold().split() if w not in ("county", "council")]
    if not words:
        return None
    return words[0] if len(words) == 1 and words[0] in known else "another-council"


# --- Answering -------------------------------------------------------------------------------


def answers(lines: Iterable[bytes], content: Content, today: date) -> Iterator[dict[str, Any]]:
    """One for each line that is not empty."""
    for number, raw in enumerate(lines, 1):
        if raw.strip():
            yield answer(raw, number, content, today)


def answer(raw: bytes, number: int, content: Content, today: date) -> dict[str, Any]:
    """What one line comes to. The line's number stands for an id that it does not have."""
    name: object = number
    try:
        told = json.loads(raw)
        if not isinstance(told, dict):
            raise ValueError("a line is one JSON object of facts")
        given = told.get("id")
        name = given if isinstance(given, str | int) else number
        person = PersonLine.model_validate(told)
        day = person.today or today
        facts = person.read(day, content.authorities)
    except ValidationError as error:
        return {"id": name, "error": _faults(error)}
    except RecursionError:
        return {"id": name, "error": "this is nested too deep"}
    except ValueError as error:  # not UTF-8, not JSON, or a day that can't be
        return {"id": name, "error": str(error)}
    posts = signposts(content.entitlements.values(), facts, day)
    wording = content.wording["en"]
    held = statuses_of(facts, day)
    certain = frozenset.intersection(*held)
    return {
        "id": name,
        "status": _codes(certain),
        "status_may": _codes(frozenset[CareStatus]().union(*held) - certain),
        "flags": sorted(person.flags or ()),
        "told": [_told(post, wording) for post in posts if post.told is Told.SHOULD],
        "may": [_told(post, wording) for post in posts if post.told is Told.MAY],
        "not_yet": [
            {**_told(post, wording), "from": post.starts}
            for post in posts
            if post.told is Told.NOT_YET
        ],
    }


def _told(post: Signpost, wording: Mapping[str, str]) -> dict[str, str]:
    row = post.entitlement
    because = " ".join(reason.said(wording) for reason in post.because)
    return {"id": row.id, "title": row.title, "because": because}


def _codes(held: frozenset[CareStatus]) -> list[str]:
    return [code for status, code in CODES.items() if status in held]


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'line'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )
