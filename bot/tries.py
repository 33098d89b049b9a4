"""How often someone may be wrong about a code that opens something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from bot.errors import WaymarkError
from bot.store import staff
from bot.wiring import Waymark

WINDOW = timedelta(minutes=15)
"""How long a wrong try counts."""
MOST = {"person": 5, "browser": 10, "place": 30, "everyone": 500}
"""Wrong tries within the window: from a member of staff, one browser, one network address, and
all together."""
Opened = TypeVar("Opened")


class TooManyTries(WaymarkError):
    """Too many wrong codes lately; this one was not even looked at."""


async def tried(
    waymark: Waymark,
    what: str,
    tried_from: Mapping[str, str],
    attempt: Callable[[], Awaitable[Opened | None]],
) -> Opened | None:
    """What the attempt opens; None counts as a wrong try. `tried_from` names the browser and
    the place. Raises TooManyTries."""
    buckets = _buckets(waymark, what, tried_from)
    await _allow(waymark, buckets)
    opened = await attempt()
    if opened is None:
        async with waymark.database.transaction() as db:
            for bucket in buckets:
                await staff.add_attempt(db, bucket, waymark.clock())
    return opened


async def _allow(waymark: Waymark, buckets: Mapping[str, int]) -> None:
    since = waymark.clock() - WINDOW
    async with waymark.database.reading() as db:
        for bucket, most in buckets.items():
            if await staff.attempts(db, bucket, since) >= most:
                raise TooManyTries(bucket)


def _buckets(waymark: Waymark, what: str, tried_from: Mapping[str, str]) -> dict[str, int]:
    whole = {**tried_from, "everyone": ""}
    return {
        f"{what}:{waymark.keys.digest('tried-from', f'{kind}:{value}')[:32]}": MOST[kind]
        for kind, value in whole.items()
    }
