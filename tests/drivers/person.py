"""What anybody can do in a conversation, whatever the channel: the verbs of the journeys."""

from __future__ import annotations

from typing import Protocol

from content.schema import Skip


class Person(Protocol):
    """One sender on one channel. Each verb ends when our answer has arrived."""

    async def begin(self, flow: str) -> None: ...

    async def asked(self) -> str:
        """The id of the question before them, or `review`, `sent` or `ended`."""
        ...

    async def choose(self, question: str, value: str) -> None: ...

    async def tick(self, question: str, values: list[str]) -> None: ...

    async def say(self, question: str, text: str) -> None: ...

    async def skip(self, question: str, skip: Skip) -> None: ...

    async def back(self) -> None: ...

    async def another_way(self, question: str) -> str:
        """Ask for the question in other words; what we said."""
        ...

    async def change(self, question: str, value: str) -> None:
        """Choose again at an earlier question: an old button, or the change link."""
        ...

    async def edit(self, question: str, text: str) -> None:
        """Put earlier words right: edit the message, or change the answer."""
        ...

    async def again(self, times: int) -> None:
        """The last thing done arrives again, as a network does it."""
        ...

    async def late(self, question: str, text: str) -> None:
        """Words meant for an earlier question arrive after the answer to a later one."""
        ...

    async def unclear(self, question: str, text: str) -> str:
        """Something that is no answer; gives back what we said to it."""
        ...

    async def start_over(self) -> str:
        """Begin the same thing from the front door while it is under way; what we said."""
        ...

    async def carry_on(self) -> None: ...

    async def junk_link(self, payload: str) -> None: ...

    async def help_now(self) -> str: ...

    async def stop(self) -> str:
        """Stop and save; the code to carry on with."""
        ...

    async def resume_in_browser(self, code: str) -> None: ...

    async def send(self) -> str:
        """Send what was reviewed; what we said."""
        ...

    async def send_in_two_tabs(self) -> tuple[str, str]: ...
