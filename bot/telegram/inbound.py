"""A Telegram update, read: who, and what happened. Names and everything else are left unread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, Chat, InaccessibleMessage, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.conversation import buttons
from bot.conversation import events as ev
from bot.intake import Inbound
from content.schema import Channel, Skip

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OUT = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)

COMMANDS: dict[str, Callable[[], ev.Event | ev.AtTheDoor]] = {
    "back": ev.Back,
    "skip": lambda: ev.Skipped(Skip.SKIPPED),
    "check": ev.Check,
    "stop": ev.Stop,
    "continue": ev.Resume,
    "delete": ev.Delete,
    "mydata": ev.MyData,
    "help": ev.Help,
    "helpnow": ev.HelpNow,
    "ask": lambda: ev.Find(""),
}
"""Besides /start. Each has its line in Telegram's menu: `telegram.command.*`."""

_OTHER = ("animation", "checklist", "contact", "dice", "game", "invoice", "live_photo", "location",
          "paid_media", "poll", "story", "venue", "video", "video_note")  # fmt: skip
_KINDS = {
    "forward_origin": "forwarded",
    "forward_date": "forwarded",
    **dict.fromkeys(_OTHER, "other"),  # an animation comes as a document too
    "sticker": "sticker",
    "voice": "voice",
    "photo": "photo",
    "document": "file",
    "audio": "file",
}
"""What a message may hold besides words, and which `conversation.say.unreadable-*` answers it.
What holds none of these is Telegram's own note (a pin, a timer): nobody said it."""


@dataclass(frozen=True)
class Arrived:
    """An update without names, and without the insides of what can't be read."""

    update: Update
    attached: str | None
    """Which kind of thing came with it, or instead of words."""
    by_bot: bool


def parse(raw: Mapping[str, Any]) -> Arrived:
    """Raises on anything that is no update: KeyError, TypeError, ValueError ..."""
    message = raw.get("message") or {}
    slim: dict[str, Any] = {"update_id": raw["update_id"]}
    for name in ("message", "edited_message", "channel_post", "edited_channel_post"):
        if name in raw:
            slim[name] = _slim(raw[name])
    if query := raw.get("callback_query"):
        slim["callback_query"] = {**query, "from": _user(query["from"])}
        if "message" in query:
            slim["callback_query"]["message"] = _slim(query["message"])
    if change := raw.get("my_chat_member"):
        slim["my_chat_member"] = _change(change)
    return Arrived(
        update=Update.de_json(slim, None),
        attached=next((kind for part, kind in _KINDS.items() if part in message), None),
        by_bot="via_bot" in message or bool(message.get("from", {}).get("is_bot")),
    )


def _slim(message: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is read. The library refuses a whole update over a field it misses elsewhere, and
    some dates fail as a broken machine does; when it was is not read."""
    read = ("message_id", "text", "caption", "media_group_id")
    slim = {name: message[name] for name in read if name in message}
    slim |= {name: 0 for name in ("date", "edit_date") if name in message}
    if "from" in message:
        slim["from"] = _user(message["from"])
    return {**slim, "chat": _chat(message["chat"])}


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """We are in, or we are out; what an administrator may do besides is not read."""
    out = change["new_chat_member"]["status"] in _OUT
    us = {"id": 0, "is_bot": True, "first_name": ""}
    now = {"user": us, "status": ChatMemberStatus.LEFT if out else ChatMemberStatus.MEMBER}
    return {
        "chat": _chat(change["chat"]),
        "from": _user(change["from"]),
        "date": 0,
        "old_chat_member": now,
        "new_chat_member": now,
    }


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": user["id"], "is_bot": user["is_bot"], "first_name": ""}


def _chat(chat: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": chat["id"], "type": chat["type"]}


def read(arrived: Arrived, at: datetime) -> Inbound | None:
    """What someone said or did in a private chat; None for anything else."""
    update = arrived.update
    chat = update.effective_chat
    if chat is None or chat.type != ChatType.PRIVATE:
        return None
    if update.callback_query is not None:
        return _pressed(update, update.callback_query, chat, at)
    if update.edited_message is not None:
        event = _edited(update.edited_message)
        return _inbound(update, chat, event, at) if event else None
    if update.message is not None and not arrived.by_bot:
        return _said(arrived, update.message, chat, at)
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
    return None if blocks(update) else chat.id


def blocks(update: Update) -> bool | None:
    """Whether we are shut out of the chat now, if that is what this says."""
    change = update.my_chat_member
    return change.new_chat_member.status == ChatMemberStatus.LEFT if change else None


def _inbound(update: Update, chat: Chat, event: ev.Event | ev.AtTheDoor, at: datetime) -> Inbound:
    return Inbound(
        channel=Channel.TELEGRAM,
        sender=address(chat.id),
        event=event,
        received_at=at,
        dedupe_key=key(update.update_id),
        order=update.update_id,
    )


def _said(arrived: Arrived, message: Message, chat: Chat, at: datetime) -> Inbound | None:
    event = _event(arrived, message)
    if event is None:
        return None
    inbound = _inbound(arrived.update, chat, event, at)
    if message.media_group_id and isinstance(event, ev.Unreadable):
        # An album comes as an update for each picture; one answer is enough.
        return replace(inbound, dedupe_key=f"telegram:album:{message.media_group_id}")
    return inbound


def _event(arrived: Arrived, message: Message) -> ev.Event | ev.AtTheDoor | None:
    if arrived.attached is not None:
        return ev.Unreadable(arrived.attached, message.caption)
    if message.text is None:
        return None
    if command := _COMMAND.fullmatch(message.text):
        return _command(command[1].lower(), command[2] or "")
    return ev.Typed(message.text, source=_source(message))


def _command(name: str, rest: str) -> ev.Event | ev.AtTheDoor:
    if name == "start":
        payload = rest.strip()
        return ev.Open(payload if _PAYLOAD.fullmatch(payload) else "")
    if name == "ask":
        return ev.Find(rest.strip())
    # An unknown command is no answer; what can be typed is.
    return COMMANDS.get(name, ev.Help)()


def _edited(message: Message) -> ev.Edited | None:
    text = message.text or message.caption
    if text is None or _COMMAND.fullmatch(text):
        return None
    return ev.Edited(_source(message), text)


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
