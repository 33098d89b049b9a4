"""Watching over the audit while the service runs: anchored every hour, verified every day."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot import anchors
from bot.store import checks, verification
from bot.store.chain import Anchor
from bot.store.verification import Verdict
from bot.wiring import Waymark

LOOK_EVERY = 60.0
"""Seconds between looks at whether anything is due; the first comes after as many."""
ANCHOR_EVERY = timedelta(hours=1)
VERIFY_EVERY = timedelta(days=1)
VERIFIED = "verified"
log = logging.getLogger("waymark.audit")


@asynccontextmanager
async def running(waymark: Waymark) -> AsyncIterator[None]:
    """For as long as this is open."""
    watching = asyncio.create_task(_forever(waymark))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _forever(waymark: Waymark) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            await look(waymark)
        except Exception as error:  # noqa: BLE001  # the watch must outlive any of them
            log.error("audit not watched", extra={"error": type(error).__name__})


async def look(waymark: Waymark) -> None:
    """Do what is due. Several processes may look: what one did is not due for the others."""
    async with waymark.database.reading() as db:
        last = {name: row.tried_at for name, row in (await checks.all_(db)).items()}
    now = waymark.clock()
    anchored, verified = last.get(anchors.ANCHORED), last.get(VERIFIED)
    if anchored is None or now - anchored >= ANCHOR_EVERY:
        await anchors.anchor(waymark)
    if verified is None or now - verified >= VERIFY_EVERY:
        await verify(waymark)


async def verify(waymark: Waymark, more: list[Anchor] | None = None) -> Verdict:
    """Hold the whole log against its keys and anchors (and `more` of them); what came of it is kept
    for staff to see."""
    kept = await asyncio.to_thread(anchors.read, anchors.file(waymark.settings))
    keys = waymark.keys.audit
    async with waymark.database.reading() as db:
        verdict = await verification.verify(db, keys, [*kept, *(more or ())])
    fault, now = verdict.fault, waymark.clock()
    async with waymark.database.transaction() as db:
        if fault is None:
            await checks.went_well(db, VERIFIED, now, verdict.end.seq)
        else:
            await checks.failed(db, VERIFIED, now, fault.code)
    if fault:
        log.error("audit is not as it was written", extra={"kind": fault.kind, "seq": fault.seq})
    return verdict
