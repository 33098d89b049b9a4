"""What comes in from any channel, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.conversation import events as ev
from bot.conversation.engine import Turn
from bot.conversation.script import Script
from bot.conversation.speech import Bubble, Sent
from bot.conversation.state import Conversation
from bot.files.scanning import ScanState
from content.schema import Channel, FileKind


@dataclass(frozen=True)
class Arrived:
    """A file as it may be kept, and what the scanner said of it."""

    kind: FileKind
    media_type: str
    content: bytes = field(repr=False)
    scan: ScanState


@dataclass(frozen=True)
class Inbound:
    """Something that came in, from any channel."""

    channel: Channel
    sender: str
    """`telegram:<chat>` or `web:<hash>`."""
    event: ev.Event | ev.AtTheDoor
    received_at: datetime
    dedupe_key: str
    """Channel and native id: the same event has the same key, however often it comes."""
    conversation: str | None = None
    """Which conversation it is for; the sender's current one if none is named."""
    nonce: str | None = None
    """Or the beginning of its id, off a button."""
    order: int | None = None
    """The channel's own number, where it numbers what it delivers."""
    message: int | None = None
    """The message a button stood on, so that its ticks can be redrawn."""
    files: tuple[Arrived, ...] = ()
    """Files that came with it, cleaned."""
    carries: bool = False
    """The channel's response can carry one answer itself."""
    place: str | None = None
    """The network it came from, as a hash, where that can be told."""

    @property
    def whose(self) -> dict[str, str | None]:
        """Who is counted for it (bot/limits.py)."""
        return {"sender": self.sender, "place": self.place, "everyone": ""}


@dataclass(frozen=True)
class Received:
    """What came of it. Nothing here may be said before the transaction has committed; it has."""

    turn: Turn | None
    script: Script | None
    bubbles: tuple[Bubble, ...]
    sent: Sent | None = None
    repeated: bool = False
    carried: dict[str, Any] | None = None
    """What the channel's response is to carry."""

    @property
    def conversation(self) -> Conversation | None:
        return self.turn.conversation if self.turn else None
