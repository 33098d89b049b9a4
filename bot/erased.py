"""The list of what was erased, in a file beside the database: so that a backup brings nothing back.

`write` adds lines after a commit; `reconcile` adds those that a crash left out; `reapply`, after a
restore, erases again whatever the list names. Lines hold digests of ids: no id, no words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot import erasure
from bot.erasure import Gone, Why
from bot.store import conversations, receipts, submissions
from bot.wiring import Waymark

NAME = "erased.jsonl"
log = logging.getLogger("waymark.erased")


def place(waymark: Waymark) -> Path:
    """Where the list is kept. It must outlive the database: a restore leaves it as it is."""
    return waymark.settings.data_dir / NAME


async def write(waymark: Waymark, gone: Iterable[Gone]) -> None:
    """Add what was erased, and wait until it is on the disk. A disk that won't take it doesn't undo
    anything: the receipt is there, and `reconcile` adds the line later."""
    lines = [_line(each) for each in gone]
    if lines:
        try:
            await asyncio.to_thread(_append, place(waymark), lines)
        except OSError as error:
            log.error("erased list not written", extra={"error": type(error).__name__})


async def reconcile(waymark: Waymark) -> int:
    """Add every receipt's line that isn't there yet; how many it was."""
    known = await asyncio.to_thread(_receipts, place(waymark))
    async with waymark.database.reading() as db:
        rows = [row for row in await receipts.everything(db) if row.id not in known]
    await write(waymark, [Gone(row.id, row.kind, tuple(row.objects), row.at) for row in rows])
    return len(rows)


async def reapply(waymark: Waymark) -> int:
    """Erase again what the list names and the database has; how many things it was.

    To be called after a restore, before anybody is let in. Can be repeated.
    """
    named = await asyncio.to_thread(_objects, place(waymark))

    def meant(kind: str, ids: list[str]) -> list[str]:
        return [id_ for id_ in ids if erasure.digest(waymark, kind, id_) in named]

    async with waymark.database.reading() as db:
        sent = meant("submission", await submissions.ids(db))
    again = [await _submission(waymark, id_) for id_ in sent]
    async with waymark.database.reading() as db:  # less what went with what was sent
        begun = meant("conversation", await conversations.ids(db))
    again += [await _conversation(waymark, id_) for id_ in begun]
    await write(waymark, again)
    return len(again)


async def _submission(waymark: Waymark, id_: str) -> Gone:
    async with waymark.database.transaction() as db:
        row = await submissions.get(db, id_)
        assert row is not None, "nobody else is in yet"
        return await erasure.submission(waymark, db, row, Why("restored"))


async def _conversation(waymark: Waymark, id_: str) -> Gone:
    async with waymark.database.transaction() as db:
        return await erasure.conversation(waymark, db, id_, Why("restored"))


# --- The file -----------------------------------------------------------------------------


def _line(gone: Gone) -> str:
    told = {"kind": gone.kind, "objects": gone.objects, "receipt": gone.receipt}
    return json.dumps({**told, "at": gone.at.isoformat()})


def _append(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write of whole lines: two processes that add at once don't mix theirs.
    # A new line first: one that a crash cut short must not spoil the next.
    text = "\n".join(["", *lines, ""])
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> list[dict[str, Any]]:
    """Every whole line; one that a crash cut short is reconciled."""
    if not path.exists():
        return []
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and {"objects", "receipt"} <= set(line):
            found.append(line)
    return found


def _receipts(path: Path) -> frozenset[str]:
    return frozenset(line["receipt"] for line in _read(path))


def _objects(path: Path) -> frozenset[str]:
    return frozenset(digest for line in _read(path) for digest in line["objects"])
