"""The outbox emptied: each letter to its channel, in order, until it is known what became of it.

A letter is claimed in one transaction, sent outside of any, and settled in another. If the process
dies in between, the letter goes out again when its lease ends: someone may be told something twice
then, but never not at all. A letter that may have arrived (`unknown`) is not sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, conversations, outbox
from bot.store.outbox import Letter as Letter  # channels send these
from bot.wiring import Waymark

AT_ONCE = 20
"""Letters on their way at the same time, each to someone else."""
MOST_TRIES = 6
LOOK_AGAIN = 1.0
"""Seconds between looks at the outbox when nobody says that there is something in it."""
TOO_LONG = outbox.LEASE.total_seconds() / 2
CLOSING = 10.0
"""Seconds that letters on their way have to get there when the service stops."""

log = logging.getLogger("waymark.delivery")


@dataclass(frozen=True)
class Outcome:
    """What became of a letter. `again`: it did not arrive. `wait`: the channel asks for quiet."""

    state: Literal["sent", "unknown", "failed", "blocked", "again", "wait"]
    wait: timedelta = timedelta(0)
    rest: dict[str, Any] | None = None
    """What of it is still to be said, where only its beginning arrived."""


class ReplyChannel(Protocol):
    """A way to reach a sender: the first part of their address, and how to say something."""

    @property
    def name(self) -> str: ...

    async def send(self, letter: Letter) -> Outcome: ...


class Delivery:
    """Whoever carries the letters. Several may run; the database keeps them apart."""

    def __init__(self, waymark: Waymark, channels: Iterable[ReplyChannel]) -> None:
        self.waymark = waymark
        self.channels = {channel.name: channel for channel in channels}
        self._called = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._quiet_until: dict[str, datetime] = {}
        self._unsettled: dict[int, Outcome] = {}
        self._open = True

    def wake(self) -> None:
        """There is something to send."""
        self._called.set()

    async def run_due(self, now: datetime | None = None) -> None:
        """Send everything that is due, and return when nothing more is."""
        while True:
            await self._set_off(now or self.waymark.clock())
            if not self._sending:
                return
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)

    async def forever(self) -> None:
        """Until `stop`, and what is on its way then may get there. Nothing ends it before:
        trouble is logged, and the outbox looked at again."""
        while self._open:
            self._called.clear()
            started = 0
            try:
                started = await self._set_off(self.waymark.clock())
            except Exception as error:  # noqa: BLE001  # the loop must outlive any of them
                log.error("outbox not read", extra={"error": type(error).__name__})
            if not started:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._called.wait(), LOOK_AGAIN)
        if self._sending:
            await asyncio.wait(self._sending, timeout=CLOSING)

    def stop(self) -> None:
        """Take on nothing new."""
        self._open = False
        self.wake()

    async def _set_off(self, now: datetime) -> int:
        started = 0
        for channel in self.channels.values():
            room = AT_ONCE - len(self._sending)
            quiet = self._quiet_until.get(channel.name)
            if room <= 0 or (quiet and now < quiet):
                continue
            async with self.waymark.database.transaction() as db:
                letters = await outbox.claim(db, now, channel.name, room)
            for letter in letters:
                task = asyncio.create_task(self._deliver(channel, letter))
                self._sending.add(task)
                task.add_done_callback(self._arrived)
            started += len(letters)
        return started

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.wake()

    async def _deliver(self, channel: ReplyChannel, letter: Letter) -> None:
        try:
            # What was sent but could not be settled is not sent again, only settled.
            outcome = self._unsettled.get(letter.id) or await _sent(channel, letter)
            self._unsettled[letter.id] = outcome
            await self._settle(channel, letter, outcome)
            del self._unsettled[letter.id]
        except Exception as error:  # noqa: BLE001  # the lease brings the letter back
            log.error("not settled", extra={"letter": letter.id, "error": type(error).__name__})

    async def _settle(self, channel: ReplyChannel, letter: Letter, outcome: Outcome) -> None:
        now = self.waymark.clock()
        async with self.waymark.database.transaction() as db:
            if outcome.state == "wait":
                until = self._quiet_until[channel.name] = now + outcome.wait
                # Being asked to wait is not a failed try.
                asked = Letter(**{**vars(letter), "tries": letter.tries - 1})
                await outbox.put_off(db, asked, until, outcome.rest)
                await outbox.put_off_channel(db, channel.name, until)
            elif outcome.state == "again" and letter.tries < MOST_TRIES:
                until = now + timedelta(seconds=5 * 2**letter.tries)
                await outbox.put_off(db, letter, until, outcome.rest)
            else:
                final = "failed" if outcome.state == "again" else outcome.state
                await outbox.settle(db, letter.id, final, now)
                await _told(db, letter, final, now)
        if outcome.state != "sent":
            log.warning("not sent", extra={"letter": letter.id, "outcome": outcome.state})


async def _sent(channel: ReplyChannel, letter: Letter) -> Outcome:
    try:
        async with asyncio.timeout(TOO_LONG):
            return await channel.send(letter)
    except TimeoutError:
        return Outcome("unknown")
    except Exception as error:  # noqa: BLE001  # a letter that can't be sent must not block others
        log.error("broken letter", extra={"letter": letter.id, "error": type(error).__name__})
        return Outcome("failed")


async def _told(db: AsyncConnection, letter: Letter, state: str, now: datetime) -> None:
    """Staff can see what did not arrive."""
    if state == "sent":
        return
    await audit.record(db, now, "waymark", f"delivery.{state}", "letter", letter.key)
    if state == "blocked":
        await _block(db, letter.sender, now)


async def _block(db: AsyncConnection, address: str, now: datetime) -> None:
    await conversations.mark_blocked(db, address, now)
    for key in await outbox.block(db, address, now):
        await audit.record(db, now, "waymark", "delivery.blocked", "letter", key)


async def block(waymark: Waymark, address: str) -> None:
    """The channel says that they block us."""
    async with waymark.database.transaction() as db:
        await _block(db, address, waymark.clock())


async def unblock(waymark: Waymark, address: str) -> None:
    """They no longer do."""
    async with waymark.database.transaction() as db:
        await conversations.mark_blocked(db, address, None)
