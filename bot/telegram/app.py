"""The Telegram channel as it runs: updates taken, by webhook or by asking, and letters sent."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
from telegram import Update, error
from telegram.request import HTTPXRequest

from bot import deadletters, delivery, intake
from bot.conversation import events as ev
from bot.delivery import Delivery, Letter, Outcome
from bot.errors import UnknownConversation, UnknownFlow
from bot.settings import Settings
from bot.telegram import inbound, outbound
from bot.telegram.outbound import Client
from bot.wiring import Waymark
from content.schema import Channel

ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
LONG_POLL = 25
"""Seconds that Telegram holds the line while there is nothing new."""
LONGEST_PAUSE = 30.0
PER_SECOND = 25
"""Messages a second to everyone together; Telegram asks for no more than 30."""

log = logging.getLogger("waymark.telegram")


def connect(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> Telegram | None:
    """The channel, if a token is set. Nothing is sent before `running`."""
    if settings.telegram_token is None:
        return None
    given = {"transport": transport} if transport else {}
    client = Client(
        settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_api_base,
        base_file_url=settings.telegram_file_base,
        request=HTTPXRequest(connection_pool_size=64, httpx_kwargs=given),
        get_updates_request=HTTPXRequest(connection_pool_size=1, httpx_kwargs=given),
    )
    return Telegram(client, settings)


@asynccontextmanager
async def running(waymark: Waymark, channel: Telegram | None) -> AsyncIterator[None]:
    """The channel takes updates and the outbox is emptied, for as long as this is open."""
    if channel is None:
        yield
        return
    await channel.start(waymark)
    try:
        yield
    finally:
        await channel.stop()


class Telegram:
    """One bot. `take` is the one way in, however an update came."""

    name = Channel.TELEGRAM.value
    waymark: Waymark
    delivery: Delivery

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.ready = asyncio.Event()
        """Telegram knows our commands, and where to post."""
        self._webhook = settings.telegram_webhook_url
        self._secret = settings.telegram_webhook_secret
        self._pace = _Pace(PER_SECOND)
        self._running: list[asyncio.Task[None]] = []
        self._asides: set[asyncio.Task[None]] = set()

    async def start(self, waymark: Waymark) -> None:
        """A Telegram that can't be reached doesn't keep the rest from starting."""
        self.waymark = waymark
        self.delivery = Delivery(waymark, [self])
        self._running = [
            asyncio.create_task(self._introduce()),
            asyncio.create_task(self.delivery.forever()),
        ]
        if not self._webhook:
            self._running.append(asyncio.create_task(self._ask_for_updates()))

    async def stop(self) -> None:
        await self.delivery.stop()
        for task in (*self._running, *self._asides):
            task.cancel()
        await asyncio.gather(*self._running, *self._asides, return_exceptions=True)
        await self.client.shutdown()

    # --- In -------------------------------------------------------------------------------

    def knows(self, secret: str) -> bool:
        """Whether a webhook's secret is the one we gave Telegram."""
        if self._secret is None:
            return False
        ours = self._secret.get_secret_value()
        return hmac.compare_digest(ours.encode(), secret.encode())

    async def take(self, raw: dict[str, Any], *, carries: bool) -> dict[str, Any] | None:
        """Take one update; returns what the webhook's response is to carry.

        Raises what the database raises: then nothing was kept or said, and Telegram is to send it
        again. Anything else is kept for staff, so that it doesn't stand in the way of the rest.
        """
        try:
            said = await self._take(raw, carries)
        except Exception as failure:
            if deadletters.of_the_machine(failure):
                raise
            said = await self._bury(raw, failure)
        query = raw.get("callback_query")
        if isinstance(query, dict) and isinstance(query.get("id"), str):
            self._aside("answerCallbackQuery", {"callback_query_id": query["id"]})
        if said and not carries:
            self._aside(said.pop("method"), said)
            return None
        return said

    async def _take(self, raw: dict[str, Any], carries: bool) -> dict[str, Any] | None:
        update = Update.de_json(raw, None)
        if (crowd := inbound.crowd(update)) is not None:
            self._leave(crowd, added=update.my_chat_member is not None)
        if (chat := inbound.private(update)) is None:
            return None
        if (blocks := inbound.blocks(update)) is not None:
            change = delivery.block if blocks else delivery.unblock
            await change(self.waymark, inbound.address(chat))
            return None
        event = inbound.read(update, self.waymark.clock())
        if event is None:
            return None
        received = await self._receive(replace(event, carries=carries and _alone(update)))
        self.delivery.wake()
        if received.carried is None:
            return None
        return outbound.calls(received.carried, chat)[0].response()

    async def _receive(self, event: intake.Inbound) -> intake.Received:
        try:
            return await intake.receive(self.waymark, event)
        except (UnknownFlow, UnknownConversation):
            return await intake.receive(self.waymark, replace(event, event=ev.Lost(), nonce=None))

    async def _bury(self, raw: dict[str, Any], failure: Exception) -> dict[str, Any] | None:
        log.error("not processed", extra={"update": raw["update_id"], **_named(failure)})
        chat = inbound.chat_of(raw)
        sender = inbound.address(chat) if chat is not None else None
        kept = json.dumps(deadletters.nameless(raw))
        key = inbound.key(raw["update_id"])
        await deadletters.bury(self.waymark, key, sender, kept, failure)
        if chat is None:
            return None
        trouble = {"kind": "say", "text": self._words("say.trouble"), "rows": []}
        return outbound.calls(trouble, chat)[0].response()

    def _leave(self, chat: int, *, added: bool) -> None:
        """We only talk one to one. Nothing of a group is kept."""
        if added:
            farewell = {"chat_id": chat, "text": self._words("say.groups")}
            self._aside("sendMessage", farewell, "leaveChat", {"chat_id": chat})
        else:
            self._aside("leaveChat", {"chat_id": chat})

    async def _ask_for_updates(self) -> None:
        """Without a webhook: the next updates are asked for only when these are committed."""
        known: dict[str, Any] = {}
        pause = 1.0
        await self.ready.wait()
        while True:
            try:
                asked = {**known, "timeout": LONG_POLL, "allowed_updates": ALLOWED}
                updates = await self.client.call("getUpdates", asked, LONG_POLL + 10)
                for raw in updates:
                    await self.take(raw, carries=False)
                    known = {"offset": raw["update_id"] + 1}
                pause = 1.0
                # A server that doesn't hold the line is not to be asked without a rest.
                await asyncio.sleep(0 if updates else 0.1)
            except Exception as failure:  # noqa: BLE001  # asked again, after a while
                log.error("updates not taken", extra=_named(failure))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    # --- Out ------------------------------------------------------------------------------

    async def send(self, letter: Letter) -> Outcome:
        await self._pace.turn()
        chat = int(letter.sender.removeprefix(f"{self.name}:"))
        return await outbound.send(self.client, letter.payload, chat)

    def _aside(self, *calls: Any) -> None:
        """Calls that nothing hangs on, one after the other."""
        task = asyncio.create_task(self._call_each(calls))
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _call_each(self, calls: tuple[Any, ...]) -> None:
        for method, parameters in zip(calls[::2], calls[1::2], strict=True):
            try:
                await self.client.call(method, parameters)
            except error.TelegramError as refused:
                if not outbound.benign(refused):
                    log.warning("call refused", extra={"method": method, **_named(refused)})

    def _words(self, key: str) -> str:
        return self.waymark.content.wording["en"][f"telegram.{key}"]

    # --- Saying who we are ----------------------------------------------------------------

    async def _introduce(self) -> None:
        """Tell Telegram our commands and where to post; until it has been heard."""
        pause = 1.0
        while True:
            try:
                await self._arrange_updates()
                break
            except error.TelegramError as refused:
                log.error("not connected", extra=_named(refused))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        with suppress(error.TelegramError):
            await self._list_commands()
        self.ready.set()
        log.info("connected", extra={"by": "webhook" if self._webhook else "polling"})

    async def _arrange_updates(self) -> None:
        if not self._webhook:
            await self.client.call("deleteWebhook", {"drop_pending_updates": False})
            return
        assert self._secret is not None
        where = {"url": self._webhook, "secret_token": self._secret.get_secret_value()}
        await self.client.call("setWebhook", {**where, "allowed_updates": ALLOWED})

    async def _list_commands(self) -> None:
        scope = {"type": "all_private_chats"}
        for language, words in self.waymark.content.wording.items():
            commands = [
                {"command": name, "description": words[f"telegram.command.{name}"]}
                for name in ("start", *inbound.COMMANDS)
            ]
            spoken = {} if language == "en" else {"language_code": language}
            await self.client.call(
                "setMyCommands", {"commands": commands, "scope": scope, **spoken}
            )


def _alone(update: Update) -> bool:
    """Whether the update is all that its answer answers: not one picture of an album."""
    return not (update.message and update.message.media_group_id)


def _named(failure: Exception) -> dict[str, str]:
    """An error as a log may have it: its text may hold the token, or what somebody wrote."""
    return {"error": type(failure).__name__}


class _Pace:
    """At most so many turns a second, a second's worth of them at once."""

    def __init__(self, per_second: int) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - 1) + self._step
        await asyncio.sleep(max(0.0, self._next - now))
