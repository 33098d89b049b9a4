"""A whole Waymark running in the test's own process, with a clock the test holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.keys import Keys
from bot.settings import Settings
from bot.store.database import Database
from bot.wiring import Waymark
from content import checks, loader

CONTENT = checks.checked(loader.read())


class Clock:
    """Stands still until it is told to go on; a little at each look, as real ones do."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def wired(folder: Path, url: str | None = None, **settings) -> tuple[Waymark, Clock]:
    """The parts, with real content and a database of their own."""
    chosen = Settings(data_dir=folder, demo=False, database_url=url, **settings)
    clock = Clock()
    waymark = Waymark(
        settings=chosen,
        content=CONTENT.served_by(chosen.authority),
        database=Database(chosen.database),
        keys=Keys.at(folder),
        clock=clock,
    )
    return waymark, clock
