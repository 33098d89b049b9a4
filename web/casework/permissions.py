"""Who may do what: one table, from which guards, lists, buttons and refusals follow. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.errors import NotAllowed, ReasonNeeded, UnknownSubmission
from content.schema import Role


class Action(StrEnum):
    """What staff can do here."""

    OWN_ACCOUNT = "own-account"
    SEE_QUEUE = "see-queue"
    EXPORT = "export"
    SEE_DRAFT = "see-draft"
    SEE_NOTICES = "see-notices"
    MANAGE_PEOPLE = "manage-people"
    # What is asked and told:
    SEE_CONTENT = "see-content"
    TAKE_DOWN_FACTS = "take-down-facts"
    CONFIRM_FACTS = "confirm-facts"
    # Of one submission:
    OPEN_SUBMISSION = "open-submission"
    GIVE_REASON = "give-reason"
    BREAK_GLASS = "break-glass"
    TAKE = "take"
    ASSIGN = "assign"
    SHARE = "share"
    RESTRICT = "restrict"
    CHANGE_STATUS = "change-status"
    WRITE_NOTE = "write-note"
    REPLY = "reply"
    SETTLE_ALERT = "settle-alert"
    SEE_AUDIT = "see-audit"
    SEE_CALLS = "see-calls"
    # What people ask about their own information, and what goes when:
    SEE_REQUESTS = "see-requests"
    SEE_KEEPING = "see-keeping"
    ENTER_REQUEST = "enter-request"
    ANSWER_REQUEST = "answer-request"
    PROPOSE_ERASURE = "propose-erasure"
    CONFIRM_ERASURE = "confirm-erasure"
    RELEASE_COPY = "release-copy"
    HOLD = "hold"
    KEEP_LONGER = "keep-longer"


@dataclass(frozen=True)
class Person:
    """A member of staff, signed in."""

    id: str
    name: str
    role: Role
    team: str = ""
    """Without one, nothing is theirs for being their team's."""


# --- What a person is to a submission -----------------------------------------------------


class Fact(StrEnum):
    """Something that is so of a submission, for one person, now."""

    OWN = "own"
    LINKED = "linked"
    TEAM = "team"
    UNOWNED = "unowned"
    RESTRICTED = "restricted"
    REASON = "reason"
    GLASS = "glass"


@dataclass(frozen=True)
class Subject:
    """A submission, as far as rights go. Whom it is shared with, and so on, is as of now."""

    owner: str | None = None
    team: str | None = None
    restricted: bool = False
    shared_with: Collection[str] = ()
    reason_of: Collection[str] = ()
    """Who gave a reason that still holds."""
    glass_of: Collection[str] = ()
    """Who broke the glass and may still look."""
    purpose: str | None = None
    """What whoever looks said they need it for, where that still holds."""
    first: Subject | None = None
    """What it was added to: whoever may open that may open this."""


def facts(person: Person, of: Subject) -> frozenset[Fact]:
    so = {
        Fact.OWN: of.owner == person.id,
        Fact.LINKED: person.id in of.shared_with,
        Fact.TEAM: of.team == person.team,
        Fact.UNOWNED: of.owner is None,
        Fact.RESTRICTED: of.restricted,
        Fact.REASON: person.id in of.reason_of,
        Fact.GLASS: person.id in of.glass_of,
    }
    alone = frozenset(fact for fact, holds in so.items() if holds)
    return alone if of.first is None else alone - {Fact.UNOWNED} | facts(person, of.first)


# --- Rules --------------------------------------------------------------------------------


@dataclass(frozen=True)
class When:
    """All of these facts, and none of those."""

    needs: frozenset[Fact] = frozenset()
    without: frozenset[Fact] = frozenset()

    def holds(self, so: frozenset[Fact]) -> bool:
        return self.needs <= so and not self.without & so


Ways = tuple[When, ...]
"""Any one of them will do."""


@dataclass(frozen=True)
class Rule:
    """Who may do one thing, and how a refusal names it."""

    phrase: str
    roles: frozenset[Role]
    when: Mapping[Role, Ways] = field(default_factory=dict)
    """For what is done to a submission: to which, for each of the roles."""

    @property
    def of_submissions(self) -> bool:
        return bool(self.when)

    def ways(self, role: Role) -> Ways:
        return self.when.get(role, ()) if self.when else (ALWAYS,) * (role in self.roles)


def _if(*needs: Fact, without: Collection[Fact] = ()) -> When:
    return When(frozenset(needs), frozenset(without))


def _open(*needs: Fact) -> When:
    """Only if it is not restricted."""
    return _if(*needs, without=[Fact.RESTRICTED])


def _none_restricted(*each: Fact) -> Ways:
    """Any of these facts, only of what is not restricted."""
    return tuple(_open(fact) for fact in each)


ALWAYS = When()
THEIRS: Ways = (_if(Fact.OWN), _if(Fact.LINKED))
WITH_REASON: Ways = (*THEIRS, *_none_restricted(Fact.TEAM, Fact.UNOWNED, Fact.REASON))
OPENED: Ways = (*WITH_REASON, _if(Fact.GLASS))

EVERYONE = frozenset(Role)
TEAM_LEADS = EVERYONE - {Role.MENTOR}
"""Those who answer for other people's work."""
HEAD = frozenset({Role.HEADTEACHER})


def _of(phrase: str, coordinators: Ways, mentors: Ways = (), head: Ways = (ALWAYS,)) -> Rule:
    """A rule about submissions, the two kinds of co-ordinators being equal in it."""
    when = {
        Role.HEADTEACHER: head,
        Role.EDUCATION_COORDINATOR: coordinators,
        Role.TRANSITION_COORDINATOR: coordinators,
        Role.MENTOR: mentors,
    }
    return Rule(phrase, frozenset(role for role, ways in when.items() if ways), when)


RULES: Mapping[Action, Rule] = {
    Action.OWN_ACCOUNT: Rule("see this account", EVERYONE),
    Action.SEE_QUEUE: Rule("see the queue", EVERYONE),
    Action.EXPORT: Rule("take lists away from here", TEAM_LEADS),
    Action.SEE_DRAFT: Rule("see safety alerts on answers that were not sent", TEAM_LEADS),
    Action.SEE_NOTICES: Rule("see who broke the glass", HEAD),
    Action.SEE_AUDIT: Rule("see who opened what", HEAD),
    Action.SEE_CALLS: Rule("see how staff are called to safety alerts", HEAD),
    Action.MANAGE_PEOPLE: Rule("see and change who has an account", HEAD),
    Action.SEE_CONTENT: Rule("see what is asked and told here", EVERYONE),
    # To say less is quickly put right; what young people are promised is one person's word.
    Action.TAKE_DOWN_FACTS: Rule("take down a fact that is wrong", TEAM_LEADS),
    Action.CONFIRM_FACTS: Rule("confirm a fact, or put one back", HEAD),
    Action.SEE_REQUESTS: Rule("see what people ask about their information", TEAM_LEADS),
    Action.SEE_KEEPING: Rule("see what goes when", TEAM_LEADS),
    # The phrases from here on end in the word that a refusal goes on from.
    Action.OPEN_SUBMISSION: _of("open submissions", OPENED, THEIRS),
    Action.GIVE_REASON: _of("give a reason for opening submissions", (_open(),), head=()),
    Action.BREAK_GLASS: _of("break the glass on submissions", (_if(Fact.RESTRICTED),), head=()),
    Action.TAKE: _of(
        "take submissions",
        (_if(Fact.OWN), *_none_restricted(Fact.LINKED, Fact.TEAM, Fact.UNOWNED, Fact.REASON)),
        (_if(Fact.OWN), _open(Fact.LINKED, Fact.UNOWNED)),
    ),
    # Whose a restricted one is, and who else sees it, is for the headteacher alone to say.
    Action.ASSIGN: _of(
        "hand over submissions",
        _none_restricted(Fact.OWN, Fact.LINKED, Fact.TEAM, Fact.UNOWNED),
    ),
    Action.SHARE: _of("share submissions", _none_restricted(Fact.OWN, Fact.TEAM, Fact.UNOWNED)),
    Action.RESTRICT: _of("restrict submissions", ()),
    Action.CHANGE_STATUS: _of("change the status of submissions", WITH_REASON, THEIRS),
    Action.WRITE_NOTE: _of("write notes on submissions", OPENED, THEIRS),
    Action.REPLY: _of("reply to submissions", OPENED, THEIRS),
    Action.SETTLE_ALERT: _of("see to safety alerts on submissions", OPENED),
    Action.ENTER_REQUEST: _of("write down what people ask about submissions", OPENED, THEIRS),
    Action.ANSWER_REQUEST: _of("answer what people ask about submissions", WITH_REASON),
    Action.PROPOSE_ERASURE: _of("propose to erase submissions", WITH_REASON),
    Action.CONFIRM_ERASURE: _of("confirm the erasure of submissions", WITH_REASON),
    Action.RELEASE_COPY: _of("release full copies of submissions", WITH_REASON),
    Action.HOLD: _of("place a legal hold on submissions", ()),
    Action.KEEP_LONGER: _of("keep submissions longer", ()),
}


def phrase(action: str | None) -> str:
    """What was refused, in words; the log may name an action of an older or newer version."""
    found = next((one for one in Action if one.value == action), None)
    return RULES[found].phrase if found else "do something"


def can(person: Person, action: Action) -> bool:
    """Whether anything of the kind is theirs to do."""
    return person.role in RULES[action].roles


def may(person: Person, action: Action, of: Subject) -> bool:
    """Whether they may do this to that submission."""
    so = facts(person, of)
    return any(way.holds(so) for way in RULES[action].ways(person.role))


def why(person: Person, of: Subject) -> str | None:
    """The purpose without which they could not open it."""
    return None if may(person, Action.OPEN_SUBMISSION, _caseload(of)) else _purpose(of)


def _caseload(of: Subject) -> Subject:
    """The same, had nobody been let in."""
    return replace(of, reason_of=(), glass_of=(), first=of.first and _caseload(of.first))


def _purpose(of: Subject) -> str | None:
    return of.purpose or (of.first.purpose if of.first else None)


def check(person: Person, action: Action) -> None:
    """Raises NotAllowed, with the sentence they read."""
    if not can(person, action):
        raise NotAllowed(f"Your role can't {RULES[action].phrase}. {ASK}", wanted=action.value)


def admit(person: Person, action: Action, of: Subject | None, id_: str) -> None:
    """Let them do this to that submission, or raise: UnknownSubmission where for them there is
    none, ReasonNeeded where a reason would open it, NotAllowed where they may only look."""
    check(person, action)
    if of is not None and may(person, action, of):
        return
    if of is not None and may(person, Action.OPEN_SUBMISSION, of):
        raise NotAllowed(
            f"You can't {RULES[action].phrase} that are restricted or outside your caseload. {ASK}",
            wanted=action.value,
        )
    if of is not None and may(person, Action.GIVE_REASON, of):
        raise ReasonNeeded(id_)
    raise UnknownSubmission(id_, wanted=action.value)


ASK = "If you need to, ask your headteacher."
