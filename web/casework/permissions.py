"""Who may do what: one table, from which guards, buttons and refusals follow. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import NotAllowed
from content.schema import Role


class Action(StrEnum):
    """What staff can do here."""

    OWN_ACCOUNT = "own-account"
    SEE_QUEUE = "see-queue"
    OPEN_SUBMISSION = "open-submission"
    TAKE = "take"
    ASSIGN = "assign"
    CHANGE_STATUS = "change-status"
    WRITE_NOTE = "write-note"
    REPLY = "reply"
    SETTLE_ALERT = "settle-alert"
    SEE_AUDIT = "see-audit"


@dataclass(frozen=True)
class Person:
    """A member of staff, signed in."""

    id: str
    name: str
    role: Role


@dataclass(frozen=True)
class Rule:
    """Who may do one thing, and how a refusal names it."""

    phrase: str
    roles: frozenset[Role]


EVERYONE = frozenset(Role)
TEAM_LEADS = EVERYONE - {Role.MENTOR}
"""Those who answer for other people's work."""
HEAD = frozenset({Role.HEADTEACHER})

RULES: Mapping[Action, Rule] = {
    Action.OWN_ACCOUNT: Rule("see this account", EVERYONE),
    Action.SEE_QUEUE: Rule("see the queue", EVERYONE),
    Action.OPEN_SUBMISSION: Rule("open submissions", EVERYONE),
    Action.TAKE: Rule("take submissions", EVERYONE),
    Action.ASSIGN: Rule("give submissions to someone", TEAM_LEADS),
    Action.CHANGE_STATUS: Rule("change the status of submissions", EVERYONE),
    Action.WRITE_NOTE: Rule("write notes", EVERYONE),
    Action.REPLY: Rule("reply to senders", EVERYONE),
    Action.SETTLE_ALERT: Rule("close safety alerts", TEAM_LEADS),
    Action.SEE_AUDIT: Rule("see who opened what", HEAD),
}


def phrase(action: str | None) -> str:
    """What was refused, in words; the log may name an action of an older or newer version."""
    found = next((one for one in Action if one.value == action), None)
    return RULES[found].phrase if found else "do something"


def can(person: Person, action: Action) -> bool:
    """Whether to show the button."""
    return person.role in RULES[action].roles


def check(person: Person, action: Action) -> None:
    """Raises NotAllowed, with the sentence they read."""
    if not can(person, action):
        raise NotAllowed(
            f"Your role can't {RULES[action].phrase}. If you need to, ask your headteacher.",
            wanted=action.value,
        )
