"""Inbox keys, senders, conversations and alerts: what one turn reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation.state import Conversation
from bot.errors import StaleConversation
from bot.store.models import Alert, ConversationRow, Found, Inbox, Sender


@dataclass(frozen=True)
class Known:
    """What is known of a sender: nothing about who they are."""

    address: str
    over_16: bool = False
    current: str | None = None
    last_order: int | None = None
    blocked: bool = False


@dataclass(frozen=True)
class Kept:
    """A conversation with where it is kept."""

    conversation: Conversation
    sender: str


def insert(db: AsyncConnection, table: type) -> sqlite.Insert | postgresql.Insert:
    """An insert that can be told what to do on a clash; both databases have one."""
    if db.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


async def claim(db: AsyncConnection, key: str, at: datetime) -> bool:
    """Take an event's key. False if it was taken before: then nothing else may be done."""
    made = insert(db, Inbox).values(key=key, received_at=at, dead=False).on_conflict_do_nothing()
    return (await db.execute(made.returning(Inbox.key))).first() is not None


async def claimed_for(db: AsyncConnection, key: str, conversation: str) -> None:
    """Remember which conversation the event moved."""
    await db.execute(sa.update(Inbox).where(Inbox.key == key).values(conversation=conversation))


async def moved_by(db: AsyncConnection, key: str) -> str | None:
    """The conversation an event moved when it was first taken."""
    return await db.scalar(sa.select(Inbox.conversation).where(Inbox.key == key))


async def bury(db: AsyncConnection, key: str, raw: str, reason: str, at: datetime) -> None:
    """Keep what could not be processed, for staff."""
    values = {"key": key, "received_at": at, "dead": True, "raw": raw, "reason": reason}
    made = insert(db, Inbox).values(**values)
    await db.execute(made.on_conflict_do_update(index_elements=["key"], set_=values))


async def sender(db: AsyncConnection, address: str) -> Known:
    """The sender at this address, locked for this turn; a stranger if not seen before."""
    row = (
        await db.execute(
            sa.select(*Sender.__table__.columns).where(Sender.address == address).with_for_update()
        )
    ).first()
    if row is None:
        return Known(address)
    return Known(
        address,
        over_16=row.over_16_at is not None,
        current=row.current,
        last_order=row.last_order,
        blocked=row.blocked_at is not None,
    )


async def keep_sender(db: AsyncConnection, known: Known, at: datetime) -> None:
    values = {
        "address": known.address,
        "over_16_at": at if known.over_16 else None,
        "current": known.current,
        "last_order": known.last_order,
        "blocked_at": at if known.blocked else None,
        "seen_at": at,
    }
    made = insert(db, Sender).values(**values)
    await db.execute(made.on_conflict_do_update(index_elements=["address"], set_=values))


async def forget_sender(db: AsyncConnection, address: str) -> None:
    await db.execute(sa.delete(Sender).where(Sender.address == address))


async def mark_blocked(db: AsyncConnection, address: str, at: datetime | None) -> None:
    """They block us, since then; or don't, for None. Nothing is kept of a stranger."""
    await db.execute(sa.update(Sender).where(Sender.address == address).values(blocked_at=at))


async def load(db: AsyncConnection, id_: str) -> Kept | None:
    """A conversation, locked for this turn where the database can."""
    row = (
        await db.execute(
            sa.select(ConversationRow.state, ConversationRow.sender)
            .where(ConversationRow.id == id_)
            .with_for_update()
        )
    ).first()
    return Kept(Conversation.loads(row.state), row.sender) if row else None


async def load_by_resume_key(db: AsyncConnection, key: str) -> Kept | None:
    row = (
        await db.execute(
            sa.select(ConversationRow.state, ConversationRow.sender).where(
                ConversationRow.resume_key == key
            )
        )
    ).first()
    return Kept(Conversation.loads(row.state), row.sender) if row else None


async def by_nonce(db: AsyncConnection, sender: str, nonce: str) -> str | None:
    """The sender's conversation that a button was made in."""
    found: str | None = await db.scalar(
        sa.select(ConversationRow.id)
        .where(ConversationRow.sender == sender, ConversationRow.id.startswith(nonce))
        .order_by(ConversationRow.started_at.desc(), ConversationRow.id)
        .limit(1)
    )
    return found


async def begun(db: AsyncConnection, sender: str, flow: str) -> str | None:
    """The sender's newest conversation in this flow that was not sent."""
    found: str | None = await db.scalar(
        sa.select(ConversationRow.id)
        .where(
            ConversationRow.sender == sender,
            ConversationRow.flow == flow,
            ConversationRow.status != "submitted",
        )
        .order_by(ConversationRow.started_at.desc(), ConversationRow.id)
        .limit(1)
    )
    return found


async def unsent(db: AsyncConnection, sender: str) -> list[Found]:
    """The sender's conversations that were not sent, the last changed first; no words."""
    found = await db.execute(
        sa.select(ConversationRow.id, ConversationRow.flow, ConversationRow.changed_at)
        .where(
            ConversationRow.sender == sender,
            ConversationRow.status != "submitted",
            ConversationRow.revision > 0,
        )
        .order_by(ConversationRow.changed_at.desc(), ConversationRow.id)
    )
    return list(found.all())


async def add(
    db: AsyncConnection, kept: Kept, resume_key: str, at: datetime, expires: datetime
) -> None:
    conversation = kept.conversation
    await db.execute(
        sa.insert(ConversationRow).values(
            id=conversation.id,
            sender=kept.sender,
            flow=conversation.flow,
            state=conversation.dumps(),
            revision=conversation.revision,
            status=conversation.status.value,
            resume_key=resume_key,
            started_at=at,
            changed_at=at,
            expires_at=expires,
        )
    )


async def save(
    db: AsyncConnection, before: Conversation, after: Conversation, at: datetime, expires: datetime
) -> None:
    """Save what a turn changed. Raises StaleConversation if another turn came between."""
    saved = await db.execute(
        sa.update(ConversationRow)
        .where(ConversationRow.id == before.id, ConversationRow.revision == before.revision)
        .values(
            state=after.dumps(),
            revision=after.revision,
            status=after.status.value,
            changed_at=at,
            expires_at=expires,
        )
    )
    if saved.rowcount != 1:
        raise StaleConversation(before.id)


async def hand_over(db: AsyncConnection, id_: str, sender: str) -> None:
    """The conversation goes on at another address (another browser, or from Telegram)."""
    await db.execute(
        sa.update(ConversationRow).where(ConversationRow.id == id_).values(sender=sender)
    )


async def delete(db: AsyncConnection, id_: str) -> None:
    await db.execute(sa.delete(ConversationRow).where(ConversationRow.id == id_))


async def raise_alert(
    db: AsyncConnection,
    conversation: str,
    question: str,
    urgency: str,
    category: str,
    at: datetime,
) -> str | None:
    """Put an alert before staff; once for each question. Its id, if it is new."""
    made = insert(db, Alert).values(
        id=uuid4().hex,
        conversation=conversation,
        question=question,
        urgency=urgency,
        category=category,
        raised_at=at,
    )
    taken = await db.execute(made.on_conflict_do_nothing().returning(Alert.id))
    row = taken.first()
    return row.id if row else None


async def tie_alerts(db: AsyncConnection, conversation: str, submission: str) -> None:
    """The person sent their answers: the alerts now belong to what was sent."""
    await db.execute(
        sa.update(Alert).where(Alert.conversation == conversation).values(submission=submission)
    )
