"""The run of every night, for as long as the service is up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta

from bot import erased, retention
from bot.retention import Chore
from bot.store import duties
from bot.wiring import Waymark
from bot.working_days import LONDON

AT = time(2, 30)
LOOK_AGAIN = 600.0
"""Seconds between looks at the clock."""

log = logging.getLogger("waymark.retention")


@asynccontextmanager
async def running(waymark: Waymark, also: Sequence[Chore] = ()) -> AsyncIterator[None]:
    """Every night, for as long as this is open; not where only senders are spoken with."""
    await erased.reconcile(waymark)
    if waymark.settings.role == "public":
        yield
        return
    nights = Nightly(waymark, also)
    task = asyncio.create_task(nights.forever())
    try:
        yield
    finally:
        nights.stop()
        await task


class Nightly:
    """Begins the run once a night. Several processes may; one of them does it."""

    def __init__(self, waymark: Waymark, also: Sequence[Chore] = ()) -> None:
        self._waymark = waymark
        self._also = also
        self._over = asyncio.Event()

    async def forever(self) -> None:
        """Until `stop`. Trouble is logged, and tried again at the next look."""
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), LOOK_AGAIN)
                return
            try:
                if await self.owed():
                    await retention.run(self._waymark, self._also)
            except Exception as error:  # noqa: BLE001  # the loop must outlive any of them
                log.error("retention not run", extra={"error": type(error).__name__})

    async def owed(self) -> bool:
        """Whether last night's run is still to be done."""
        async with self._waymark.database.reading() as db:
            row = await duties.get(db, retention.NAME)
        return row is None or row.done_at is None or row.done_at < last_night(self._waymark.clock())

    def stop(self) -> None:
        self._over.set()


def last_night(now: datetime) -> datetime:
    """When the newest run should have begun."""
    local = now.astimezone(LONDON)
    tonight = datetime.combine(local.date(), AT, LONDON)
    return tonight if tonight <= local else tonight - timedelta(days=1)
