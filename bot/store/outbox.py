"""What is to be said to senders: put in with the turn, taken out by whoever delivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import sealing
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
    box = await sealing.new_box(db, _owner(key))
    sealed = box.seal(Outbox.payload, key, payload)
    await db.execute(
        sa.insert(Outbox).values(
            key=key, sender=sender, payload=sealed, state=state, due_at=at, made_at=at, tries=0
        )
    )


def _owner(key: str) -> str:
    return f"letter:{key}"


async def _opened(db: AsyncConnection, key: str, sealed: bytes | None) -> dict[str, Any]:
    said: dict[str, Any] = await sealing.opened(db, _owner(key), Outbox.payload, key, sealed)
    return said


async def carried(db: AsyncConnection, key: str) -> dict[str, Any] | None:
    """What rode in the webhook's own response the first time this event came."""
    sealed = await db.scalar(
        sa.select(Outbox.payload).where(Outbox.key == key, Outbox.state == "carried")
    )
    return await _opened(db, key, sealed) if sealed else None


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
    return [
        Letter(r.id, r.key, r.sender, await _opened(db, r.key, r.payload), r.tries + 1)
        for r in rows
    ]


async def settle(db: AsyncConnection, id_: int, state: str, at: datetime) -> None:
    """Said, or never to be said: sent, unknown, failed or blocked. Its words go."""
    await _done(db, Outbox.id == id_, state, at)
    traceless = sa.delete(Outbox).where(Outbox.id == id_, Outbox.key.startswith(TRACELESS))
    await db.execute(traceless)


async def _done(
    db: AsyncConnection, which: sa.ColumnElement[bool], state: str, at: datetime
) -> list[str]:
    """The keys of what was done with."""
    done = await db.scalars(
        sa.update(Outbox)
        .where(which)
        .values(state=state, done_at=at, payload=None)
        .returning(Outbox.key)
    )
    keys = list(done.all())
    await sealing.erase(db, *(_owner(key) for key in keys))
    return keys


async def arrived(db: AsyncConnection, keys: list[str], at: datetime) -> None:
    """They were read, whichever way they came."""
    await _done(db, sa.and_(Outbox.key.in_(keys), Outbox.state != "sent"), "sent", at)


async def put_off(
    db: AsyncConnection, letter: Letter, until: datetime, rest: dict[str, Any] | None = None
) -> None:
    """Try again then, with what is still to be said of it."""
    values: dict[str, Any] = {"due_at": until, "tries": letter.tries}
    if rest:
        values["payload"] = await sealing.seal(
            db, _owner(letter.key), Outbox.payload, letter.key, rest
        )
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
    queued = sa.and_(Outbox.sender == sender, Outbox.state == "queued")
    return await _done(db, queued, "blocked", at)


async def states(db: AsyncConnection, keys: list[str]) -> dict[str, str]:
    """How far each letter got, by key."""
    rows = await db.execute(sa.select(Outbox.key, Outbox.state).where(Outbox.key.in_(keys)))
    return {row.key: row.state for row in rows}
