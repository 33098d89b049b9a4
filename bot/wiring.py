"""The parts put together: what a running Waymark is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from bot import finding
from bot.conversation.script import Script
from bot.errors import UnknownFlow
from bot.finding import Index
from bot.keys import Keys
from bot.limits import Limits
from bot.settings import Settings
from bot.store.database import Database
from bot.working_days import LONDON
from content import checks, loader
from content.loader import Content
from content.schema import Authority


@dataclass(frozen=True, repr=False)
class Waymark:
    """Settings, content, database and keys; the clock and the dice, so tests hold them; and
    who did how much lately."""

    settings: Settings
    content: Content
    database: Database
    keys: Keys
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_id: Callable[[], str] = lambda: secrets.token_hex(12)
    limits: Limits = field(default_factory=Limits)

    @property
    def authority(self) -> Authority:
        return self.content.authorities[self.settings.authority]

    @cached_property
    def finder(self) -> Index:
        """Finds what fits a question."""
        return finding.indexed(self.content, self.settings.authority)

    def script(self, flow: str, now: datetime) -> Script:
        """Raises UnknownFlow."""
        if flow not in self.content.flows:
            raise UnknownFlow(flow)
        return Script(
            flow=self.content.flows[flow],
            flow_hash=self.content.flow_hashes[flow],
            languages=self.content.wording,
            entitlements=self.content.entitlements,
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
