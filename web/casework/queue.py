"""The queue: what waits, the most pressing first, and no sender's words in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.store import access, submissions
from bot.store.access import Broken
from bot.store.models import Found
from bot.store.submissions import Filter
from bot.wiring import Waymark
from content.schema import Level
from web.casework import called, colleagues, keeping, requests, rows, stages
from web.casework.called import Standing
from web.casework.due import Due, received, reply_due
from web.casework.permissions import Action, Person, can, check
from web.casework.stages import Status

PAGE = 50


@dataclass(frozen=True)
class Asked:
    """What the address asks for. Anything it names that we don't know is left out."""

    stage: str = "open"
    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    owner: str = ""
    """`me`, `nobody`, a staff id, or anyone."""
    unread: bool = False
    page: int = 1

    @property
    def statuses(self) -> frozenset[Status]:
        """Those of the stage, or the chosen ones among them."""
        whole = stages.STAGES[self.stage][1]
        return frozenset(s for s in whole if s.value in self.status) or whole


@dataclass(frozen=True)
class Line:
    """One row of the queue."""

    id: str
    handle: str
    reference: str
    priority: Level
    reasons: Sequence[str]
    title: str
    kind: str
    topic: str | None
    sender_role: str
    received_at: datetime
    received: str
    due: Due | None
    owner: str | None
    status: str
    unread: bool
    restricted: bool
    held: bool
    """Under a legal hold."""


@dataclass(frozen=True)
class Alerted:
    """Someone may be unsafe, and nobody has said what was done."""

    id: str
    urgent: bool
    flow: str
    raised_at: datetime
    submission: str | None
    handle: str | None
    standing: Standing


@dataclass(frozen=True)
class Queue:
    """A page of it, with all that stands around it."""

    asked: Asked
    at: datetime
    """As it was then: what changes later is new."""
    lines: Sequence[Line]
    counts: dict[str, int]
    """How many in each stage, the other filters applied."""
    total: int
    alerts: Sequence[Alerted]
    undelivered: Sequence[Found]
    requests: Sequence[datetime]
    """When the answers to what people ask about their information are due, the next first."""
    going: int
    """How many submissions go soon."""
    notices: Sequence[Broken]
    """Where the glass was broken, for the headteacher to take note of."""
    people: Sequence[Person]
    kinds: dict[str, str]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


async def queue(waymark: Waymark, person: Person, asked: Asked) -> Queue:
    """What is to be done, for this person."""
    check(person, Action.SEE_QUEUE)
    now, which = waymark.clock(), chosen(waymark, person, asked)
    replied = rows.within(waymark, person, Action.REPLY)
    async with waymark.database.reading() as db:
        found = await submissions.queue(db, which, PAGE, (asked.page - 1) * PAGE)
        per_status = await submissions.counts(db, which)
        drafts = can(person, Action.SEE_DRAFT)
        alerts = await submissions.open_alerts(db, which.within, drafts)
        standing = await called.standing(waymark, db, alerts)
        lost = await submissions.undelivered(db, replied, stages.CLOSED)
        notices = await access.unseen(db) if can(person, Action.SEE_NOTICES) else []
        asks = await requests.due(waymark, db, person) if can(person, Action.SEE_REQUESTS) else []
        going = await keeping.going(waymark, db, person) if can(person, Action.SEE_KEEPING) else []
        everyone = await colleagues.everyone(db)
    return Queue(
        asked=asked,
        at=now,
        lines=[line(waymark, row) for row in found],
        counts={name: _count(per_status, of) for name, (_, of) in stages.STAGES.items()},
        total=_count(per_status, asked.statuses),
        alerts=[_alerted(waymark, row, standing[row.id]) for row in alerts],
        undelivered=lost,
        requests=asks,
        going=len(going),
        notices=notices,
        people=everyone,
        kinds=kinds(waymark),
    )


@dataclass(frozen=True)
class News:
    """How much has come since the queue was shown."""

    changed: int
    """Submissions that came or changed, of those they may list."""
    alerts: int


async def news(waymark: Waymark, person: Person, since: datetime) -> News:
    check(person, Action.SEE_QUEUE)
    within = rows.within(waymark, person, Action.OPEN_SUBMISSION)
    async with waymark.database.reading() as db:
        changed = await submissions.changed(db, within, since)
        alerts = await submissions.open_alerts(db, within, can(person, Action.SEE_DRAFT))
    return News(changed, sum(alert.raised_at > since for alert in alerts))


def chosen(waymark: Waymark, person: Person, asked: Asked) -> Filter:
    """What was asked for, of what they may open."""
    return Filter(
        within=rows.within(waymark, person, Action.OPEN_SUBMISSION),
        status=tuple(asked.statuses),
        priority=asked.priority,
        kind=asked.kind,
        owner=person.id if asked.owner == "me" else asked.owner or None,
        unread=asked.unread,
    )


def _count(per_status: dict[str, int], statuses: frozenset[Status]) -> int:
    return sum(per_status.get(status.value, 0) for status in statuses)


def line(waymark: Waymark, row: Found) -> Line:
    closed, now = Status(row.status) in stages.CLOSED, waymark.clock()
    due = reply_due(row.reply_due, row.replied_at, now, waymark.authority.closures)
    return Line(
        id=row.id,
        handle=row.handle,
        reference=row.reference,
        priority=Level(row.priority),
        reasons=row.reasons,
        title=row.title,
        kind=row.kind,
        topic=row.topic,
        sender_role=sender_words(row.sender_role),
        received_at=row.received_at,
        received=received(row.received_at, now),
        due=None if closed else due,
        owner=row.owner_name,
        status=stages.LABELS[Status(row.status)],
        unread=row.unread,
        restricted=row.restricted,
        held=row.held,
    )


def _alerted(waymark: Waymark, row: Found, standing: Standing) -> Alerted:
    flow = waymark.content.flows.get(row.flow or "")
    return Alerted(
        id=row.id,
        urgent=row.urgency == "urgent",
        flow=flow.title if flow else "A conversation",
        raised_at=row.raised_at,
        submission=row.submission,
        handle=row.handle,
        standing=standing,
    )


def sender_words(role: str) -> str:
    """Who is writing, as a list shows it."""
    plain = {"young-person": "Young person", "dont-know": "Not known", "skipped": "Not said"}
    return plain.get(role, role)


def kinds(waymark: Waymark) -> dict[str, str]:
    """Kinds of submission and what to call them in a list."""
    served = {flow.submission.kind for flow in waymark.content.flows.values()}
    every = waymark.content.policy.kinds.items()
    return {kind: described.name for kind, described in every if kind in served}
