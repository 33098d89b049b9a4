"""Whatever is left on the disk, to be searched for what should be gone."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.models import Base
from bot.wiring import Waymark


async def left(waymark: Waymark) -> bytes:
    """SQLite: every byte of every file in the data folder, with the write-ahead log and free pages
    of the database. PostgreSQL: every value that SQL can reach, and the files beside it.

    Not claimed: what PostgreSQL holds in dead rows until they are overwritten and in its own
    write-ahead log, what a file system or an SSD keeps of blocks it has freed, and backups (the
    receipt says when those forget). There the data keys' wrapping by keys kept elsewhere is what
    protects.
    """
    files = [path for path in waymark.settings.data_dir.rglob("*") if path.is_file()]
    found = [path.read_bytes() for path in files]
    if not waymark.database.sqlite:
        found += [value async for value in _values(waymark)]
    return b"\n".join(found)


async def _values(waymark: Waymark):
    async with waymark.database.reading() as db:
        for table in Base.metadata.sorted_tables:
            for row in await db.execute(sa.select(table)):
                for value in row:
                    yield value if isinstance(value, bytes) else repr(value).encode()


async def sealed(waymark: Waymark, *owners: str) -> list[bytes]:
    """The wrapped data keys of these owners: bytes that must be nowhere once they are erased."""
    keys = Base.metadata.tables["data_key"]
    async with waymark.database.reading() as db:
        query = sa.select(keys.c.wrapped).where(keys.c.owner.in_(owners))
        return list((await db.scalars(query)).all())
