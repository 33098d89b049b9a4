"""Sealing keys changed while the service runs: a new one made, data keys wrapped anew, the old
one destroyed. Words themselves are never sealed again; only what opens them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import WaymarkError
from bot.keyring import KINDS, Kind, add_key, destroy_key
from bot.store import audit, sealing
from bot.wiring import Waymark

BATCH = 200
"""Data keys wrapped anew in one transaction; breaking off loses at most this much work."""


class KeyInUse(WaymarkError):
    """The key can't be destroyed yet. The text says why."""


@dataclass(frozen=True)
class Standing:
    """One key: how many data keys it wraps, and whether new ones are wrapped with it."""

    kind: Kind
    name: str
    wraps: int
    newest: bool


async def standing(waymark: Waymark) -> list[Standing]:
    """Every key there is or that something is still wrapped with."""
    ring = waymark.keys.ring
    async with waymark.database.reading() as db:
        counted = await sealing.counts(db)
    known: Mapping[Kind, set[str]] = {"talk": set(ring.talk), "case": set(ring.public)}
    return [
        Standing(kind, name, counted.get((kind, name), 0), name == ring.newest(kind))
        for kind in KINDS
        for name in sorted(known[kind] | {n for k, n in counted if k == kind})
    ]


async def add(waymark: Waymark, kind: Kind) -> str:
    """A new key, which every process that can read the folder uses from now on."""
    name = add_key(waymark.keys.ring.folder, kind)
    waymark.keys.ring.read()
    async with waymark.database.transaction() as db:
        await audit.record(db, waymark.clock(), "waymark", "key.made", "key", f"{kind}/{name}")
    return name


async def rewrap(waymark: Waymark) -> int:
    """Wrap with the newest keys whatever is wrapped with older ones, batch by batch. Can be
    broken off and begun again. Raises CannotOpen where an old key is missing."""
    whole = 0
    for kind in KINDS:
        newest = waymark.keys.ring.newest(kind)
        while True:
            async with waymark.database.transaction() as db:
                done = await sealing.rewrap(db, kind, newest, BATCH)
                if done:
                    now, what = waymark.clock(), f"{kind}/{newest}"
                    await audit.record(db, now, "waymark", "key.rewrapped", "key", what, count=done)
            whole += done
            if done < BATCH:
                break
    return whole


async def destroy(waymark: Waymark, kind: Kind, name: str) -> None:
    """Delete an old key's files. Raises KeyInUse while anything needs it."""
    found = {(each.kind, each.name): each for each in await standing(waymark)}.get((kind, name))
    if found is None:
        raise KeyInUse(f"There is no {kind} key {name}.")
    if found.newest:
        raise KeyInUse("New words are sealed with this key. Make a new one first: waymark keys add")
    if found.wraps:
        raise KeyInUse(f"{found.wraps} records still need this key. First: waymark keys rewrap")
    async with waymark.database.transaction() as db:
        await audit.record(db, waymark.clock(), "waymark", "key.destroyed", "key", f"{kind}/{name}")
    destroy_key(waymark.keys.ring.folder, kind, name)
    waymark.keys.ring.read()
