"""Why somebody opens what is outside their caseload: what they choose, and what they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from web.casework.faults import NotSaid

PURPOSES: Mapping[str, str] = {
    "safety": "Someone may be unsafe",
    "cover": "Covering for a colleague",
    "contact": "The sender or the child has been in touch",
    "asked": "The headteacher asked for it",
    "check": "Checking our work",
    "other": "Something else",
}
SHORTEST = 10
"""Characters of a reason that somebody else can make sense of."""


def said(purpose: str | None) -> str | None:
    """A purpose in words, or as the log has it where it is none of these any more."""
    return PURPOSES.get(purpose, purpose) if purpose else None


@dataclass(frozen=True)
class Why:
    """What somebody says for wanting to open what is not theirs."""

    purpose: str = ""
    words: str = ""

    def check(self) -> None:
        """Raises NotSaid for what is missing."""
        if self.purpose not in PURPOSES:
            raise NotSaid("purpose", "Choose what it is for")
        if len(self.words.strip()) < SHORTEST:
            raise NotSaid("words", "Say why in a few words that a colleague would understand")
