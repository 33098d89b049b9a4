"""Someone may be unsafe: what they said so far, sent or not, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation.path import path
from bot.conversation.submission import compose
from bot.errors import EditClash
from bot.store import alerts, audit, conversations, submissions
from bot.store.submissions import Alerted
from bot.wiring import Waymark
from bot.working_days import LONDON
from content.schema import NOBODY, Helpline
from web.casework import called, rows
from web.casework.called import Standing
from web.casework.delivery import by_telegram
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, Subject
from web.casework.record import Section, sections

LOCAL_LINES = ("front-door", "out-of-hours")
"""Whom staff ring: the council's own, where the authority's content has them."""
AHEAD = timedelta(minutes=5)
"""So far ahead of ours somebody's clock may be."""
WHY_NOTHING = "Say why no further action is needed"


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
    stood_out: tuple[str, ...]
    """Which words told, where words raised it."""
    draft: Draft | None
    """What they said so far; none once it is sent, or deleted."""
    helplines: Sequence[Helpline]
    standing: Standing
    told: Sequence[str]
    """Whom they told, in words."""
    me: bool
    """Whoever opened it is the one who looks at it."""
    mine: bool
    """They proposed no further action themselves."""

    about: str
    """What it is about, as staff call it."""

    @property
    def urgent(self) -> bool:
        return bool(self.row.urgency == "urgent")

    @property
    def agreed(self) -> bool:
        """It took two: one who proposed no further action, and one who agreed."""
        return self.row.seen_at is not None and self.row.proposed_at is not None


async def open_(waymark: Waymark, person: Person, id_: str) -> Alert:
    """Read it; that it was read is written down. Raises UnknownSubmission."""
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.OPEN_SUBMISSION, id_)
        await audit.record(db, waymark.clock(), person.id, "alert.opened", "alert", id_)
        about = await rows.subject(waymark, db, person, row.submission) if row.submission else None
        return await _alert(waymark, db, person, row, about)


async def _alert(
    waymark: Waymark, db: AsyncConnection, person: Person, row: Alerted, about: Subject | None
) -> Alert:
    flow = waymark.content.flows.get(row.flow or "")
    question = flow.by_id.get(row.question) if flow else None
    lines = waymark.told(waymark.clock()).helplines
    draft = None if row.submission else await _draft(waymark, db, row.conversation)
    known = waymark.content.policy.alerts.told
    return Alert(
        row=row,
        subject=about,
        flow=flow.title if flow else "A conversation that is no longer kept",
        question=question.text if question else row.question,
        answer=row.words or _answer(draft, row.question),
        stood_out=_stood_out(waymark, row.words),
        about=_about(waymark, row.category),
        draft=draft,
        helplines=[lines[name] for name in LOCAL_LINES if name in lines],
        standing=(await called.standing(waymark, db, [row]))[row.id],
        told=[known.get(name, name) for name in row.told or ()],
        me=row.taken_by == person.id,
        mine=row.proposed_by == person.id,
    )


def _about(waymark: Waymark, category: str) -> str:
    plain = category.replace("-", " ").capitalize()
    return waymark.content.screening.categories.get(category, plain)


def _stood_out(waymark: Waymark, words: str | None) -> tuple[str, ...]:
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


# --- Looking, and what was done -----------------------------------------------------------


async def look(waymark: Waymark, person: Person, id_: str, instead_of: str = "") -> None:
    """They are looking at it, so that nobody else is called. Raises EditClash if somebody else
    said so first; `instead_of` names whom they relieve."""
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.SETTLE_ALERT, id_)
        if row.taken_by == person.id:
            return
        if (row.taken_by or "") != instead_of:
            raise EditClash(id_)
        if not await alerts.take(db, row, person.id, waymark.clock()):
            raise EditClash(id_)
        await _record(waymark, db, person, row, "taken")


@dataclass(frozen=True)
class Done:
    """What somebody did about it, as they say it."""

    told: Sequence[str] = ()
    when: str = ""
    """When they told them: a local date and time."""
    words: str = ""

    @property
    def nothing(self) -> bool:
        return tuple(self.told) == (NOBODY,)

    def at(self, waymark: Waymark) -> datetime:
        """Raises NotSaid for whatever is missing."""
        known = waymark.content.policy.alerts.told
        if not self.told or not set(self.told) <= set(known):
            raise NotSaid("told", "Choose whom you told, or that nobody needs to be")
        if NOBODY in self.told and len(self.told) > 1:
            raise NotSaid("told", "Choose nobody, or those you told; not both")
        try:
            at = datetime.fromisoformat(self.when).replace(tzinfo=LONDON)
            ahead = at > waymark.clock() + AHEAD
        except (ValueError, OverflowError):
            raise NotSaid("when", "Say when, as a date and a time") from None
        if ahead or at.year < 2000:
            raise NotSaid("when", "Choose a time that is not ahead of us")
        if not self.words.strip():
            raise NotSaid("action", WHY_NOTHING if self.nothing else "Say what was done")
        return at


async def settle(waymark: Waymark, person: Person, id_: str, done: Done) -> bool:
    """Say what was done; False if it stays open until a second person agrees that nothing need be.

    Raises NotSaid, or EditClash if somebody else was quicker.
    """
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.SETTLE_ALERT, id_)
        at = done.at(waymark)
        if done.nothing and row.proposed_at is not None:
            raise EditClash(id_)
        change = alerts.propose if done.nothing else alerts.settle
        words = _with_what_was_said(done.words.strip(), row)
        if not await change(db, row, person.id, done.told, at, words, now):
            raise EditClash(id_)
        await _record(waymark, db, person, row, "proposed" if done.nothing else "settled")
    return not done.nothing


async def second(waymark: Waymark, person: Person, id_: str, *, agrees: bool) -> None:
    """The second person on "no further action". Raises NotSaid for whoever proposed it, EditClash
    where nothing is proposed any more."""
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        row = await rows.load_alert(waymark, db, person, Action.SETTLE_ALERT, id_)
        if row.proposed_at is None or row.seen_at is not None:
            raise EditClash(id_)
        if row.proposed_by == person.id:
            raise NotSaid("second", "Somebody else has to agree: you said it yourself")
        if agrees:
            went = await alerts.agree(db, row, person.id, now)
        else:
            went = await alerts.disagree(db, row, person.id, _overruled(row))
        if not went:
            raise EditClash(id_)
        await _record(waymark, db, person, row, "agreed" if agrees else "not-agreed")


def _with_what_was_said(words: str, row: Alerted) -> str:
    """Nothing that was once said about it is lost."""
    before = _overruled(row) if row.proposed_at is not None else row.action
    return f"{words}\n\n{before}" if before else words


def _overruled(row: Alerted) -> str:
    return f"{row.proposed_by_name} proposed no further action, which was not agreed: {row.action}"


async def _record(
    waymark: Waymark, db: AsyncConnection, person: Person, row: Alerted, what: str
) -> None:
    now, action = waymark.clock(), f"alert.{what}"
    await audit.record(db, now, person.id, action, "alert", row.id)
    if row.submission:
        told = ("submission", row.submission)
        await audit.record(db, now, person.id, action, *told, alert=row.id)
        await submissions.mark(db, row.submission, changed_at=now)
