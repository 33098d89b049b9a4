"""Where someone is, as an address."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.conversation import messages as say
from bot.conversation.path import path
from bot.conversation.script import Script
from bot.conversation.state import Conversation
from content.schema import Channel

_ID = r"[0-9a-f]{24}"
_NAME = r"[a-z0-9-]{1,40}"
_OURS = re.compile(
    rf"/|/(?:form|chat)/({_ID})(?:/{_NAME})?(?:/notice)?|/[a-z-]{{1,40}}(?:/{_NAME})?"
)

_PAGES: dict[type, str] = {
    say.Review: "check",
    say.Ended: "end",
    say.Submitted: "sent",
    say.ConfirmDelete: "delete",
}
FIXED = frozenset({"check", "end", "sent", "delete", "stopped"})
"""Pages beside the questions: no question may be called one of these."""


def home(channel: Channel, conversation: str) -> str:
    return f"/{channel.value}/{conversation}"


def question(conversation: str, name: str) -> str:
    return f"/form/{conversation}/{name}"


def notice(conversation: str, name: str) -> str:
    return f"/form/{conversation}/{name}/notice"


def form(conversation: str, messages: Iterable[say.Message]) -> str:
    """The form's page for where these messages leave them."""
    for message in messages:
        if isinstance(message, say.Ask):
            return question(conversation, message.question.id)
        if type(message) in _PAGES:
            return f"/form/{conversation}/{_PAGES[type(message)]}"
    return home(Channel.FORM, conversation)


def before(script: Script, conversation: Conversation, here: str | None) -> str | None:
    """The page of the question asked before this one; before the end, for None."""
    earlier = path(script, conversation.answers).before(here)
    return question(conversation.id, earlier.id) if earlier else None


def came_from(address: str) -> tuple[str, str | None]:
    """An address of ours to go back to, and the conversation in it, if any."""
    found = _OURS.fullmatch(address)
    return (address, found[1]) if found else ("/", None)
