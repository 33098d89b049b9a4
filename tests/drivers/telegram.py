"""A person on Telegram: what they do becomes updates, what they are told is what the chat shows."""

import itertools
import json
from typing import Any

import httpx

from bot.telegram.app import Telegram
from tests.fake_telegram import FakeTelegram, Refused, Shown
from web.api.telegram import SECRET

numbers = itertools.count(5_000)
chats = itertools.count(700_001)


class Person:
    """Everything they do goes through the webhook, and they wait until the bot has said its all."""

    def __init__(self, http: httpx.AsyncClient, fake: FakeTelegram, channel: Telegram) -> None:
        self.http = http
        self.fake = fake
        self.channel = channel
        self.chat = next(chats)
        self.status = 0
        self.last_update: dict[str, Any] = {}
        self.last_message = 0

    @property
    def address(self) -> str:
        return f"telegram:{self.chat}"

    @property
    def shown(self) -> list[Shown]:
        return self.fake.chats[self.chat]

    @property
    def last(self) -> Shown:
        return self.shown[-1]

    # --- What people do -------------------------------------------------------------------

    async def say(self, text: str) -> list[Shown]:
        return await self.send(text=text)

    async def start(self, payload: str = "") -> list[Shown]:
        return await self.say(f"/start {payload}".strip())

    async def send(self, **content: Any) -> list[Shown]:
        """A message of any kind: sticker=..., voice=..., forward_origin=..."""
        return await self.do(self.message(**content))

    async def tap(self, label: str, on: Shown | None = None) -> list[Shown]:
        """Press a button: on this message, or on the newest that has it."""
        if on is None:
            on = next(
                message
                for message in reversed(self.shown)
                if any(said.endswith(label) for said in message.labels)
            )
        return await self.press(on.token(label), on.id)

    async def press(self, token: str, message: int = 1) -> list[Shown]:
        return await self.do(self.pressed(token, message))

    async def edit(self, text: str, message: int | None = None) -> list[Shown]:
        """Change a message of their own; the last one, if none is named."""
        head = self._head(self.last_message if message is None else message)
        changed = {**head, "edit_date": 1_770_000_001, "text": text}
        return await self.do(self.update(edited_message=changed))

    async def blocks(self, *, really: bool = True) -> None:
        await self.do(self.membership("kicked" if really else "member"))

    async def again(self) -> list[Shown]:
        """Telegram sends the last update once more."""
        return await self.do(self.last_update)

    # --- As updates -----------------------------------------------------------------------

    def update(self, **what: Any) -> dict[str, Any]:
        return {"update_id": next(numbers), **what}

    def message(self, **content: Any) -> dict[str, Any]:
        self.last_message = next(numbers)
        return self.update(message={**self._head(self.last_message), **content})

    def pressed(self, token: str, message: int) -> dict[str, Any]:
        head = self._head(message)
        head["from"] = {"id": 1, "is_bot": True, "first_name": "Waymark"}
        query = {"id": str(next(numbers)), "from": self._user(), "chat_instance": "1"}
        return self.update(callback_query={**query, "data": token, "message": head})

    def membership(self, status: str, chat: dict[str, Any] | None = None) -> dict[str, Any]:
        bot = {"user": {"id": 1, "is_bot": True, "first_name": "Waymark"}}
        was = {**bot, "status": "member"}
        now = {**bot, "status": status, **({"until_date": 0} if status == "kicked" else {})}
        change = {"chat": chat or self._chat(), "from": self._user(), "date": 1_770_000_000}
        return self.update(
            my_chat_member={**change, "old_chat_member": was, "new_chat_member": now}
        )

    def _head(self, number: int) -> dict[str, Any]:
        return {
            "message_id": number,
            "date": 1_770_000_000,
            "chat": self._chat(),
            "from": self._user(),
        }

    def _chat(self) -> dict[str, Any]:
        return {"id": self.chat, "type": "private", "first_name": "Canaryname"}

    def _user(self) -> dict[str, Any]:
        return {
            "id": self.chat,
            "is_bot": False,
            "first_name": "Canaryname",
            "last_name": "Canarysurname",
            "username": "canary_username",
            "language_code": "en",
        }

    # --- There and back -------------------------------------------------------------------

    async def do(self, update: dict[str, Any]) -> list[Shown]:
        """Hand over an update; returns what the chat shows more than before."""
        before = len(self.shown)
        self.last_update = update
        await self.post(update)
        await self.channel.delivery.run_due()
        return self.shown[before:]

    async def post(self, update: dict[str, Any]) -> dict[str, Any] | None:
        """As Telegram does: what the response carries is carried out."""
        response = await self.http.post(
            "/telegram/webhook", content=json.dumps(update), headers={SECRET: "the-secret"}
        )
        self.status = response.status_code
        carried: dict[str, Any] | None = response.json() if response.content else None
        if carried is not None and self.status == 200:
            parameters = dict(carried)
            try:
                self.fake.perform(parameters.pop("method"), parameters)
            except Refused as error:
                self.fake.refusals.append(str(error))
        return carried
