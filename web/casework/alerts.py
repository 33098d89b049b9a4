"""Someone may be unsafe: what they said so far, sent or not, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation.path import path
from bot.conversation.submission import compose
from bot.errors import EditClash
from bot.store import audit, conversations, submissions
from bot.store.submissions import Alerted
from bot.wiring import Waymark
from content.schema import Helpline
from web.casework import rows
from web.casework.delivery import by_telegram
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, Subject
from web.casework.record import Section, sections

LOCAL_LINES = ("front-door", "out-of-hours")
"""Whom staff ring: the council's own, where the authority's content has them."""


@dataclass(frozen=True)
class Draft:
    """What someone has said and not sent."""

    sections: Sequence[Section]
    by_telegram: bool
    last_at: datetime | None


@dataclass(frozen=True)
class Alert:
    """An alert, with what there is to act on."""

    row: Alerted
    subject: Subject | None
    """What it is about, as far as rights go; none for what was not sent."""
    flow: str
    question: str
    """What they were answering."""
    answer: str | None
    """What they said to it, where it is still there; words that raised it always are."""
    told: tuple[str, ...]
    """Which words told, where words raised it."""
    draft: Draft | None
    """What they said so far; none once it is sent, or deleted."""
    helplines: Sequence[Helpline]

    about: str
    """What it is about, as staff call it."""

    @property
    def urgent(self) -> bool:
        return bool(self.row.urgency == "urgent")


async def open_(waymark: Waymark, person: Person, id_: str) -> Alert:
    """Read it; that it was read is written down. Raises UnknownSubmission."""
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.OPEN_SUBMISSION, id_)
        await audit.record(db, waymark.clock(), person.id, "alert.opened", "alert", id_)
        about = await rows.subject(waymark, db, person, row.submission) if row.submission else None
        return await _alert(waymark, db, row, about)


async def _alert(
    waymark: Waymark, db: AsyncConnection, row: Alerted, about: Subject | None
) -> Alert:
    flow = waymark.content.flows.get(row.flow or "")
    question = flow.by_id.get(row.question) if flow else None
    lines = waymark.told(waymark.clock()).helplines
    draft = None if row.submission else await _draft(waymark, db, row.conversation)
    return Alert(
        row=row,
        subject=about,
        flow=flow.title if flow else "A conversation that is no longer kept",
        question=question.text if question else row.question,
        answer=row.words or _answer(draft, row.question),
        told=_told(waymark, row.words),
        about=_about(waymark, row.category),
        draft=draft,
        helplines=[lines[name] for name in LOCAL_LINES if name in lines],
    )


def _about(waymark: Waymark, category: str) -> str:
    plain = category.replace("-", " ").capitalize()
    return waymark.content.screening.categories.get(category, plain)


def _told(waymark: Waymark, words: str | None) -> tuple[str, ...]:
    found = waymark.screening.screen(words) if words else None
    return found.reasons if found else ()


async def _draft(waymark: Waymark, db: AsyncConnection, conversation: str) -> Draft | None:
    """None if the person deleted it, or it was kept long enough."""
    kept = await conversations.read(db, conversation)
    if kept is None or kept.conversation.flow not in waymark.content.flows:
        return None
    script = waymark.script(kept.conversation.flow, waymark.clock())
    walked = path(script, kept.conversation.answers)
    told = compose(script, kept.conversation, walked).payload["answers"]
    times = [step.answer.at for step in walked.asked]
    return Draft(sections(told), by_telegram(kept.sender), max(times, default=None))


def _answer(draft: Draft | None, question: str) -> str | None:
    answers = (a for section in (draft.sections if draft else ()) for a in section.answers)
    return next((answer.said for answer in answers if answer.question == question), None)


async def settle(waymark: Waymark, person: Person, id_: str, action: str) -> None:
    """Say what was done. Raises NotSaid, or EditClash if somebody said so first."""
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.SETTLE_ALERT, id_)
        if not action.strip():
            raise NotSaid("action", "Say what was done")
        if not await submissions.settle_alert(db, id_, person.id, action.strip(), now):
            raise EditClash(id_)
        await audit.record(db, now, person.id, "alert.settled", "alert", id_)
        if row.submission:
            what = ("alert.settled", "submission", row.submission)
            await audit.record(db, now, person.id, *what, alert=id_)
            await submissions.mark(db, row.submission, changed_at=now)
