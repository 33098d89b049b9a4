"""Rows of a table as a test wants to read them: what is sealed in them opened."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from bot.store import models, sealing
from bot.wiring import Waymark

OWNERS = {
    models.Inbox: lambda row: f"dead:{row.key}",
    models.ConversationRow: lambda row: f"conversation:{row.id}",
    models.Outbox: lambda row: f"letter:{row.key}",
    models.Alert: lambda row: f"alert:{row.id}",
    models.Attachment: lambda row: (
        f"submission:{row.submission}" if row.submission else f"conversation:{row.conversation}"
    ),
    models.SubmissionRow: lambda row: f"submission:{row.id}",
    models.Note: lambda row: f"desk:{row.submission}",
    models.Reply: lambda row: f"submission:{row.submission}",
    models.Hold: lambda row: f"desk:{row.submission}",
    models.PersonRequest: lambda row: f"request:{row.id}",
    models.FactDecision: lambda row: f"fact:{row.id}",
    models.AccessGrant: lambda row: f"desk:{row.submission}",
}
NAMED = {models.Inbox: "key", models.Outbox: "key"}
"""The column that names a row, where it isn't `id`."""


async def rows(waymark: Waymark, table: type, *where: Any) -> list[SimpleNamespace]:
    columns = table.__table__.columns
    async with waymark.database.reading() as db:
        found = await db.execute(sa.select(*columns).where(*where).order_by(*columns[:1]))
        return [SimpleNamespace(**await _opened(db, table, row)) for row in found.all()]


async def _opened(db: Any, table: type, row: Any) -> dict[str, Any]:
    told = dict(row._mapping)
    for name in [c.name for c in table.__table__.columns if c.info["class"] == "sealed"]:
        if told[name] is not None and table in OWNERS:
            box = await sealing.box(db, OWNERS[table](row))
            named = getattr(row, NAMED.get(table, "id"))
            read = box.opened_bytes if table is models.Attachment else box.opened
            told[name] = read(getattr(table, name), named, told[name])
    return told
