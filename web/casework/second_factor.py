"""The second thing a local account proves itself with: codes from an app, or a recovery code."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import WaymarkError
from bot.keys import tidy_code
from bot.store import audit, sealing, staff
from bot.store import second_factor as store
from bot.store import sessions as open_sessions
from bot.store.models import Found
from bot.store.openings import SIGN_IN_REFUSED
from bot.wiring import Waymark
from web.casework import sessions, throttle
from web.casework.permissions import Action, check
from web.casework.sessions import Session
from web.casework.throttle import TRIES

HALF_MINUTE = 30
RECOVERY_CODES = 10
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class WrongCode(WaymarkError):
    """The code is not right, or was taken before. The text is the sentence staff read."""


@dataclass(frozen=True)
class Given:
    """What somebody typed: a code from their app, or one of their recovery codes."""

    code: str = ""
    recovery: str = ""


# --- Setting it up ------------------------------------------------------------------------


@dataclass(frozen=True)
class Authenticator:
    """What an app is to be told: a picture for its camera, or a key to type."""

    picture: str
    key: str


async def offered(waymark: Waymark, session: Session, email: str) -> Authenticator:
    """A key of this session's own, the same however often the page is opened."""
    async with waymark.database.transaction() as db:
        key = await _offered_key(db, session)
    name = waymark.authority.virtual_school
    address = pyotp.TOTP(key).provisioning_uri(name=email, issuer_name=name)
    picture = segno.make(address, micro=False).svg_inline(
        scale=5, border=4, title="A square code for the camera of your authenticator app"
    )
    return Authenticator(picture, " ".join(key[at : at + 4] for at in range(0, len(key), 4)))


async def _offered_key(db: AsyncConnection, session: Session) -> str:
    row = await open_sessions.get(db, session.key)
    assert row is not None
    owner = f"staff:{session.person.id}"
    if row.offered is not None:
        return str(await sealing.opened(db, owner, store.OFFERED, row.key, row.offered))
    key = pyotp.random_base32()
    sealed = await sealing.seal(db, owner, store.OFFERED, row.key, key)
    await open_sessions.offer(db, row.key, sealed)
    return key


async def set_up(
    waymark: Waymark, session: Session, code: str, browser: str = ""
) -> tuple[str, Sequence[str]]:
    """Confirmed by a first code: a new session, and the recovery codes, shown this once.

    Raises WrongCode, SlowDown.
    """
    check(session.person, Action.OWN_ACCOUNT)
    person, now = session.person.id, waymark.clock()
    bucket = await _counted(waymark, person)
    async with waymark.database.transaction() as db:
        key = await _offered_key(db, session)
        step = _step(key, code, now)
        if step is None:
            raise WrongCode("That code is not right. Type the six digits your app shows now")
        await staff.clear_attempts(db, bucket)
        await staff.change(db, person, totp=await _sealed(db, person, key), totp_step=step)
        codes = await _new_recovery_codes(waymark, db, person)
        await open_sessions.end_all(db, person)
        await audit.record(db, now, person, "staff.authenticator-set", "staff", person)
        return await sessions.renew(waymark, db, person, session, browser, proved_at=now), codes


async def new_recovery_codes(waymark: Waymark, session: Session) -> Sequence[str]:
    """Ten new ones, shown this once; the old ones stop working."""
    check(session.person, Action.OWN_ACCOUNT)
    async with waymark.database.transaction() as db:
        return await _new_recovery_codes(waymark, db, session.person.id)


async def recovery_codes_left(waymark: Waymark, session: Session) -> int:
    async with waymark.database.reading() as db:
        return await store.recovery_codes(db, session.person.id)


async def _new_recovery_codes(waymark: Waymark, db: AsyncConnection, person: str) -> Sequence[str]:
    drawn = ["".join(secrets.choice(LETTERS) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    await store.set_recovery_codes(db, person, [_kept(waymark, person, code) for code in drawn])
    now = waymark.clock()
    await audit.record(db, now, person, "staff.recovery-codes-made", "staff", person)
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in drawn]


def _kept(waymark: Waymark, person: str, code: str) -> str:
    return waymark.keys.digest("recovery-code", f"{person}:{tidy_code(code)}")


async def forget(waymark: Waymark, db: AsyncConnection, actor: str, person: str) -> None:
    """Their phone is gone: they set up another at their next sign-in."""
    await staff.change(db, person, totp=None, totp_step=None)
    await store.set_recovery_codes(db, person, ())
    await open_sessions.end_all(db, person)
    now = waymark.clock()
    await audit.record(db, now, actor, "staff.authenticator-forgotten", "staff", person)


# --- Giving it ----------------------------------------------------------------------------


async def give(waymark: Waymark, session: Session, given: Given, browser: str = "") -> str:
    """All the way in: a new session takes the place of the half one. Raises WrongCode, SlowDown."""
    await prove(waymark, session, given)
    async with waymark.database.transaction() as db:
        await open_sessions.end(db, session.key)
        now = waymark.clock()
        return await sessions.renew(waymark, db, session.person.id, session, browser, proved_at=now)


async def prove(waymark: Waymark, session: Session, given: Given) -> None:
    """Raises WrongCode, SlowDown."""
    person = session.person.id
    bucket = await _counted(waymark, person)
    async with waymark.database.transaction() as db:
        row = await staff.get(db, person)
        assert row is not None
        if await _right(waymark, db, row, given):
            await staff.clear_attempts(db, bucket)
            return
        now = waymark.clock()
        await audit.refused(db, now, person, SIGN_IN_REFUSED, "staff", person, wrong="code")
    raise WrongCode(
        "That code is not right, or was used before. Wait for the next one and type that"
    )


async def _right(waymark: Waymark, db: AsyncConnection, row: Found, given: Given) -> bool:
    now = waymark.clock()
    if given.recovery.strip():
        used = await store.use_recovery_code(db, _kept(waymark, row.id, given.recovery))
        if used:
            left = await store.recovery_codes(db, row.id)
            await audit.record(
                db, now, row.id, "staff.recovery-code-used", "staff", row.id, left=left
            )
        return used
    step = _step(await _opened(db, row.id, row.totp), given.code, now) if row.totp else None
    return step is not None and await store.take_step(db, row.id, step)


async def _counted(waymark: Waymark, person: str) -> str:
    bucket = f"second-factor:{person}"
    await throttle.count(waymark, bucket, {bucket: TRIES})
    return bucket


def _step(key: str, code: str, now: datetime) -> int | None:
    """The half minute this is the code of: this one, the last or the next, as clocks differ."""
    typed, codes = "".join(code.split()).encode(), pyotp.TOTP(key)
    at = int(now.timestamp()) // HALF_MINUTE
    for step in (at, at - 1, at + 1):
        if secrets.compare_digest(codes.generate_otp(step).encode(), typed):
            return step
    return None


async def _sealed(db: AsyncConnection, person: str, key: str) -> bytes:
    return await sealing.seal(db, f"staff:{person}", store.TOTP, person, key)


async def _opened(db: AsyncConnection, person: str, kept: bytes) -> str:
    return str(await sealing.opened(db, f"staff:{person}", store.TOTP, person, kept))
