"""Files added to answers: kept under their conversation, and once sent under what was sent.

Their bytes are words like any others: they are only read one at a time, by whoever opens one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import conversations, sealing, submissions
from bot.store.conversations import Kept
from bot.store.models import Attachment, Found
from bot.store.sealing import Box

log = logging.getLogger("waymark.files")

# What a list may show: everything but the file itself.
LISTED = tuple(c for c in Attachment.__table__.columns if c.info["class"] != "sealed")


async def add(db: AsyncConnection, box: Box, content: bytes, **values: Any) -> None:
    """Keep a file of a conversation."""
    sealed = box.seal_bytes(Attachment.content, values["id"], content)
    values |= {"content": sealed, "size": len(content), "place": 0}
    await db.execute(sa.insert(Attachment).values(**values))


def opened(row: Found, box: Box) -> bytes:
    """The file itself. Raises Erased or CannotOpen."""
    return box.opened_bytes(Attachment.content, row.id, row.content)


async def drop(db: AsyncConnection, conversation: str, ids: Collection[str]) -> None:
    """Files that were taken out of an answer again."""
    mine = (*_unsent_in(conversation), Attachment.id.in_(ids))
    await db.execute(sa.delete(Attachment).where(*mine))


async def file(
    db: AsyncConnection, kept: Kept, submission: str, box: Box, ids: Collection[str]
) -> None:
    """These, in this order, were sent, and are sealed anew with what was sent. The conversation's
    other files were not, and are dropped."""
    conversation = kept.conversation.id
    for place, id_ in enumerate(ids, 1):
        row = await unsent(db, conversation, id_)
        if row is None:  # better sent without it than not at all; staff see that one is missing
            log.error("a file was not there to be sent", extra={"attachment": id_})
            continue
        sealed = box.seal_bytes(Attachment.content, id_, opened(row, kept.box))
        moved = {"submission": submission, "content": sealed, "place": place}
        await db.execute(sa.update(Attachment).where(Attachment.id == id_).values(moved))
    await db.execute(sa.delete(Attachment).where(*_unsent_in(conversation)))


def _unsent_in(conversation: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (Attachment.conversation == conversation, Attachment.submission.is_(None))


async def unsent(db: AsyncConnection, conversation: str, id_: str) -> Found | None:
    """A file of this conversation, as long as it was not sent."""
    found = await db.execute(
        sa.select(*Attachment.__table__.columns).where(
            *_unsent_in(conversation), Attachment.id == id_
        )
    )
    return found.first()


async def sent(db: AsyncConnection, submission: str, id_: str) -> Found | None:
    """A file of this submission."""
    found = await db.execute(
        sa.select(*Attachment.__table__.columns).where(
            Attachment.submission == submission, Attachment.id == id_
        )
    )
    return found.first()


async def of_submission(db: AsyncConnection, submission: str) -> list[Found]:
    """What was sent along, in its order; not the files themselves."""
    found = await db.execute(
        sa.select(*LISTED)
        .where(Attachment.submission == submission)
        .order_by(Attachment.place, Attachment.id)
    )
    return list(found.all())


# --- Scanning -----------------------------------------------------------------------------


async def to_scan(db: AsyncConnection, states: Collection[str], most: int) -> list[Found]:
    """Files in these states, the oldest first; not the files themselves."""
    found = await db.execute(
        sa.select(*LISTED)
        .where(Attachment.scan.in_(states))
        .order_by(Attachment.made_at, Attachment.id)
        .limit(most)
    )
    return list(found.all())


async def reread(db: AsyncConnection, listed: Found) -> bytes | None:
    """The file of a listed row; None if it was sent or dropped since. Raises CannotOpen."""
    if listed.submission is None:
        row = await unsent(db, listed.conversation, listed.id)
        owner = conversations.owner(listed.conversation)
    else:
        row = await sent(db, listed.submission, listed.id)
        owner = submissions.owner(listed.submission)
    return None if row is None else opened(row, await sealing.box(db, owner))


async def set_scan(db: AsyncConnection, id_: str, state: str) -> None:
    await db.execute(sa.update(Attachment).where(Attachment.id == id_).values(scan=state))
