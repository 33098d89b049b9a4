"""Whole tables read and written, for backups: in the shape they have in the database, which may be
an older one than the code's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import metadata

LEFT_OUT = frozenset({"staff_session", "sign_in_link"})
"""Ways in. Whoever gets hold of a backup is not signed in by it."""
FORMERLY: frozenset[str] = frozenset()
"""Tables that a later migration took away: a backup from before still has them."""
VERSION = "alembic_version"
_AT_ONCE = 500
_MEMORY = 4 * 1024 * 1024
"""Bytes of rows held at a time; one row alone may have more."""

Values = tuple[Any, ...]


async def revision(db: AsyncConnection) -> str | None:
    """Which migration the tables are at; None where there are none."""
    if not await db.run_sync(lambda sync: sa.inspect(sync).has_table(VERSION)):
        return None
    found: str | None = await db.scalar(sa.select(sa.column("version_num")).select_from(_version()))
    return found


async def tables(db: AsyncConnection) -> list[sa.Table]:
    """Ours, as they are there; those that others point at come first."""

    def look(connection: sa.Connection) -> list[sa.Table]:
        ours = set(metadata().tables) | FORMERLY
        found = sa.MetaData()
        found.reflect(connection, only=sorted(ours & set(sa.inspect(connection).get_table_names())))
        return found.sorted_tables

    return await db.run_sync(look)


async def count(db: AsyncConnection, table: sa.Table) -> int:
    return await db.scalar(sa.select(sa.func.count()).select_from(table)) or 0


# --- Reading ------------------------------------------------------------------------------


async def rows(db: AsyncConnection, table: sa.Table) -> AsyncIterator[list[Values]]:
    """Every row, some at a time, however many there are."""
    query = sa.select(table).order_by(*table.primary_key)
    most = await _at_once(db, table)
    async with db.stream(query.execution_options(yield_per=most)) as found:
        async for some in found.partitions():
            yield [tuple(row) for row in some]


async def _at_once(db: AsyncConnection, table: sa.Table) -> int:
    sizes = [sa.func.max(sa.func.length(c)) for c in table.columns if _holds_bytes(c)]
    if not sizes:
        return _AT_ONCE
    largest = sum(size or 0 for size in (await db.execute(sa.select(*sizes))).one())
    return max(1, min(_AT_ONCE, _MEMORY // max(largest, 1)))


def _holds_bytes(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary)


async def keys_in_use(db: AsyncConnection, there: Iterable[sa.Table]) -> dict[str, list[str]]:
    """Which key files are needed to open and to verify what is in these tables, by folder."""
    found: dict[str, list[str]] = {}
    for table in there:
        if table.name == "data_key":
            used = sa.select(table.c.reader, table.c.kek).where(table.c.reader != "sender")
            for reader, kek in await db.execute(used.distinct().order_by(table.c.kek)):
                found.setdefault(reader, []).append(kek)
        if table.name == "audit" and "key" in table.c:
            used = sa.select(table.c.key).distinct().order_by(table.c.key)
            found["audit"] = list(await db.scalars(used))
    return {folder: ids for folder, ids in found.items() if ids}


async def audit_end(db: AsyncConnection, there: Iterable[sa.Table]) -> tuple[int, str | None]:
    """Where the log stands: the number of its last line, and its MAC if lines have one."""
    log = next(table for table in there if table.name == "audit")
    mac = log.c.mac if "mac" in log.c else sa.null()
    last = await db.execute(sa.select(log.c.seq, mac).order_by(log.c.seq.desc()).limit(1))
    row = last.first()
    return (row[0], row[1]) if row else (0, None)


# --- Writing ------------------------------------------------------------------------------


async def hold(db: AsyncConnection, there: Iterable[sa.Table]) -> None:
    """Nobody else writes until this transaction is over; on SQLite that is so anyway."""
    names = ", ".join(f'"{table.name}"' for table in there)
    if names and db.dialect.name != "sqlite":
        await db.execute(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


async def clear(db: AsyncConnection, there: list[sa.Table]) -> None:
    """Take our tables away, with what guards them: line by line the audit can't be emptied."""
    for table in reversed(there):
        await db.execute(sa.schema.DropTable(table))
    await db.execute(sa.schema.DropTable(_version(), if_exists=True))
    if db.dialect.name != "sqlite":
        for function in list(await db.scalars(sa.text(_TRIGGERED))):
            await db.execute(sa.text(f"DROP FUNCTION {function}"))


_TRIGGERED = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.prorettype = 'trigger'::regtype
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


async def add(db: AsyncConnection, table: sa.Table, values: list[dict[str, Any]]) -> None:
    await db.execute(sa.insert(table), values)


async def change(db: AsyncConnection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """A row that making the tables left there already, if it says something else."""
    same = [column == values[column.name] for column in table.primary_key]
    found = (await db.execute(sa.select(table).where(*same))).first()
    if found is None:
        await add(db, table, [dict(values)])
    elif found._asdict() != values:
        await db.execute(sa.update(table).where(*same).values(**values))


async def count_on(db: AsyncConnection, there: Iterable[sa.Table]) -> None:
    """New rows get numbers after the highest there is. SQLite looks for itself."""
    if db.dialect.name == "sqlite":
        return
    for table in there:
        for column in table.primary_key:
            ask = sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
            sequence = await db.scalar(ask)
            highest = sequence and await db.scalar(sa.select(sa.func.max(column)))
            if highest:
                await db.execute(sa.select(sa.func.setval(sequence, highest)))


def _version() -> sa.Table:
    return sa.Table(VERSION, sa.MetaData())
