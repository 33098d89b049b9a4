"""Signed-in browsers: the cookie holds a random key, the table its hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, staff
from bot.wiring import Waymark
from content.schema import Role
from web.casework.permissions import Person

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
TOUCH_EVERY = timedelta(minutes=1)
"""Using the site is written down this often, not on every click."""


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    person: Person
    csrf: str


async def begin(waymark: Waymark, db: AsyncConnection, person: str, how: str) -> str:
    """A new session; its key is for the cookie."""
    key, now = secrets.token_urlsafe(32), waymark.clock()
    await staff.add_session(
        db,
        key=waymark.keys.digest("staff-session", key),
        staff=person,
        csrf=secrets.token_urlsafe(24),
        started_at=now,
        seen_at=now,
    )
    await audit.record(db, now, person, "staff.signed-in", "staff", person, how=how)
    return key


async def find(waymark: Waymark, key: str | None, *, touch: bool = True) -> Session | None:
    """Who this browser is. None if signed out, switched off, idle too long or simply too old.

    Without `touch` it doesn't count as using the site: a page that looks by itself.
    """
    if not key:
        return None
    digest, now = waymark.keys.digest("staff-session", key), waymark.clock()
    async with waymark.database.reading() as db:
        row = await staff.session(db, digest)
    if row is None:
        return None
    if now - row.seen_at > IDLE or now - row.started_at > LONGEST:
        await _end(waymark, digest)
        return None
    if touch and now - row.seen_at > TOUCH_EVERY:
        async with waymark.database.transaction() as db:
            await staff.touch_session(db, digest, now)
    return Session(Person(row.staff_id, row.name, Role(row.role), row.team), row.csrf)


async def end(waymark: Waymark, key: str | None) -> None:
    """Sign out."""
    if key:
        await _end(waymark, waymark.keys.digest("staff-session", key))


async def _end(waymark: Waymark, digest: str) -> None:
    async with waymark.database.transaction() as db:
        await staff.end_session(db, digest)
