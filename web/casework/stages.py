"""Where the handling of a submission can stand, and which way it can go from there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.errors import InvalidMove


class Status(StrEnum):
    """Where it stands."""

    NEW = "new"
    TRIAGE = "triage"
    WAITING = "waiting"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    SIGNPOSTED = "signposted"
    DONE = "closed-done"
    NOT_US = "closed-not-us"


LABELS: Mapping[Status, str] = {
    Status.NEW: "New",
    Status.TRIAGE: "In triage",
    Status.WAITING: "Waiting for information",
    Status.ASSIGNED: "Assigned",
    Status.IN_PROGRESS: "In progress",
    Status.ON_HOLD: "On hold",
    Status.SIGNPOSTED: "Signposted elsewhere",
    Status.DONE: "Closed: done",
    Status.NOT_US: "Closed: not for us",
}

CLOSED = frozenset({Status.SIGNPOSTED, Status.DONE, Status.NOT_US})
OPEN = frozenset(Status) - CLOSED
_AT_WORK = frozenset({Status.WAITING, Status.ASSIGNED, Status.IN_PROGRESS})

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.TRIAGE}) | _AT_WORK | CLOSED,
    Status.TRIAGE: _AT_WORK | {Status.ON_HOLD} | CLOSED,
    Status.WAITING: (_AT_WORK - {Status.WAITING}) | {Status.TRIAGE, Status.ON_HOLD} | CLOSED,
    Status.ASSIGNED: (_AT_WORK - {Status.ASSIGNED}) | {Status.TRIAGE, Status.ON_HOLD} | CLOSED,
    Status.IN_PROGRESS: frozenset({Status.WAITING, Status.ASSIGNED, Status.ON_HOLD}) | CLOSED,
    Status.ON_HOLD: _AT_WORK | CLOSED,
    # What is closed can be opened again, but nothing closed is closed a second way.
    Status.SIGNPOSTED: frozenset({Status.TRIAGE}),
    Status.DONE: frozenset({Status.TRIAGE}),
    Status.NOT_US: frozenset({Status.TRIAGE}),
}
"""The only ways to go."""

ALARMED = (
    "Someone may be unsafe. This can't be closed until somebody has said what was done about the "
    "safety alert on it."
)
"""Why something can't be closed yet."""

STAGES: Mapping[str, tuple[str, frozenset[Status]]] = {
    "open": ("Open", OPEN),
    "new": ("New", frozenset({Status.NEW})),
    "triage": ("In triage", frozenset({Status.TRIAGE})),
    "waiting": ("Waiting", frozenset({Status.WAITING, Status.ON_HOLD})),
    "in-hand": ("In hand", frozenset({Status.ASSIGNED, Status.IN_PROGRESS})),
    "closed": ("Closed", CLOSED),
}
"""The tabs of the queue: address, label, statuses."""

OUTCOMES: Mapping[str, str] = {
    "advice": "Advice given",
    "meeting": "Meeting attended",
    "school-challenged": "School challenged",
    "pep": "PEP called or changed",
    "pupil-premium": "Pupil Premium Plus agreed",
    "send": "SEND route",
    "psychologist": "Educational psychologist",
    "mentor": "Mentor",
    "school-move": "School move supported",
    "training": "Training booked",
    "referred": "Referred on",
    "no-action": "No action",
}
"""What came of it; recorded when it is closed."""


def in_order(statuses: frozenset[Status]) -> tuple[Status, ...]:
    return tuple(status for status in Status if status in statuses)


def check_move(now: Status, to: Status) -> None:
    """Raises InvalidMove, with the sentence staff read."""
    if to not in MOVES[now]:
        raise InvalidMove(f"This can't go from “{LABELS[now]}” to “{LABELS[to]}”.")
