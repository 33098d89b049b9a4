"""Staff accounts, their one-time ways in, and the tries that failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import sealing
from bot.store.database import insert
from bot.store.models import Attempt, Found, SignInLink, Staff, StaffSession


async def add(db: AsyncConnection, **values: Any) -> bool:
    """False if somebody has this address, or is this person, already."""
    made = insert(db, Staff).values(**values).on_conflict_do_nothing()
    return (await db.execute(made.returning(Staff.id))).first() is not None


async def change(db: AsyncConnection, id_: str, **values: Any) -> None:
    await db.execute(sa.update(Staff).where(Staff.id == id_).values(**values))


async def by_email(db: AsyncConnection, email: str) -> Found | None:
    return (
        await db.execute(sa.select(*Staff.__table__.columns).where(Staff.email == email))
    ).first()


async def by_subject(db: AsyncConnection, subject: str) -> Found | None:
    """Whoever this is to the council's own sign-in."""
    found = await db.execute(sa.select(*Staff.__table__.columns).where(Staff.subject == subject))
    return found.first()


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


async def people(db: AsyncConnection, seen_since: datetime) -> list[Found]:
    """Every account, those switched off last, by name; with how many browsers it is in use in."""
    sessions = (
        sa.select(sa.func.count())
        .where(
            StaffSession.staff == Staff.id,
            StaffSession.role == Staff.role,
            StaffSession.seen_at > seen_since,
        )
        .scalar_subquery()
    )
    found = await db.execute(
        sa.select(
            Staff.id,
            Staff.name,
            Staff.email,
            Staff.role,
            Staff.team,
            Staff.subject,
            Staff.emergency,
            Staff.active,
            Staff.off_because,
            Staff.made_at,
            Staff.signed_in_at,
            Staff.password_hash.is_not(None).label("has_password"),
            Staff.totp.is_not(None).label("has_totp"),
            sessions.label("sessions"),
        ).order_by(Staff.active.desc(), Staff.name, Staff.id)
    )
    return list(found.all())


async def emergencies(db: AsyncConnection, since: datetime) -> list[Found]:
    """Emergency accounts that were used since then, the latest first."""
    found = await db.execute(
        sa.select(Staff.id, Staff.name, Staff.signed_in_at)
        .where(Staff.emergency.is_(True), Staff.signed_in_at > since)
        .order_by(Staff.signed_in_at.desc())
    )
    return list(found.all())


async def switch_off_unused(db: AsyncConnection, since: datetime, at: datetime) -> list[str]:
    """Switch off whoever has not been here since then. Emergency accounts are meant to wait."""
    last = sa.func.coalesce(Staff.idle_from, Staff.made_at, type_=Staff.made_at.type)
    found = await db.execute(
        sa.update(Staff)
        .where(Staff.active.is_(True), Staff.emergency.is_(False), last < since)
        .values(active=False, off_because="unused", off_at=at)
        .returning(Staff.id)
    )
    return list(found.scalars())


async def names(db: AsyncConnection) -> dict[str, str]:
    """Everyone's name by id, those who have left included."""
    return {row.id: row.name for row in await db.execute(sa.select(Staff.id, Staff.name))}


async def switch_on(db: AsyncConnection, id_: str, at: datetime) -> None:
    await change(db, id_, active=True, off_because=None, off_at=None, idle_from=at)


async def switch_off(db: AsyncConnection, id_: str, because: str, at: datetime) -> None:
    """They are out at once: a session is looked up together with its account."""
    await change(db, id_, active=False, off_because=because, off_at=at)


NAMELESS = "@nobody.invalid"
"""Ends the address of an account whose person is forgotten."""


def nameless() -> sa.ColumnElement[bool]:
    return Staff.email.endswith(NAMELESS)


async def forget_names(db: AsyncConnection, ids: Sequence[str]) -> int:
    """The accounts stay, for the audit; who they were goes, and whatever they signed in with."""
    gone = dict.fromkeys(("subject", "password_hash", "totp", "totp_step"))
    done = await db.execute(
        sa.update(Staff)
        .where(Staff.id.in_(ids), Staff.active.is_(False))
        .values(name="Someone who left", email=Staff.id + NAMELESS, **gone)
    )
    await sealing.erase(db, *(f"staff:{id_}" for id_ in ids))
    return done.rowcount


async def set_password(db: AsyncConnection, id_: str, password_hash: str | None) -> None:
    await change(db, id_, password_hash=password_hash)


async def set_team(db: AsyncConnection, id_: str, team: str) -> None:
    await change(db, id_, team=team)


async def add_link(db: AsyncConnection, key: str, staff: str, expires: datetime) -> None:
    await db.execute(sa.insert(SignInLink).values(key=key, staff=staff, expires_at=expires))


async def link(db: AsyncConnection, key: str, at: datetime) -> Found | None:
    """The account a one-time link would open, without using it."""
    found = await db.execute(
        sa.select(*Staff.__table__.columns)
        .join(SignInLink, SignInLink.staff == Staff.id)
        .where(SignInLink.key == key, SignInLink.expires_at > at)
    )
    return found.first()


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
