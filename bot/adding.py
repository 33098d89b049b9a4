"""Something added to what was sent before: to what, by whom, and in which flow."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import events as ev
from bot.replies import Box
from bot.store import submissions
from bot.store.models import Found
from bot.wiring import Waymark
from content.schema import Audience, Channel, Flow


@dataclass(frozen=True)
class Offer:
    """Something may be added to this, in that flow."""

    reference: str
    flow: Flow


def flow(waymark: Waymark, row: Found, channel: Channel) -> Flow | None:
    """The flow for additions that speaks to the youngest whom that one was for."""
    flows = waymark.content.flows
    if (sent := flows.get(row.flow)) is None:
        return None
    youngest = min((sent.audience, *sent.also_for), key=tuple(Audience).index)
    found = (
        each
        for each in flows.values()
        if each.submission.addition and each.audience is youngest
        if channel in each.channels and not each.withdrawn
    )
    return next(found, None)


async def offer(waymark: Waymark, box: Box, channel: Channel) -> Offer | None:
    """For whoever opened it with its code."""
    async with waymark.database.reading() as db:
        row = await submissions.get(db, box.owner.partition(":")[2])
    found = flow(waymark, row, channel) if row else None
    return Offer(row.reference, found) if row and found else None


async def original(db: AsyncConnection, sender: str, event: ev.AddTo) -> Found | None:
    """What they mean, if they may add to it; what was itself added leads to the first of all."""
    row = await submissions.by_reference(db, event.reference)
    if row is None or not (event.proved or row.sender == sender):
        return None
    return await submissions.get(db, row.adds_to) if row.adds_to else row
