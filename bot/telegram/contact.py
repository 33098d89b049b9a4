"""In touch with Telegram: where it is to post, our commands, and its updates if it doesn't post."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from telegram import error

from bot.telegram import inbound
from bot.telegram.outbound import Client

ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
LONG_POLL = 25
"""Seconds that Telegram holds the line while there is nothing new."""
LONGEST_PAUSE = 30.0

log = logging.getLogger("waymark.telegram")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Hook:
    """Where Telegram is to post, and what it shows to be let in."""

    address: str
    secret: str = field(repr=False)


async def introduce(
    client: Client, hook: Hook | None, wording: Mapping[str, Mapping[str, str]]
) -> None:
    """Say where to post (or that we ask ourselves), until it is heard; then list our commands."""
    await insisting("connect", partial(_arrange, client, hook))
    try:
        for language, words in wording.items():
            await _list_commands(client, language, words)
    except error.TelegramError as refused:
        log.warning("commands not listed", extra=named(refused))


async def _arrange(client: Client, hook: Hook | None) -> None:
    if hook is None:
        await client.call("deleteWebhook", {"drop_pending_updates": False})
        return
    where = {"url": hook.address, "secret_token": hook.secret}
    await client.call("setWebhook", {**where, "allowed_updates": ALLOWED})


async def _list_commands(client: Client, language: str, words: Mapping[str, str]) -> None:
    commands = [
        {"command": name, "description": words[f"telegram.command.{name}"]}
        for name in ("start", *inbound.COMMANDS)
    ]
    menu = {"commands": commands, "scope": {"type": "all_private_chats"}}
    spoken = {} if language == "en" else {"language_code": language}
    await client.call("setMyCommands", {**menu, **spoken})


async def updates(client: Client) -> AsyncIterator[dict[str, Any]]:
    """Updates as they come. One is only let go of when the next is asked for."""
    known: dict[str, Any] = {}
    while True:
        asked = {**known, "timeout": LONG_POLL, "allowed_updates": ALLOWED}
        ask = partial(client.call, "getUpdates", asked, LONG_POLL + 10)
        found = await insisting("get updates", ask)
        for raw in found:
            yield raw
            known = {"offset": raw["update_id"] + 1}
        # A server that doesn't hold the line is not to be asked without a rest.
        await asyncio.sleep(0 if found else 0.1)


async def insisting(what: str, attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Until it succeeds, at growing distances."""
    pause = 1.0
    while True:
        try:
            return await attempt()
        except Exception as failure:  # noqa: BLE001  # nothing may end it but success
            log.error("could not %s", what, extra=named(failure))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def named(failure: Exception) -> dict[str, str]:
    """An error as a log may have it: its text may hold the token, or what somebody wrote."""
    return {"error": type(failure).__name__}
