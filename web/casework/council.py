"""Council accounts: to the council's own sign-in and back, and the account that is theirs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import WaymarkError
from bot.store import audit, staff
from bot.store import second_factor as codes
from bot.store.models import Found
from bot.store.openings import SIGN_IN_REFUSED
from bot.wiring import Waymark
from content.schema import Role
from web.casework import accounts, handshake, id_token, identity, sessions, unused
from web.casework.handshake import Handshake
from web.casework.id_token import NotBelieved
from web.casework.identity import Identity
from web.casework.oidc import Provider


class Refusal(StrEnum):
    """Why somebody who came back from the council's sign-in is not let in."""

    NOT_FROM_HERE = "not-from-here"
    DECLINED = "declined"
    NOT_BELIEVED = "not-believed"
    NO_ROLE = "no-role"
    SWITCHED_OFF = "switched-off"
    SOMEBODY_ELSE = "somebody-else"
    NOT_ANEW = "not-anew"


class NotLetIn(WaymarkError):
    """`why` for the page, `detail` for the log: a word, never from the token. `person` is the
    account it is about, if there is one."""

    def __init__(self, why: Refusal, detail: str = "", person: str = "unknown") -> None:
        super().__init__(why.value)
        self.why = why
        self.detail = detail
        self.person = person


@dataclass(frozen=True)
class Arrived:
    """Let in: the session's key, and the page they wanted."""

    session: str
    next: str


# --- Going there --------------------------------------------------------------------------


async def leave(
    waymark: Waymark, provider: Provider, wanted: str, link: str = "", again: str = ""
) -> tuple[str, str]:
    """Where to send somebody, and what their browser carries meanwhile. Raises ProviderTrouble."""
    left_at = int(waymark.clock().timestamp())
    journey = Handshake(left_at, wanted if len(wanted) < 1000 else "/staff", link[:100], again)
    keys = waymark.keys
    address = await provider.address(
        journey.state(keys), journey.nonce(keys), journey.verifier(keys), anew=bool(again)
    )
    return address, journey.cookie


# --- Coming back --------------------------------------------------------------------------


async def come_back(
    waymark: Waymark,
    provider: Provider,
    carried: str | None,
    answer: Mapping[str, str],
    browser: str = "",
) -> Arrived:
    """`carried` is what this browser left with, `answer` what the provider sent it back with.

    Raises NotLetIn, ProviderTrouble.
    """
    now = waymark.clock()
    journey = handshake.returned(waymark.keys, carried, answer.get("state", ""), now)
    if journey is None:
        raise NotLetIn(Refusal.NOT_FROM_HERE, "state")
    if "error" in answer or not answer.get("code"):
        raise NotLetIn(Refusal.DECLINED, "error")
    who = await _vouched_for(waymark, provider, journey, answer)
    try:
        return await _let_in(waymark, who, journey, browser)
    except NotLetIn as refusal:
        async with waymark.database.transaction() as db:
            about = {"why": refusal.why.value, "failed": refusal.detail}
            await audit.refused(
                db, now, "nobody", SIGN_IN_REFUSED, "staff", refusal.person, **about
            )
        raise


async def _vouched_for(
    waymark: Waymark, provider: Provider, journey: Handshake, answer: Mapping[str, str]
) -> Identity:
    keys = waymark.keys
    try:
        claims = await provider.claims(
            answer["code"], journey.verifier(keys), journey.nonce(keys), answer.get("iss")
        )
        return identity.read(waymark.settings, claims)
    except NotBelieved as problem:
        raise NotLetIn(Refusal.NOT_BELIEVED, str(problem)) from None


async def _let_in(waymark: Waymark, who: Identity, journey: Handshake, browser: str) -> Arrived:
    await unused.switch_off(waymark)
    if who.role is None:
        person = await _without_role(waymark, who)
        raise NotLetIn(Refusal.NO_ROLE, who.no_role, person)
    if journey.again and not _anew(journey, who):
        raise NotLetIn(Refusal.NOT_ANEW, "auth_time")
    async with waymark.database.transaction() as db:
        row = await _account(waymark, db, who, who.role, journey)
        key = await sessions.begin(
            waymark, db, row.id, "council", browser=browser, proved_at=who.proved_at
        )
    return Arrived(key, journey.next)


def _anew(journey: Handshake, who: Identity) -> bool:
    """Whether they proved themselves since we asked them to."""
    asked = datetime.fromtimestamp(journey.left_at, UTC)
    slack = timedelta(seconds=id_token.LEEWAY)
    return who.proved_at is not None and who.proved_at >= asked - slack


# --- The account --------------------------------------------------------------------------


async def _account(
    waymark: Waymark, db: AsyncConnection, who: Identity, role: Role, journey: Handshake
) -> Found:
    """Their account as it is from now on: made or tied at the first sign-in."""
    row = await staff.by_subject(db, who.subject)
    if row is None and journey.link:
        row = await _tie(waymark, db, who, journey.link)
    if row is None:
        row = await _make(waymark, db, who, role)
    if journey.again and journey.again != row.id:
        raise NotLetIn(Refusal.SOMEBODY_ELSE, "again", row.id)
    if not row.active and row.off_because != "no-role":
        raise NotLetIn(Refusal.SWITCHED_OFF, row.off_because or "", row.id)
    now, changed = waymark.clock(), row.role != role.value
    await staff.change(db, row.id, name=who.name, role=role.value)
    await staff.switch_on(db, row.id, now)
    if changed:
        await audit.record(
            db, now, "waymark", "staff.role-changed", "staff", row.id, old=row.role, new=role.value
        )
        await sessions.end_all(waymark, db, "waymark", row.id)
    return row


async def _make(waymark: Waymark, db: AsyncConnection, who: Identity, role: Role) -> Found:
    id_, now = waymark.new_id(), waymark.clock()
    values: dict[str, Any] = {"name": who.name, "role": role.value, "subject": who.subject}
    values |= {"active": True, "made_at": now, "idle_from": now}
    if not await staff.add(db, id=id_, email=who.username or who.subject, **values):
        # Somebody else has that name, or they were made a moment ago in another window.
        await staff.add(db, id=id_, email=who.subject, **values)
    row = await staff.by_subject(db, who.subject)
    assert row is not None
    if row.id == id_:
        await audit.record(db, now, "waymark", "staff.added", "staff", id_, role=role.value)
    return row


async def _tie(waymark: Waymark, db: AsyncConnection, who: Identity, link: str) -> Found | None:
    """An account from before the council's own sign-in becomes theirs, with all its work. It no
    longer opens any other way."""
    id_ = await accounts.spend_way_in(waymark, db, link)
    row = await staff.get(db, id_) if id_ else None
    if row is None or row.subject is not None or row.emergency or not row.active:
        return None
    await staff.change(
        db, row.id, subject=who.subject, password_hash=None, totp=None, totp_step=None
    )
    await codes.set_recovery_codes(db, row.id, ())
    await audit.record(db, waymark.clock(), row.id, "staff.tied", "staff", row.id)
    return row


async def _without_role(waymark: Waymark, who: Identity) -> str:
    """Out everywhere, if they were in; nothing is made for them. Whose account it is, if any."""
    async with waymark.database.transaction() as db:
        row = await staff.by_subject(db, who.subject)
        if row is None:
            return "unknown"
        if not row.active:
            return str(row.id)
        now = waymark.clock()
        await staff.switch_off(db, row.id, "no-role", now)
        await audit.record(db, now, "waymark", "staff.switched-off", "staff", row.id, why="no-role")
        await sessions.end_all(waymark, db, "waymark", row.id)
        return str(row.id)
