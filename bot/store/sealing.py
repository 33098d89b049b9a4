"""Words sealed before they reach a table, each row's owner with a data key of its own.

A data key is wrapped for whoever may read (bot/keyring.py) and stands in `data_key`. What it seals
is bound to table, column, row and owner: moved anywhere else it doesn't open. Deleting the data
key erases for good whatever was sealed under it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from bot.errors import CannotOpen, Erased
from bot.keyring import KINDS, Keyring, Reader, decrypt, encrypt
from bot.store.database import insert
from bot.store.models import SEALED, DataKey

READERS: Mapping[str, tuple[Reader, ...]] = {
    "conversation": ("talk",),
    "letter": ("talk",),
    "submission": ("case", "sender"),
    "desk": ("case",),
    "dead": ("case",),
    "alert": ("case",),
    "staff": ("case",),
    "request": ("case",),
    "fact": ("case",),
}
"""Who can open what belongs to an owner, by the first part of its name. `submission` is what was
sent and the replies to it; `desk` is what staff write to each other about it."""

Column = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Box:
    """An owner's data key, opened: what it seals and opens."""

    owner: str
    key: bytes = field(repr=False)

    def seal(self, column: Column, row: str, value: Any) -> bytes:
        """Any JSON value, for this one place."""
        return self.seal_bytes(column, row, json.dumps(value, ensure_ascii=False).encode())

    def opened(self, column: Column, row: str, sealed: bytes | None) -> Any:
        """Raises Erased where nothing is left, CannotOpen for what belongs elsewhere."""
        return json.loads(self.opened_bytes(column, row, sealed))

    def seal_bytes(self, column: Column, row: str, value: bytes) -> bytes:
        return SEALED + encrypt(self.key, value, self._bound(column, row))

    def opened_bytes(self, column: Column, row: str, sealed: bytes | None) -> bytes:
        if sealed is None:
            raise Erased(self.owner)
        if sealed[:1] != SEALED:
            raise CannotOpen(self.owner)
        return decrypt(self.key, sealed[1:], self._bound(column, row), self.owner)

    def _bound(self, column: Column, row: str) -> bytes:
        place = f"{column.class_.__tablename__}|{column.key}|{row}"
        return f"waymark words 1|{place}|{self.owner}".encode()


async def new_box(db: AsyncConnection, owner: str, code: str = "") -> Box:
    """A new owner's data key, wrapped for all who may read. `code` is the sender's return code."""
    ring, key = _ring(db), secrets.token_bytes(32)
    rows = []
    for reader in readers(owner):
        if reader == "sender":  # slow on purpose: away from the event loop
            kek, wrapped = await asyncio.to_thread(ring.wrap, reader, key, owner, code)
        else:
            kek, wrapped = ring.wrap(reader, key, owner)
        rows.append({"owner": owner, "reader": reader, "kek": kek, "wrapped": wrapped})
    await db.execute(sa.insert(DataKey), rows)
    return Box(owner, key)


async def box(db: AsyncConnection, owner: str, code: str | None = None) -> Box:
    """An owner's data key; with a return code, as the sender opens it.

    Raises Erased if it was destroyed (or never was), CannotOpen if it can't be opened here.
    """
    wraps = await db.execute(sa.select(DataKey.__table__).where(DataKey.owner == owner))
    found = {row.reader: row for row in wraps}
    if not found:
        raise Erased(owner)
    ring = _ring(db)
    if code is not None and "sender" in found:
        row = found["sender"]
        key = await asyncio.to_thread(ring.unwrap, "sender", row.kek, row.wrapped, owner, code)
        return Box(owner, key)
    for reader in KINDS:
        if reader in found and ring.has(reader, found[reader].kek):
            row = found[reader]
            return Box(owner, ring.unwrap(reader, row.kek, row.wrapped, owner))
    raise CannotOpen(owner)


async def box_for(db: AsyncConnection, owner: str) -> Box:
    """An owner's data key, made if this is the first that is sealed for them."""
    ring, key = _ring(db), secrets.token_bytes(32)
    known = await db.scalar(sa.select(DataKey.owner).where(DataKey.owner == owner).limit(1))
    if known is None and "sender" not in readers(owner):  # theirs is made with their return code
        for reader in readers(owner):
            kek, wrapped = ring.wrap(reader, key, owner)
            row = {"owner": owner, "reader": reader, "kek": kek, "wrapped": wrapped}
            # Somebody else may be the first in the same moment: then theirs is taken.
            await db.execute(insert(db, DataKey).values(row).on_conflict_do_nothing())
    return await box(db, owner)


async def seal(db: AsyncConnection, owner: str, column: Column, row: str, value: Any) -> bytes:
    return (await box_for(db, owner)).seal(column, row, value)


async def opened(
    db: AsyncConnection, owner: str, column: Column, row: str, sealed: bytes | None
) -> Any:
    """Raises Erased or CannotOpen."""
    return (await box(db, owner)).opened(column, row, sealed)


async def seal_bytes(
    db: AsyncConnection, owner: str, column: Column, row: str, value: bytes
) -> bytes:
    return (await box_for(db, owner)).seal_bytes(column, row, value)


async def opened_bytes(
    db: AsyncConnection, owner: str, column: Column, row: str, sealed: bytes | None
) -> bytes:
    """Raises Erased or CannotOpen."""
    return (await box(db, owner)).opened_bytes(column, row, sealed)


async def erase(db: AsyncConnection, *owners: str) -> int:
    """Destroy their data keys: what was sealed under them is gone. How many there were."""
    gone = await db.execute(
        sa.delete(DataKey).where(DataKey.owner.in_(owners)).returning(DataKey.owner)
    )
    return len({row.owner for row in gone})


# --- Keys changed ---------------------------------------------------------------------------


async def counts(db: AsyncConnection) -> dict[tuple[str, str], int]:
    """How many data keys each key wraps: (reader, key id) -> count."""
    found = await db.execute(
        sa.select(DataKey.reader, DataKey.kek, sa.func.count()).group_by(
            DataKey.reader, DataKey.kek
        )
    )
    return {(row[0], row[1]): row[2] for row in found}


async def rewrap(db: AsyncConnection, reader: Reader, newest: str, most: int) -> int:
    """Wrap so many with the newest key instead of an older one; how many there were."""
    ring = _ring(db)
    old = sa.select(DataKey.__table__).where(DataKey.reader == reader, DataKey.kek != newest)
    rows = (await db.execute(old.limit(most).with_for_update(skip_locked=True))).all()
    for row in rows:
        key = ring.unwrap(reader, row.kek, row.wrapped, row.owner)
        kek, wrapped = ring.wrap(reader, key, row.owner)
        this = sa.and_(DataKey.owner == row.owner, DataKey.reader == reader)
        await db.execute(sa.update(DataKey).where(this).values(kek=kek, wrapped=wrapped))
    return len(rows)


def readers(owner: str) -> tuple[Reader, ...]:
    return READERS[owner.partition(":")[0]]


def _ring(db: AsyncConnection) -> Keyring:
    ring: Keyring = db.sync_connection.get_execution_options()["ring"]  # type: ignore[union-attr]
    return ring
