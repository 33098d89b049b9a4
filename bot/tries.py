"""How often someone may be wrong about a code that opens something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from bot.limits import TooMuch
from bot.store import staff
from bot.wiring import Waymark

Opened = TypeVar("Opened")


class TooManyTries(TooMuch):
    """Too many wrong codes lately; this one was not even looked at."""


async def tried(
    waymark: Waymark,
    what: str,
    whose: Mapping[str, str | None],
    attempt: Callable[[], Awaitable[Opened | None]],
) -> Opened | None:
    """What the attempt opens; None counts as a wrong try, kept in the database, so that several
    processes count together. Raises TooManyTries."""
    buckets = _buckets(waymark, what, whose)
    await _allow(waymark, buckets)
    opened = await attempt()
    if opened is None:
        async with waymark.database.transaction() as db:
            for bucket in buckets:
                await staff.add_attempt(db, bucket, waymark.clock())
    return opened


async def _allow(waymark: Waymark, buckets: Mapping[str, int]) -> None:
    window = timedelta(minutes=waymark.content.policy.limits.wrong_codes.minutes)
    since = waymark.clock() - window
    async with waymark.database.reading() as db:
        for bucket, most in buckets.items():
            if await staff.attempts(db, bucket, since) >= most:
                raise TooManyTries("wrong-codes", window)


def _buckets(waymark: Waymark, what: str, whose: Mapping[str, str | None]) -> dict[str, int]:
    limit = waymark.content.policy.limits.wrong_codes
    return {
        f"{what}:{waymark.keys.digest('tried-from', f'{kind}:{value}')[:32]}": getattr(limit, kind)
        for kind, value in whose.items()
        if value is not None
    }
