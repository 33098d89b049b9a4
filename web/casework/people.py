"""Who has an account: what the headteacher sees and may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import UnknownPerson
from bot.store import audit, staff
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import Role
from web.casework import accounts, second_factor, sessions
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person, can, check
from web.casework.unused import UNUSED

NOTICED_FOR = timedelta(days=14)
"""How long the use of an emergency account stays on the queue page."""
OFF = {
    "headteacher": "by a headteacher",
    "unused": f"not used for {UNUSED.days} days",
    "no-role": "the council took the role away",
}
KINDS = {
    "council": "Council account",
    "local": "Password and code",
    "waiting": "Nothing yet: a way in joins it to their council account",
    "emergency": "Emergency: password and code",
}


@dataclass(frozen=True)
class Account:
    """One account, as the headteacher sees it."""

    id: str
    name: str
    email: str
    role: Role
    team: str
    kind: str
    active: bool
    off: str
    """Why it is switched off."""
    signed_in_at: datetime | None
    sessions: int
    has_totp: bool
    me: bool

    @property
    def kind_words(self) -> str:
        return KINDS[self.kind]

    @property
    def local(self) -> bool:
        return self.kind != "council"


async def everyone(waymark: Waymark, person: Person) -> Sequence[Account]:
    check(person, Action.MANAGE_PEOPLE)
    async with waymark.database.reading() as db:
        rows = await staff.people(db, waymark.clock() - sessions.IDLE)
    return [_account(waymark, row, person) for row in rows]


async def one(waymark: Waymark, person: Person, id_: str) -> Account:
    """Raises UnknownPerson."""
    found = next((a for a in await everyone(waymark, person) if a.id == id_), None)
    if found is None:
        raise UnknownPerson(id_)
    return found


def _account(waymark: Waymark, row: Found, person: Person) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        team=row.team,
        kind=_kind(waymark, row),
        active=row.active,
        off="" if row.active else OFF[row.off_because or "headteacher"],
        signed_in_at=row.signed_in_at,
        sessions=row.sessions if row.active else 0,
        has_totp=row.has_totp,
        me=row.id == person.id,
    )


def _kind(waymark: Waymark, row: Found) -> str:
    if row.subject:
        return "council"
    if row.emergency:
        return "emergency"
    return "local" if accounts.local_here(waymark, row) else "waiting"


# --- Changing one -------------------------------------------------------------------------


async def switch(waymark: Waymark, person: Person, id_: str, *, on: bool) -> None:
    """Switched off, they are out at once. Raises NotSaid, UnknownPerson."""
    account = await _other(waymark, person, id_, "switch your own account off")
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        if on:
            await staff.switch_on(db, id_, now)
        else:
            await staff.switch_off(db, id_, "headteacher", now)
            await staff.drop_links(db, id_)
            await sessions.end_all(waymark, db, person.id, id_)
        action = "staff.switched-on" if on else "staff.switched-off"
        await audit.record(db, now, person.id, action, "staff", account.id, why="headteacher")


async def change_role(waymark: Waymark, person: Person, id_: str, role: str) -> None:
    """They sign in anew, to what the role allows. Raises NotSaid, UnknownPerson."""
    account = await _other(waymark, person, id_, "change your own role")
    if not account.local:
        raise NotSaid("role", "The council gives this role. Ask whoever looks after its accounts")
    if role not in list(Role):
        raise NotSaid("role", "Choose a role")
    async with waymark.database.transaction() as db:
        await staff.change(db, id_, role=role)
        await sessions.end_all(waymark, db, person.id, id_)
        await audit.record(
            db,
            waymark.clock(),
            person.id,
            "staff.role-changed",
            "staff",
            id_,
            old=account.role.value,
            new=role,
        )


async def change_team(waymark: Waymark, person: Person, id_: str, team: str) -> None:
    """From their next page on. Raises NotSaid, UnknownPerson."""
    account = await one(waymark, person, id_)
    if team not in waymark.authority.teams:
        raise NotSaid("team", "Choose a team")
    async with waymark.database.transaction() as db:
        await staff.set_team(db, account.id, team)
        what = ("staff.team-changed", "staff", account.id)
        await audit.record(db, waymark.clock(), person.id, *what, team=team)


async def end_sessions(waymark: Waymark, person: Person, id_: str) -> None:
    """Out everywhere; they can sign in again. Raises UnknownPerson."""
    account = await one(waymark, person, id_)
    async with waymark.database.transaction() as db:
        await sessions.end_all(waymark, db, person.id, account.id)


async def new_way_in(waymark: Waymark, person: Person, id_: str, *, new_phone: bool) -> str:
    """An address for them that signs in once; with `new_phone` their codes are set up again.

    Raises NotSaid, UnknownPerson.
    """
    account = await _other(waymark, person, id_, "make a way in for yourself")
    if not account.local:
        raise NotSaid("", "This person signs in with the council's own account")
    async with waymark.database.transaction() as db:
        await staff.set_password(db, id_, None)
        if new_phone:
            await second_factor.forget(waymark, db, person.id, id_)
        return await accounts.new_way_in(waymark, db, id_, person.id)


async def _other(waymark: Waymark, person: Person, id_: str, what: str) -> Account:
    """Nobody does these to their own account: the last headteacher could shut everyone out."""
    account = await one(waymark, person, id_)
    if account.me:
        raise NotSaid("", f"You can't {what}. Ask another headteacher, or whoever runs this site")
    return account


# --- Emergency accounts -------------------------------------------------------------------


async def emergencies(waymark: Waymark, person: Person) -> Sequence[Found]:
    """Emergency accounts that were used lately: for the headteacher to see, and ask why."""
    if not can(person, Action.MANAGE_PEOPLE) or not waymark.settings.oidc_issuer:
        return ()
    async with waymark.database.reading() as db:
        return await staff.emergencies(db, waymark.clock() - NOTICED_FOR)
