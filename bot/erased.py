"""Erasures outlive the database: a list beside it of what was erased, for when a backup from
before is restored."""

from __future__ import annotations

import json
from pathlib import Path

from bot.store import sealing
from bot.wiring import Waymark

NAME = "erased.jsonl"


async def reapply(waymark: Waymark) -> int:
    """Erase again what the list names and the database has; how many things it was."""
    owners = _owners(waymark.settings.data_dir / NAME)
    async with waymark.database.transaction() as db:
        return await sealing.erase(db, *owners)


def _owners(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {json.loads(line)["owner"] for line in path.read_text().splitlines() if line}
