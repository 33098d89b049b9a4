"""Our tables, made once by the real migrations and copied for each test."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.keys import Keys
from bot.store.database import Database


def migrated(url: str, folder: Path) -> None:
    """Make our tables there; on a loop of its own, so that any fixture may call it."""

    async def make() -> None:
        database = Database(url, Keys.at(folder))
        await database.migrate()
        await database.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, make()).result()


@pytest.fixture(scope="session", autouse=True)
def copied_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file starts as a copy of a migrated one. PostgreSQL and old files migrate."""
    template = tmp_path_factory.mktemp("tables") / "template.db"
    migrated(f"sqlite+aiosqlite:///{template}", template.parent)
    migrate = Database.migrate

    async def copy(self: Database) -> None:
        path = Path(sa.make_url(self.url).database or "") if self.sqlite else None
        if path is not None and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(template, path)
        else:
            await migrate(self)

    Database.migrate = copy  # type: ignore[method-assign]
    yield
    Database.migrate = migrate  # type: ignore[method-assign]
