"""Anchors: where the audit stood, written down off the box, so that its end can't be cut off or
written anew without being found."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx2

from bot.settings import Settings
from bot.store import audit, checks
from bot.store.chain import Anchor, Link
from bot.wiring import Waymark

ANCHORED = "anchored"
PATIENCE = 10.0
log = logging.getLogger("waymark.audit")


def is_address(place: str) -> bool:
    return place.startswith(("https://", "http://"))


def file(settings: Settings) -> Path | None:
    """The file with our anchors in it; of those posted to an address, a copy of our own."""
    place = settings.audit_anchor
    if place is None:
        return None
    return settings.data_dir / "anchors.jsonl" if is_address(place) else Path(place)


def read(path: Path | None) -> list[Anchor]:
    """Those in a file; lines that are not whole are left out."""
    if path is None or not path.exists():
        return []
    return list(_read(path))


def _read(path: Path) -> Iterator[Anchor]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                told = json.loads(line)
                at = datetime.fromisoformat(told["at"])
                yield Anchor(int(told["seq"]), str(told["mac"]), at, int(told["count"]))
            except (ValueError, TypeError, KeyError):
                log.warning("anchor can't be read")


async def anchor(waymark: Waymark) -> Anchor | None:
    """Write down where the log stands; none if no place is set. Trouble with the place is logged
    and kept for staff to see, and raised no further: people must still reach us."""
    place, copy = waymark.settings.audit_anchor, file(waymark.settings)
    if place is None or copy is None:
        return None
    found = await _head(waymark)
    try:
        if is_address(place):
            await _post(place, _told(found))
        await asyncio.to_thread(_append, copy, _told(found))
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        log.error("not anchored", extra={"error": type(error).__name__})
        async with waymark.database.transaction() as db:
            await checks.failed(db, ANCHORED, found.at, type(error).__name__)
        return None
    async with waymark.database.transaction() as db:
        await checks.went_well(db, ANCHORED, found.at, found.seq)
    return found


async def _head(waymark: Waymark) -> Anchor:
    async with waymark.database.reading() as db:
        end: Link = audit.link(await audit.head(db))
        return Anchor(end.seq, end.mac, waymark.clock(), end.seq - await audit.removed(db))


def _told(found: Anchor) -> str:
    return json.dumps({**vars(found), "at": found.at.isoformat()}, sort_keys=True)


async def _post(address: str, told: str) -> None:
    headers = {"Content-Type": "application/json"}
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        (await client.post(address, content=told, headers=headers)).raise_for_status()


def _append(path: Path, told: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        lines.write(f"{told}\n")
        lines.flush()
        os.fsync(lines.fileno())
