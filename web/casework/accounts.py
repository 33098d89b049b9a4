"""Staff accounts: making one, the one-time way in, signing in with a password, and its throttle."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import WaymarkError
from bot.store import audit, openings, staff
from bot.wiring import Waymark
from content.schema import FIRST_TEAM, Role
from web.casework import passwords, sessions
from web.casework.permissions import Action, Person, check

LINK_LASTS = timedelta(hours=24)
WINDOW = timedelta(minutes=15)
TRIES = 5
"""Wrong passwords for one account within the window."""
TRIES_IN_ALL = 60
"""Wrong passwords for all accounts together: someone is trying many."""


class WrongSignIn(WaymarkError):
    """That address and password don't go together; which of the two is not said."""


class SlowDown(WaymarkError):
    """Too many wrong tries; `until` is when the next may be."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class BadPassword(WaymarkError):
    """The new password can't be taken. The text is the sentence staff read."""


@dataclass(frozen=True)
class SignedIn:
    """What the browser is to remember: its session, and that this account is known here."""

    session: str
    known: str


# --- Making accounts ----------------------------------------------------------------------


async def add(waymark: Waymark, name: str, email: str, role: str, team: str | None = None) -> str:
    """Add a member of the team, or let one back in who lost their password; they may change team.

    Returns the address that signs them in once. Raises ValueError for what can't be a person.
    """
    address, seat = _tidy(email), _seat(role)
    if team is not None and team not in waymark.authority.teams:
        known = ", ".join(waymark.authority.teams)
        raise ValueError(f"There is no team {team!r}. Choose from: {known}")
    if "@" not in address or not name.strip():
        raise ValueError("Give a name and an email address, like: 'Ann Example' ann@example.org")
    async with waymark.database.transaction() as db:
        row = await staff.by_email(db, address)
        if row is None:
            id_ = await make(waymark, db, name.strip(), address, seat, team or FIRST_TEAM)
        else:
            id_ = row.id
            if team:
                await staff.set_team(db, id_, team)
                now = waymark.clock()
                what = ("staff.team-changed", "staff", id_)
                await audit.record(db, now, "waymark", *what, team=team)
            await staff.set_password(db, id_, None)
        return await new_way_in(waymark, db, id_)


async def make(
    waymark: Waymark,
    db: AsyncConnection,
    name: str,
    email: str,
    role: Role,
    team: str = FIRST_TEAM,
) -> str:
    id_, now = waymark.new_id(), waymark.clock()
    values: dict[str, Any] = {"id": id_, "name": name, "email": _tidy(email), "role": role.value}
    values["team"] = team
    await staff.add(db, **values, password_hash=None, active=True, made_at=now)
    await audit.record(db, now, "waymark", "staff.added", "staff", id_, role=role.value)
    return id_


async def new_way_in(waymark: Waymark, db: AsyncConnection, person: str) -> str:
    """An address that signs this person in once; older ones stop working."""
    token, now = secrets.token_urlsafe(32), waymark.clock()
    await staff.drop_links(db, person)
    await staff.add_link(db, waymark.keys.digest("sign-in-link", token), person, now + LINK_LASTS)
    await audit.record(db, now, "waymark", "staff.link-made", "staff", person)
    return f"{waymark.settings.address}/staff/sign-in/{token}"


def _seat(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise ValueError(f"There is no role {role!r}. Choose from: {', '.join(Role)}") from None


def _tidy(email: str) -> str:
    return email.strip().casefold()


# --- Signing in ---------------------------------------------------------------------------


async def sign_in(waymark: Waymark, email: str, password: str, known: str | None) -> SignedIn:
    """Raises WrongSignIn or SlowDown. The same work and answer, whoever it is or isn't.

    `known` is what this browser remembers of an earlier sign-in: its tries are counted apart, so
    that nobody can keep someone out by trying wrong passwords elsewhere.
    """
    address = _tidy(email)
    place = waymark.keys.digest("known-browser", address)
    trusted = known is not None and secrets.compare_digest(known, place)
    bucket = f"sign-in:{'known' if trusted else 'new'}:{place}"
    await _count(waymark, bucket, trusted)
    async with waymark.database.reading() as db:
        row = await staff.by_email(db, address)
    stored = row.password_hash if row and row.active else None
    right = await passwords.matches(stored, password)
    async with waymark.database.transaction() as db:
        if right and row is not None:
            await staff.clear_attempts(db, bucket)
            return SignedIn(await sessions.begin(waymark, db, row.id, "password"), place)
        await staff.add_attempt(db, _ALL, waymark.clock())
        # Only whose account was tried, if it is one: what was typed could be anything.
        tried = row.id if row else "unknown"
        now = waymark.clock()
        await audit.refused(db, now, "nobody", openings.SIGN_IN_REFUSED, "staff", tried)
    raise WrongSignIn


_ALL = "sign-in"


async def _count(waymark: Waymark, bucket: str, trusted: bool) -> None:
    """Count this try before looking at it, or many at once would all be let through."""
    now = waymark.clock()
    most = {bucket: TRIES} if trusted else {bucket: TRIES, _ALL: TRIES_IN_ALL}
    async with waymark.database.transaction() as db:
        for what, limit in most.items():
            if await staff.attempts(db, what, now - WINDOW) >= limit:
                oldest = await staff.oldest_attempt(db, what, now - WINDOW)
                raise SlowDown((oldest or now) + WINDOW)
        await staff.add_attempt(db, bucket, now)


async def use_way_in(waymark: Waymark, token: str) -> SignedIn | None:
    """Sign in with a one-time link; none if it was used, is too old or never was."""
    async with waymark.database.transaction() as db:
        digest = waymark.keys.digest("sign-in-link", token)
        person = await staff.use_link(db, digest, waymark.clock())
        row = await staff.get(db, person) if person else None
        if row is None or not row.active:
            return None
        place = waymark.keys.digest("known-browser", row.email)
        return SignedIn(await sessions.begin(waymark, db, row.id, "link"), place)


# --- One's own account --------------------------------------------------------------------


async def own(waymark: Waymark, person: Person) -> Any:
    """Name, address and role, and whether there is a password."""
    check(person, Action.OWN_ACCOUNT)
    async with waymark.database.reading() as db:
        return await staff.get(db, person.id)


async def set_password(waymark: Waymark, person: Person, current: str, new: str) -> str:
    """A new password: out everywhere else, and a new session here. Raises BadPassword."""
    row = await own(waymark, person)
    if row.password_hash and not await passwords.matches(row.password_hash, current):
        raise BadPassword("Your current password is not right")
    if len(new) < passwords.FEWEST:
        raise BadPassword(f"Your new password must have {passwords.FEWEST} characters or more")
    if _tidy(new) in (row.email, _tidy(row.name)):
        raise BadPassword("Your new password must not be your name or your email address")
    stored = await passwords.hashed(new)
    async with waymark.database.transaction() as db:
        await staff.set_password(db, person.id, stored)
        await staff.end_sessions(db, person.id)
        await audit.record(db, waymark.clock(), person.id, "staff.password-set", "staff", person.id)
        return await sessions.begin(waymark, db, person.id, "password-set")
