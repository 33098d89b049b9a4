"""Staff accounts, their sessions, and the tries that failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Attempt, Found, SignInLink, Staff, StaffSession


async def add(db: AsyncConnection, **values: Any) -> None:
    await db.execute(sa.insert(Staff).values(**values))


async def by_email(db: AsyncConnection, email: str) -> Found | None:
    return (
        await db.execute(sa.select(*Staff.__table__.columns).where(Staff.email == email))
    ).first()


async def get(db: AsyncConnection, id_: str) -> Found | None:
    return (await db.execute(sa.select(*Staff.__table__.columns).where(Staff.id == id_))).first()


async def everyone(db: AsyncConnection) -> list[Found]:
    """Active staff, by name."""
    found = await db.execute(
        sa.select(Staff.id, Staff.name, Staff.role, Staff.team)
        .where(Staff.active.is_(True))
        .order_by(Staff.name, Staff.id)
    )
    return list(found.all())


async def names(db: AsyncConnection) -> dict[str, str]:
    """Everyone's name by id, those who have left included."""
    return {row.id: row.name for row in await db.execute(sa.select(Staff.id, Staff.name))}


async def set_active(db: AsyncConnection, id_: str, active: bool, at: datetime) -> None:
    """Switch an account on or off; switched off, they are out at once."""
    off_at = None if active else at
    await db.execute(sa.update(Staff).where(Staff.id == id_).values(active=active, off_at=off_at))


NAMELESS = "@nobody.invalid"
"""Ends the address of an account whose person is forgotten."""


def nameless() -> sa.ColumnElement[bool]:
    return Staff.email.endswith(NAMELESS)


async def forget_names(db: AsyncConnection, ids: Sequence[str]) -> int:
    """The accounts stay, for the audit; who they were goes."""
    forgotten = sa.update(Staff).where(Staff.id.in_(ids), Staff.active.is_(False))
    done = await db.execute(
        forgotten.values(name="Someone who left", email=Staff.id + NAMELESS, password_hash=None)
    )
    return done.rowcount


async def set_password(db: AsyncConnection, id_: str, password_hash: str | None) -> None:
    await db.execute(sa.update(Staff).where(Staff.id == id_).values(password_hash=password_hash))


async def set_team(db: AsyncConnection, id_: str, team: str) -> None:
    await db.execute(sa.update(Staff).where(Staff.id == id_).values(team=team))


async def add_session(db: AsyncConnection, **values: Any) -> None:
    await db.execute(sa.insert(StaffSession).values(**values))


async def session(db: AsyncConnection, key: str) -> Found | None:
    """A session with its person; none once the account is switched off."""
    found = await db.execute(
        sa.select(
            StaffSession.key,
            StaffSession.csrf,
            StaffSession.started_at,
            StaffSession.seen_at,
            Staff.id.label("staff_id"),
            Staff.name,
            Staff.role,
            Staff.team,
        )
        .join(Staff, Staff.id == StaffSession.staff)
        .where(StaffSession.key == key, Staff.active.is_(True))
    )
    return found.first()


async def touch_session(db: AsyncConnection, key: str, at: datetime) -> None:
    await db.execute(sa.update(StaffSession).where(StaffSession.key == key).values(seen_at=at))


async def end_session(db: AsyncConnection, key: str) -> None:
    await db.execute(sa.delete(StaffSession).where(StaffSession.key == key))


async def end_sessions(db: AsyncConnection, staff: str) -> None:
    """Out everywhere: their password is another one now."""
    await db.execute(sa.delete(StaffSession).where(StaffSession.staff == staff))


async def add_link(db: AsyncConnection, key: str, staff: str, expires: datetime) -> None:
    await db.execute(sa.insert(SignInLink).values(key=key, staff=staff, expires_at=expires))


async def use_link(db: AsyncConnection, key: str, at: datetime) -> str | None:
    """The account a one-time link opens; using it uses it up."""
    used = await db.execute(
        sa.delete(SignInLink)
        .where(SignInLink.key == key)
        .returning(SignInLink.staff, SignInLink.expires_at)
    )
    row = used.first()
    return row.staff if row and row.expires_at > at else None


async def drop_links(db: AsyncConnection, staff: str) -> None:
    """Older ways in stop working when a new one is made."""
    await db.execute(sa.delete(SignInLink).where(SignInLink.staff == staff))


async def add_attempt(db: AsyncConnection, what: str, at: datetime) -> None:
    await db.execute(sa.insert(Attempt).values(what=what, at=at))


async def attempts(db: AsyncConnection, what: str, since: datetime) -> int:
    """Failed tries at this since then."""
    found = await db.scalar(
        sa.select(sa.func.count()).where(Attempt.what == what, Attempt.at > since)
    )
    return found or 0


async def oldest_attempt(db: AsyncConnection, what: str, since: datetime) -> datetime | None:
    """When the first of those tries was, to say when the next may be."""
    return await db.scalar(
        sa.select(sa.func.min(Attempt.at)).where(Attempt.what == what, Attempt.at > since)
    )


async def clear_attempts(db: AsyncConnection, what: str) -> None:
    await db.execute(sa.delete(Attempt).where(Attempt.what == what))
