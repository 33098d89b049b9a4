"""Submissions, notes and replies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from bot.errors import EditClash
from bot.store import sealing
from bot.store.database import insert
from bot.store.models import (
    Alert,
    ConversationRow,
    Found,
    Hold,
    Note,
    Outbox,
    Reply,
    Staff,
    SubmissionLink,
    SubmissionRow,
)
from bot.store.rights import Within
from bot.store.sealing import Box


@dataclass(frozen=True)
class Filter:
    """Which submissions a list shows: of those within reach, those asked for. Empty means all."""

    within: Within
    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    owner: str | None = None
    """A staff id, or `nobody`."""
    unread: bool = False
    reference: str = ""
    handle: str = ""
    """Called exactly so, the one or the other."""


# What a list may show: no column that holds a sender's words.
LISTED = tuple(c for c in SubmissionRow.__table__.columns if c.info["class"] != "sealed")


HELD = sa.exists().where(Hold.submission == SubmissionRow.id, Hold.lifted_at.is_(None))
"""Whether it is under a legal hold."""


async def add(
    db: AsyncConnection, values: Mapping[str, Any], payload: Mapping[str, Any], code: str
) -> Box | None:
    """File a submission, so that staff can open it, and whoever has its return code. What seals
    the rest of it; None if this very sending was filed before."""
    id_ = values["id"]
    if await get(db, id_) is not None:
        return None
    box = await sealing.new_box(db, owner(id_), code)
    words = box.seal(SubmissionRow.payload, id_, payload)
    await db.execute(sa.insert(SubmissionRow).values(**values, payload=words))
    return box


def owner(submission: str) -> str:
    """Whose data key it and its replies are sealed with."""
    return f"submission:{submission}"


def desk(submission: str) -> str:
    """Whose data key the notes about it are sealed with: the sender's code doesn't open those."""
    return f"desk:{submission}"


async def payload(db: AsyncConnection, row: Found, box: Box | None = None) -> dict[str, Any]:
    """What was sent, for staff; for its sender, with the box that their return code opens.

    Raises CannotOpen."""
    box = box or await sealing.box(db, owner(row.id))
    words: dict[str, Any] = box.opened(SubmissionRow.payload, row.id, row.payload)
    return words


async def get(db: AsyncConnection, id_: str) -> Found | None:
    found = await db.execute(
        sa.select(*SubmissionRow.__table__.columns).where(SubmissionRow.id == id_)
    )
    return found.first()


async def ids(db: AsyncConnection) -> list[str]:
    """Of all there are."""
    return list((await db.scalars(sa.select(SubmissionRow.id))).all())


async def of_sender(db: AsyncConnection, sender: str) -> list[Found]:
    """What came from this address, the newest first; no words."""
    found = await db.execute(
        sa.select(*LISTED)
        .where(SubmissionRow.sender == sender)
        .order_by(SubmissionRow.received_at.desc(), SubmissionRow.id)
    )
    return list(found.all())


async def added_to(
    db: AsyncConnection, submission: str, within: Within | None = None
) -> list[Found]:
    """What was added to it later (for staff: within their reach), the oldest first; no words."""
    reach = [within.test] if within else []
    found = await db.execute(
        sa.select(*LISTED)
        .where(SubmissionRow.adds_to == submission, *reach)
        .order_by(SubmissionRow.received_at, SubmissionRow.id)
    )
    return list(found.all())


async def by_reference(db: AsyncConnection, reference: str) -> Found | None:
    found = await db.execute(
        sa.select(*SubmissionRow.__table__.columns).where(SubmissionRow.reference == reference)
    )
    return found.first()


async def by_return_key(db: AsyncConnection, key: str) -> Found | None:
    found = await db.execute(
        sa.select(*SubmissionRow.__table__.columns).where(SubmissionRow.return_key == key)
    )
    return found.first()


async def by_conversation(db: AsyncConnection, conversation: str) -> Found | None:
    found = await db.execute(
        sa.select(*SubmissionRow.__table__.columns).where(
            SubmissionRow.conversation == conversation
        )
    )
    return found.first()


async def queue(
    db: AsyncConnection, which: Filter, limit: int | None = 50, offset: int = 0
) -> list[Found]:
    """Priority first, then what is due soonest, then what has waited longest."""
    found = await db.execute(
        sa.select(*LISTED, HELD.label("held"), Staff.name.label("owner_name"))
        .outerjoin(Staff, Staff.id == SubmissionRow.owner)
        .where(*_where(which))
        .order_by(SubmissionRow.rank, SubmissionRow.reply_due, SubmissionRow.received_at)
        .order_by(SubmissionRow.id)
        .limit(limit)
        .offset(offset)
    )
    return list(found.all())


async def these(db: AsyncConnection, within: Within, ids: Collection[str]) -> dict[str, Found]:
    """Of these, what is within reach, by id; no words."""
    found = await db.execute(
        sa.select(*LISTED, Staff.name.label("owner_name"))
        .outerjoin(Staff, Staff.id == SubmissionRow.owner)
        .where(within.test, SubmissionRow.id.in_(ids))
    )
    return {row.id: row for row in found.all()}


async def counts(db: AsyncConnection, which: Filter) -> dict[str, int]:
    """How many of each status, the other filters applied."""
    wider = replace(which, status=())
    found = await db.execute(
        sa.select(SubmissionRow.status, sa.func.count())
        .where(*_where(wider))
        .group_by(SubmissionRow.status)
    )
    return {row[0]: row[1] for row in found}


def _where(which: Filter) -> list[sa.ColumnElement[bool]]:
    tests = [which.within.test]
    if which.status:
        tests.append(SubmissionRow.status.in_(which.status))
    if which.priority:
        tests.append(SubmissionRow.priority.in_(which.priority))
    if which.kind:
        tests.append(SubmissionRow.kind.in_(which.kind))
    if which.owner == "nobody":
        tests.append(SubmissionRow.owner.is_(None))
    elif which.owner:
        tests.append(SubmissionRow.owner == which.owner)
    if which.unread:
        tests.append(SubmissionRow.unread.is_(True))
    if which.reference or which.handle:
        handle = sa.func.lower(SubmissionRow.handle) == which.handle
        tests.append(sa.or_(SubmissionRow.reference == which.reference, handle))
    return tests


async def changed(db: AsyncConnection, within: Within, since: datetime) -> int:
    """How many within reach changed since then, or came within reach by being shared."""
    shared = sa.exists().where(
        SubmissionLink.submission == SubmissionRow.id,
        SubmissionLink.staff == within.viewer.id,
        SubmissionLink.at > since,
    )
    newer = sa.or_(SubmissionRow.changed_at > since, shared)
    found = await db.scalar(
        sa.select(sa.func.count()).select_from(SubmissionRow).where(within.test, newer)
    )
    return found or 0


async def change(db: AsyncConnection, id_: str, version: int, at: datetime, **values: Any) -> None:
    """Change a submission as it was seen. Raises EditClash if someone changed it since."""
    done = await db.execute(
        sa.update(SubmissionRow)
        .where(SubmissionRow.id == id_, SubmissionRow.version == version)
        .values(version=version + 1, changed_at=at, **values)
    )
    if done.rowcount != 1:
        raise EditClash(id_)


async def mark(db: AsyncConnection, id_: str, **values: Any) -> None:
    """Set what no one can clash over (read, replied)."""
    await db.execute(sa.update(SubmissionRow).where(SubmissionRow.id == id_).values(**values))


@dataclass(frozen=True)
class Written:
    """A note or a reply, opened."""

    id: str
    author: str
    author_name: str
    text: str
    written_at: datetime
    read_at: datetime | None = None


async def add_note(db: AsyncConnection, *, text: str, **values: Any) -> bool:
    """Keep a note. False if this very note was kept before (a form sent twice)."""
    words = await sealing.seal(db, desk(values["submission"]), Note.text, values["id"], text)
    made = insert(db, Note).values(**values, text=words).on_conflict_do_nothing()
    return (await db.execute(made.returning(Note.id))).first() is not None


async def notes(db: AsyncConnection, submission: str) -> list[Written]:
    """Oldest first, with who wrote them."""
    found = await db.execute(
        sa.select(*Note.__table__.columns, Staff.name.label("author_name"))
        .join(Staff, Staff.id == Note.author)
        .where(Note.submission == submission)
        .order_by(Note.written_at, Note.id)
    )
    rows = found.all()
    if not rows:
        return []
    box = await sealing.box(db, desk(submission))
    return [
        Written(r.id, r.author, r.author_name, box.opened(Note.text, r.id, r.text), r.written_at)
        for r in rows
    ]


async def add_reply(db: AsyncConnection, *, text: str, **values: Any) -> bool:
    """Keep a reply. False if this very reply was kept before (a form sent twice)."""
    words = await sealing.seal(db, owner(values["submission"]), Reply.text, values["id"], text)
    made = insert(db, Reply).values(**values, text=words).on_conflict_do_nothing()
    return (await db.execute(made.returning(Reply.id))).first() is not None


async def replies(db: AsyncConnection, submission: str, box: Box | None = None) -> list[Written]:
    """Oldest first, with who wrote them; for staff, or for the sender with their box."""
    found = await db.execute(
        sa.select(*Reply.__table__.columns, Staff.name.label("author_name"))
        .join(Staff, Staff.id == Reply.author)
        .where(Reply.submission == submission)
        .order_by(Reply.written_at, Reply.id)
    )
    rows = found.all()
    if not rows:
        return []
    box = box or await sealing.box(db, owner(submission))
    return [
        Written(
            r.id, r.author, r.author_name, box.opened(Reply.text, r.id, r.text), r.written_at,
            r.read_at,
        )
        for r in rows
    ]  # fmt: skip


async def mark_replies_read(db: AsyncConnection, submission: str, at: datetime) -> None:
    await db.execute(
        sa.update(Reply)
        .where(Reply.submission == submission, Reply.read_at.is_(None))
        .values(read_at=at)
    )


async def undelivered(db: AsyncConnection, within: Within, settled: Collection[str]) -> list[Found]:
    """Replies that did not arrive, whose submission is in none of these statuses; no words."""
    found = await db.execute(
        sa.select(
            Reply.id,
            Reply.written_at,
            Outbox.state,
            SubmissionRow.id.label("submission"),
            SubmissionRow.handle,
        )
        .select_from(Outbox)
        .join(Reply, Outbox.key == sa.literal("reply:") + Reply.id)
        .join(SubmissionRow, SubmissionRow.id == Reply.submission)
        .where(
            within.test,
            Outbox.state.in_(("failed", "blocked")),
            SubmissionRow.status.not_in(settled),
        )
        .order_by(Reply.written_at, Reply.id)
    )
    return list(found.all())


def _alerts() -> sa.Select[tuple[Any, ...]]:
    """Alerts, with the flow they came up in and where it went; no words."""
    return (
        sa.select(
            *Alert.__table__.columns,
            sa.func.coalesce(ConversationRow.flow, SubmissionRow.flow).label("flow"),
            SubmissionRow.handle,
            Staff.name.label("seen_by_name"),
            _taker.name.label("taken_by_name"),
            _proposer.name.label("proposed_by_name"),
        )
        .outerjoin(ConversationRow, ConversationRow.id == Alert.conversation)
        .outerjoin(SubmissionRow, SubmissionRow.id == Alert.submission)
        .outerjoin(Staff, Staff.id == Alert.seen_by)
        .outerjoin(_taker, _taker.id == Alert.taken_by)
        .outerjoin(_proposer, _proposer.id == Alert.proposed_by)
    )


_taker, _proposer = aliased(Staff), aliased(Staff)


async def open_alerts(db: AsyncConnection, within: Within, drafts: bool) -> list[Found]:
    """Alerts nobody has dealt with, the gravest and oldest first; with `drafts`, also those on
    what was not sent."""
    gravest = sa.case((Alert.urgency == "urgent", 0), else_=1)
    sent = sa.and_(SubmissionRow.id.is_not(None), within.test)
    shown = sa.or_(sent, Alert.submission.is_(None)) if drafts else sent
    found = await db.execute(
        _alerts().where(Alert.seen_at.is_(None), shown).order_by(gravest, Alert.raised_at, Alert.id)
    )
    return list(found.all())


@dataclass(frozen=True)
class Alerted:
    """An alert, opened: with the flow it came up in, where it went and what was done."""

    id: str
    conversation: str
    question: str
    urgency: str
    category: str
    words: str | None
    raised_at: datetime
    flow: str | None
    submission: str | None
    handle: str | None
    taken_by: str | None
    taken_by_name: str | None
    taken_at: datetime | None
    told: list[str] | None
    told_at: datetime | None
    proposed_by: str | None
    proposed_by_name: str | None
    proposed_at: datetime | None
    seen_by_name: str | None
    seen_at: datetime | None
    action: str | None


async def alert_on(db: AsyncConnection, id_: str) -> Found | None:
    """What an alert is about: a submission, or none for what was not sent. No alert: None."""
    found = await db.execute(sa.select(Alert.submission).where(Alert.id == id_))
    return found.first()


async def alert(db: AsyncConnection, id_: str) -> Alerted | None:
    row = (await db.execute(_alerts().where(Alert.id == id_))).first()
    return await _alerted(db, row) if row else None


async def alerts_of(db: AsyncConnection, submission: str) -> list[Alerted]:
    found = await db.execute(
        _alerts().where(Alert.submission == submission).order_by(Alert.raised_at, Alert.id)
    )
    return [await _alerted(db, row) for row in found.all()]


async def _alerted(db: AsyncConnection, row: Found) -> Alerted:
    names = (field.name for field in fields(Alerted))
    opened = {
        column.key: await sealing.opened(db, f"alert:{row.id}", column, row.id, sealed)
        for column in (Alert.action, Alert.words)
        if (sealed := getattr(row, column.key)) is not None
    }
    return Alerted(**{**{name: getattr(row, name) for name in names}, **opened})


async def alarmed(db: AsyncConnection, submission: str) -> bool:
    """Whether an alert on it is not settled yet."""
    unsettled = sa.select(Alert.id).where(Alert.submission == submission, Alert.seen_at.is_(None))
    return await db.scalar(unsettled.limit(1)) is not None
