"""Files the scanner gave no answer for, or that came before there was one, asked about again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.files.scanning import ScanState, scan
from bot.store import attachments
from bot.wiring import Waymark

WAITING = (ScanState.UNSCANNED, ScanState.PENDING)
GIVEN_UP = timedelta(days=1)
"""A scanner that has not answered about a file for so long will not."""
AT_ONCE = 20
"""Files in one round."""
PAUSE = 60.0
"""Seconds between rounds."""

log = logging.getLogger("waymark.files")


@asynccontextmanager
async def running(waymark: Waymark) -> AsyncIterator[None]:
    """Round after round, where there is a scanner, and the keys to what was sent."""
    if waymark.settings.scan_command is None or waymark.settings.role == "public":
        yield
        return
    rounds = asyncio.create_task(_forever(waymark))
    try:
        yield
    finally:
        rounds.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rounds


async def _forever(waymark: Waymark) -> None:
    while True:
        try:
            await scan_waiting(waymark)
        except Exception as error:  # noqa: BLE001  # the next round must come whatever happens
            log.error("files not scanned", extra={"error": type(error).__name__})
        await asyncio.sleep(PAUSE)


async def scan_waiting(waymark: Waymark) -> None:
    """One round: the files that have waited longest."""
    async with waymark.database.reading() as db:
        rows = await attachments.to_scan(db, WAITING, AT_ONCE)
    for row in rows:
        async with waymark.database.reading() as db:
            content = await attachments.reread(db, row)
        if content is None:  # dropped, or sent, since we looked
            continue
        state = await scan(waymark.settings.scan_command, content)
        if _late(state, row.made_at, waymark.clock()):
            state = ScanState.ERROR
        async with waymark.database.transaction() as db:
            await attachments.set_scan(db, row.id, state.value)


def _late(state: ScanState, made_at: datetime, now: datetime) -> bool:
    return state is ScanState.PENDING and now - made_at > GIVEN_UP
