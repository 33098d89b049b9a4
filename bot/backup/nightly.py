"""A backup every night while the service runs, and how the last one went."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.backup import erasures, keypair, making
from bot.backup.shelf import Backup, Failure, Shelf
from bot.wiring import Waymark
from bot.working_days import LONDON

NIGHT = time(2, 15)
LOOK_EVERY = 300.0
"""Seconds between looks at whether one is due."""
TRY_AGAIN = timedelta(hours=1)
LATE = timedelta(hours=26)

log = logging.getLogger("waymark.backup")


@dataclass(frozen=True)
class Last:
    """How backups stand, for staff to see."""

    made: Backup | None
    """The newest that is in its place."""
    failed: Failure | None
    """What went wrong since."""
    late: bool


def last_backup(shelf: Shelf, now: datetime) -> Last:
    """From the folder itself, whichever process made it."""
    made = next(reversed(shelf.backups()), None)
    failures = [line for line in shelf.lines() if isinstance(line, Failure)]
    since = [failure for failure in failures if made is None or failure.at > made.at]
    return Last(made, since[-1] if since else None, made is None or now - made.at > LATE)


@asynccontextmanager
async def running(waymark: Waymark) -> AsyncIterator[None]:
    """For as long as this is open, where a place for backups is set."""
    if waymark.settings.backup_dir is None or waymark.settings.role == "public":
        yield
        return
    task = asyncio.create_task(_forever(waymark))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _forever(waymark: Waymark) -> None:
    while True:
        try:
            await look(waymark)
        except Exception as error:  # noqa: BLE001  # the service goes on, and so does looking
            log.error("backups not looked at", extra={"error": type(error).__name__})
        await asyncio.sleep(LOOK_EVERY)


async def look(waymark: Waymark) -> None:
    """Make one if it is due, and forget the old ones. What goes wrong is logged and kept beside
    the backups; where even that fails, they are late."""
    now, settings = waymark.clock(), waymark.settings
    shelf = Shelf(making.folder(settings))
    await asyncio.to_thread(erasures.keep_beside, settings.data_dir, shelf.folder)
    if not due(await asyncio.to_thread(last_backup, shelf, now), now):
        return
    try:
        made = await making.make(waymark, shelf, keypair.newest(making.public_halves(settings)))
        days = waymark.content.policy.retention.backup
        # What would be too old before the next night: receipts name the day it is gone by.
        await asyncio.to_thread(shelf.prune, now + timedelta(days=1), days)
    except Exception as error:  # noqa: BLE001  # whatever it was, staff must get to see it
        log.error("backup failed", extra={"error": type(error).__name__})
        shelf.failed(now, error)
    else:
        log.info("backup made", extra={"file": made.file, "size": made.size})


def due(last: Last, now: datetime) -> bool:
    """Whether this night's is still to be made; one missed is made as soon as we run again."""
    if last.failed and now - last.failed.at < TRY_AGAIN:
        return False
    return last.made is None or last.made.at < _night(now)


def _night(now: datetime) -> datetime:
    """The last time it was that time of night."""
    today = datetime.combine(now.astimezone(LONDON).date(), NIGHT, LONDON)
    return today if today <= now else today - timedelta(days=1)
