"""What we hold about somebody in a chat of their own, and what they can do about it there."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import adding, erasure, periods, requests
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.erasure import Gone, Why
from bot.store import conversations, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON, in_a_month
from content.schema import Channel

MOST = 10
"""So many of each are told; Telegram refuses more buttons than that under one message anyway."""


async def answer(
    waymark: Waymark, db: AsyncConnection, sender: str, event: ev.Own
) -> tuple[say.Message, list[Gone]]:
    """What to say to it, and what was erased by it."""
    match event:
        case ev.AskDeletion():
            return await _ask(waymark, db, sender, event), []
        case ev.ForgetUnsent(sure=True):
            return say.Forgotten(), await _forget(waymark, db, sender)
        case ev.ForgetUnsent():
            return say.ConfirmForget(), []
        case _:
            return await held(waymark, db, sender), []


async def held(waymark: Waymark, db: AsyncConnection, sender: str) -> say.Held:
    """Everything there is at their address; no words of theirs."""
    begun = await conversations.unsent(db, sender)
    sent = await submissions.of_sender(db, sender)
    return say.Held(
        begun=tuple(_begun(waymark, row) for row in begun[:MOST]),
        sent=tuple([await _sent(waymark, db, row) for row in sent[:MOST]]),
        forgotten_after=waymark.content.policy.retention.sender,
    )


def _begun(waymark: Waymark, row: Found) -> say.Begun:
    kept = periods.days(waymark.content, "unfinished_conversation", row.flow)
    goes = row.changed_at + timedelta(days=kept)
    return say.Begun(_title(waymark, row.flow), _day(row.changed_at), _day(goes))


async def _sent(waymark: Waymark, db: AsyncConnection, row: Found) -> say.SentBefore:
    asked = await requests.waiting(db, row.id, "deletion")
    return say.SentBefore(
        reference=row.reference,
        title=_title(waymark, row.flow),
        sent_on=_day(row.received_at),
        asked_on=_day(asked.made_at) if asked else None,
        answer_by=_day(asked.due_at) if asked else None,
        may_add=adding.flow(waymark, row, Channel.TELEGRAM) is not None,
    )


def _title(waymark: Waymark, flow: str) -> str:
    found = waymark.content.flows.get(flow)
    return found.title if found else flow


def _day(at: datetime) -> date:
    return at.astimezone(LONDON).date()


async def _ask(
    waymark: Waymark, db: AsyncConnection, sender: str, event: ev.AskDeletion
) -> say.Message:
    rows = await submissions.of_sender(db, sender)
    row = next((row for row in rows if row.reference == event.reference), None)
    if row is None:  # an old button, or somebody else's
        return say.Say("no-longer-here")
    if not event.sure:
        return say.ConfirmAsk(row.reference, _day(in_a_month(waymark.clock())))
    due = await requests.ask(waymark, db, "deletion", row.id, "telegram")
    return say.Asked(row.reference, _day(due))


async def _forget(waymark: Waymark, db: AsyncConnection, sender: str) -> list[Gone]:
    why = Why("sender", by="sender")
    ids = await conversations.unsent_ids(db, sender)
    return [await erasure.conversation(waymark, db, id_, why) for id_ in ids]
