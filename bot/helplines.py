"""Who to ring: two or three lines at a time, the ones that answer at this hour first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.working_days import LONDON, is_working_day
from content.schema import Authority, Helpline, Hours, Opening

MOST = 3
"""Somebody in trouble can't choose from a wall of numbers (entitlements.md 3)."""
FIRST = "emergency-999"


class Lines(dict[str, Helpline]):
    """The lines that may be told, by id, and which of them fit the hour."""

    def __init__(
        self, lines: Mapping[str, Helpline], now: datetime, authority: Authority, office: Hours
    ) -> None:
        super().__init__(lines)
        self._shut = {
            name for name, line in lines.items() if surely_shut(line, now, authority, office)
        }

    def fitting(self, names: Iterable[str]) -> tuple[Helpline, ...]:
        """Of these, which fit a person and a worry, in the order they were written: 999 first,
        then those that answer now or may, then those that are surely shut; three at most."""
        found = [name for name in names if name in self]
        found.sort(key=lambda name: -1 if name == FIRST else name in self._shut)
        return tuple(self[name] for name in found[:MOST])


def surely_shut(line: Helpline, now: datetime, authority: Authority, office: Hours) -> bool:
    """Whether nobody answers it now, as far as its hours are known well enough to say so."""
    if line.opens is None or not line.hours_confidence.publishable:
        return False
    local = now.astimezone(LONDON)
    if isinstance(line.opens, Opening):
        that_day = line.opens.days == "every-day" or is_working_day(local.date(), ())
        return not (that_day and line.opens.hold(local.time()))
    in_office = is_working_day(local.date(), authority.closures) and office.hold(local.time())
    return {"always": False, "office": not in_office, "outside-office": in_office}[line.opens]
