"""What new content does to the conversations that are under way: counted before it is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bot.conversation.reconcile import reconcile
from bot.conversation.state import Status
from bot.store import conversations
from bot.wiring import Waymark

OUTCOMES = ("kept", "again", "gone", "withdrawn", "no-flow")
"""Goes on as it is; is asked something again or anew; has an answer nobody asks for any more; can
only be sent as it is; can't be carried on."""


async def touched(waymark: Waymark) -> Mapping[str, Counter[str]]:
    """By flow, how many open conversations meet which outcome, the gravest of each. Nothing is
    changed, and no words are read but by the program."""
    found: dict[str, Counter[str]] = {}
    now = waymark.clock()
    async with waymark.database.reading() as db:
        for id_ in await conversations.ids(db):
            kept = await conversations.read(db, id_)
            if kept is None or kept.conversation.status is Status.SUBMITTED:
                continue
            flow = kept.conversation.flow
            outcome = "no-flow"
            if flow in waymark.content.flows:
                change = reconcile(waymark.script(flow, now), kept.conversation)
                outcome = "kept"
                if change.again or change.new:
                    outcome = "again"
                if change.gone:
                    outcome = "gone"
                if change.withdrawn:
                    outcome = "withdrawn"
            found.setdefault(flow, Counter())[outcome] += 1
    return found
