"""A Bot API in the same process: it keeps each chat's messages, and fails as it is told to.

It is an ASGI app; give `FakeTelegram().transport` to bot.telegram.app.connect.
"""

import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

JSON = ("reply_markup", "link_preview_options", "allowed_updates", "commands", "scope")


@dataclass
class Fault:
    """How the next calls of a method fail. `cut` breaks the line after the call was carried out;
    `refused` before it was."""

    method: str
    status: int = 0
    description: str = ""
    retry_after: int | None = None
    times: int = 1
    chat: int | None = None
    cut: type[httpx.TransportError] | None = None
    refused: type[httpx.TransportError] | None = None

    def answer(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error_code": self.status}
        body["description"] = self.description or "Bad Gateway"
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


@dataclass
class Shown:
    """A message as it stands in a chat."""

    id: int
    text: str
    rows: list[list[tuple[str, str]]] = field(default_factory=list)
    protected: bool = False

    @property
    def labels(self) -> list[str]:
        return [label for row in self.rows for label, _ in row]

    def token(self, label: str) -> str:
        """What the button carries whose label this is, or ends with this."""
        found = [token for row in self.rows for said, token in row if said.endswith(label)]
        assert found, f"no button {label!r} among {self.labels}"
        return found[0]


class Refused(Exception):
    """The Bot API would answer 400 to this."""


class FakeTelegram:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.paths: list[str] = []
        self.chats: dict[int, list[Shown]] = defaultdict(list)
        self.updates: list[dict[str, Any]] = []
        """What getUpdates hands out."""
        self.faults: list[Fault] = []
        self.refusals: list[str] = []
        self._last = 100

    @property
    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(app=self)

    def called(self, method: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == method]

    def perform(self, method: str, parameters: dict[str, Any]) -> Any:
        """Carry a call out, as Telegram does for one that rides in a webhook's response."""
        self.calls.append((method, parameters))
        if method == "getUpdates":
            first = int(parameters.get("offset", 0))
            return [update for update in self.updates if update["update_id"] >= first]
        if method == "sendMessage":
            return self._send(parameters)
        if method in ("editMessageText", "editMessageReplyMarkup"):
            return self._edit(parameters)
        return True

    def _send(self, parameters: dict[str, Any]) -> dict[str, Any]:
        text = parameters["text"]
        if not text.strip():
            raise Refused("message text is empty")
        if len(text.encode("utf-16-le")) > 2 * 4096:
            raise Refused("message is too long")
        self._last += 1
        protected = str(parameters.get("protect_content", "false")).lower() == "true"
        rows = _rows(parameters.get("reply_markup"))
        self.chats[int(parameters["chat_id"])].append(Shown(self._last, text, rows, protected))
        return _message(parameters, self._last, text)

    def _edit(self, parameters: dict[str, Any]) -> dict[str, Any]:
        chat = self.chats[int(parameters["chat_id"])]
        wanted = int(parameters["message_id"])
        shown = next((message for message in chat if message.id == wanted), None)
        if shown is None:
            raise Refused("message to edit not found")
        rows = _rows(parameters.get("reply_markup"))
        text = parameters.get("text", shown.text)
        if (shown.rows, shown.text) == (rows, text):
            raise Refused("message is not modified: specified new message content is the same")
        shown.rows, shown.text = rows, text
        return _message(parameters, wanted, text)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.paths.append(scope["path"])
        method = scope["path"].rsplit("/", 1)[-1]
        parameters: dict[str, Any] = dict(parse_qsl(body.decode(), keep_blank_values=True))
        for name in JSON:
            if name in parameters:
                parameters[name] = json.loads(parameters[name])
        status, answer = self._answer(method, parameters)
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, method: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fault = self._fault(method, parameters)
        if fault and fault.refused:
            raise fault.refused("not reached")
        if fault and fault.status:
            self.calls.append((f"{method} failed", parameters))
            return fault.status, fault.answer()
        try:
            result = self.perform(method, parameters)
        except Refused as error:
            self.refusals.append(str(error))
            description = f"Bad Request: {error}"
            return 400, {"ok": False, "error_code": 400, "description": description}
        if fault and fault.cut:
            raise fault.cut("cut off")
        return 200, {"ok": True, "result": result}

    def _fault(self, method: str, parameters: dict[str, Any]) -> Fault | None:
        for fault in self.faults:
            here = fault.chat in (None, int(parameters.get("chat_id", 0)))
            if fault.method == method and fault.times > 0 and here:
                fault.times -= 1
                return fault
        return None


def _rows(markup: Any) -> list[list[tuple[str, str]]]:
    rows = [
        [(button["text"], button["callback_data"]) for button in row]
        for row in (markup or {}).get("inline_keyboard", [])
    ]
    for label, token in (button for row in rows for button in row):
        if not label:
            raise Refused("text buttons are unallowed in the inline keyboard")
        if not 1 <= len(token.encode()) <= 64:
            raise Refused("BUTTON_DATA_INVALID")
    return rows


def _message(parameters: dict[str, Any], number: int, text: str) -> dict[str, Any]:
    chat = {"id": int(parameters["chat_id"]), "type": "private"}
    return {"message_id": number, "date": int(time.time()), "chat": chat, "text": text}


TOKEN = re.compile(r"/bot([^/]+)/")
