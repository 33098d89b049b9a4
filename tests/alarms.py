"""What tests of safety alerts share: something said to be done, and a mail server that listens."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from web.casework.alerts import Done


def done(words: str, *told: str, when: str = "2026-01-05T10:00") -> Done:
    """As a form would say it."""
    return Done(told or ("duty-team",), when, words)


class Mailbox:
    """A real mail server on a port of its own. `says` is what it answers to a letter, and `to` what
    it answers to an address; `slow` is how long it takes over a letter."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.addresses: list[str] = []
        self.says = "250 OK"
        self.to: dict[str, str] = {}
        self.slow = 0.0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any):
        said = self.to.get(address, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.slow)
        if self.says.startswith("250"):
            self.raw.append(envelope.content)
            self.letters.append(email.message_from_bytes(envelope.content, policy=default))
            self.addresses += envelope.rcpt_tos
        return self.says

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "none",
            "smtp_from": "waymark@council.example",
        }

    port: int = 0


class _Anywhere(Controller):
    """On whichever port is free; the library asks the port it was told, which is none."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = _Anywhere(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()
