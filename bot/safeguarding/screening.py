"""Whether words tell that somebody may be unsafe: none, a concern, or urgent; and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bot.safeguarding.model import Model, installed
from bot.safeguarding.phrases import Phrases
from content.schema import ScreeningPolicy, Urgency

REMEMBERED = 2000
"""Texts whose result is kept in memory, nowhere else."""


@dataclass(frozen=True)
class Screened:
    """What words tell. `reasons` are the very words that told: for staff alone, never kept."""

    urgency: Urgency
    category: str
    reasons: tuple[str, ...]


class Screening:
    """Looks at any text, on this machine, in a few milliseconds."""

    def __init__(self, policy: ScreeningPolicy, model: Model | None = None) -> None:
        self._phrases = Phrases(policy.phrases)
        self._model = model or installed()
        # Pages look at the same answers again and again.
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._screen)

    def screen(self, text: str) -> Screened | None:
        """None where nothing tells."""
        return self._remembered(text) if text.strip() else None

    def _screen(self, text: str) -> Screened | None:
        found = [*self._phrases.found(text), *self._model.found(text)]
        if not found:
            return None
        found.sort(key=lambda one: one.urgency is not Urgency.URGENT)
        first = found[0]
        reasons = tuple(dict.fromkeys(reason for one in found for reason in one.reasons))
        return Screened(first.urgency, first.category, reasons)
