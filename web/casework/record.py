"""A submission opened: every answer beside its question, and all that was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import access, attachments, audit, outbox, staff, submissions
from bot.store.models import Found
from bot.store.submissions import Alerted, Written
from bot.wiring import Waymark
from content.schema import QuestionType
from web.casework import colleagues, delivery, history, keeping, rows, stages
from web.casework.attached import Attached, attached
from web.casework.due import Due, reply_due
from web.casework.keeping import Keeping
from web.casework.permissions import Action, Person, Subject
from web.casework.queue import sender_words
from web.casework.stages import Status

SKIPS = {"skipped": "Skipped", "dont-know": "I don't know", "rather-not-say": "I'd rather not say"}
OWN_WORDS = (QuestionType.TEXT, QuestionType.PHONE, QuestionType.EMAIL)


@dataclass(frozen=True)
class Answer:
    """A question as it was asked, and what they said."""

    question: str
    asked: str
    why: str | None
    words: Sequence[str]
    skipped: str | None
    verbatim: bool
    """Their own words, not a label of ours."""

    @property
    def said(self) -> str:
        return self.skipped or ", ".join(self.words) or "Nothing chosen"

    @property
    def long(self) -> bool:
        return self.verbatim and len(self.said) > 60


@dataclass(frozen=True)
class Section:
    """A heading and its answers."""

    title: str | None
    answers: Sequence[Answer]


@dataclass(frozen=True)
class Record:
    """Everything the page of one submission shows."""

    row: Found
    subject: Subject
    """What it is to whoever opened it: their buttons follow from it."""
    status: Status
    sender: str
    due: Due | None
    sections: Sequence[Section]
    alerts: Sequence[Alerted]
    replies: Sequence[delivery.Delivered]
    notes: Sequence[Written]
    history: Sequence[history.Event]
    people: Sequence[Person]
    """Whom it can be given to: only those who could open it then."""
    owner: str | None
    shared: Sequence[Found]
    """Whom it is shared with by name."""
    files: Sequence[Attached]
    keeping: Keeping
    added: Sequence[Found]
    """What was added to it later; no words."""
    first: Found | None
    """What it was itself added to."""
    contact: Sequence[str]
    """The questions that say how they want to be answered, and what is safe."""

    @property
    def label(self) -> str:
        return stages.LABELS[self.status]

    @property
    def moves(self) -> Sequence[Status]:
        """Where its status can go next."""
        return stages.in_order(stages.MOVES[self.status])

    @property
    def reach(self) -> Sequence[Answer]:
        """How they want to be answered, and what is safe."""
        return [answer for name in self.contact if (answer := self.answer(name))]

    def answer(self, question: str) -> Answer | None:
        found = (a for section in self.sections for a in section.answers if a.question == question)
        return next(found, None)


async def open_(
    waymark: Waymark, person: Person, id_: str, to: Action = Action.OPEN_SUBMISSION
) -> Record:
    """Read a submission, to do this with it; that it was read, and by whom, is written down.

    Raises UnknownSubmission, ReasonNeeded, NotAllowed.
    """
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, to, id_)
        if row.unread:
            await submissions.mark(db, id_, unread=False)
        now = waymark.clock()
        await audit.record(db, now, person.id, "submission.opened", "submission", id_)
        return await _record(waymark, db, person, row)


async def _record(waymark: Waymark, db: AsyncConnection, person: Person, row: Found) -> Record:
    seen = await rows.subject(waymark, db, person, row.id)
    assert seen is not None
    names = await staff.names(db)
    payload = await submissions.payload(db, row)
    replies = await submissions.replies(db, row.id)
    states = await outbox.states(db, [delivery.key(reply.id) for reply in replies])
    status = Status(row.status)
    flow = waymark.content.flows.get(row.flow)
    reach = rows.within(waymark, person, Action.OPEN_SUBMISSION)
    first = await submissions.these(db, reach, [row.adds_to]) if row.adds_to else {}
    due = reply_due(row.reply_due, row.replied_at, waymark.clock(), waymark.authority.closures)
    return Record(
        row=row,
        subject=seen,
        status=status,
        sender=sender_words(row.sender_role),
        due=None if status in stages.CLOSED else due,
        sections=sections(payload["answers"]),
        alerts=await submissions.alerts_of(db, row.id),
        replies=[delivery.delivered(row.sender, reply, states) for reply in replies],
        notes=await submissions.notes(db, row.id),
        history=history.told(await audit.of(db, row.id), names, await access.reasons(db, row.id)),
        people=[one for one in await colleagues.everyone(db) if colleagues.could_own(one, row)],
        owner=names.get(row.owner) if row.owner else None,
        shared=await access.links(db, row.id, waymark.clock()),
        files=attached(waymark, await attachments.of_submission(db, row.id)),
        keeping=await keeping.of(waymark, db, row),
        added=await submissions.added_to(db, row.id, reach),
        first=first.get(row.adds_to),
        contact=flow.submission.contact if flow else (),
    )


def sections(answers: Sequence[Mapping[str, Any]]) -> list[Section]:
    """The answers under their headings, in the order they were given."""
    found: list[Section] = []
    for line in answers:
        if not found or found[-1].title != line["section"]:
            found.append(Section(line["section"], []))
        told = Answer(
            question=line["question"],
            asked=line["asked"],
            why=line["why"],
            words=line["words"],
            skipped=SKIPS.get(line["skip"] or ""),
            verbatim=not line["skip"] and line["type"] in OWN_WORDS,
        )
        found[-1] = Section(found[-1].title, [*found[-1].answers, told])
    return found
