"""Removing for good: what goes with a submission or a conversation, planned before it is done.

The plan that is counted for people is the plan that is carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import (
    Alert,
    Attachment,
    Audit,
    Base,
    ConversationRow,
    DataKey,
    Found,
    Inbox,
    Outbox,
    PersonRequest,
    Reply,
    SubmissionRow,
)


@dataclass(frozen=True)
class Step:
    """Rows of one table that go; or that stay, emptied of what is to be forgotten."""

    table: type[Base]
    where: sa.ColumnElement[bool]
    emptied: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Counts:
    """Table -> how many rows go, and how many stay that only name it, by an id that leads
    nowhere."""

    removed: Mapping[str, int]
    stayed: Mapping[str, int]


@dataclass(frozen=True)
class Plan:
    """Everything that goes with one thing, in an order that leaves nothing pointing nowhere."""

    steps: Sequence[Step]
    named: Sequence[str] = ()
    """Ids that the audit goes on naming."""


async def count(db: AsyncConnection, plan: Plan) -> Counts:
    """How many rows that would be."""
    removed: Counter[str] = Counter()
    stayed = Counter({"audit": await _named(db, plan)})
    for step in plan.steps:
        query = sa.select(sa.func.count()).select_from(step.table).where(step.where)
        of = removed if step.emptied is None else stayed
        of[step.table.__tablename__] += await db.scalar(query) or 0
    return Counts(dict(+removed), dict(+stayed))


async def carry_out(db: AsyncConnection, plan: Plan) -> Counts:
    """Do it; how many rows it was."""
    removed: Counter[str] = Counter()
    stayed = Counter({"audit": await _named(db, plan)})
    for step in plan.steps:
        change: sa.Delete | sa.Update = sa.delete(step.table)
        if step.emptied is not None:
            change = sa.update(step.table).values(**step.emptied)
        of = removed if step.emptied is None else stayed
        of[step.table.__tablename__] += (await db.execute(change.where(step.where))).rowcount
    return Counts(dict(+removed), dict(+stayed))


async def _named(db: AsyncConnection, plan: Plan) -> int:
    lines = sa.select(sa.func.count()).select_from(Audit).where(Audit.object_id.in_(plan.named))
    return await db.scalar(lines) or 0


def keys(owners: Collection[str]) -> Step:
    """The data keys of these owners: without them their words can't be opened by anyone."""
    return Step(DataKey, DataKey.owner.in_(owners))


def letters(keys_: Collection[str]) -> list[Step]:
    """Letters by key, and what they were sealed with."""
    return [
        Step(Outbox, Outbox.key.in_(keys_)),
        keys([f"letter:{key}" for key in keys_]),
    ]


# --- A conversation -----------------------------------------------------------------------


async def of_conversation(db: AsyncConnection, id_: str) -> Plan:
    """Its answers, what is still to be said in it, and their keys. Alerts stay: that someone may
    be unsafe, and what staff did about it, is not the conversation's to take along."""
    inner = sa.select(Inbox.key).where(Inbox.conversation == id_)
    start = sa.func.substr(Outbox.key, 1, sa.func.length(Inbox.key) + 1)
    said = await db.scalars(
        sa.select(Outbox.key).join(Inbox, start == Inbox.key + "#").where(Inbox.key.in_(inner))
    )
    steps = [
        *letters(said.all()),
        Step(Inbox, Inbox.conversation == id_, emptied={"conversation": None}),
        Step(Attachment, sa.and_(Attachment.conversation == id_, Attachment.submission.is_(None))),
        *(Step(table, table.conversation == id_) for table in belonging("conversation")),
        Step(ConversationRow, ConversationRow.id == id_),
        keys([f"conversation:{id_}"]),
    ]
    return Plan(steps, [id_])


# --- A submission -------------------------------------------------------------------------


async def of_submission(db: AsyncConnection, row: Found, *, alerts_stay: bool = False) -> Plan:
    """What was sent and everything about it; with the conversation, if it is still there."""
    submission = row.id
    replies = await _ids(db, Reply, submission)
    alerts = await _ids(db, Alert, submission)
    requests = await _ids(db, PersonRequest, submission)
    owners = [
        f"submission:{submission}",
        f"desk:{submission}",
        *(f"alert:{id_}" for id_ in alerts),
        *(f"request:{id_}" for id_ in requests),
    ]
    talk = await of_conversation(db, row.conversation)
    no_alert = {"submission": None, "action": None} if alerts_stay else None
    no_request = {"submission": None, "words": None, "proposal": None}
    # What was added to it stays with its own sender; hidden, if this was.
    alone = {"adds_to": None, **({"restricted": True} if row.restricted else {})}
    steps = [
        *talk.steps,
        *letters([f"reply:{id_}" for id_ in replies]),
        Step(Attachment, Attachment.submission == submission),
        Step(Alert, Alert.submission == submission, no_alert),
        Step(PersonRequest, PersonRequest.submission == submission, no_request),
        *(Step(table, table.submission == submission) for table in belonging("submission")),
        Step(SubmissionRow, SubmissionRow.adds_to == submission, alone),
        Step(ConversationRow, ConversationRow.adds_to == submission, {"adds_to": None}),
        Step(SubmissionRow, SubmissionRow.id == submission),
        keys(owners),
    ]
    return Plan(steps, [*talk.named, submission, *alerts, *requests])


async def _ids(db: AsyncConnection, table: Any, submission: str) -> Sequence[str]:
    return (await db.scalars(sa.select(table.id).where(table.submission == submission))).all()


def belonging(owner: str) -> list[Any]:
    """Every table whose rows are kept `with` this one, but those that are seen to by name."""
    return [
        mapper.class_
        for mapper in Base.registry.mappers
        if mapper.class_.__kept__ == f"with {owner}" and mapper.class_ is not Alert
    ]
