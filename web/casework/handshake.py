"""What a browser carries while somebody is away at the council's sign-in.

All that must not be guessed follows from it and our secret, so nothing is stored, and whoever
changes a letter of it comes back with a state that doesn't fit.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from bot.keys import Keys

LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class Handshake:
    """One journey to the provider and back."""

    left_at: int
    """Seconds since 1970."""
    next: str = "/staff"
    """The page they wanted."""
    link: str = ""
    """A one-time link that ties the council's account to one that is here already."""
    again: str = ""
    """Whose proof is asked for once more; theirs and nobody else's."""
    random: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    def state(self, keys: Keys) -> str:
        return keys.digest("council-state", self.cookie)

    def nonce(self, keys: Keys) -> str:
        return keys.digest("council-nonce", self.cookie)

    def verifier(self, keys: Keys) -> str:
        return keys.digest("council-verifier", self.cookie)

    def over(self, now: datetime) -> bool:
        return now - datetime.fromtimestamp(self.left_at, UTC) > LASTS


def returned(keys: Keys, cookie: str | None, state: str, now: datetime) -> Handshake | None:
    """The handshake of a browser that came back; None if it isn't one that left from here."""
    try:
        carried = json.loads(base64.urlsafe_b64decode(cookie or ""))
        handshake = Handshake(**carried)
        fits = secrets.compare_digest(handshake.state(keys).encode(), state.encode())
        return handshake if fits and not handshake.over(now) else None
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None
