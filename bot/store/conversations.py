"""Inbox keys, senders, conversations and alerts: what one turn reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation.state import Conversation
from bot.errors import StaleConversation
from bot.store import sealing
from bot.store.database import insert as insert
from bot.store.models import Alert, ConversationRow, Found, Inbox, Sender
from bot.store.sealing import Box
from content.schema import Alarming, Urgency


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
    """A conversation with where it is kept, and what it is sealed with."""

    conversation: Conversation
    sender: str
    box: Box
    adds_to: str | None = None
    """The submission that it will be added to."""


async def claim(db: AsyncConnection, key: str, at: datetime) -> bool:
    """Take an event's key. False if it was taken before: then nothing else may be done."""
    made = insert(db, Inbox).values(key=key, received_at=at, dead=False).on_conflict_do_nothing()
    return (await db.execute(made.returning(Inbox.key))).first() is not None


async def was_claimed(db: AsyncConnection, key: str) -> bool:
    """Whether an event was taken before; nothing is taken by asking."""
    return await db.scalar(sa.select(Inbox.key).where(Inbox.key == key)) is not None


async def claimed_for(db: AsyncConnection, key: str, conversation: str) -> None:
    """Remember which conversation the event moved."""
    await db.execute(sa.update(Inbox).where(Inbox.key == key).values(conversation=conversation))


async def moved_by(db: AsyncConnection, key: str) -> str | None:
    """The conversation an event moved when it was first taken."""
    return await db.scalar(sa.select(Inbox.conversation).where(Inbox.key == key))


async def bury(db: AsyncConnection, key: str, raw: str, reason: str, at: datetime) -> None:
    """Keep what could not be processed, for staff."""
    kept = await sealing.seal(db, f"dead:{key}", Inbox.raw, key, raw) if raw else None
    values = {"key": key, "received_at": at, "dead": True, "raw": kept, "reason": reason}
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


async def read(db: AsyncConnection, id_: str) -> Kept | None:
    """A conversation, only to look at. Raises CannotOpen where its words can't be opened."""
    return await _kept(db, _STATE.where(ConversationRow.id == id_))


async def ids(db: AsyncConnection) -> list[str]:
    """Of all there are."""
    return list((await db.scalars(sa.select(ConversationRow.id))).all())


async def load(db: AsyncConnection, id_: str) -> Kept | None:
    """A conversation, locked for this turn where the database can.

    Raises CannotOpen where its words can't be opened.
    """
    return await _kept(db, _STATE.where(ConversationRow.id == id_).with_for_update())


async def load_by_resume_key(db: AsyncConnection, key: str) -> Kept | None:
    return await _kept(db, _STATE.where(ConversationRow.resume_key == key))


_STATE = sa.select(
    ConversationRow.id, ConversationRow.state, ConversationRow.sender, ConversationRow.adds_to
)


async def _kept(
    db: AsyncConnection, query: sa.Select[str, bytes | None, str, str | None]
) -> Kept | None:
    row = (await db.execute(query)).first()
    if row is None:
        return None
    box = await sealing.box(db, owner(row.id))
    state = box.opened(ConversationRow.state, row.id, row.state)
    return Kept(Conversation.loads(state), row.sender, box, row.adds_to)


def owner(conversation: str) -> str:
    """Whose data key a conversation's words are sealed with."""
    return f"conversation:{conversation}"


async def by_nonce(db: AsyncConnection, sender: str, nonce: str) -> str | None:
    """The sender's conversation that a button was made in."""
    found: str | None = await db.scalar(
        sa.select(ConversationRow.id)
        .where(ConversationRow.sender == sender, ConversationRow.id.startswith(nonce))
        .order_by(ConversationRow.started_at.desc(), ConversationRow.id)
        .limit(1)
    )
    return found


async def begun(
    db: AsyncConnection, sender: str, flow: str, adds_to: str | None = None
) -> str | None:
    """The sender's newest conversation in this flow, about this, that was not sent."""
    found: str | None = await db.scalar(
        sa.select(ConversationRow.id)
        .where(
            ConversationRow.sender == sender,
            ConversationRow.flow == flow,
            ConversationRow.adds_to.is_not_distinct_from(adds_to),
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


async def unsent_ids(db: AsyncConnection, sender: str) -> list[str]:
    """Those, and any that were opened and never answered."""
    found = await db.scalars(
        sa.select(ConversationRow.id).where(
            ConversationRow.sender == sender, ConversationRow.status != "submitted"
        )
    )
    return list(found.all())


async def add(
    db: AsyncConnection,
    conversation: Conversation,
    sender: str,
    resume_key: str,
    at: datetime,
    adds_to: str | None = None,
) -> Kept:
    box = await sealing.new_box(db, owner(conversation.id))
    await db.execute(
        sa.insert(ConversationRow).values(
            id=conversation.id,
            sender=sender,
            flow=conversation.flow,
            adds_to=adds_to,
            state=box.seal(ConversationRow.state, conversation.id, conversation.dumps()),
            revision=conversation.revision,
            status=conversation.status.value,
            resume_key=resume_key,
            started_at=at,
            changed_at=at,
        )
    )
    return Kept(conversation, sender, box, adds_to)


async def save(db: AsyncConnection, kept: Kept, after: Conversation, at: datetime) -> None:
    """Save what a turn changed. Raises StaleConversation if another turn came between."""
    before = kept.conversation
    saved = await db.execute(
        sa.update(ConversationRow)
        .where(ConversationRow.id == before.id, ConversationRow.revision == before.revision)
        .values(
            state=kept.box.seal(ConversationRow.state, before.id, after.dumps()),
            revision=after.revision,
            status=after.status.value,
            changed_at=at,
        )
    )
    if saved.rowcount != 1:
        raise StaleConversation(before.id)


async def keep_return_code(db: AsyncConnection, kept: Kept, code: str) -> None:
    """So that it can be shown again while the conversation is kept; nothing else has it."""
    id_ = kept.conversation.id
    sealed = kept.box.seal(ConversationRow.return_code, id_, code)
    await db.execute(
        sa.update(ConversationRow).where(ConversationRow.id == id_).values(return_code=sealed)
    )


async def return_code(db: AsyncConnection, conversation: str) -> str | None:
    """The return code of what was sent in it."""
    sealed = await db.scalar(
        sa.select(ConversationRow.return_code).where(ConversationRow.id == conversation)
    )
    if sealed is None:
        return None
    column = ConversationRow.return_code
    return str(await sealing.opened(db, owner(conversation), column, conversation, sealed))


async def hand_over(db: AsyncConnection, id_: str, sender: str) -> None:
    """The conversation goes on at another address (another browser, or from Telegram)."""
    await db.execute(
        sa.update(ConversationRow).where(ConversationRow.id == id_).values(sender=sender)
    )


async def raise_alert(
    db: AsyncConnection,
    conversation: str,
    question: str,
    urgency: str,
    category: str,
    at: datetime,
    *,
    words: str | None = None,
    mark: str | None = None,
    submission: str | None = None,
) -> str | None:
    """Put an alert before staff, once for each question and mark. Its id, if it is new."""
    id_ = uuid4().hex
    made = insert(db, Alert).values(
        id=id_,
        conversation=conversation,
        question=question,
        urgency=urgency,
        category=category,
        raised_at=at,
        mark=mark or urgency,
        submission=submission,
    )
    taken = await db.execute(made.on_conflict_do_nothing().returning(Alert.id))
    if taken.first() is None:
        return None
    if words is not None:
        said = await sealing.seal(db, f"alert:{id_}", Alert.words, id_, words)
        await db.execute(sa.update(Alert).where(Alert.id == id_).values(words=said))
    return id_


async def gravest_alert(db: AsyncConnection, conversation: str) -> Alarming | None:
    """How urgent the gravest alert on it is that words raised."""
    found = await db.scalars(
        sa.select(Alert.urgency).where(Alert.conversation == conversation, Alert.words.is_not(None))
    )
    told = set(found.all())
    grave: tuple[Alarming, ...] = (Urgency.URGENT, Urgency.CONCERN)
    return next((urgency for urgency in grave if urgency.value in told), None)


async def tie_alerts(db: AsyncConnection, conversation: str, submission: str) -> None:
    """The person sent their answers: the alerts now belong to what was sent."""
    await db.execute(
        sa.update(Alert).where(Alert.conversation == conversation).values(submission=submission)
    )
