"""What arrived and could not be processed: kept for staff, so that it never blocks the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exc

from bot.errors import StaleConversation
from bot.store import conversations
from bot.wiring import Waymark

_OF_A_PERSON = ("first_name", "last_name", "username", "phone_number", "language_code", "vcard")


async def bury(waymark: Waymark, key: str, sender: str | None, raw: str, error: Exception) -> None:
    """Keep it under its inbox key. Of someone who hasn't said they are 16 or over, only that
    something came."""
    async with waymark.database.transaction() as db:
        known = await conversations.sender(db, sender) if sender else None
        kept = raw if known and known.over_16 else ""
        await conversations.bury(db, key, kept, type(error).__name__, waymark.clock())


def of_the_machine(error: Exception) -> bool:
    """Whether the database failed, rather than the message: then it should be sent again."""
    if isinstance(error, exc.DataError | exc.IntegrityError):
        return False
    if isinstance(error, exc.StatementError):
        return isinstance(error, exc.DBAPIError)
    return isinstance(error, exc.SQLAlchemyError | OSError | StaleConversation)


def nameless(value: Any) -> Any:
    """The same without what names a person."""
    if isinstance(value, Mapping):
        return {k: nameless(v) for k, v in value.items() if k not in _OF_A_PERSON}
    return [nameless(each) for each in value] if isinstance(value, list) else value
