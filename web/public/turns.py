"""One turn from a browser: what every form post carries, taken through the one door."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from bot import intake
from bot.conversation import events as ev
from bot.conversation.state import Answer
from bot.inbound import Arrived
from bot.intake import Inbound, Received
from bot.wiring import Waymark
from content.schema import Channel
from web.security import Browser

LONGEST_KEY = 64


@dataclass(frozen=True)
class Posted:
    """A form's fields, as words. Files are not asked for, so they are not looked at."""

    fields: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.fields if key == name)


async def _posted(request: Request) -> Posted:
    async with request.form() as form:
        posted = Posted(tuple((key, v) for key, v in form.multi_items() if isinstance(v, str)))
    request.state.posted = posted  # for a page that must give it back
    return posted


ThisPost = Annotated[Posted, Depends(_posted)]


def new_key() -> str:
    """Made when a page is, and sent back with it: the same page sent twice is one turn."""
    return secrets.token_urlsafe(12)


async def take(
    waymark: Waymark,
    channel: Channel,
    browser: Browser,
    conversation: str | None,
    event: ev.Event | ev.AtTheDoor,
    key: str,
    files: tuple[Arrived, ...] = (),
) -> Received:
    """Take an event. The same page sent with other words, or another file, is another event."""
    about = conversation or browser.sender
    held = [hashlib.sha256(file.content).hexdigest() for file in files]
    said = waymark.keys.digest("turn", repr((event, held)))[:16]
    inbound = Inbound(
        channel=channel,
        sender=browser.sender,
        event=event,
        received_at=waymark.clock(),
        dedupe_key=f"{channel}:{about}:{key[:LONGEST_KEY] or new_key()}:{said}",
        conversation=conversation,
        files=files,
        place=browser.place,
    )
    return await intake.receive(waymark, inbound)


def seen(waymark: Waymark, answer: Answer | None) -> str:
    """What a page showed as the answer so far, to know if it changed behind the page's back."""
    if answer is None:
        return ""
    return waymark.keys.digest("seen", repr((answer.values, answer.skip)))[:16]
