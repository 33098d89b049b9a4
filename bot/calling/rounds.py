"""Round after round: whoever is to be called by now is put down, and what is put down goes out.

An alert that nobody said they are looking at is all there is to know, so nothing has to be begun
when it is raised. A call is claimed in one transaction, sent outside of any, settled in another:
whoever dies in between is stepped in for. Somebody may be called twice then, but never not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calling.channels import Channel
from bot.calling.letter import Letter, Outcome, Way
from bot.calling.mail import Mail
from bot.calling.rota import Lists, Rung, Step, next_step
from bot.store import audit, calls, duties, staff
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON, Office, is_working_day
from content.schema import Called, Urgency

LOOK_AGAIN = 2.0
"""Seconds between rounds."""
AT_ONCE = 20
CLOSING = 10.0
"""Seconds that letters on their way have to get there when the service stops."""
LONGEST_WAIT = timedelta(minutes=5)
TRIED_OUT = "alert-test"
"""The job of trying it out (bot/store/duties.py)."""

log = logging.getLogger("waymark.calling")


@asynccontextmanager
async def running(waymark: Waymark) -> AsyncIterator[None]:
    """As long as this is open; not where nobody can be called, or only senders are spoken with."""
    if waymark.settings.role == "public" or not ways(waymark):
        yield
        return
    over = asyncio.Event()
    task = asyncio.create_task(_forever(waymark, over))
    try:
        yield
    finally:
        over.set()
        await asyncio.wait({task}, timeout=CLOSING)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _forever(waymark: Waymark, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            await look(waymark)
            await try_out_if_due(waymark)
            await carry(waymark)
        except Exception as error:  # noqa: BLE001  # the rounds must outlive any of them
            log.error("calls not made", extra={"error": type(error).__name__})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), LOOK_AGAIN)


# --- Whom, and by what way ----------------------------------------------------------------


def ways(waymark: Waymark) -> Mapping[str, str]:
    """What is set up, and what staff call it."""
    found = {calls.MAIL: "E-mail"} if waymark.settings.smtp_host else {}
    channels = range(1, len(waymark.settings.apprise_urls) + 1)
    return found | {f"channel:{number}": f"Channel {number}" for number in channels}


def office(waymark: Waymark) -> Office:
    hours = waymark.authority.alerts.office
    return Office(hours.from_, hours.until, waymark.authority.closures)


def lists(waymark: Waymark, team: Collection[Found], urgency: str) -> Lists:
    """Whom this authority calls, as far as they can be reached by what is set up."""
    rota, policy = waymark.authority.alerts, waymark.content.policy.alerts
    minutes = policy.promises[Urgency(urgency)].next  # type: ignore[index]

    def rungs(called: tuple[Called, ...]) -> tuple[Rung, ...]:
        return tuple(Rung(_whom(waymark, one, team), one.minutes or minutes) for one in called)

    return Lists(office(waymark), rungs(rota.duty), rungs(rota.out_of_hours), policy.again)


def _whom(waymark: Waymark, called: Called, team: Collection[Found]) -> tuple[str, ...]:
    """Those on a rung; the channels are called with every one of them."""
    mail: tuple[str, ...] = ()
    if waymark.settings.smtp_host and called.address:
        mail = (f"address:{called.address}",)
    elif waymark.settings.smtp_host:
        mail = tuple(f"staff:{one.id}" for one in team if one.role == called.role)
    return (*mail, *_channels(waymark))


def _channels(waymark: Waymark) -> tuple[str, ...]:
    return tuple(name for name in ways(waymark) if name != calls.MAIL)


# --- Put down -----------------------------------------------------------------------------


async def look(waymark: Waymark) -> None:
    """Several processes may look: what one put down is not put down again."""
    now = waymark.clock()
    async with waymark.database.reading() as db:
        waiting = await calls.unanswered(db)
        if not waiting:
            return
        team = await calls.reachable(db)
        made = await calls.of(db, [alert.id for alert in waiting])
    for alert in waiting:
        whom = lists(waymark, team, alert.urgency)
        step = next_step(alert, made[alert.id], whom, now)
        if step is not None and step.at <= now:
            await _call(waymark, alert, step, now)


async def _call(waymark: Waymark, alert: Found, step: Step, now: datetime) -> None:
    async with waymark.database.transaction() as db:
        if not await calls.still_unanswered(db, alert.id):
            return
        of = {"alert": alert.id, "urgency": alert.urgency, "rota": step.rota}
        of |= {"round": step.round, "place": step.place}
        added = [
            await calls.add(db, now, id=waymark.new_id(), whom=whom, **of) for whom in step.whom
        ]
        if any(added):
            await audit.record(
                db, now, "waymark", "alert.called", "alert", alert.id,
                rota=step.rota, round=step.round, place=step.place, calls=sum(added),
            )  # fmt: skip


# --- Trying it out ------------------------------------------------------------------------


async def try_out_if_due(waymark: Waymark) -> None:
    """Once every working day, by one process."""
    now = waymark.clock()
    due = tried_out_at(waymark, now)
    if due is None or due > now:
        return
    async with waymark.database.reading() as db:
        if _done_since(await duties.get(db, TRIED_OUT), due):
            return
    async with waymark.database.transaction() as db:
        if await duties.take(db, TRIED_OUT, now, timedelta(minutes=1)):
            done = _done_since(await duties.get(db, TRIED_OUT), due)
            # With nobody to send it to, it is looked for somebody again once the job is free.
            if done or await try_out(waymark, db, "waymark"):
                await duties.done(db, TRIED_OUT, now, 0)


def tried_out_at(waymark: Waymark, at: datetime) -> datetime | None:
    """When it is tried out on the day of that moment; not where nobody works then."""
    day = at.astimezone(LONDON).date()
    if not is_working_day(day, waymark.authority.closures):
        return None
    return datetime.combine(day, waymark.content.policy.alerts.test.at, LONDON)


def _done_since(row: Found | None, due: datetime) -> bool:
    return row is not None and row.done_at is not None and row.done_at >= due


async def try_out(waymark: Waymark, db: AsyncConnection, by: str) -> int:
    """A test to the first of the list, and into every channel, on the way that an alert takes. How
    many were put down."""
    now, team = waymark.clock(), await calls.reachable(db)
    rungs = lists(waymark, team, Urgency.URGENT.value).duty
    every = [whom for rung in rungs for whom in rung.whom]
    mail = [whom for whom in every if not whom.startswith("channel:")][:1]
    whom = [*mail, *_channels(waymark)]
    of = {"alert": None, "urgency": calls.TEST, "rota": calls.TEST, "round": 0, "place": 0}
    for one in whom:
        await calls.add(db, now, id=waymark.new_id(), whom=one, **of)
    if whom:
        await audit.record(db, now, by, "calls.tested", "calls", "all", calls=len(whom))
    return len(whom)


# --- Sent ---------------------------------------------------------------------------------


async def carry(waymark: Waymark) -> None:
    """Everything that is due goes out, each letter to someone else at the same time."""
    while True:
        now = waymark.clock()
        async with waymark.database.transaction() as db:
            taken = await calls.claim(db, now, AT_ONCE)
        if not taken:
            return
        await asyncio.gather(*(_carry(waymark, call) for call in taken))


async def _carry(waymark: Waymark, call: Found) -> None:
    try:
        outcome = await _sent(waymark, call)
        await _settle(waymark, call, outcome)
    except Exception as error:  # noqa: BLE001  # the lease brings it back; the others must go out
        log.error("call not settled", extra={"call": call.id, "error": type(error).__name__})


async def _sent(waymark: Waymark, call: Found) -> Outcome:
    kind, _, name = call.whom.partition(":")
    try:
        if kind == "channel":
            urls = waymark.settings.apprise_urls
            if int(name) > len(urls):
                return Outcome("failed", "gone")
            return await Channel(urls[int(name) - 1]).send(_letter(waymark, call, ""))
        to = name if kind == "address" else await _address(waymark, name)
        if to is None or waymark.settings.smtp_host is None:
            return Outcome("failed", "gone")
        way: Way = Mail(waymark.settings)
        return await way.send(_letter(waymark, call, to))
    except Exception as error:  # noqa: BLE001  # a letter that can't be written is no one else's
        log.error("broken call", extra={"call": call.id, "error": type(error).__name__})
        return Outcome("failed", "broken")


async def _address(waymark: Waymark, id_: str) -> str | None:
    async with waymark.database.reading() as db:
        row = await staff.get(db, id_)
    return row.email if row and row.active else None


def _letter(waymark: Waymark, call: Found, to: str) -> Letter:
    """The link holds no more than the alert's id, which says nothing without signing in."""
    words = waymark.content.policy.alerts.letters[call.urgency]
    page = f"/staff/alerts/{call.alert}" if call.alert else "/staff"
    text = words.text.format(link=waymark.settings.address + page)
    return Letter(call.id, to, words.subject, text, urgent=call.urgency == Urgency.URGENT.value)


async def _settle(waymark: Waymark, call: Found, outcome: Outcome) -> None:
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        if outcome.state == "again":
            wait = min(timedelta(seconds=5 * 2 ** min(call.tries, 10)), LONGEST_WAIT)
            await calls.put_off(db, call.id, now + wait, outcome.fault or "down")
        else:
            await calls.settle(db, call.id, outcome.state, now, outcome.fault)
        if outcome.state == "failed":
            await audit.record(db, now, "waymark", "call.failed", "call", call.id)
    if outcome.state != "sent":
        log.warning("not called", extra={"call": call.id, "fault": outcome.fault})
