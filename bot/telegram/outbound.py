"""What is to be said, as calls of the Bot API; and what its answers mean for a letter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from telegram import Bot, error

from bot.delivery import Outcome

LONGEST = 4096
"""Telegram's limit on one message, in UTF-16 units as its clients count."""
PERSONAL = ("review", "reply")
"""Kinds of bubble that can't be forwarded."""
BENIGN = ("query is too old", "message is not modified")
"""What Telegram says to a button tapped twice, or late: nothing is wrong."""
_MAY_HAVE_ARRIVED = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
TOKEN_REFUSED = timedelta(minutes=1)


class Client(Bot):
    """The library's bot, called by method and parameters: the same ones that a webhook's response
    carries. It never asks for updates parsed: one that can't be would hide the rest."""

    async def call(self, method: str, parameters: dict[str, Any], wait: float = 5.0) -> Any:
        """Raises telegram.error.TelegramError."""
        return await self._post(method, dict(parameters), read_timeout=wait)

    async def open(self) -> None:
        """Ready to be called. Unlike the library's own way, Telegram need not answer for that."""
        await asyncio.gather(*(request.initialize() for request in self._request))

    async def hang_up(self) -> None:
        await asyncio.gather(*(request.shutdown() for request in self._request))


@dataclass(frozen=True)
class Call:
    """A method of the Bot API and what it is given."""

    method: str
    parameters: dict[str, Any]

    def response(self) -> dict[str, Any]:
        """As it rides in a webhook's response."""
        return {"method": self.method, **self.parameters}


def calls(payload: dict[str, Any], chat: int) -> list[Call]:
    """A bubble, as one call or (where it is long) more; the buttons stand under the last."""
    markup = {"inline_keyboard": [[_button(*button) for button in row] for row in payload["rows"]]}
    if payload.get("redraw"):
        parameters = {"message_id": payload["redraw"], "reply_markup": markup}
        return [Call("editMessageReplyMarkup", {"chat_id": chat, **parameters})]
    said = [_message(payload, chat, part) for part in split(payload["text"])]
    if payload["rows"]:
        said[-1].parameters["reply_markup"] = markup
    return said


def _button(label: str, token: str) -> dict[str, str]:
    return {"text": label, "callback_data": token}


def _message(payload: dict[str, Any], chat: int, text: str) -> Call:
    parameters = {"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}}
    if payload["kind"] in PERSONAL:
        parameters["protect_content"] = True
    return Call("sendMessage", parameters)


def split(text: str) -> list[str]:
    """Parts that fit in a message: cut between paragraphs, else lines, else words."""
    parts = []
    while len(_utf16(text)) > 2 * LONGEST:
        head = _utf16(text)[: 2 * LONGEST].decode("utf-16-le", "ignore")
        cuts = (head.rfind(mark) for mark in ("\n\n", "\n", " "))
        at = next((cut for cut in cuts if cut > len(head) // 2), len(head))
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, text]


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "replace")


async def send(client: Client, payload: dict[str, Any], chat: int) -> Outcome:
    """Say it. Raises nothing that Telegram can answer."""
    said = calls(payload, chat)
    unsure = False
    for number, call in enumerate(said):
        try:
            await client.call(call.method, call.parameters)
        except error.TelegramError as refused:
            outcome = meaning(refused)
            if outcome.state == "failed" and payload.get("redraw"):
                return await send(client, {**payload, "redraw": None}, chat)
            if outcome.state == "unknown":
                unsure = True
            elif outcome.state != "sent":
                rest = [each.parameters["text"] for each in said[number:]] if number else None
                left = rest and {**payload, "text": "\n\n".join(rest)}
                return Outcome(outcome.state, outcome.wait, left or None)
    return Outcome("unknown" if unsure else "sent")


def meaning(refused: error.TelegramError) -> Outcome:
    """What a refusal means for the letter."""
    match refused:
        case error.RetryAfter():
            wait = refused.retry_after
            return Outcome("wait", wait if isinstance(wait, timedelta) else timedelta(seconds=wait))
        case error.InvalidToken():
            return Outcome("wait", TOKEN_REFUSED)  # ours to mend; the letter is sound
        case error.Forbidden():
            return Outcome("blocked")
        case error.BadRequest():
            return Outcome("sent" if benign(refused) else "failed")
        case error.NetworkError() if not isinstance(refused.__cause__, _MAY_HAVE_ARRIVED):
            return Outcome("again")
        case error.ChatMigrated():
            return Outcome("failed")
        case _:
            return Outcome("unknown")


def benign(refused: error.TelegramError) -> bool:
    return any(words in refused.message.lower() for words in BENIGN)
