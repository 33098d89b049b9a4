"""Into a channel that the library Apprise reaches: Teams, Slack, SMS and more (extra `alerts`)."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from pydantic import SecretStr

from bot.calling.letter import Letter, Outcome

PATIENCE = 20.0


def installed() -> bool:
    return find_spec("apprise") is not None


class Channel:
    """One address of Apprise's own kind. It holds secrets, so nothing may write it down."""

    def __init__(self, address: SecretStr) -> None:
        self._address = address

    async def send(self, letter: Letter) -> Outcome:
        if not installed():
            return Outcome("again", "not-installed")
        try:
            async with asyncio.timeout(PATIENCE):
                went = await asyncio.to_thread(self._post, letter)
        except TimeoutError:
            return Outcome("again", "slow")
        return Outcome("sent") if went else Outcome("again", "down")

    def _post(self, letter: Letter) -> bool:
        import apprise

        channel = apprise.Apprise()
        if not channel.add(self._address.get_secret_value()):
            return False
        kind = apprise.NotifyType.WARNING if letter.urgent else apprise.NotifyType.INFO
        return bool(channel.notify(body=letter.text, title=letter.subject, notify_type=kind))
