"""A person's copy of what we hold: what they sent, what we answered, and how long it is kept.

The JSON form has a version: whoever reads it with a program can tell what to expect.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import periods
from bot.files.scanning import ScanState
from bot.replies import Line, sections
from bot.store import attachments, audit, requests, submissions
from bot.store.models import Found
from bot.store.sealing import Box
from bot.store.submissions import Written
from bot.wiring import Waymark

FORMAT, VERSION = "waymark-copy", 1


@dataclass(frozen=True)
class Item:
    """Something of the team's own that staff looked through before it was let out."""

    kind: str
    """note, or alert."""
    at: datetime
    text: str | None
    """None where it is held back."""
    held_back: str | None = None
    """Why it is."""


@dataclass(frozen=True)
class Team:
    """What the team holds about it besides: only in a copy that two members of staff release."""

    priority: str
    reasons: tuple[str, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class File:
    """A picture, voice note or document they sent along."""

    kind: str
    media_type: str
    at: datetime
    content: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The file itself, written as an address: a page that holds it needs nothing else."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Copy:
    """Everything of one submission that its sender may have."""

    made_at: datetime
    reference: str
    title: str
    channel: str
    status: str
    sent_at: datetime
    reply_due: datetime
    closed_at: datetime | None
    goes_on: datetime | None
    kept_for: int
    sections: tuple[tuple[str | None, tuple[Line, ...]], ...]
    replies: tuple[tuple[datetime, str], ...]
    """The oldest first."""
    files: tuple[File, ...]
    asked: tuple[tuple[str, datetime, str], ...]
    """What they asked of us: kind, when, and where it stands."""
    team: Team | None = None


async def own(waymark: Waymark, box: Box) -> Copy | None:
    """For whoever opened it with their return code; None if it is gone. That it was taken is
    written down."""
    submission = box.owner.partition(":")[2]
    async with waymark.database.transaction() as db:
        row = await submissions.get(db, submission)
        if row is None:
            return None
        payload = await submissions.payload(db, row, box)
        replies = await submissions.replies(db, submission, box)
        files = await files_of(db, submission, box)
        asked = await requests.of(db, submission)
        now = waymark.clock()
        await audit.record(db, now, "sender", "copy.taken", "submission", submission)
    return compose(waymark, row, payload, replies, files, asked)


async def files_of(db: AsyncConnection, submission: str, box: Box) -> list[File]:
    """Each of them, but what the scanner took for dangerous."""
    found = []
    for listed in await attachments.of_submission(db, submission):
        row = await attachments.sent(db, submission, listed.id)
        if row is not None and ScanState(row.scan) in (ScanState.UNSCANNED, ScanState.CLEAN):
            content = attachments.opened(row, box)
            found.append(File(row.kind, row.media_type, row.made_at, content))
    return found


def compose(
    waymark: Waymark,
    row: Found,
    payload: dict[str, Any],
    replies: list[Written],
    files: list[File],
    asked: list[Found],
    team: Team | None = None,
) -> Copy:
    flow = waymark.content.flows.get(row.flow)
    now = waymark.clock()
    return Copy(
        made_at=now,
        reference=row.reference,
        title=flow.title if flow else row.title,
        channel=row.channel,
        status=row.status,
        sent_at=row.received_at,
        reply_due=row.reply_due,
        closed_at=row.closed_at,
        goes_on=periods.submission_goes(waymark.content, row, now),
        kept_for=periods.days(waymark.content, "submission", row.kind),
        sections=sections(payload),
        replies=tuple((reply.written_at, reply.text) for reply in replies),
        files=tuple(files),
        asked=tuple((one.kind, one.made_at, one.state) for one in asked),
        team=team,
    )


def as_json(copy: Copy, shared_with: list[str]) -> dict[str, Any]:
    """The same as a program reads it. Times are in UTC, as ISO 8601 has them."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _time(copy.made_at),
        "reference": copy.reference,
        "title": copy.title,
        "channel": copy.channel,
        "status": copy.status,
        "sent_at": _time(copy.sent_at),
        "reply_due": _time(copy.reply_due),
        "answers": [
            {"section": section, "question": line.asked, "answer": list(line.said)}
            for section, lines in copy.sections
            for line in lines
        ],
        "replies": [{"at": _time(at), "text": text} for at, text in copy.replies],
        "files": [
            {
                "kind": file.kind,
                "media_type": file.media_type,
                "at": _time(file.at),
                "base64": base64.b64encode(file.content).decode(),
            }
            for file in copy.files
        ],
        "asked": [
            {"kind": kind, "at": _time(at), "state": state} for kind, at, state in copy.asked
        ],
        "shared_with": shared_with,
        "kept": {
            "days_after_closing": copy.kept_for,
            "closed_at": copy.closed_at and _time(copy.closed_at),
            "goes_on": copy.goes_on and _time(copy.goes_on),
        },
    }
    return {**told, "team": _team(copy.team)} if copy.team else told


def _team(team: Team) -> dict[str, Any]:
    return {
        "priority": team.priority,
        "reasons": list(team.reasons),
        "items": [
            {"kind": i.kind, "at": _time(i.at), "text": i.text, "held_back": i.held_back}
            for i in team.items
        ],
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
