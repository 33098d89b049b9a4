"""Signed-in browsers: the cookie holds a random key, the table its hash."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, staff
from bot.store import sessions as store
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import Role
from web.casework.permissions import Action, Person, check

log = logging.getLogger("waymark.sign-in")
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
HALF_WAY = timedelta(minutes=10)
"""How long somebody may take over the steps that are left after the password."""
FRESH = timedelta(minutes=10)
"""For grave things people prove who they are again, unless they just did."""
TOUCH_EVERY = timedelta(minutes=1)
"""Using the site is written down this often, not on every click."""


class Step(StrEnum):
    """What is still to be done before a session opens anything."""

    CODE = "code"
    PASSWORD = "set-password"  # noqa: S105  # the step's name
    AUTHENTICATOR = "set-authenticator"


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    person: Person
    csrf: str
    key: str
    """As it is stored: a hash. It names the session, and opens nothing."""
    how: str
    seen_at: datetime
    proved_at: datetime | None
    step: Step | None = None
    council: bool = False
    """They come through the council's own sign-in, and prove themselves there."""
    provable: bool = True
    """They have something to prove themselves with; the invented people of the demo don't."""


async def begin(
    waymark: Waymark,
    db: AsyncConnection,
    person: str,
    how: str,
    *,
    browser: str = "",
    proved_at: datetime | None = None,
    half: bool = False,
) -> str:
    """A new session; its key is for the cookie. `half` of one has steps left."""
    key, now = secrets.token_urlsafe(32), waymark.clock()
    row = await staff.get(db, person)
    assert row is not None
    await store.end_older(db, started=now - LONGEST, seen=now - IDLE)
    await store.add(
        db,
        key=_digest(waymark, key),
        staff=person,
        role=row.role,
        csrf=secrets.token_urlsafe(24),
        how=how,
        browser=browser,
        started_at=now,
        seen_at=now,
        proved_at=proved_at,
    )
    if half:
        await audit.record(db, now, person, "staff.half-signed-in", "staff", person, how=how)
    else:
        await _arrived(waymark, db, row, how)
    return key


async def _arrived(waymark: Waymark, db: AsyncConnection, row: Found, how: str) -> None:
    now = waymark.clock()
    await staff.change(db, row.id, signed_in_at=now, idle_from=now)
    await audit.record(db, now, row.id, "staff.signed-in", "staff", row.id, how=how)
    if row.emergency and waymark.settings.oidc_issuer:
        log.warning("an emergency account was used", extra={"staff": row.id})
        await audit.record(db, now, row.id, "staff.emergency-used", "staff", row.id)


async def renew(
    waymark: Waymark,
    db: AsyncConnection,
    person: str,
    old: Session | None,
    browser: str,
    proved_at: datetime | None = None,
) -> str:
    """The same person goes on with a new key: they proved who they are, or did one step of it."""
    proved_at = proved_at or (old.proved_at if old else None)
    how = old.how if old else "password"
    half = proved_at is None and (old is None or old.step is not None)
    return await begin(waymark, db, person, how, browser=browser, proved_at=proved_at, half=half)


async def find(waymark: Waymark, key: str | None) -> Session | None:
    """Who this browser is. None if signed out, switched off, in another role by now, idle too
    long or simply too old."""
    if not key:
        return None
    digest, now = _digest(waymark, key), waymark.clock()
    async with waymark.database.reading() as db:
        row = await store.get(db, digest)
    if row is None:
        return None
    step = _step(waymark, row)
    if _over(row, now) or (step and now - row.started_at > HALF_WAY):
        await _end(waymark, digest)
        return None
    return Session(
        Person(row.staff, row.name, Role(row.role), row.team),
        row.csrf,
        digest,
        row.how,
        row.seen_at,
        row.proved_at,
        step,
        council=row.subject is not None,
        provable=row.subject is not None or row.has_password,
    )


def _over(row: Found, now: datetime) -> bool:
    return bool(now - row.seen_at > IDLE or now - row.started_at > LONGEST)


def _step(waymark: Waymark, row: Found) -> Step | None:
    """What a local account still has to do; the council looks after its own."""
    if row.subject is not None:
        return None
    if row.has_totp and row.proved_at is None:
        return Step.CODE
    if waymark.settings.demo:
        return None
    if not row.has_password:
        return Step.PASSWORD
    return None if row.has_totp else Step.AUTHENTICATOR


def fresh(waymark: Waymark, session: Session) -> bool:
    """Whether they proved who they are just now."""
    if not session.provable:
        return waymark.settings.demo
    return session.proved_at is not None and waymark.clock() - session.proved_at <= FRESH


async def touch(waymark: Waymark, session: Session) -> None:
    """They are at work. A page that only asks by itself whether there is news doesn't say so."""
    now = waymark.clock()
    if now - session.seen_at > TOUCH_EVERY:
        async with waymark.database.transaction() as db:
            await store.touch(db, session.key, now)


# --- Ending -------------------------------------------------------------------------------


async def end(waymark: Waymark, key: str | None) -> None:
    """Sign out."""
    if key:
        await _end(waymark, _digest(waymark, key))


async def _end(waymark: Waymark, digest: str) -> None:
    async with waymark.database.transaction() as db:
        await store.end(db, digest)


def _digest(waymark: Waymark, key: str) -> str:
    return waymark.keys.digest("staff-session", key)


async def end_all(waymark: Waymark, db: AsyncConnection, actor: str, person: str) -> None:
    """Out everywhere, at once."""
    ended = await store.end_all(db, person)
    now = waymark.clock()
    await audit.record(db, now, actor, "staff.sessions-ended", "staff", person, count=ended)


# --- One's own ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Open:
    """One browser somebody is signed in with, as they would know it."""

    name: str
    browser: str
    how: str
    started_at: datetime
    seen_at: datetime
    here: bool


async def own(waymark: Waymark, session: Session) -> Sequence[Open]:
    """Where this person is signed in; this browser first."""
    check(session.person, Action.OWN_ACCOUNT)
    now = waymark.clock()
    async with waymark.database.reading() as db:
        found = await store.of(db, session.person.id)
    rows = [row for row in found if not _over(row, now)]
    rows.sort(key=lambda row: row.key != session.key)
    return [
        Open(
            _name(row.key),
            row.browser,
            row.how,
            row.started_at,
            row.seen_at,
            row.key == session.key,
        )
        for row in rows
    ]


async def end_own(waymark: Waymark, session: Session, name: str) -> None:
    """End one of one's own other sessions by its name on the page, or with `others` all of them."""
    check(session.person, Action.OWN_ACCOUNT)
    async with waymark.database.transaction() as db:
        rows = await store.of(db, session.person.id)
        others = [row.key for row in rows if row.key != session.key]
        chosen = [key for key in others if name in ("others", _name(key))]
        for key in chosen:
            await store.end(db, key)
        await audit.record(
            db,
            waymark.clock(),
            session.person.id,
            "staff.sessions-ended",
            "staff",
            session.person.id,
            count=len(chosen),
        )


def _name(key: str) -> str:
    return key[:16]
