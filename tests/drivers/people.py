"""Somebody to live a journey (person.py): on Telegram, in the chat or on the form."""

from __future__ import annotations

from content.schema import Skip
from tests.drivers.person import Person
from tests.drivers.telegram import Person as Telegram
from tests.drivers.waymark import Running
from tests.drivers.web import OnChat, OnForm
from tests.fake_telegram import Shown


def on(channel: str, running: Running) -> Person:
    """Somebody new on this channel."""
    if channel == "telegram":
        return OnTelegram(Telegram(running.http(), running.fake, running.channel))
    return OnChat(running) if channel == "chat" else OnForm(running)


def in_a_new_browser(running: Running, person: Person) -> Person:
    """The same person, in a browser that has never been here; from Telegram, with the form."""
    return OnChat(running) if isinstance(person, OnChat) else OnForm(running)


class OnTelegram:
    """Taps and types; finds buttons by what they carry, wherever in the chat they stand."""

    def __init__(self, person: Telegram) -> None:
        self.person = person
        self.flow = ""
        self.sources: dict[str, int] = {}

    async def begin(self, flow: str) -> None:
        self.flow = flow
        await self.person.start(flow)
        await self.person.tap("Yes, I am 16 or over")

    def where(self) -> str:
        last = self.person.last
        tokens = [token.split("|") for row in last.rows for _, token in row]
        if any(token[0] == "s" for token in tokens):
            return "review"
        asked = [token[2] for token in tokens if token[0] in "atkb" and len(token) > 2 and token[2]]
        if asked:
            return asked[0]
        if "VS-" in last.text:
            return "sent"
        return "ended" if any(token[0] == "b" for token in tokens) else "?"

    async def asked(self) -> str:
        return self.where()

    def _find(self, start: str, end: str) -> tuple[str, Shown]:
        for message in reversed(self.person.shown):
            for row in message.rows:
                for _, token in row:
                    kind, *rest = token.split("|")
                    if kind == start and "|".join(rest[1:]) == end:
                        return token, message
        raise AssertionError(f"no button {start}|…|{end} in this chat")

    async def _press(self, start: str, end: str) -> None:
        token, message = self._find(start, end)
        await self.person.press(token, message.id)

    async def choose(self, question: str, value: str) -> None:
        await self._press("a", f"{question}|{value}")

    async def tick(self, question: str, values: list[str]) -> None:
        for value in values:
            await self._press("t", f"{question}|{value}")
        await self._press("d", question)

    async def say(self, question: str, text: str) -> None:
        assert self.where() == question
        await self.person.say(text)
        self.sources[question] = self.person.last_message

    async def skip(self, question: str, skip: Skip) -> None:
        await self._press("k", f"{question}|{skip.value}")

    async def back(self) -> None:
        await self.person.say("back")

    async def another_way(self, question: str) -> str:
        before = len(self.person.shown)
        await self._press("w", question)
        return _words(self.person.shown[before:])

    async def change(self, question: str, value: str) -> None:
        await self.choose(question, value)

    async def edit(self, question: str, text: str) -> None:
        await self.person.edit(text, self.sources[question])

    async def again(self, times: int) -> None:
        for _ in range(times):
            await self.person.again()

    async def late(self, question: str, text: str) -> None:
        earlier = self.person.message(text=text)
        earlier["update_id"] = self.person.last_update["update_id"] - 1
        newest = self.person.last_update
        await self.person.do(earlier)
        self.person.last_update = newest

    async def unclear(self, question: str, text: str) -> str:
        return _words(await self.person.say(text))

    async def start_over(self) -> str:
        return _words(await self.person.start(self.flow))

    async def carry_on(self) -> None:
        await self.person.tap("Carry on") if self.where() == "?" else None

    async def junk_link(self, payload: str) -> None:
        await self.person.start(payload)

    async def help_now(self) -> str:
        return _words(await self.person.say("help me"))

    async def stop(self) -> str:
        said = _words(await self.person.say("stop"))
        return said.split("code: ")[1].split(".")[0]

    async def resume_in_browser(self, code: str) -> None:
        raise AssertionError("this is not a browser")

    async def send(self) -> str:
        token, message = self._sending()
        return _words(await self.person.press(token, message.id))

    def _sending(self) -> tuple[str, Shown]:
        for message in reversed(self.person.shown):
            for row in message.rows:
                for _, token in row:
                    if token.startswith("s|"):
                        return token, message
        raise AssertionError("nothing to send")

    async def send_in_two_tabs(self) -> tuple[str, str]:
        token, message = self._sending()
        first = _words(await self.person.press(token, message.id))
        return first, _words(await self.person.press(token, message.id))


def _words(shown: list[Shown]) -> str:
    return "\n".join(message.text for message in shown)
