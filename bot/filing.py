"""Filing a submission: its priority, its promise, its place in the queue, its return code."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import attaching
from bot.conversation.engine import Turn
from bot.conversation.path import Path
from bot.conversation.script import Script
from bot.conversation.speech import Sent
from bot.conversation.state import Conversation, Status
from bot.inbound import Inbound
from bot.keys import new_return_code, tidy_code
from bot.priority import prioritise
from bot.store import audit, conversations, submissions
from bot.store.conversations import Kept
from bot.wiring import Waymark
from bot.working_days import LONDON, reply_by


async def file(
    waymark: Waymark,
    db: AsyncConnection,
    inbound: Inbound,
    script: Script,
    kept: Kept,
    turn: Turn,
    walked: Path,
) -> None:
    """Put what was sent before staff. The same sending is filed once, however often it comes."""
    submission = turn.submission
    assert submission is not None
    now, code = inbound.received_at, new_return_code()
    priority = prioritise(script.flow, walked.known)
    if told := await conversations.gravest_alert(db, turn.conversation.id):
        least = waymark.content.screening.priority[told]
        priority = priority.raised(least.level, least.reason)
    authority = waymark.authority
    due = reply_by(now, authority.promises[priority.level.value], authority.closures)
    shape = script.flow.submission
    first = await submissions.get(db, kept.adds_to) if kept.adds_to else None
    values: dict[str, Any] = {
        "id": submission.id,
        "reference": submission.reference,
        "handle": first.handle if first else handle(waymark, submission.id),
        "conversation": turn.conversation.id,
        "adds_to": first.id if first else None,
        "sender": inbound.sender,
        "channel": inbound.channel.value,
        "authority": authority.id,
        "flow": script.flow.id,
        "kind": shape.kind,
        "title": shape.title,
        "sender_role": first.sender_role if first else _label(walked, shape.sender),
        "topic": _label(walked, shape.topic) if shape.topic else None,
        "language": turn.conversation.language,
        "priority": priority.level.value,
        "rank": priority.rank,
        "reasons": list(priority.reasons),
        "status": "new",
        "received_at": now,
        "changed_at": waymark.clock(),
        "reply_due": due,
        "unread": True,
        "restricted": bool(first and first.restricted),
        "return_key": waymark.keys.return_key(submission.reference, code),
        "version": 1,
    }
    box = await submissions.add(db, values, submission.payload, tidy_code(code))
    if box is not None:
        await attaching.file(db, kept, box, submission.id, walked)
        await conversations.keep_return_code(db, kept, code)
        await audit.record(
            db, now, "sender", "submission.filed", "submission", submission.id,
            priority=priority.level.value, channel=inbound.channel.value,
        )  # fmt: skip
        if first is not None:
            await audit.record(
                db, now, "sender", "submission.added-to", "submission", first.id,
                addition=submission.id,
            )  # fmt: skip
    await conversations.tie_alerts(db, turn.conversation.id, submission.id)


def _label(walked: Path, question: str) -> str:
    """The chosen option's label, as a list may show it: never a person's own words."""
    step = walked.step(question)
    if step is None or not step.question.options:
        return question
    if step.answer.skip:
        return step.answer.skip.value
    chosen = [step.question.by_value[value].label for value in step.answer.values]
    return ", ".join(chosen)


async def sent(waymark: Waymark, db: AsyncConnection, conversation: Conversation) -> Sent | None:
    """The sender's half of what was sent: the return code and the day promised."""
    if conversation.status is not Status.SUBMITTED:
        return None
    row = await submissions.by_conversation(db, conversation.id)
    code = await conversations.return_code(db, conversation.id)
    if row is None or code is None:
        return None
    return Sent(
        return_code=code,
        reply_by=row.reply_due.astimezone(LONDON).date(),
    )


def handle(waymark: Waymark, submission: str) -> str:
    """Two words for a shared screen, the same for the same submission."""
    digest = hashlib.sha256(submission.encode()).digest()
    first, second = waymark.content.policy.handles
    return f"{first[digest[0] % len(first)]} {second[digest[1] % len(second)]}"
