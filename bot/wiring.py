"""The parts put together: what a running Waymark is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from bot import facts
from bot.conversation.script import Script
from bot.errors import UnknownFlow
from bot.facts import Decisions, Facts, Told
from bot.helplines import Lines
from bot.keys import Keys
from bot.limits import Limits
from bot.safeguarding import Screened, Screening
from bot.settings import Settings
from bot.store.database import Database, exists
from bot.working_days import LONDON
from content import checks, loader
from content.loader import Content
from content.schema import Authority, Flow


@dataclass(frozen=True, repr=False)
class Waymark:
    """Settings, content, database and keys; the clock and the dice, so tests hold them; who did
    how much lately, and what was decided about facts."""

    settings: Settings
    content: Content
    database: Database
    keys: Keys
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_id: Callable[[], str] = lambda: secrets.token_hex(12)
    limits: Limits = field(default_factory=Limits)
    facts: Facts = field(default_factory=Facts)

    @property
    def authority(self) -> Authority:
        return self.content.authorities[self.settings.authority]

    def told(self, now: datetime) -> Told:
        """What may be told as fact on that day."""
        today = now.astimezone(LONDON).date()
        return self.facts.told(self.content, self.settings.authority, today)

    def lines(self, now: datetime) -> Lines:
        """The helplines that may be told, and which of them answer at that hour."""
        office = self.content.policy.openings.office
        return Lines(self.told(now).helplines, now, self.authority, office)

    @cached_property
    def screening(self) -> Screening:
        """What looks at every word that comes in."""
        return Screening(self.content.screening)

    def notice(self, flow: Flow, found: Screened) -> str:
        """What answers words that tell of harm, to somebody of whom this flow asks."""
        return self.content.screening.notice(flow.audience, found.urgency, found.category)

    def script(self, flow: str, now: datetime) -> Script:
        """Raises UnknownFlow."""
        if flow not in self.content.flows:
            raise UnknownFlow(flow)
        return Script(
            flow=self.content.flows[flow],
            flow_hash=self.content.flow_hashes[flow],
            languages=self.content.wording,
            entitlements=self.told(now).entitlements,
            today=now.astimezone(LONDON).date(),
        )


def wire(settings: Settings) -> Waymark:
    """Read and check the content and open what is needed; nothing is served unchecked.

    Raises ContentError naming file, line and key.
    """
    content = checks.checked(loader.read())
    if settings.authority not in content.authorities:
        known = ", ".join(sorted(content.authorities))
        raise ValueError(f"WAYMARK_AUTHORITY is {settings.authority!r}; it must be one of: {known}")
    keys = Keys.at(settings.data_dir, staff=settings.role != "public")
    return Waymark(
        settings=settings,
        content=content.served_by(settings.authority),
        database=Database(settings.database, keys),
        keys=keys,
    )


async def decided(settings: Settings) -> Decisions:
    """What staff decided about facts, for a command that keeps nothing: nothing is made."""
    if not exists(settings.database):
        return {}
    database = Database(
        settings.database, Keys.at(settings.data_dir, staff=settings.role != "public")
    )
    try:
        return await facts.already(database)
    finally:
        await database.close()
