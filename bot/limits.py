"""How often is too often: counted in memory, by each process for itself, and soon forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.errors import WaymarkError
from content.schema import Limit


class TooMuch(WaymarkError):
    """It came too soon after too many others. Nothing of it was taken; `wait` says how long to
    rest."""

    def __init__(self, what: str, wait: timedelta) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait


class Limits:
    """What was done lately, by whom. A window opens with the first of anything and doesn't move,
    so that whoever is asked to wait knows until when, and trying again makes it no longer."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str, str], tuple[datetime, int]] = {}
        self._tidy_at = 1000

    def count(
        self, what: str, limit: Limit, whose: Mapping[str, str | None], now: datetime
    ) -> None:
        """Count one more, if `whose` sender, place and everyone may; else nothing is counted.
        Raises TooMuch."""
        counted = [(what, kind, who) for kind, who in whose.items() if who is not None]
        for key in counted:
            ends, times = self._window(key, limit, now)
            if times >= getattr(limit, key[1]):
                raise TooMuch(what, ends - now)
        for key in counted:
            ends, times = self._window(key, limit, now)
            self._windows[key] = ends, times + 1
        self._tidy(now)

    def first(self, what: str, who: str, until: datetime, now: datetime) -> bool:
        """Whether this is the first time it is asked, until then."""
        key = (what, "told", who)
        ends, _ = self._windows.get(key, (now, 0))
        if ends > now:
            return False
        self._windows[key] = until, 1
        return True

    def _window(
        self, key: tuple[str, str, str], limit: Limit, now: datetime
    ) -> tuple[datetime, int]:
        ends, times = self._windows.get(key, (now, 0))
        return (ends, times) if ends > now else (now + timedelta(minutes=limit.minutes), 0)

    def _tidy(self, now: datetime) -> None:
        """Forget what is over, now and then: often enough that a flood can't fill the memory."""
        if len(self._windows) >= self._tidy_at:
            self._windows = {key: kept for key, kept in self._windows.items() if kept[0] > now}
            self._tidy_at = max(1000, 2 * len(self._windows))
