"""A Telegram update, read: who, and what happened. Names and everything else are left unread."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from telegram import CallbackQuery, Chat, InaccessibleMessage, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.conversation import buttons
from bot.conversation import events as ev
from bot.intake import Inbound
from content.schema import Channel, Skip

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OUT = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)

COMMANDS: dict[str, Callable[[], ev.Event]] = {
    "back": ev.Back,
    "skip": lambda: ev.Skipped(Skip.SKIPPED),
    "check": ev.Check,
    "stop": ev.Stop,
    "continue": ev.Resume,
    "delete": ev.Delete,
    "help": ev.Help,
    "helpnow": ev.HelpNow,
}
"""Besides /start. Each has its line in Telegram's menu: `telegram.command.*`."""

_KINDS = ("sticker", "voice", "photo", "document", "audio")
_KIND_OF = {"document": "file", "audio": "file"}


def read(update: Update, at: datetime) -> Inbound | None:
    """What someone said or did in a private chat; None for anything else."""
    chat = update.effective_chat
    if chat is None or chat.type != ChatType.PRIVATE:
        return None
    if update.callback_query is not None:
        return _pressed(update, update.callback_query, chat, at)
    if update.edited_message is not None:
        event = _edited(update.edited_message)
        return _inbound(update, chat, event, at) if event else None
    if update.message is not None:
        return _said(update, update.message, chat, at)
    return None


def address(chat: int) -> str:
    """A sender's address. The chat's number is all we know of them."""
    return f"{Channel.TELEGRAM.value}:{chat}"


def key(update_id: int) -> str:
    return f"telegram:{update_id}"


def private(update: Update) -> int | None:
    """The one person this is with."""
    chat = update.effective_chat
    return chat.id if chat and chat.type == ChatType.PRIVATE else None


def crowd(update: Update) -> int | None:
    """The group or channel we are in and should not be."""
    chat = update.effective_chat
    if chat is None or chat.type == ChatType.PRIVATE:
        return None
    change = update.my_chat_member
    return None if change and change.new_chat_member.status in _OUT else chat.id


def blocks(update: Update) -> bool | None:
    """Whether the person now blocks us, if that is what this says."""
    change = update.my_chat_member
    return change.new_chat_member.status in _OUT if change else None


def _inbound(update: Update, chat: Chat, event: ev.Event | ev.AtTheDoor, at: datetime) -> Inbound:
    return Inbound(
        channel=Channel.TELEGRAM,
        sender=address(chat.id),
        event=event,
        received_at=at,
        dedupe_key=key(update.update_id),
        order=update.update_id,
    )


def _said(update: Update, message: Message, chat: Chat, at: datetime) -> Inbound | None:
    if message.via_bot or (message.from_user and message.from_user.is_bot):
        return None
    event = _event(message)
    if event is None:
        return None
    inbound = _inbound(update, chat, event, at)
    if message.media_group_id and isinstance(event, ev.Unreadable):
        # An album comes as an update for each picture; one answer is enough.
        return replace(inbound, dedupe_key=f"telegram:album:{message.media_group_id}")
    return inbound


def _event(message: Message) -> ev.Event | ev.AtTheDoor | None:
    if message.forward_origin is not None:
        return ev.Unreadable("forwarded")
    if message.text is None:
        return _unreadable(message)
    if command := _COMMAND.fullmatch(message.text):
        return _command(command[1].lower(), command[2] or "")
    return ev.Typed(message.text, source=_source(message))


def _command(name: str, rest: str) -> ev.Event | ev.AtTheDoor:
    if name == "start":
        payload = rest.strip()
        return ev.Open(payload if _PAYLOAD.fullmatch(payload) else "")
    # An unknown command is no answer; what can be typed is.
    return COMMANDS.get(name, ev.Help)()


def _unreadable(message: Message) -> ev.Unreadable | None:
    for kind in _KINDS:
        if getattr(message, kind):
            return ev.Unreadable(_KIND_OF.get(kind, kind))
    # What has no attachment either is Telegram's own note (a pin, a timer): nobody said it.
    return ev.Unreadable("other") if message.effective_attachment else None


def _edited(message: Message) -> ev.Edited | None:
    if message.text is None or _COMMAND.fullmatch(message.text):
        return None
    return ev.Edited(_source(message), message.text)


def _source(message: Message) -> str:
    return f"m{message.message_id}"


def _pressed(update: Update, query: CallbackQuery, chat: Chat, at: datetime) -> Inbound:
    pressed = buttons.read(query.data or "")
    if pressed is None or not (query.data or "").isascii():
        return _inbound(update, chat, ev.Lost(), at)
    inbound = _inbound(update, chat, pressed.event, at)
    reachable = query.message and not isinstance(query.message, InaccessibleMessage)
    message = query.message.message_id if query.message and reachable else None
    return replace(inbound, nonce=pressed.nonce, message=message)


def chat_of(raw: dict[str, object]) -> int | None:
    """The private chat of an update that could not be read, as far as it can be made out."""
    for part in raw.values():
        message = part.get("message", part) if isinstance(part, dict) else None
        chat = message.get("chat") if isinstance(message, dict) else None
        if isinstance(chat, dict) and chat.get("type") == "private" and type(chat.get("id")) is int:
            number: int = chat["id"]
            return number
    return None
