"""When a reply is due, in words a busy person can take in at a glance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from bot.working_days import LONDON, is_working_day


@dataclass(frozen=True)
class Due:
    """A promise's words, and how pressing it is."""

    words: str
    state: Literal["late", "soon", "ahead", "kept"]


def reply_due(
    due: datetime, replied: datetime | None, now: datetime, closures: Collection[date]
) -> Due:
    if replied is not None:
        return Due(f"replied {short(replied)}", "kept")
    day, today = due.astimezone(LONDON).date(), now.astimezone(LONDON).date()
    if now > due:
        return Due(_late(working_days(day, today, closures)), "late")
    if day == today:
        return Due("due today", "soon")
    if day == today + timedelta(days=1):
        return Due("due tomorrow", "soon")
    return Due(f"due {day:%a} {day.day} {day:%b}", "ahead")


def _late(days: int) -> str:
    if days == 0:
        return "overdue"
    return f"overdue by {days} working day{'' if days == 1 else 's'}"


def working_days(after: date, until: date, closures: Collection[date]) -> int:
    """How many days people worked since then."""
    days = (after + timedelta(days=n + 1) for n in range((until - after).days))
    return sum(is_working_day(day, closures) for day in days)


def short(value: datetime) -> str:
    """21 Nov."""
    local = value.astimezone(LONDON)
    return f"{local.day} {local:%b}"


def received(value: datetime, now: datetime) -> str:
    """Today, 4:05pm; Fri 20 Nov, 4:05pm; 20 Nov 2025."""
    local, today = value.astimezone(LONDON), now.astimezone(LONDON).date()
    if local.year != today.year:
        return f"{short(value)} {local.year}"
    time = f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
    return f"Today, {time}" if local.date() == today else f"{local:%a} {short(value)}, {time}"
