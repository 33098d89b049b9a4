"""The shape of everything that is asked and said: what a content file may hold."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from content.conditions import Condition

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


def paragraphs(text: object) -> object:
    """Folded YAML leaves one line break where a blank line was written; a paragraph has two."""
    return re.sub(r"\s*\n\s*", "\n\n", text) if isinstance(text, str) else text


Text = Annotated[
    str, BeforeValidator(paragraphs), StringConstraints(strip_whitespace=True, min_length=1)
]


class Strict(BaseModel):
    """Frozen, and an unknown key is a fault rather than a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# --- Where a fact comes from --------------------------------------------------------------


class Confidence(StrEnum):
    """How sure we are of a fact. Only high and medium are ever shown as fact."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNVERIFIED = "unverified"

    @property
    def publishable(self) -> bool:
        return self in (Confidence.HIGH, Confidence.MEDIUM)


class Source(Strict):
    """Where a fact was read."""

    title: Text
    publisher: Text
    address: str | None = None
    dated: str | None = None
    """The source's own date, as people write it ("2 April 2025"); none if it shows none."""


class Sourced(Strict):
    """Anything stated as fact: with its source, the day it was checked and how sure we are."""

    sources: tuple[Source, ...] = Field(min_length=1)
    checked: date
    confidence: Confidence
    review_by: date | None = None
    """The last day on which it counts as checked; without one, policy/facts.yaml says."""


# --- Questions ----------------------------------------------------------------------------


class Channel(StrEnum):
    """How a person talks with us."""

    TELEGRAM = "telegram"
    CHAT = "chat"
    FORM = "form"


class QuestionType(StrEnum):
    """What kind of answer a question takes."""

    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    """Pounds, and pence where they are given."""
    DATE = "date"
    PHONE = "phone"
    EMAIL = "email"
    CARD = "card"
    """Something to read before going on; its one answer is `read`."""
    ENTITLEMENTS = "entitlements"
    """What the person may be entitled to, by their answers; they choose what to save."""
    FILE = "file"
    """Pictures, voice notes or documents; in a browser only, so it can always be skipped."""

    @property
    def counts(self) -> bool:
        """The answer is an amount, with a smallest and a largest."""
        return self in (QuestionType.NUMBER, QuestionType.MONEY)


class FileKind(StrEnum):
    """What can be added to an answer."""

    PICTURE = "picture"
    VOICE = "voice"
    DOCUMENT = "document"


class Skip(StrEnum):
    """The honest non-answers. Each is a value, kept as such."""

    SKIPPED = "skipped"
    DONT_KNOW = "dont-know"
    RATHER_NOT_SAY = "rather-not-say"


class Urgency(StrEnum):
    """How soon a person must look."""

    NONE = "none"
    CONCERN = "concern"
    URGENT = "urgent"


class Disclosure(Strict):
    """Choosing this option tells us someone may be unsafe."""

    urgency: Literal[Urgency.CONCERN, Urgency.URGENT]
    category: Id
    notice: Id
    """Which safety notice answers it at once (content/safeguarding/notices.yaml)."""


class Option(Strict):
    """One choice of a question."""

    value: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
    label: Text
    face: str | None = None
    """An emoji shown before the label; never without words."""
    help: Text | None = None
    synonyms: tuple[str, ...] = ()
    """Other words people type for this choice; matched whole, whatever the case."""
    alone: bool = False
    """Among several choices: this one can't be chosen with others ("none of these")."""
    ends: Id | None = None
    """The ending this choice leads to at once."""
    disclosure: Disclosure | None = None
    when: Condition | None = None
    """Offered only when this holds."""


class Fact(StrEnum):
    """What an answer tells about a young person's rights (bot/signposting)."""

    AGE = "age"
    COUNCIL = "council"
    IN_CARE_NOW = "in-care-now"
    IN_CARE_AT_16 = "in-care-at-16"
    THIRTEEN_WEEKS = "thirteen-weeks"
    LEFT_CARE_BY = "left-care-by"
    DOING_NOW = "doing-now"
    WANT_NEXT = "want-next"
    CIRCUMSTANCES = "circumstances"
    HOME_COUNCIL = "home-council"
    LIVING_WITH = "living-with"
    LEVEL = "level"
    BIRTHDAY = "birthday"
    AGREED_COURSE = "agreed-course"


class Question(Strict):
    """One thing asked."""

    id: Id
    type: QuestionType
    text: Text
    section: Text | None = None
    """The heading it stands under when answers are checked; from here on until another."""
    help: Text | None = None
    example: Text | None = None
    another_way: Text | None = None
    """The same question in other words, for whoever asks for it another way."""
    why: Text | None = None
    """Why it is asked and what staff do with it. Shown to staff."""
    options: tuple[Option, ...] = ()
    style: Literal["plain", "faces", "scale"] = "plain"
    skips: tuple[Skip, ...] | None = None
    """Which non-answers are offered; the flow's own list when not given."""
    when: Condition | None = None
    min: int | None = None
    """Smallest number or sum, or fewest choices."""
    max: int | None = None
    """Largest number or sum, most choices, most characters, or most files."""
    halves: bool = False
    """A number that may end in a half: days of suspension, hours of a week."""
    long: bool = False
    """A text answer that wants room."""
    time: Literal["past", "future", "any"] = "any"
    """Which way a date without a year points, and which way it must lie."""
    fact: Fact | None = None
    accepts: tuple[FileKind, ...] = ()
    """Which files may be added."""
    upon_harm: bool = False
    """Asked only of somebody whose words tell that someone may be unsafe, and then at once."""
    edition: int = 1
    """Raised when new words make it another question: whoever answered it is asked again."""

    @cached_property
    def meaning(self) -> str:
        """Changes when an answer given before may not answer it any more: with its type, its
        choices, what may be given and where each leads; not with its words, nor their order."""
        kept = {"type", "when", "min", "max", "time", "fact", "accepts", "upon_harm", "edition"}
        choices = {
            option.value: option.model_dump(mode="json", include={"when", "ends", "disclosure"})
            for option in self.options
        }
        whole = self.model_dump(mode="json", include=kept) | {"options": choices}
        text = json.dumps(whole, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _files_have_kinds_and_a_bound(self) -> Self:
        asks_for_files = self.type is QuestionType.FILE
        if asks_for_files and not (self.accepts and 1 <= (self.max or 0) <= 5):
            raise ValueError("a file question needs `accepts`, and a `max` from 1 to 5")
        if self.accepts and not asks_for_files:
            raise ValueError("only a file question has `accepts`")
        if asks_for_files and self.skips == ():
            raise ValueError("a file question can always be skipped: some channels carry no files")
        return self

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        chooses = self.type in (QuestionType.CHOICE, QuestionType.CHOICES)
        if chooses and len(self.options) < 2:
            raise ValueError(f"a {self.type} question needs two options or more")
        if not chooses and self.options:
            raise ValueError(f"a {self.type} question has no options")
        if self.type.counts and (self.min is None or self.max is None):
            raise ValueError(f"a {self.type} question needs min and max")
        if self.halves and (self.type is not QuestionType.NUMBER or self.style != "plain"):
            raise ValueError("only a number that is typed can have halves")
        values = [option.value for option in self.options]
        if twice := sorted({v for v in values if values.count(v) > 1}):
            raise ValueError(f"option given twice: {', '.join(twice)}")
        if reserved := sorted(set(values) & {skip.value for skip in Skip}):
            raise ValueError(f"{', '.join(reserved)} is a skip: list it in `skips`")
        if self.style == "faces" and not all(option.face for option in self.options):
            raise ValueError("every option of a faces question needs a face")
        return self

    @cached_property
    def by_value(self) -> Mapping[str, Option]:
        return {option.value: option for option in self.options}

    @cached_property
    def always_offered(self) -> bool:
        """No option of it hangs on an earlier answer."""
        return all(option.when is None for option in self.options)


class Repeat(Strict):
    """A few questions asked again for each thing there is to tell ("what has been tried")."""

    repeat: Id
    times: Annotated[int, Field(ge=2, le=6)]
    when: Condition | None = None
    questions: tuple[Question, ...] = Field(min_length=1)
    again: Question
    """Asked after each round but the last; `yes` starts another."""

    @model_validator(mode="after")
    def _again_is_yes_or_no(self) -> Self:
        if self.again.type is not QuestionType.CHOICE or "yes" not in self.again.by_value:
            raise ValueError("`again` must be a choice with the option `yes`")
        return self

    def rounds(self) -> Iterator[Question]:
        """Every question of every round, flat: the first round as written, then `-2`, `-3` ..."""
        own = {question.id for question in (*self.questions, self.again)}
        for number in range(1, self.times + 1):
            suffix = "" if number == 1 else f"-{number}"
            start = self.when
            if number > 1:
                before = "" if number == 2 else f"-{number - 1}"
                start = Condition.model_validate(
                    {"question": self.again.id + before, "is": ["yes"]}
                )
            asked = (*self.questions, self.again) if number < self.times else self.questions
            for question in asked:
                inner = question.when and _renamed(question.when, own, suffix)
                both = tuple(part for part in (start, inner) if part is not None)
                when = (
                    None
                    if not both
                    else both[0]
                    if len(both) == 1
                    else Condition.model_validate({"all": both})
                )
                yield question.model_copy(update={"id": question.id + suffix, "when": when})


def _renamed(condition: Condition, own: set[str], suffix: str) -> Condition:
    def each(parts: tuple[Condition, ...] | None) -> tuple[Condition, ...] | None:
        return parts and tuple(_renamed(part, own, suffix) for part in parts)

    mine = condition.question in own
    return condition.model_copy(
        update={
            "question": f"{condition.question}{suffix}" if mine else condition.question,
            "all_": each(condition.all_),
            "any_": each(condition.any_),
            "not_": condition.not_ and _renamed(condition.not_, own, suffix),
        }
    )


# --- Flows --------------------------------------------------------------------------------


def _step_kind(step: object) -> str:
    repeats = "repeat" in step if isinstance(step, dict) else isinstance(step, Repeat)
    return "repeat" if repeats else "question"


Step = Annotated[
    Annotated[Repeat, Tag("repeat")] | Annotated[Question, Tag("question")],
    Discriminator(_step_kind),
]


class Ending(Strict):
    """Where a flow stops: something is sent, or the person is pointed somewhere useful."""

    id: Id
    kind: Literal["submission", "signpost"]
    when: Condition | None = None
    """For the ending after the last question: the first whose condition holds is taken."""
    title: Text
    text: Text
    next: tuple[Text, ...] = ()
    """What happens next, in order. {reply_by} stands for the day a person will have answered."""
    helplines: tuple[Id, ...] = ()


class SubmissionShape(Strict):
    """What a flow's submission is called and which answers its queue row needs."""

    kind: Id
    """One of content/policy/kinds.yaml."""
    title: Text
    """What staff call one of these: "Concern about a child's education"."""
    sender: Id | Literal["young-person"]
    """The question whose answer says who is writing, or `young-person`."""
    child: Id | None = None
    """The question whose answer names the child, for the page (never for lists)."""
    topic: Id | None = None
    """The question whose answer says what it is about."""
    contact: tuple[Id, ...] = ()
    """The questions that say how to answer them, and what is safe."""
    addition: bool = False
    """It is added to something sent before: begun from there, never by itself."""


class Audience(StrEnum):
    """Who a flow speaks to: it decides tone, age checks and which helplines fit."""

    CHILD = "child"
    YOUNG_PERSON = "young-person"
    ADULT = "adult"


class Level(StrEnum):
    """Submission priority: how soon a person must act on what was sent."""

    URGENT = "urgent"
    HIGH = "high"
    STANDARD = "standard"
    LOW = "low"


class PriorityRule(Strict):
    """When this holds of a submission, or without a condition, it is at least this urgent."""

    when: Condition | None = None
    level: Level
    reason: Text
    """The chip staff see: short."""


class Flow(Strict):
    """One guided conversation."""

    id: Id
    title: Text
    summary: Text
    """One sentence on the page where a person chooses what to do."""
    audience: Audience
    also_for: tuple[Audience, ...] = ()
    """Who else is offered it, as it suits them too."""
    for_whom: Text
    minutes: Annotated[int, Field(ge=1, le=30)]
    channels: tuple[Channel, ...] = Field(min_length=1)
    intro: Text
    """What to know before starting: who reads it, when, and that it is not for emergencies."""
    skips: tuple[Skip, ...] = ()
    help_notice: Id
    """The safety notice behind "I need help now"."""
    submission: SubmissionShape
    steps: tuple[Step, ...] = Field(min_length=1, alias="questions")
    endings: tuple[Ending, ...] = Field(min_length=1)
    retired: tuple[Id, ...] = ()
    """Questions asked once and no more: an id never means something else."""
    withdrawn: bool = False
    """Can't be begun any more. Whoever is in the middle of it may send what they have."""
    priority: tuple[PriorityRule, ...] = Field(min_length=1)
    """A submission takes the highest level of the rules that hold."""

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Every question in the order it can be asked, repeats written out."""
        flat: list[Question] = []
        for step in self.steps:
            flat.extend(step.rounds() if isinstance(step, Repeat) else (step,))
        return tuple(flat)

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        return {question.id: question for question in self.questions}

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Where each question stands in the order."""
        return {question.id: at for at, question in enumerate(self.questions)}

    @cached_property
    def ending_by_id(self) -> Mapping[str, Ending]:
        return {ending.id: ending for ending in self.endings}

    def skips_of(self, question: Question) -> tuple[Skip, ...]:
        """The non-answers this question offers."""
        return self.skips if question.skips is None else question.skips


# --- Directory ----------------------------------------------------------------------------


class CareStatus(StrEnum):
    """Legal care-leaver categories of England (Children Act 1989), and wider ones beside them."""

    LOOKED_AFTER = "looked-after"
    ELIGIBLE = "eligible"
    RELEVANT = "relevant"
    FORMER_RELEVANT = "former-relevant"
    QUALIFYING = "qualifying"
    QUALIFYING_EDUCATION = "qualifying-education"
    """Qualifying at 21 to 24: only help with learning and a home in the holidays (s. 24B)."""
    PREVIOUSLY_LOOKED_AFTER = "previously-looked-after"
    KINSHIP = "kinship"
    CARE_EXPERIENCED = "care-experienced"
    ESTRANGED = "estranged"
    NOT_IN_CARE = "not-in-care"


class Stage(StrEnum):
    """What a young person is doing or wants to do next."""

    SCHOOL = "school"
    COLLEGE = "college"
    ADULT_LEARNING = "adult-learning"
    APPRENTICESHIP = "apprenticeship"
    UNIVERSITY_PLAN = "university-plan"
    UNIVERSITY = "university"
    WORK = "work"
    LOOKING = "looking"


class Standing(StrEnum):
    """Whether a right can be used today."""

    IN_FORCE = "in-force"
    ENACTED = "enacted"
    """In an Act, not started yet."""
    ANNOUNCED = "announced"
    ENDED = "ended"


class Scheme(StrEnum):
    """A scheme with a test of its own for who was in care. No two of them are the same, so none
    is ever used for another (bot/signposting/schemes.py)."""

    LEAVING_CARE = "leaving-care"
    STUDENT_FINANCE = "student-finance"
    COLLEGE_BURSARY = "college-bursary"
    APPRENTICESHIP_BURSARY = "apprenticeship-bursary"
    UCAS_QUESTION = "ucas-question"
    HUDDERSFIELD = "huddersfield"
    KEELE = "keele"
    CAPSTONE = "capstone"
    SPARK = "spark"
    BUTTLE = "buttle"
    UNITE = "unite"
    ONE_BEDROOM = "one-bedroom"
    HOUSING_PRIORITY = "housing-priority"
    NHS_SOCIAL_WORK = "nhs-social-work"


class Eligibility(Strict):
    """Who a row is for. An empty list asks nothing; `age_below` is exclusive."""

    age_from: int | None = None
    age_below: int | None = None
    age_on_31_august: bool = False
    """The upper age is counted on the 31 August before the course year."""
    care: tuple[CareStatus, ...] = ()
    scheme: Scheme | None = None
    """Its own test of who was in care, where that is not a legal status."""
    stages: tuple[Stage, ...] = ()
    circumstances: tuple[Id, ...] = ()
    """Needs at least one of these."""
    councils: tuple[Id, ...] = ()
    """Only where one of these councils looked after the person."""
    home_councils: tuple[Id, ...] = ()
    """Only where the person lives in the area of one of these."""
    level_below: int | None = None
    """Only without a full qualification of this level yet."""


class Entitlement(Sourced):
    """Something a young person may be owed, offered or able to apply for."""

    id: Id
    rows: tuple[Annotated[str, StringConstraints(pattern=r"^2[A-G]\.[1-9][0-9]?$")], ...] = ()
    """Which rows of the reference table it comes from: section and place in it (2A.1)."""
    title: Text
    what: Text
    amount: Text | None = None
    """The sum as it may be stated, with "up to" where that is the truth."""
    year: Text | None = None
    """The year the amount belongs to; needed wherever there is an amount."""
    who: Eligibility
    condition: Text | None = None
    """What else must be true, in plain words."""
    unsure: Text | None = None
    """Why even someone who fits may not get it ("There are few places"): it is then a "may"."""
    starts: Text | None = None
    """When it can be used, if that is not today; "no day is set yet" is an answer too."""
    decides: Text
    how: Text
    topic: Literal["rights", "money", "learning", "work", "home", "health", "people"]
    standing: Standing
    review_by: date

    @model_validator(mode="after")
    def _amount_has_a_year(self) -> Self:
        if self.amount and not self.year:
            raise ValueError("an amount needs the year it belongs to")
        return self

    @model_validator(mode="after")
    def _what_is_to_come_says_when(self) -> Self:
        if self.to_come and not self.starts:
            raise ValueError("what is enacted or announced needs `starts`, even if no day is set")
        return self

    @property
    def to_come(self) -> bool:
        """Made or promised, but nobody can use it today."""
        return self.standing in (Standing.ENACTED, Standing.ANNOUNCED)

    @property
    def published(self) -> bool:
        """Shown to people only when sure, and only when it can be used today."""
        return self.confidence.publishable and self.standing is Standing.IN_FORCE


class Hours(Strict):
    """From one time of day to another, past midnight if the second is the earlier."""

    from_: time = Field(alias="from")
    until: time

    def hold(self, moment: time) -> bool:
        if self.from_ <= self.until:
            return self.from_ <= moment < self.until
        return moment >= self.from_ or moment < self.until


class Opening(Hours):
    """When a line answers."""

    days: Literal["weekdays", "every-day"]
    """Weekdays are without bank holidays."""


class Helpline(Sourced):
    """Someone to ring, text or visit."""

    id: Id
    name: Text
    contact: Text
    """How to reach them, in words: "Call 0800 1111"."""
    phone: str | None = None
    text: str | None = None
    web: str | None = None
    hours: Text
    """When they answer; "Times vary" where the hours are not sure."""
    opens: Literal["always", "office", "outside-office"] | Opening | None = None
    """The same, so that whoever is shut gives way; none where it is not known. `office` is when
    the council's offices are open."""
    hours_confidence: Confidence
    """How sure the hours are: a number stays, hours change. `confidence` is that of the number."""
    last_tested: date | None = None
    """When somebody last rang or visited it."""
    who_for: Text
    limits: Text | None = None
    """What they can't keep to themselves."""


class Misconception(Sourced):
    """Something people often say that is not quite right, and what is true."""

    id: Id
    said: tuple[Text, ...] = Field(min_length=2)
    """How people say it; the first is the one that is shown."""
    truth: Text
    entitlements: tuple[Id, ...]
    """What this puts right, in the directory."""

    @property
    def published(self) -> bool:
        return self.confidence.publishable


class Findable(StrEnum):
    """What can be found by asking."""

    ENTITLEMENT = "entitlement"
    CORRECTION = "correction"
    ANSWER = "answer"
    FLOW = "flow"
    HELP = "help"
    """Help now: for a question that says someone may be unsafe."""
    NOTHING = "nothing"
    """What people ask that we have nothing on, so that it finds nothing."""


Ways = Annotated[tuple[Text, ...], Field(min_length=2)]
AskedAs = Mapping[Findable, Mapping[Id, Ways]]
"""Kind and id -> several ways that people ask for it."""
Synonyms = Mapping[Text, Annotated[tuple[Text, ...], Field(min_length=1)]]
"""A word of ours -> words people use for it."""
HELP_NOW: Id = "help-now"
"""The one thing of kind `help`."""
NOT_OURS: Id = "not-ours"
"""The one thing of kind `nothing`."""
TO_A_PERSON: Id = "call-back"
"""The kind of flow that brings somebody to a person."""
WHO_TO_ASK: Id = "who-to-contact"
"""The service answer for somebody whose question finds nothing."""


class ServiceAnswer(Sourced):
    """One question people ask about the Virtual School, and its answer."""

    id: Id
    question: Text
    answer: Text


# --- Safeguarding, authority, policy ------------------------------------------------------


class Notice(Strict):
    """What is said at once when someone may be unsafe."""

    id: Id
    audience: Audience
    title: Text
    text: Text
    helplines: tuple[Id, ...] = Field(min_length=1)
    after: Text
    """What happens to what they wrote, and who will look."""


Alarming = Literal[Urgency.CONCERN, Urgency.URGENT]


class Raised(Strict):
    """How urgent something is at least, and why."""

    level: Level
    reason: Text


class Phrase(Strict):
    """Words that tell, wherever they stand together."""

    phrase: Text
    urgency: Alarming
    category: Id


class ScreeningPolicy(Strict):
    """What happens when somebody's words tell that someone may be unsafe."""

    notices: Mapping[Audience, Mapping[Alarming, Id]]
    fitting: Mapping[Audience, Mapping[Id, Id]] = {}
    """By what it is about, where another notice fits better."""
    priority: Mapping[Alarming, Raised]
    categories: Mapping[Id, Text]
    phrases: tuple[Phrase, ...] = ()

    def notice(self, audience: Audience, urgency: Urgency, category: str) -> str:
        fitting = self.fitting.get(audience, {}).get(category)
        return fitting or self.notices[audience][urgency]  # type: ignore[index]  # never none


class Role(StrEnum):
    """The seats of a Virtual School team."""

    HEADTEACHER = "headteacher"
    EDUCATION_COORDINATOR = "education-coordinator"
    TRANSITION_COORDINATOR = "transition-coordinator"
    MENTOR = "mentor"


FIRST_TEAM = "virtual-school"
"""The team that staff are added to unless another is named."""


class Called(Strict):
    """Who is called when someone may be unsafe: all in one seat, or an address that is read."""

    role: Role | None = None
    address: Annotated[str, StringConstraints(pattern=r"^[^\s@,;]+@[^\s@,;]+$")] | None = None
    minutes: int | None = Field(default=None, gt=0)
    """Until the next is called; as the policy says, if none."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.role is None) == (self.address is None):
            raise ValueError("name a role or an address, one of them")
        if self.role is Role.MENTOR:
            raise ValueError("mentors can't open every alert, so they can't be called to one")
        return self


class Rota(Strict):
    """Whom a council calls when someone may be unsafe, one after the other."""

    office: Hours = Hours.model_validate({"from": "09:00", "until": "17:00"})
    """When there is anybody to call, on working days."""
    duty: tuple[Called, ...] = Field(
        default=(Called(role=Role.HEADTEACHER), Called(role=Role.EDUCATION_COORDINATOR)),
        min_length=1,
    )
    out_of_hours: tuple[Called, ...] = ()
    """For what is urgent, whenever the office is shut; with none, it waits until it opens."""

    @model_validator(mode="after")
    def _within_a_day(self) -> Self:
        if self.office.from_ >= self.office.until:
            raise ValueError("office must end later in the day than it begins")
        return self


class Authority(Strict):
    """One council: its service facts, contacts, promises and colours."""

    id: Id
    council: Text
    virtual_school: Text
    serves: Text
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
    """The header's background; white text on it must reach a contrast of 4.5 to 1."""
    accent: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
    hours: Text
    """When people read messages, in words."""
    neighbours: tuple[Text, ...] = ()
    """Councils people mix up with this one."""
    promises: Mapping[Id, Annotated[int, Field(ge=0, le=20)]]
    """Priority -> working days within which a person replies."""
    closures: tuple[date, ...] = ()
    """Days the office is shut besides weekends and bank holidays."""
    roles: Mapping[Role, Text]
    teams: Mapping[Id, Text] = Field(min_length=1)
    """Whose work is whose: people of one team see each other's, but for what is restricted."""
    alerts: Rota = Rota()
    """Who is called when someone may be unsafe."""
    helplines: tuple[Helpline, ...] = ()
    """Local front door, out-of-hours team, leaving-care line."""
    answers: tuple[ServiceAnswer, ...] = Field(min_length=1)


Days = Annotated[int, Field(ge=1, le=40_000)]


class RetentionPolicy(Strict):
    """How long things are kept, in days. What a table says of itself in `__kept__` stands here."""

    unfinished_conversation: Mapping[Audience, Days]
    """By whom the flow speaks to; after the last change."""
    finished_conversation: Days
    submission: Mapping[Id, Days]
    """By kind; after it was closed."""
    attachment: Days
    alert: Days
    """Of what was never sent; others go with their submission."""
    person_request: Days
    receipt: Days
    call: Days
    """After staff were called to an alert, or it was tried out."""
    fact_decision: Days
    """Of what somebody decided about a fact, once another decision took its place."""
    inbox_key: Days
    dead_letter: Days
    letter: Days
    unsent_letter: Days
    sender: Days
    staff: Days
    staff_session: Days
    sign_in_link: Days
    attempt: Days
    audit: Annotated[int, Field(ge=365, le=40_000)]
    """Who did what, and who opened what. Whole months go at a time."""
    warning: Days
    """How long before it goes staff are told."""
    backup: Days
    """After so long no backup holds what was removed."""

    @model_validator(mode="after")
    def _everything_has_a_period(self) -> Self:
        if missing := sorted(set(Audience) - set(self.unfinished_conversation)):
            raise ValueError(f"unfinished_conversation has no period for {', '.join(missing)}")
        if "other" not in self.submission:
            raise ValueError("submission needs `other`, for kinds no flow has any more")
        return self


class OpeningPolicy(Strict):
    """When opening records is unusual enough for the headteacher to be told."""

    records_in_an_hour: int = Field(gt=0)
    refusals_in_a_day: int = Field(gt=0)
    night: Hours
    office: Hours


class Limit(Strict):
    """How often something may be done within so many minutes before we ask for a rest."""

    minutes: int = Field(gt=0)
    sender: int = Field(gt=0)
    """One Telegram chat, or one browser."""
    place: int = Field(gt=0)
    """One network address and its neighbours: a home, a school, a council's office."""
    everyone: int = Field(gt=0)

    @model_validator(mode="after")
    def _widening(self) -> Self:
        if not self.sender <= self.place <= self.everyone:
            raise ValueError("a place may do no less than one sender in it, nor everyone than that")
        return self


class LimitsPolicy(Strict):
    """What each may do how often. Help is not among them: it is never limited."""

    turns: Limit
    """Anything said or pressed in a conversation."""
    starts: Limit
    """Conversations begun."""
    submissions: Limit
    """Answers sent to the team. What tells of harm is always taken."""
    uploads: Limit
    """Files handed in."""
    wrong_codes: Limit
    """Codes to carry on or to read a reply that open nothing."""


class FactsPolicy(Strict):
    """When what is told as fact must be looked at again, in days."""

    recheck: Days
    """After it was checked, where a row names no day of its own."""
    soon: Days
    """How long ahead staff see it."""
    warning: Days
    """How long ahead the check of the content says so."""


class AlertPromise(Strict):
    """How soon somebody says that they are looking at an alert."""

    label: Text
    within: Annotated[int, Field(gt=0)] | Literal["same-day"]
    """Minutes of working time; or before the working day ends on which it came, or the next."""
    next: int = Field(gt=0)
    """Minutes until the next person is called."""


class Letter(Strict):
    """What staff are called with: never a word about whom or what."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=70, pattern=r"^[^{}\r\n]+$")]
    text: Annotated[str, StringConstraints(pattern=r"\{link\}")]


class AlertTest(Strict):
    """When it is tried out whether staff can be called."""

    at: time
    """Every working day."""
    grace: int = Field(gt=0)
    """Minutes after which it must have worked."""


NOBODY = "nobody"
"""Told nobody: no further action, which takes a second person."""


class AlertPolicy(Strict):
    """How staff are called to alerts, and what they say when they are done."""

    promises: Mapping[Literal[Urgency.CONCERN, Urgency.URGENT], AlertPromise]
    again: int = Field(gt=0)
    """Minutes after the last on the list was called until it begins anew."""
    told: Mapping[Id, Text]
    """Whom staff may have told, and how it is called."""
    letters: Mapping[Literal["urgent", "concern", "test"], Letter]
    test: AlertTest

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := {Urgency.CONCERN, Urgency.URGENT} - set(self.promises):
            raise ValueError(f"promises has none for {', '.join(sorted(missing))}")
        if missing_letters := {"urgent", "concern", "test"} - set(self.letters):
            raise ValueError(f"letters has none for {', '.join(sorted(missing_letters))}")
        if NOBODY not in self.told or len(self.told) < 2:
            raise ValueError(f"told needs `{NOBODY}`, and somebody beside it")
        return self


class Kind(Strict):
    """What is sent: how staff call one in a list, and the group it is offered in."""

    name: Text
    group: Id


class Policy(Strict):
    """The rules staff can change without a programmer."""

    priorities: Mapping[Level, Text]
    """What staff call each level."""
    kinds: Mapping[Id, Kind]
    """What is sent, in the order that it is offered in."""
    retention: RetentionPolicy
    openings: OpeningPolicy
    limits: LimitsPolicy
    facts: FactsPolicy
    alerts: AlertPolicy
    handles: tuple[tuple[Text, ...], tuple[Text, ...]]
    """Two word lists; a submission is known by one word of each, so a screen shows no name."""


# --- Coverage -----------------------------------------------------------------------------


class CoverageRow(Strict):
    """Something practitioners ask about, and where we ask it, or why we don't."""

    id: Annotated[str, StringConstraints(pattern=r"^\d\.\d [A-Za-z0-9-]+$")]
    """The section of the reference, and the row's name in it: "2.3 B6"."""
    asks: Text
    carried: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")], ...] = ()
    """`flow.question`, or `flow.question.option`."""
    left_out: Text | None = None
    """Why it, or a part of it, is not asked."""

    @model_validator(mode="after")
    def _asked_or_left_out(self) -> Self:
        if not (self.carried or self.left_out):
            raise ValueError("needs `carried` or `left_out`: where is it asked, or why not?")
        return self
