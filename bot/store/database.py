"""The database: two ways in (read, write), and the one place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.keys import Keys
from bot.store import audit
from bot.store.models import Base

MIGRATIONS = Path(__file__).parent / "migrations"

_SQLITE = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a reply is only said after the commit has reached the disk
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",
)


class Database:
    """SQLite for one process, PostgreSQL for more; the same code runs on both."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.url = url
        self.keys = keys
        self.sqlite = url.startswith("sqlite")
        if self.sqlite:
            # Plain BEGIN lets two turns read the same state and one of them fail on writing:
            # whoever writes begins IMMEDIATE, on one connection that is queued for.
            reads = _sqlite_engine(url, "BEGIN", pool_size=5)
            writes = _sqlite_engine(
                url, "BEGIN IMMEDIATE", pool_size=1, max_overflow=0, pool_timeout=30
            )
        else:
            writes = create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
            reads = writes.execution_options(isolation_level="REPEATABLE READ")
        # Every connection carries the keys that words are sealed and opened with (sealing.py).
        self._reads = reads.execution_options(ring=keys.ring)
        self._writes = writes.execution_options(ring=keys.ring)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads; what it sees doesn't change under it."""
        async with self._reads.connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Everything inside is kept together or not at all. The only commit in the code."""
        async with self._writes.connect() as connection:
            audit.begin(connection, self.keys.audit)
            try:
                yield connection
                await audit.write(connection)
                await connection.commit()
            except BaseException:
                await connection.rollback()
                raise
            finally:
                audit.end(connection)

    async def migrate(self) -> None:
        """Bring the tables to the newest shape."""
        if self.sqlite:
            Path(sa.make_url(self.url).database or ".").parent.mkdir(parents=True, exist_ok=True)
        async with self.transaction() as connection:
            await connection.run_sync(upgrade, self.keys)

    async def tidy(self) -> None:
        """After much was removed: what is left of it beside the tables goes too, as far as the
        database lets us. (What PostgreSQL writes ahead, and blocks freed on a disk, are not ours.)
        """
        if self.sqlite:
            async with self._writes.connect() as connection:
                raw = await connection.get_raw_connection()
                assert raw.driver_connection is not None
                await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        at_once = self._writes.execution_options(isolation_level="AUTOCOMMIT")
        async with at_once.connect() as connection:
            for table in Base.metadata.sorted_tables:
                await connection.execute(sa.text(f'VACUUM "{table.name}"'))

    async def close(self) -> None:
        await self._reads.dispose()
        await self._writes.dispose()


def _sqlite_engine(url: str, begin: str, **pool: Any) -> AsyncEngine:
    # An error's text ends up in logs: it may name a table, never what somebody wrote.
    engine = create_async_engine(url, hide_parameters=True, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in _SQLITE:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def exists(url: str) -> bool:
    """Whether there is one to look into; asking SQLite itself would make a file."""
    return not url.startswith("sqlite") or Path(sa.make_url(url).database or "").is_file()


def insert(db: AsyncConnection, table: type) -> sqlite.Insert | postgresql.Insert:
    """An insert that can be told what to do on a clash; both databases have one."""
    if db.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def upgrade(connection: sa.Connection, keys: Keys, to: str = "head") -> None:
    """Bring the tables to the shape of a revision, in the transaction that is under way."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(connection=connection, keys=keys)
    command.upgrade(config, to)


def revisions() -> set[str]:
    """Every shape of the tables that this code knows how to bring to the newest."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def metadata() -> sa.MetaData:
    """The tables as the code has them, to compare the migrations with."""
    return Base.metadata
