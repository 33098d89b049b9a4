"""What has been kept long enough is removed, night by night, and what is left over is said."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import erased, erasure
from bot.erasure import Gone, Why
from bot.periods import Kept, due, end, shortest, to_warn_of
from bot.store import audit, duties, kept, submissions
from bot.store.kept import SORTS, Sort
from bot.wiring import Waymark
from bot.working_days import LONDON

NAME = "retention"
AT_ONCE = 100
"""Rows without a receipt that go in one transaction."""
LEASE = timedelta(minutes=15)
"""How long a process that fell silent is waited for."""

log = logging.getLogger("waymark.retention")


@dataclass(frozen=True)
class Chore:
    """Something else to be done every night, and how many things it did."""

    name: str
    do: Callable[[Waymark, datetime], Awaitable[int]]


@dataclass(frozen=True)
class Swept:
    """What came of a run: sort -> how many."""

    removed: Mapping[str, int]
    left: Mapping[str, int]
    """Overdue, and still there though nothing keeps it from going."""


async def run(waymark: Waymark, also: Iterable[Chore] = ()) -> Swept | None:
    """Remove everything that is due; None if another process is at it."""
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        if not await duties.take(db, NAME, now, LEASE):
            return None
    await _warn(waymark, now)
    removed = Counter({sort.name: await _sweep(waymark, sort, now) for sort in SORTS})
    for chore in also:
        removed[chore.name] += await _done(waymark, chore, now)
    await erased.reconcile(waymark)
    await _done(waymark, Chore("tidy", _tidy), now)
    swept = Swept(dict(+removed), await overdue(waymark))
    left = sum(swept.left.values())
    async with waymark.database.transaction() as db:
        await duties.done(db, NAME, waymark.clock(), left)
        told: dict[str, Any] = {**swept.removed, "left": left}
        await audit.record(db, now, "waymark", "retention.run", "duty", NAME, **told)
    if left:
        log.error("overdue things are left", extra={"left": left})
    return swept


async def _warn(waymark: Waymark, now: datetime) -> None:
    """From now on staff are told of what goes soon."""
    async for rows in _pages(waymark, _sort("submission"), now + _warning(waymark)):
        for one in to_warn_of(waymark.content, rows, now):
            async with waymark.database.transaction() as db:
                await submissions.mark(db, one.id, warned_at=now)


async def _sweep(waymark: Waymark, sort: Sort, now: datetime) -> int:
    gone = 0
    async for rows in _pages(waymark, sort, now):
        ripe = [one.id for one in due(waymark.content, rows, now)]
        many = AT_ONCE if sort.remove else 1
        for at in range(0, len(ripe), many):
            gone += await _batch(waymark, sort, ripe[at : at + many], now)
    return gone


async def _batch(waymark: Waymark, sort: Sort, ids: Sequence[Any], now: datetime) -> int:
    """All of these or none; what was changed since it was looked at stays."""
    try:
        async with waymark.database.transaction() as db:
            before = now - shortest(waymark.content.policy.retention, sort.name)
            rows = await kept.look(db, sort, before, only=ids)
            ripe = [one.id for one in due(waymark.content, rows, now)]
            gone = await _remove(waymark, db, sort, ripe)
            await duties.take_on(db, NAME, waymark.clock() + LEASE)
        await erased.write(waymark, gone)
    except Exception as error:  # noqa: BLE001  # one bad record must not keep all others for ever
        log.error("not removed", extra={"sort": sort.name, "error": type(error).__name__})
        return 0
    return len(ripe)


async def _remove(
    waymark: Waymark, db: AsyncConnection, sort: Sort, ids: Sequence[Any]
) -> list[Gone]:
    if sort.remove is not None:
        await sort.remove(db, ids)
        return []
    why, gone = Why("period"), []
    for id_ in ids:
        if sort.name == "submission":
            row = await submissions.get(db, id_)
            assert row is not None, "it is locked"
            gone.append(await erasure.submission(waymark, db, row, why))
        else:
            gone.append(await erasure.conversation(waymark, db, id_, why))
    return gone


async def _tidy(waymark: Waymark, now: datetime) -> int:
    """What is removed is removed; this is for what a database leaves of it beside its tables."""
    await waymark.database.tidy()
    return 1


async def _done(waymark: Waymark, chore: Chore, now: datetime) -> int:
    try:
        return await chore.do(waymark, now)
    except Exception as error:  # noqa: BLE001  # nor may one chore keep the others from being done
        log.error("not done", extra={"chore": chore.name, "error": type(error).__name__})
        return 0


async def _pages(waymark: Waymark, sort: Sort, by: datetime) -> AsyncIterator[list[Kept]]:
    """What may go by then, page by page."""
    before = by - shortest(waymark.content.policy.retention, sort.name)
    after = None
    while True:
        async with waymark.database.reading() as db:
            rows = await kept.look(db, sort, before, after=after)
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _sort(name: str) -> Sort:
    return next(sort for sort in SORTS if sort.name == name)


def _warning(waymark: Waymark) -> timedelta:
    return timedelta(days=waymark.content.policy.retention.warning)


# --- Looking ahead ------------------------------------------------------------------------


@dataclass
class Ahead:
    """What a run would remove now, what is kept from going, and what goes in the months to come."""

    due: int = 0
    held: int = 0
    months: Counter[str] = field(default_factory=Counter)
    """`2026-12` -> how many, as things stand."""


async def preview(waymark: Waymark, months: int = 12) -> dict[str, Ahead]:
    """Sort -> what goes when. Nothing is changed."""
    now = waymark.clock()
    found: dict[str, Ahead] = {}
    for sort in SORTS:
        ahead = found[sort.name] = Ahead()
        async for rows in _pages(waymark, sort, now + timedelta(days=31 * months)):
            for one in rows:
                _count(ahead, one, end(waymark.content, one, now), now)
    return found


def _count(ahead: Ahead, one: Kept, ends: datetime, now: datetime) -> None:
    if ends > now:
        ahead.months[f"{ends.astimezone(LONDON):%Y-%m}"] += 1
    elif one.held_by:
        ahead.held += 1
    else:
        ahead.due += 1


async def overdue(waymark: Waymark) -> dict[str, int]:
    """What should be gone by now and nothing keeps from going."""
    return {name: ahead.due for name, ahead in (await preview(waymark, 0)).items() if ahead.due}


async def going(waymark: Waymark, db: AsyncConnection) -> list[tuple[Kept, datetime]]:
    """Submissions that staff are told of: they go soon, or should have gone and can't. The next
    first, with the day."""
    now, sort = waymark.clock(), _sort("submission")
    soon = now + _warning(waymark)
    told = [(one, end(waymark.content, one, now)) for one in await kept.warned(db, sort)]
    return sorted((each for each in told if each[1] <= soon), key=lambda each: each[1])
