"""Phrases that a council adds of its own: found wherever their words stand together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.safeguarding.model import Told, tokens
from content.schema import Phrase


class Phrases:
    """All of them, made ready."""

    def __init__(self, listed: Sequence[Phrase]) -> None:
        self._listed = [(" ".join(tokens(one.phrase)), one) for one in listed]

    def found(self, text: str) -> Iterator[Told]:
        row = f" {' '.join(tokens(text))} "
        for words, one in self._listed:
            if f" {words} " in row:
                yield Told(one.urgency, one.category, (one.phrase,))
