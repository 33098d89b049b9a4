"""Calls to staff: put down when they fall due, taken out by whoever carries them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import insert
from bot.store.models import Alert, Call, Found, Staff
from content.schema import Role

LEASE = timedelta(seconds=60)
"""How long a taken call is left alone; whoever died mid-way is stepped in for after."""
TEST = "test"
MAIL = "mail"
"""The way of all calls that go into no channel."""

Columns = tuple(Call.__table__.columns)


# --- What there is to call for ------------------------------------------------------------

_NOBODY_LOOKS = sa.and_(Alert.taken_at.is_(None), Alert.seen_at.is_(None))


async def unanswered(db: AsyncConnection) -> list[Found]:
    """Alerts that nobody said they are looking at, the oldest first; no words."""
    found = await db.execute(
        sa.select(Alert.id, Alert.urgency, Alert.raised_at)
        .where(_NOBODY_LOOKS)
        .order_by(Alert.raised_at, Alert.id)
    )
    return list(found.all())


async def still_unanswered(db: AsyncConnection, alert: str) -> bool:
    """Whether nobody looks at it now, nor will begin to before this transaction ends."""
    locked = sa.select(Alert.id).where(Alert.id == alert, _NOBODY_LOOKS).with_for_update()
    return await db.scalar(locked) is not None


async def reachable(db: AsyncConnection) -> list[Found]:
    """Staff who can be written to, by name. An emergency account is nobody's in particular."""
    found = await db.execute(
        sa.select(Staff.id, Staff.name, Staff.email, Staff.role)
        .where(Staff.active.is_(True), Staff.emergency.is_(False), Staff.email.contains("@"))
        .where(Staff.role != Role.MENTOR.value)
        .order_by(Staff.name, Staff.id)
    )
    return list(found.all())


# --- The calls ----------------------------------------------------------------------------


async def add(db: AsyncConnection, at: datetime, **values: Any) -> bool:
    """Put a call down. False if somebody else just did. One for the same person and alert that is
    still waiting is not needed beside it."""
    new = {**values, "state": "queued", "tries": 0, "made_at": at, "due_at": at}
    made = insert(db, Call).values(**new).on_conflict_do_nothing()
    if (await db.execute(made.returning(Call.id))).first() is None:
        return False
    older = sa.and_(
        Call.alert == values["alert"], Call.whom == values["whom"], Call.id != values["id"]
    )
    await _drop(db, older, at)
    return True


async def answered(db: AsyncConnection, alert: str, at: datetime) -> None:
    """Somebody looks: whoever was not reached yet need not be."""
    await _drop(db, Call.alert == alert, at)


async def _drop(db: AsyncConnection, which: sa.ColumnElement[bool], at: datetime) -> None:
    waiting = sa.update(Call).where(which, Call.state == "queued")
    await db.execute(waiting.values(state="dropped", done_at=at))


async def claim(db: AsyncConnection, at: datetime, most: int) -> list[Found]:
    """Take what is due; each is left alone for a while."""
    due = (
        sa.select(*Columns)
        .where(Call.state == "queued", Call.due_at <= at)
        .order_by(Call.due_at, Call.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = list((await db.execute(due)).all())
    if rows:
        taken = sa.update(Call).where(Call.id.in_([row.id for row in rows]))
        await db.execute(taken.values(due_at=at + LEASE, tried_at=at, tries=Call.tries + 1))
    return rows


async def settle(
    db: AsyncConnection, id_: str, state: str, at: datetime, fault: str | None = None
) -> None:
    done = sa.update(Call).where(Call.id == id_)
    await db.execute(done.values(state=state, done_at=at, fault=fault))


async def put_off(db: AsyncConnection, id_: str, until: datetime, fault: str) -> None:
    """Try again then, if it is still waiting."""
    waiting = sa.update(Call).where(Call.id == id_, Call.state == "queued")
    await db.execute(waiting.values(due_at=until, fault=fault))


async def of(db: AsyncConnection, alerts: Collection[str]) -> Mapping[str, list[Found]]:
    """Every call made for these, by alert, the oldest first."""
    found = await db.execute(
        sa.select(*Columns).where(Call.alert.in_(alerts)).order_by(Call.made_at, Call.id)
    )
    by_alert: dict[str, list[Found]] = {alert: [] for alert in alerts}
    for row in found.all():
        by_alert[row.alert].append(row)
    return by_alert


# --- Whether it works ---------------------------------------------------------------------


def _by(way: str) -> sa.ColumnElement[bool]:
    return ~Call.whom.startswith("channel:") if way == MAIL else Call.whom == way


async def worked(db: AsyncConnection, way: str) -> datetime | None:
    """When a call last went out by this way."""
    newest = sa.func.max(Call.tried_at, type_=Call.tried_at.type)
    at: datetime | None = await db.scalar(sa.select(newest).where(_by(way), Call.state == "sent"))
    return at


async def went_wrong(db: AsyncConnection, way: str) -> Found | None:
    """The newest call that did not go out by this way when it was last tried."""
    found = await db.execute(
        sa.select(*Columns)
        .where(_by(way), Call.state != "sent", Call.fault.is_not(None))
        .order_by(Call.tried_at.desc(), Call.id)
        .limit(1)
    )
    return found.first()


async def waiting(db: AsyncConnection) -> int:
    """How many calls have not gone out yet."""
    queued = sa.select(sa.func.count()).select_from(Call).where(Call.state == "queued")
    return await db.scalar(queued) or 0
