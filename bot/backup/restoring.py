"""Getting everything back: in one transaction, so that it is all there or nothing has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import anchors, erased, watch
from bot.backup import body, envelope, erasures, making
from bot.backup.body import Manifest, Shape
from bot.backup.keypair import Private
from bot.backup.shelf import Backup, Shelf
from bot.errors import BadBackup
from bot.store import audit, copying, samples
from bot.store.chain import Link
from bot.store.database import revisions, upgrade
from bot.store.verification import Verdict
from bot.wiring import Waymark

BATCH = 500
_MEMORY = 4 * 1024 * 1024


class NotEmpty(BadBackup):
    """There is something in the database already."""


@dataclass
class Report:
    """What was put back, and what was found when looking at it."""

    manifest: Manifest
    aside: Backup | None = None
    """The backup made of what was there before."""
    erasures_known: bool = False
    """There is a list of what was erased since."""
    erased_again: int = 0
    opened: dict[str, bool] = field(default_factory=dict)
    """Whether one sealed value opens, by table and column."""
    audit: Verdict | None = None
    """What verifying the log found."""
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        return all(self.opened.values()) and self.audit is not None and not self.audit.fault


def manifest(path: Path, private: Private) -> Manifest:
    """What the backup says of itself. Raises BadBackup, for one of a later Waymark too."""
    if envelope.head(path).what != "tables":
        raise BadBackup(f"{path.name} is no backup of tables")
    with closing(envelope.lines(path, envelope.key(path, private))) as lines:
        found = Manifest.read(next(lines, b""))
    if found.revision not in revisions():
        raise BadBackup("The backup was made by a later Waymark: install that one, or a later one")
    return found


async def restore(
    waymark: Waymark, path: Path, private: Private, *, replace: bool = False
) -> Report:
    """Put a backup back. Raises NotEmpty where something is in the way that is not to be replaced,
    BadBackup for a damaged one; then nothing has changed."""
    began, report = time.perf_counter(), Report(manifest(path, private))
    async with waymark.database.transaction() as db:
        report.aside = await _make_room(waymark, db, private, replace=replace)
        await db.run_sync(upgrade, waymark.keys, report.manifest.revision)
        with closing(envelope.lines(path, envelope.key(path, private))) as lines:
            next(lines)
            await _put(db, report.manifest, lines)
        await db.run_sync(upgrade, waymark.keys)
        await _write_down(waymark, db, report.manifest)
        report.opened = await samples.open_one_of_each(db)
    data_dir = waymark.settings.data_dir
    report.erasures_known = await asyncio.to_thread(erasures.bring_back, path.parent, data_dir)
    report.erased_again = await erased.reapply(waymark)
    report.audit = await watch.verify(waymark)
    report.seconds = time.perf_counter() - began
    return report


async def _write_down(waymark: Waymark, db: AsyncConnection, manifest: Manifest) -> None:
    """In the audit: of when the backup is, and after which line what was written since is lost."""
    known = anchors.read(anchors.file(waymark.settings))
    newest = max(known, key=lambda anchor: anchor.seq, default=None)
    last = Link(newest.seq, newest.mac) if newest else None
    backup = manifest.made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    await audit.restored(db, waymark.clock(), backup, last)


async def _make_room(
    waymark: Waymark, db: AsyncConnection, private: Private, *, replace: bool
) -> Backup | None:
    """An empty place; what was there is backed up first, sealed for whoever restores now."""
    there, aside = await copying.tables(db), None
    if there and await copying.revision(db) not in revisions():
        raise BadBackup("The database is of a later Waymark: restore into one of its own")
    await copying.hold(db, there)
    if any([await copying.count(db, table) for table in there if table.name not in _HOUSEKEEPING]):
        if not replace:
            raise NotEmpty(
                "The database is not empty. With --replace it is backed up first, then replaced"
            )
        shelf = Shelf(making.folder(waymark.settings))
        aside = await making.make(waymark, shelf, private.public)
    await copying.clear(db, there)
    return aside


_HOUSEKEEPING = frozenset({"audit_head", "audit_check", "duty"})
"""Tables with rows in them before anybody has done anything."""


async def _put(db: AsyncConnection, manifest: Manifest, lines: Iterable[bytes]) -> None:
    there = {table.name: table for table in await copying.tables(db)}
    seeded = {name for name, table in there.items() if await copying.count(db, table)}
    for shape, values in _batches(body.rows(manifest, lines)):
        table = _table(there, shape)
        if shape.name in seeded:
            for row in values:
                await copying.change(db, table, row)
        else:
            await copying.add(db, table, values)
    await copying.count_on(db, there.values())
    for shape in manifest.tables:
        if await copying.count(db, there[shape.name]) != shape.rows:
            raise BadBackup(f"{shape.name} has not as many rows as were put into it")


def _table(there: dict[str, sa.Table], shape: Shape) -> sa.Table:
    table = there.get(shape.name)
    if table is None or not {name for name, _ in shape.columns} <= set(table.c.keys()):
        raise BadBackup(f"There is no place for {shape.name} as it is in the backup")
    return table


def _batches(rows: Iterator[body.Row]) -> Iterator[tuple[Shape, list[dict[str, Any]]]]:
    """Rows of one table together, as many as fit; one alone may be larger than that."""
    of, batch, room = None, list[dict[str, Any]](), _MEMORY
    for shape, values in rows:
        if of is not None and (shape is not of or room <= 0 or len(batch) == BATCH):
            yield of, batch
            batch, room = [], _MEMORY
        of = shape
        batch.append(values)
        room -= sum(len(value) for value in values.values() if isinstance(value, bytes))
    if of is not None:
        yield of, batch
