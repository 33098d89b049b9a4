"""What a sender may read again with reference and return code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from bot import periods
from bot.keys import tidy_code
from bot.store import audit, outbox, receipts, requests, sealing, submissions
from bot.store.models import Found
from bot.store.sealing import Box as Box  # pages hand it back
from bot.store.submissions import Written
from bot.tries import tried
from bot.wiring import Waymark


@dataclass(frozen=True)
class Line:
    """One question as it was asked, and what they said."""

    asked: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """What the team answered."""

    text: str
    written_at: datetime
    new: bool
    """It was not opened before."""


@dataclass(frozen=True)
class Asked:
    """A copy, a correction or a deletion they asked for, and by when they are answered."""

    kind: str
    made_at: datetime
    due_at: datetime
    state: str
    """open, proposed, done or refused."""


@dataclass(frozen=True)
class Gone:
    """It was there, and was removed."""

    on: datetime
    asked: bool
    """Somebody asked for it; otherwise its time was over."""


@dataclass(frozen=True)
class Opened:
    """The sender's half of a submission; nothing that staff keep for themselves."""

    reference: str
    flow: str
    sent_at: datetime
    reply_due: datetime
    status: str
    sections: tuple[tuple[str | None, tuple[Line, ...]], ...]
    replies: tuple[Reply, ...]
    """Newest first."""
    added: tuple[tuple[str, datetime], ...]
    """What was added to it later: reference and when. Each has a code of its own."""
    asked: tuple[Asked, ...]
    """What they asked of us about it."""
    goes_on: datetime | None
    """When we remove it, if we have finished with it."""
    kept_for: int
    """Days after we finish."""


async def find(
    waymark: Waymark, reference: str, code: str, whose: Mapping[str, str | None]
) -> Box | Gone | None:
    """What reference and code open together, or that it is gone; None if they open none,
    whichever of them is wrong. Raises TooManyTries."""

    async def attempt() -> Box | Gone | None:
        async with waymark.database.reading() as db:
            key = waymark.keys.return_key(reference, code)
            row = await submissions.by_return_key(db, key)
            if row is None:
                return _gone(await receipts.by_return_key(db, key))
            return await sealing.box(db, submissions.owner(row.id), tidy_code(code))

    return await tried(waymark, "return-code", whose, attempt)


def _gone(receipt: Found | None) -> Gone | None:
    return Gone(receipt.at, receipt.why == "request") if receipt else None


async def read(waymark: Waymark, box: Box) -> Opened | None:
    """What was sent and answered; the replies count as read from now on."""
    now, submission = waymark.clock(), box.owner.partition(":")[2]
    async with waymark.database.transaction() as db:
        row = await submissions.get(db, submission)
        if row is None:
            return None
        replies = await submissions.replies(db, submission, box)
        payload = await submissions.payload(db, row, box)
        asked = await requests.of(db, submission)
        added = await submissions.added_to(db, submission)
        fresh = [f"reply:{reply.id}" for reply in replies if reply.read_at is None]
        if fresh:
            await submissions.mark_replies_read(db, submission, now)
            await outbox.arrived(db, fresh, now)
        await audit.record(
            db, now, "sender", "reply.read", "submission", submission, replies=len(fresh)
        )
    return _opened(waymark, row, payload, replies, asked, added)


def _opened(
    waymark: Waymark,
    row: Found,
    payload: Mapping[str, Any],
    replies: list[Written],
    asked: list[Found],
    added: list[Found],
) -> Opened:
    newest = sorted(replies, key=lambda reply: reply.written_at, reverse=True)
    return Opened(
        reference=row.reference,
        flow=row.flow,
        sent_at=row.received_at,
        reply_due=row.reply_due,
        status=row.status,
        sections=sections(payload),
        replies=tuple(Reply(r.text, r.written_at, r.read_at is None) for r in newest),
        added=tuple((one.reference, one.received_at) for one in added),
        asked=tuple(Asked(a.kind, a.made_at, a.due_at, a.state) for a in asked),
        goes_on=periods.submission_goes(waymark.content, row, waymark.clock()),
        kept_for=periods.days(waymark.content, "submission", row.kind),
    )


def sections(payload: Mapping[str, Any]) -> tuple[tuple[str | None, tuple[Line, ...]], ...]:
    grouped = groupby(payload["answers"], key=lambda line: line["section"])
    return tuple(
        (section, tuple(Line(line["asked"], tuple(line["words"])) for line in lines))
        for section, lines in grouped
    )
