"""What is to be said to senders: put in with the turn, taken out by whoever delivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Outbox

LEASE = timedelta(seconds=60)
"""How long a taken letter is left alone; a sender that died mid-way is stepped in for after."""

TRACELESS = "traceless:"
"""Begins the key of what is said to somebody of whom nothing may be kept."""


@dataclass(frozen=True)
class Letter:
    """One thing to say to one sender."""

    id: int
    key: str
    sender: str
    payload: dict[str, Any]
    tries: int


async def post(
    db: AsyncConnection,
    key: str,
    sender: str,
    payload: dict[str, Any],
    at: datetime,
    state: str = "queued",
) -> None:
    await db.execute(
        sa.insert(Outbox).values(
            key=key, sender=sender, payload=payload, state=state, due_at=at, made_at=at, tries=0
        )
    )


async def carried(db: AsyncConnection, key: str) -> dict[str, Any] | None:
    """What rode in the webhook's own response the first time this event came."""
    return await db.scalar(
        sa.select(Outbox.payload).where(Outbox.key == key, Outbox.state == "carried")
    )


async def waiting(db: AsyncConnection, sender: str) -> bool:
    """Whether something said before is still on its way to this sender."""
    queued = sa.select(Outbox.id).where(Outbox.sender == sender, Outbox.state == "queued")
    return await db.scalar(queued.limit(1)) is not None


async def claim(db: AsyncConnection, at: datetime, channel: str, most: int = 20) -> list[Letter]:
    """Take what is due on a channel: for each sender only the oldest, so that order holds."""
    oldest = (
        sa.select(sa.func.min(Outbox.id))
        .where(Outbox.state == "queued", Outbox.sender.startswith(f"{channel}:"))
        .group_by(Outbox.sender)
    )
    due = (
        sa.select(*Outbox.__table__.columns)
        .where(Outbox.id.in_(oldest), Outbox.state == "queued", Outbox.due_at <= at)
        .order_by(Outbox.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = (await db.execute(due)).all()
    if rows:
        taken = sa.update(Outbox).where(Outbox.id.in_([row.id for row in rows]))
        await db.execute(taken.values(due_at=at + LEASE, tries=Outbox.tries + 1))
    return [Letter(r.id, r.key, r.sender, r.payload, r.tries + 1) for r in rows]


async def settle(db: AsyncConnection, id_: int, state: str, at: datetime) -> None:
    """Said, or never to be said: sent, unknown, failed or blocked."""
    await db.execute(sa.update(Outbox).where(Outbox.id == id_).values(state=state, done_at=at))
    traceless = sa.delete(Outbox).where(Outbox.id == id_, Outbox.key.startswith(TRACELESS))
    await db.execute(traceless)


async def arrived(db: AsyncConnection, keys: list[str], at: datetime) -> None:
    """They were read, whichever way they came."""
    await db.execute(
        sa.update(Outbox)
        .where(Outbox.key.in_(keys), Outbox.state != "sent")
        .values(state="sent", done_at=at)
    )


async def put_off(
    db: AsyncConnection, letter: Letter, until: datetime, rest: dict[str, Any] | None = None
) -> None:
    """Try again then, with what is still to be said of it."""
    values = {"due_at": until, "payload": rest or letter.payload, "tries": letter.tries}
    await db.execute(sa.update(Outbox).where(Outbox.id == letter.id).values(**values))


async def put_off_channel(db: AsyncConnection, channel: str, until: datetime) -> None:
    """The channel asks for quiet: nothing queued goes out before then."""
    await db.execute(
        sa.update(Outbox)
        .where(
            Outbox.state == "queued",
            Outbox.sender.startswith(f"{channel}:"),
            Outbox.due_at < until,
        )
        .values(due_at=until)
    )


async def block(db: AsyncConnection, sender: str, at: datetime) -> list[str]:
    """They blocked us: nothing queued for them will be said. The keys of what won't be."""
    stopped = (
        sa.update(Outbox)
        .where(Outbox.sender == sender, Outbox.state == "queued")
        .values(state="blocked", done_at=at)
        .returning(Outbox.key)
    )
    return list((await db.scalars(stopped)).all())


async def states(db: AsyncConnection, keys: list[str]) -> dict[str, str]:
    """How far each letter got, by key."""
    rows = await db.execute(sa.select(Outbox.key, Outbox.state).where(Outbox.key.in_(keys)))
    return {row.key: row.state for row in rows}
