"""The Telegram channel as it runs: updates taken, by webhook or by asking, and letters sent."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from telegram import Update, error
from telegram.request import HTTPXRequest

from bot import deadletters, delivery, intake
from bot.conversation import events as ev
from bot.conversation import speech
from bot.delivery import Delivery, Letter, Outcome
from bot.errors import UnknownConversation, UnknownFlow
from bot.limits import TooMuch
from bot.settings import Settings
from bot.telegram import contact, inbound, outbound
from bot.telegram.outbound import Client
from bot.wiring import Waymark
from content.schema import Channel

PER_SECOND = 25
"""Messages a second to everyone together; Telegram asks for no more than 30."""

log = logging.getLogger("waymark.telegram")


def connect(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> Telegram | None:
    """The channel, if a token is set and this process speaks with senders. Nothing is sent before
    `running`."""
    if settings.telegram_token is None or settings.role == "staff":
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
        self._carrying: asyncio.Task[None] | None = None
        self._running: list[asyncio.Task[None]] = []
        self._taking = asyncio.Lock()
        self._asides: set[asyncio.Task[None]] = set()

    async def start(self, waymark: Waymark) -> None:
        """A Telegram that can't be reached doesn't keep the rest from starting."""
        await self.client.open()
        self.waymark = waymark
        self.delivery = Delivery(waymark, [self])
        self._carrying = asyncio.create_task(self.delivery.forever())
        self._running = [asyncio.create_task(self._introduce())]
        if not self._webhook:
            self._running.append(asyncio.create_task(self._listen()))

    async def stop(self) -> None:
        """What is half done is finished; what merely waits is let go."""
        self.delivery.stop()
        if self._carrying:
            await self._carrying
        async with self._taking:
            for task in (*self._running, *self._asides):
                task.cancel()
        await asyncio.gather(*self._running, *self._asides, return_exceptions=True)
        await self.client.hang_up()

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
        arrived = inbound.parse(raw)
        update = arrived.update
        if (crowd := inbound.crowd(update)) is not None:
            self._leave(crowd, added=update.my_chat_member is not None)
        if (chat := inbound.private(update)) is None:
            return None
        if (blocks := inbound.blocks(update)) is not None:
            change = delivery.block if blocks else delivery.unblock
            await change(self.waymark, inbound.address(chat))
            return None
        event = inbound.read(arrived, self.waymark.clock())
        if event is None:
            return None
        try:
            received = await self._receive(replace(event, carries=carries and _alone(update)))
        except TooMuch as much:
            return self._rest(chat, much)
        if received.carried is None:
            self.delivery.wake()
            return None
        return outbound.calls(received.carried, chat)[0].response()

    async def _receive(self, event: intake.Inbound) -> intake.Received:
        try:
            return await intake.receive(self.waymark, event)
        except (UnknownFlow, UnknownConversation):
            return await intake.receive(self.waymark, replace(event, event=ev.Lost(), nonce=None))

    def _rest(self, chat: int, much: TooMuch) -> dict[str, Any] | None:
        """What a flood is told: once, that nothing of it is kept; then nothing, until it ends."""
        address, now = inbound.address(chat), self.waymark.clock()
        if much.what == "turns" and not self.waymark.limits.first(
            "turns", address, now + much.wait, now
        ):
            return None
        log.warning("asked to rest", extra={"limit": much.what})
        words = self.waymark.content.wording["en"]
        return self._aloud(chat, "say.rest", wait=speech.spoken_wait(words, much.wait))

    async def _bury(self, raw: dict[str, Any], failure: Exception) -> dict[str, Any] | None:
        log.error("not processed", extra={"update": raw["update_id"], **contact.named(failure)})
        chat = inbound.chat_of(raw)
        sender = inbound.address(chat) if chat is not None else None
        kept = json.dumps(deadletters.nameless(raw))
        key = inbound.key(raw["update_id"])
        await deadletters.bury(self.waymark, key, sender, kept, failure)
        if chat is None:
            return None
        return self._aloud(chat, "say.trouble")

    def _aloud(self, chat: int, key: str, **gaps: str) -> dict[str, Any]:
        """A sentence for the webhook's response to carry; nothing of it is kept."""
        said = {"kind": "say", "text": self._words(key).format(**gaps), "rows": []}
        return outbound.calls(said, chat)[0].response()

    def _leave(self, chat: int, *, added: bool) -> None:
        """We only talk one to one. Nothing of a group is kept."""
        if added:
            farewell = {"chat_id": chat, "text": self._words("say.groups")}
            self._aside("sendMessage", farewell, "leaveChat", {"chat_id": chat})
        else:
            self._aside("leaveChat", {"chat_id": chat})

    async def _listen(self) -> None:
        """Without a webhook: the next updates are asked for only when these are committed."""
        await self.ready.wait()
        async for raw in contact.updates(self.client):
            await contact.insisting("take an update", partial(self._take_asked_for, raw))

    async def _take_asked_for(self, raw: dict[str, Any]) -> None:
        async with self._taking:
            await self.take(raw, carries=False)

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
                    log.warning("call refused", extra={"method": method, **contact.named(refused)})

    def _words(self, key: str) -> str:
        return self.waymark.content.wording["en"][f"telegram.{key}"]

    async def _introduce(self) -> None:
        secret = self._secret.get_secret_value() if self._secret else ""
        hook = contact.Hook(self._webhook, secret) if self._webhook else None
        await contact.introduce(self.client, hook, self.waymark.content.wording)
        self.ready.set()
        log.info("connected", extra={"by": "webhook" if hook else "polling"})


def _alone(update: Update) -> bool:
    """Whether the update is all that its answer answers: not one picture of an album."""
    return not (update.message and update.message.media_group_id)


class _Pace:
    """At most so many turns a second, a second's worth of them at once."""

    def __init__(self, per_second: int) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - 1) + self._step
        await asyncio.sleep(max(0.0, self._next - now))
