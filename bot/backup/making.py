"""Making a backup: every table from one moment, sealed, read back, and only then given its name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.backup import body, envelope, keyfiles
from bot.backup.body import Manifest
from bot.backup.envelope import Out
from bot.backup.keypair import Private, Public
from bot.backup.shelf import Backup, Shelf, What, digest
from bot.errors import BadBackup
from bot.settings import Settings
from bot.store import copying
from bot.store.database import revisions
from bot.wiring import Waymark


def folder(settings: Settings) -> Path:
    """Where backups lie; beside the database if no place is set."""
    return settings.backup_dir or settings.data_dir / "backups"


def public_halves(settings: Settings) -> Path:
    return settings.data_dir / "keys" / "backup"


async def make(waymark: Waymark, shelf: Shelf, key: Public) -> Backup:
    """Back up every table. Raises BadBackup if what is read back is not what was written; then,
    and when the machine fails, nothing is left of it."""
    at = waymark.clock()
    part = shelf.place("tables", at)
    async with waymark.database.reading() as db:
        there = [t for t in await copying.tables(db) if t.name not in copying.LEFT_OUT]
        manifest = await _manifest(waymark, db, there, at)
        with envelope.writing(part, "tables", key) as out:
            out.write([body.line(manifest.model_dump(mode="json"))])
            for table, shape in zip(there, manifest.tables, strict=True):
                out.write([body.line(shape.name)])
                async for rows in copying.rows(db, table):
                    await asyncio.to_thread(out.write, body.written(shape, rows))
    return await asyncio.to_thread(_kept, shelf, part, at, "tables", key, out)


async def _manifest(
    waymark: Waymark, db: AsyncConnection, there: list[sa.Table], at: datetime
) -> Manifest:
    revision = await copying.revision(db)
    if revision not in revisions():
        raise BadBackup("There are no tables here yet, or those of a later Waymark")
    return Manifest(
        made_at=at,
        revision=revision,
        content=waymark.content.hash,
        keys=await copying.keys_in_use(db, there),
        secret=keyfiles.seen_as(waymark.keys.secret),
        audit=await copying.audit_end(db, there),
        tables=tuple([body.shape(t, await copying.count(db, t)) for t in there]),
    )


def keep_keys(settings: Settings, shelf: Shelf, key: Public, at: datetime) -> Backup:
    """Back up the key files: without them nobody can read what the tables hold."""
    part = shelf.place("keys", at)
    with envelope.writing(part, "keys", key) as out:
        out.write([body.line({"what": "keys", "made_at": at.isoformat()})])
        out.write(_key_files(settings.data_dir))
    return _kept(shelf, part, at, "keys", key, out)


def _key_files(data_dir: Path) -> Iterator[bytes]:
    for path in keyfiles.all_(data_dir):
        yield body.line([path.relative_to(data_dir).as_posix(), path.read_bytes().hex()])


def keys_changed(settings: Settings, shelf: Shelf) -> bool:
    """Whether there are key files that the newest backup of them can't have."""
    made = shelf.backups("keys")
    last = made[-1].at.timestamp() if made else 0.0
    return any(path.stat().st_mtime > last for path in keyfiles.all_(settings.data_dir))


def _kept(shelf: Shelf, part: Path, at: datetime, what: What, key: Public, out: Out) -> Backup:
    """Read it back from the disk, while its own key is still known; then it counts."""
    try:
        counts = contents(part, out.key)
        name = part.name.removesuffix(part.suffix)
        made = Backup(at, what, name, key.id, part.stat().st_size, digest(part), counts)
        return shelf.keep(part, made)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def verify(path: Path, private: Private) -> dict[str, int]:
    """Open all of it: how many rows of each table, or key files. Raises BadBackup."""
    return contents(path, envelope.key(path, private))


def contents(path: Path, file_key: bytes) -> dict[str, int]:
    what = envelope.head(path).what
    with closing(envelope.lines(path, file_key)) as lines:
        first = next(lines, b"")
        if what == "keys":
            return {"key files": sum(1 for _ in lines)}
        manifest = Manifest.read(first)
        for _ in body.rows(manifest, lines):
            pass
        return manifest.counts
