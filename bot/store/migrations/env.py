"""Alembic's way in: on the connection it is handed, or on the database of the settings."""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from bot.keys import Keys
from bot.settings import Settings
from bot.store.database import Database, metadata
from bot.store.models import Moment, Sealed


def plain(kind: str, thing: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Migrations stand on their own: our own column type is written as what it is in SQL."""
    if isinstance(thing, Sealed):
        return "sa.LargeBinary()"
    return "sa.DateTime(timezone=True)" if isinstance(thing, Moment) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_as_batch=True,
        compare_type=True,
        render_item=plain,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_settings() -> None:
    settings = Settings()
    keys = Keys.at(settings.data_dir)
    context.config.attributes["keys"] = keys
    database = Database(settings.database, keys)
    async with database.transaction() as connection:
        await connection.run_sync(run)
    await database.close()


handed = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    asyncio.run(run_on_settings())
