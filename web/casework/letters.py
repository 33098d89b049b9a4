"""A reply in its last form: the exact words that arrive, and where. Nothing is sent here."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store import conversations
from bot.store.models import Found
from bot.wiring import Waymark
from web.casework import delivery, rows
from web.casework.faults import NotSaid
from web.casework.permissions import Action, Person

LONGEST = 3000
"""Characters; Telegram refuses more than 4,096, and our own words stand around it."""


@dataclass(frozen=True)
class Letter:
    """A reply as it will be read, and where."""

    row: Found
    text: str
    whole: str
    """The exact words that arrive."""
    by_telegram: bool
    blocked: bool
    """They have blocked the bot: it would not arrive."""


async def preview(waymark: Waymark, person: Person, id_: str, text: str) -> Letter:
    """The exact words, and where they go. Raises NotSaid."""
    async with waymark.database.transaction() as db:
        row = await rows.load(waymark, db, person, Action.REPLY, id_)
        text = sayable(text)
        known = await conversations.sender(db, row.sender)
    return Letter(
        row=row,
        text=text,
        whole=worded(waymark, row, text),
        by_telegram=delivery.by_telegram(row.sender),
        blocked=known.blocked,
    )


def sayable(text: str) -> str:
    """The text without loose ends. Raises NotSaid for what can't be sent."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise NotSaid("text", "Write the reply")
    if len(text) > LONGEST:
        over = len(text) - LONGEST
        raise NotSaid("text", f"Make the reply shorter: it is {over:,} characters too long")
    return text


def worded(waymark: Waymark, row: Found, text: str) -> str:
    """As it arrives: a chat needs to be told what this is an answer to."""
    if not delivery.by_telegram(row.sender):
        return text
    wording = waymark.content.wording
    words = wording.get(row.language, wording["en"])
    return words["replies-out.telegram"].format(reference=row.reference, text=text)
