"""How far a reply got, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.store.submissions import Written

State = Literal["waiting", "there", "lost"]

_TOLD: Mapping[str, tuple[str, State]] = {
    "queued": ("Waiting to go out", "waiting"),
    "carried": ("Sent to their Telegram chat", "there"),
    "sent": ("Sent to their Telegram chat", "there"),
    "unknown": ("Telegram did not say whether it arrived", "lost"),
    "failed": ("Did not arrive", "lost"),
    "blocked": ("Did not arrive: they have blocked the bot", "lost"),
}


@dataclass(frozen=True)
class Delivered:
    """A reply, and how far it got."""

    text: str
    author: str
    written_at: datetime
    words: str
    state: State
    read_at: datetime | None


def key(reply: str) -> str:
    """The outbox key of a reply."""
    return f"reply:{reply}"


def by_telegram(sender: str) -> bool:
    """Whether a reply goes to a chat; otherwise it waits to be read in a browser."""
    return sender.startswith("telegram:")


def delivered(sender: str, reply: Written, states: Mapping[str, str]) -> Delivered:
    words, state = _told(sender, reply, states)
    return Delivered(reply.text, reply.author_name, reply.written_at, words, state, reply.read_at)


def _told(sender: str, reply: Written, states: Mapping[str, str]) -> tuple[str, State]:
    if reply.read_at:
        return "Read", "there"
    if by_telegram(sender):
        return _TOLD[states.get(key(reply.id), "queued")]
    return "Waiting to be read", "waiting"
