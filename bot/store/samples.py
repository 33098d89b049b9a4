"""One sealed value of each kind opened, to know that what was put back can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import CannotOpen
from bot.store import sealing
from bot.store.models import (
    AccessGrant,
    Alert,
    Attachment,
    ConversationRow,
    FactDecision,
    Found,
    Hold,
    Inbox,
    Note,
    Outbox,
    PersonRequest,
    Reply,
    Staff,
    SubmissionRow,
)
from bot.store.sealing import Column


def _with_answers(row: Found) -> str:
    """A file belongs to what it was sent with, and before that to its conversation."""
    return f"submission:{row.submission}" if row.submission else f"conversation:{row.conversation}"


OWNERS: Mapping[Column, tuple[Column, Callable[[Found], str]]] = {
    Inbox.raw: (Inbox.key, lambda row: f"dead:{row.key}"),
    ConversationRow.state: (ConversationRow.id, lambda row: f"conversation:{row.id}"),
    ConversationRow.return_code: (ConversationRow.id, lambda row: f"conversation:{row.id}"),
    Outbox.payload: (Outbox.key, lambda row: f"letter:{row.key}"),
    Alert.action: (Alert.id, lambda row: f"alert:{row.id}"),
    Alert.words: (Alert.id, lambda row: f"alert:{row.id}"),
    SubmissionRow.payload: (SubmissionRow.id, lambda row: f"submission:{row.id}"),
    Attachment.content: (Attachment.id, _with_answers),
    AccessGrant.reason: (AccessGrant.id, lambda row: f"desk:{row.submission}"),
    Note.text: (Note.id, lambda row: f"desk:{row.submission}"),
    Reply.text: (Reply.id, lambda row: f"submission:{row.submission}"),
    Hold.reason: (Hold.id, lambda row: f"desk:{row.submission}"),
    Hold.lifted_because: (Hold.id, lambda row: f"desk:{row.submission}"),
    PersonRequest.words: (PersonRequest.id, lambda row: f"request:{row.id}"),
    PersonRequest.proposal: (PersonRequest.id, lambda row: f"request:{row.id}"),
    FactDecision.note: (FactDecision.id, lambda row: f"fact:{row.id}"),
    Staff.totp: (Staff.id, lambda row: f"staff:{row.id}"),
}
"""Every sealed column that is backed up: what its rows are called by, and who owns their words."""


async def open_one_of_each(db: AsyncConnection) -> dict[str, bool]:
    """Whether it opens, by table and column; those that hold nothing are left out."""
    tried = {}
    for column, (name, owner) in OWNERS.items():
        row = await _one(db, column)
        if row is not None:
            place = f"{column.class_.__tablename__}.{column.key}"
            tried[place] = await _opens(db, column, name, owner, row)
    return tried


async def _one(db: AsyncConnection, column: Column) -> Found | None:
    table = column.class_.__table__
    whole = sa.select(*table.columns).where(column.is_not(None)).limit(1)
    return (await db.execute(whole)).first()


async def _opens(
    db: AsyncConnection, column: Column, name: Column, owner: Callable[[Found], str], row: Found
) -> bool:
    try:
        box = await sealing.box(db, owner(row))
        box.opened_bytes(column, getattr(row, name.key), getattr(row, column.key))
    except CannotOpen:
        return False
    return True
