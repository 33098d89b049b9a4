"""Staff accounts: making one, the one-time way in, signing in with a password, and one's own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import WaymarkError
from bot.store import audit, openings, staff
from bot.store import sessions as open_sessions
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import FIRST_TEAM, Role
from web.casework import password_rules, passwords, second_factor, sessions, throttle, unused
from web.casework.password_rules import BadPassword
from web.casework.permissions import Action, Person, check
from web.casework.second_factor import Given, WrongCode
from web.casework.sessions import Session
from web.casework.throttle import TRIES

LINK_LASTS = timedelta(hours=24)
TRIES_IN_ALL = 60
"""Wrong passwords for all accounts together: someone is trying many."""


class WrongSignIn(WaymarkError):
    """That address and password don't go together; which of the two is not said."""


@dataclass(frozen=True)
class SignedIn:
    """What the browser is to remember: its session, and that this account is known here."""

    session: str
    known: str


# --- Making accounts ----------------------------------------------------------------------


async def add(
    waymark: Waymark,
    name: str,
    email: str,
    role: str,
    team: str | None = None,
    *,
    emergency: bool = False,
    new_phone: bool = False,
) -> str:
    """Add a member of the team, or let one back in who lost their password (or, with `new_phone`,
    what their codes came from); they may change team.

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
            id_ = await make(
                waymark, db, name.strip(), address, seat, team or FIRST_TEAM, emergency=emergency
            )
        elif row.subject is not None:
            raise ValueError(f"{address} signs in with the council's own account")
        else:
            id_ = row.id
            if team:
                await staff.set_team(db, id_, team)
                now = waymark.clock()
                what = ("staff.team-changed", "staff", id_)
                await audit.record(db, now, "waymark", *what, team=team)
            await staff.set_password(db, id_, None)
        if new_phone:
            await second_factor.forget(waymark, db, "waymark", id_)
        return await new_way_in(waymark, db, id_)


async def make(
    waymark: Waymark,
    db: AsyncConnection,
    name: str,
    email: str,
    role: Role,
    team: str = FIRST_TEAM,
    *,
    emergency: bool = False,
) -> str:
    id_, now = waymark.new_id(), waymark.clock()
    values: dict[str, Any] = {"id": id_, "name": name, "email": _tidy(email), "role": role.value}
    values |= {"team": team, "emergency": emergency, "active": True}
    await staff.add(db, **values, made_at=now, idle_from=now)
    await audit.record(
        db, now, "waymark", "staff.added", "staff", id_, role=role.value, emergency=emergency
    )
    return id_


async def new_way_in(
    waymark: Waymark, db: AsyncConnection, person: str, actor: str = "waymark"
) -> str:
    """An address that signs this person in once; older ones stop working. An account that was
    switched off is on again."""
    token, now = secrets.token_urlsafe(32), waymark.clock()
    await staff.drop_links(db, person)
    await staff.add_link(db, _link(waymark, token), person, now + LINK_LASTS)
    await staff.switch_on(db, person, now)
    await audit.record(db, now, actor, "staff.link-made", "staff", person)
    return f"{waymark.settings.address}/staff/sign-in/{token}"


def _link(waymark: Waymark, token: str) -> str:
    return waymark.keys.digest("sign-in-link", token)


def _seat(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise ValueError(f"There is no role {role!r}. Choose from: {', '.join(Role)}") from None


def _tidy(email: str) -> str:
    return email.strip().casefold()


# --- Signing in ---------------------------------------------------------------------------


def local(waymark: Waymark, row: Found) -> bool:
    """Whether this account signs in here. Where the council has its own sign-in, only those kept
    for an emergency do."""
    return row.active and local_here(waymark, row)


def local_here(waymark: Waymark, row: Found) -> bool:
    """The same, whether or not it is switched off."""
    elsewhere = waymark.settings.oidc_issuer is not None and not waymark.settings.demo
    return row.subject is None and (row.emergency or not elsewhere)


async def sign_in(
    waymark: Waymark, email: str, password: str, known: str | None, browser: str = ""
) -> SignedIn:
    """Raises WrongSignIn or SlowDown. The same work and answer, whoever it is or isn't.

    `known` is what this browser remembers of an earlier sign-in: its tries are counted apart, so
    that nobody can keep someone out by trying wrong passwords elsewhere.
    """
    address = _tidy(email)
    place = waymark.keys.digest("known-browser", address)
    trusted = known is not None and secrets.compare_digest(known.encode(), place.encode())
    bucket = f"sign-in:{'known' if trusted else 'new'}:{place}"
    most = {bucket: TRIES} if trusted else {bucket: TRIES, _ALL: TRIES_IN_ALL}
    await throttle.count(waymark, bucket, most)
    await unused.switch_off(waymark)
    async with waymark.database.reading() as db:
        row = await staff.by_email(db, address)
    stored = row.password_hash if row and local(waymark, row) else None
    right = await passwords.matches(stored, password)
    async with waymark.database.transaction() as db:
        if right and row is not None:
            await staff.clear_attempts(db, bucket)
            return SignedIn(await _begin(waymark, db, row, "password", browser), place)
        await staff.add_attempt(db, _ALL, waymark.clock())
        # Only whose account was tried, if it is one: what was typed could be anything.
        tried = row.id if row else "unknown"
        now = waymark.clock()
        await audit.refused(db, now, "nobody", openings.SIGN_IN_REFUSED, "staff", tried)
    raise WrongSignIn


_ALL = "sign-in"


async def _begin(waymark: Waymark, db: AsyncConnection, row: Found, how: str, browser: str) -> str:
    """Here with one thing that proves who they are. Only in the demo is one enough."""
    enough = waymark.settings.demo and row.totp is None
    proved_at = waymark.clock() if enough else None
    return await sessions.begin(
        waymark, db, row.id, how, browser=browser, proved_at=proved_at, half=not enough
    )


async def council_way_in(waymark: Waymark, token: str) -> bool:
    """Whether a one-time link ties an account to the council's own sign-in."""
    async with waymark.database.reading() as db:
        row = await staff.link(db, _link(waymark, token), waymark.clock())
    return row is not None and row.active and not local(waymark, row)


async def spend_way_in(waymark: Waymark, db: AsyncConnection, token: str) -> str | None:
    """Whose way in this is; it is used up by asking."""
    return await staff.use_link(db, _link(waymark, token), waymark.clock())


async def use_way_in(waymark: Waymark, token: str, browser: str = "") -> SignedIn | None:
    """Sign in with a one-time link; none if it was used, is too old or never was."""
    if await council_way_in(waymark, token):
        return None
    async with waymark.database.transaction() as db:
        person = await spend_way_in(waymark, db, token)
        row = await staff.get(db, person) if person else None
        if row is None or not local(waymark, row):
            return None
        place = waymark.keys.digest("known-browser", row.email)
        return SignedIn(await _begin(waymark, db, row, "link", browser), place)


# --- One's own account --------------------------------------------------------------------


async def own(waymark: Waymark, person: Person) -> Any:
    """Name, address and role, and whether there is a password."""
    check(person, Action.OWN_ACCOUNT)
    async with waymark.database.reading() as db:
        return await staff.get(db, person.id)


async def set_password(
    waymark: Waymark,
    person: Person,
    current: str,
    new: str,
    session: Session | None = None,
    browser: str = "",
) -> str:
    """A new password: out everywhere else, and a new session here. Raises BadPassword, SlowDown."""
    row = await own(waymark, person)
    if row.password_hash and not await right_password(waymark, row, current):
        raise BadPassword("Your current password is not right")
    about = (row.name, row.email, waymark.authority.council, waymark.authority.virtual_school)
    await password_rules.check(new, about, waymark.settings.breached_passwords)
    stored = await passwords.hashed(new)
    async with waymark.database.transaction() as db:
        await staff.set_password(db, person.id, stored)
        await open_sessions.end_all(db, person.id)
        await audit.record(db, waymark.clock(), person.id, "staff.password-set", "staff", person.id)
        return await sessions.renew(waymark, db, person.id, session, browser)


async def right_password(waymark: Waymark, row: Found, password: str) -> bool:
    """Whether this is the password of somebody who is here already. Raises SlowDown."""
    bucket = f"password:{row.id}"
    await throttle.count(waymark, bucket, {bucket: TRIES})
    right = await passwords.matches(row.password_hash, password)
    async with waymark.database.transaction() as db:
        if right:
            await staff.clear_attempts(db, bucket)
        else:
            now, refused = waymark.clock(), openings.SIGN_IN_REFUSED
            await audit.refused(db, now, row.id, refused, "staff", row.id, wrong="password")
    return right


async def confirm(
    waymark: Waymark, session: Session, password: str, given: Given, browser: str = ""
) -> str:
    """They prove who they are once more, before something grave. Raises WrongCode, SlowDown."""
    row = await own(waymark, session.person)
    if not row.password_hash or not await right_password(waymark, row, password):
        raise WrongCode("The password or the code is not right")
    if row.totp is not None:
        await second_factor.prove(waymark, session, given)
    async with waymark.database.transaction() as db:
        await open_sessions.end(db, session.key)
        now = waymark.clock()
        return await sessions.renew(waymark, db, row.id, session, browser, proved_at=now)
