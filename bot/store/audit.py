"""What was done, by whom, to what: chained and written in the transaction that does it.

Entries are collected while a transaction is under way and get their numbers just before it is
committed, so that the head of the chain is locked for a moment only.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import acting
from bot.audit_keys import AuditKeys
from bot.store import chain
from bot.store.chain import Entry, Link
from bot.store.models import Audit, AuditHead, AuditSegment, Found

NOT_STAFF = ("sender", "waymark", "nobody")
"""Actors that are no member of staff; `nobody` is someone who isn't signed in."""
_CODE = re.compile(r"[\w.:#/+-]{0,120}", re.ASCII)
_COLLECTED = "audit"
log = logging.getLogger("waymark.audit")


# --- Recording ----------------------------------------------------------------------------


async def record(
    db: AsyncConnection,
    at: datetime,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    **detail: Any,
) -> None:
    """One line. `detail` holds ids, statuses and counts; never names or words. In which role, for
    what purpose and in which request is known from `bot.acting`."""
    _collect(db, Entry(at, actor, action, object_type, object_id, detail))


async def refused(
    db: AsyncConnection,
    at: datetime,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    **detail: Any,
) -> None:
    """Somebody tried, and was not let."""
    _collect(db, Entry(at, actor, action, object_type, object_id, detail, outcome="refused"))


async def restored(
    db: AsyncConnection, at: datetime, backup: str, anchored: Link | None = None
) -> None:
    """The database was put back from a backup. `anchored` is the newest anchor known: what was
    written between the backup and it is lost, and verifying takes that as said here."""
    end = link(await head(db))
    told: dict[str, Any] = {"kept": end.seq}
    if anchored is not None:
        told |= {"anchored": anchored.seq, "anchor_mac": anchored.mac}
    await record(db, at, "waymark", RESTORED, "backup", backup, **told)


RESTORED = "database.restored"


def _collect(db: AsyncConnection, entry: Entry) -> None:
    now = acting.now()
    role = now.role if entry.actor == now.person else None
    purpose = now.purpose if entry.actor == now.person else None
    whole = replace(entry, acting_as=role, purpose=purpose, request_id=now.request)
    _check_codes(whole)
    _collected(db).entries.append(whole)


def _check_codes(entry: Entry) -> None:
    """Whatever has a space in it is no id, status or count, and has no place here."""
    for name, value in [*vars(entry).items(), *entry.detail.items()]:
        if isinstance(value, str) and not _CODE.fullmatch(value):
            raise ValueError(f"audit holds codes only: {entry.action} has something else in {name}")
        if name in entry.detail and not isinstance(value, str | int | None):
            raise ValueError(f"audit holds codes and counts: not what is in {name}")


async def of(db: AsyncConnection, object_id: str) -> list[Entry]:
    """Everything recorded of one thing, oldest first; in this very transaction too."""
    found = await db.execute(
        sa.select(*Audit.__table__.columns).where(Audit.object_id == object_id).order_by(Audit.seq)
    )
    collected = db.info.get(_COLLECTED)
    fresh = collected.entries if collected else []
    return [*map(chain.entry, found), *(e for e in fresh if e.object_id == object_id)]


# --- Chaining -----------------------------------------------------------------------------


@dataclass
class _Collected:
    keys: AuditKeys
    entries: list[Entry] = field(default_factory=list)


def begin(db: AsyncConnection, keys: AuditKeys) -> None:
    """From here on entries are collected on this connection."""
    db.info[_COLLECTED] = _Collected(keys)


def end(db: AsyncConnection) -> None:
    """The transaction is over; the connection goes back to its pool."""
    db.info.pop(_COLLECTED, None)


def keys_of(db: AsyncConnection) -> AuditKeys:
    return _collected(db).keys


def _collected(db: AsyncConnection) -> _Collected:
    collected: _Collected | None = db.info.get(_COLLECTED)
    if collected is None:
        raise RuntimeError("what is recorded outside a transaction would be lost")
    return collected


async def write(db: AsyncConnection) -> None:
    """Give what was collected its place in the chain. Nothing is locked after the head, so two
    writers can wait for each other but never both."""
    collected = _collected(db)
    if not collected.entries:
        return
    found = await db.execute(_HEAD.with_for_update())
    at, rows = _trusted(collected.keys, found.one()), []
    for entry in collected.entries:
        row = _row(collected.keys, at, entry)
        rows.append(row)
        at = Link(row["seq"], row["mac"])
    await db.execute(sa.insert(Audit), rows)
    await set_head(db, collected.keys, at)
    collected.entries.clear()


def _row(keys: AuditKeys, at: Link, entry: Entry) -> dict[str, Any]:
    seq, key = at.seq + 1, keys.newest
    mac = chain.signed(keys, key, seq, at.mac, entry)
    return {**vars(entry), "seq": seq, "key": key, "prev": at.mac, "mac": mac}


def _trusted(keys: AuditKeys, row: Found) -> Link:
    """Where to go on. After a head that somebody else wrote, the chain is begun anew at its number:
    people can still reach us, and verifying finds the break for ever."""
    if head_holds(keys, row):
        return link(row)
    log.error("audit head is not ours", extra={"seq": row.seq})
    return Link(row.seq, chain.BEGINNING)


# --- The head -----------------------------------------------------------------------------

_HEAD = sa.select(*AuditHead.__table__.columns).where(AuditHead.id == 1)


async def head(db: AsyncConnection) -> Found | None:
    """The note of where the log ends."""
    return (await db.execute(_HEAD)).first()


def link(row: Found | None) -> Link:
    return Link(row.seq, row.last) if row else Link()


def head_holds(keys: AuditKeys, row: Found) -> bool:
    """Whether we wrote it. One of a log without any line needs no MAC: there is no key yet when
    tables are made."""
    if row.seq == 0 and row.mac is None:
        return True
    return chain.same(row.mac, chain.signed_head(keys, row.key, link(row)))


async def removed(db: AsyncConnection) -> int:
    """How many lines were removed by age: all up to this one."""
    return await db.scalar(sa.select(sa.func.max(AuditSegment.last))) or 0


async def set_head(db: AsyncConnection, keys: AuditKeys, at: Link) -> None:
    values = {"key": keys.newest, "mac": chain.signed_head(keys, keys.newest, at)}
    await db.execute(sa.update(AuditHead).values(seq=at.seq, last=at.mac, **values))
