"""What staff are called with, and what became of it. Never a word about whom or what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Letter:
    """One letter to one address, or into one channel."""

    id: str
    to: str
    subject: str
    text: str
    urgent: bool


Fault = Literal["down", "slow", "busy", "refused", "sign-in", "gone", "not-installed", "broken"]


@dataclass(frozen=True)
class Outcome:
    """`again`: it may go out later. `failed`: not to this address, however often it is tried."""

    state: Literal["sent", "again", "failed"]
    fault: Fault | None = None


class Way(Protocol):
    """How a letter gets to people. What may have arrived is sent again rather than lost."""

    async def send(self, letter: Letter) -> Outcome: ...
