"""The one door through which lists leave: counted, written down, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store import audit, submissions
from bot.store.models import Found
from bot.wiring import Waymark
from bot.working_days import LONDON
from web.casework import stages
from web.casework.permissions import Action, Person, check
from web.casework.queue import Asked, chosen, kinds, sender_words
from web.casework.stages import Status

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")  # noqa: RUF001
"""What a cell may not begin with, or a spreadsheet takes it for something to work out."""


@dataclass(frozen=True)
class Export:
    """A file to keep, without anybody's name in its own."""

    name: str
    body: bytes
    count: int


COLUMNS = (
    "Reference", "Called", "Priority", "Why", "Type", "About", "From", "Received", "Reply due",
    "Replied", "Owner", "Team", "Status", "Unread", "Restricted",
)  # fmt: skip


async def queue(waymark: Waymark, person: Person, asked: Asked) -> Export:
    """The queue as asked for, all its pages; of what was written, no word."""
    check(person, Action.EXPORT)
    now = waymark.clock()
    async with waymark.database.transaction() as db:
        found = await submissions.queue(db, chosen(waymark, person, asked), limit=None)
        await audit.record(
            db, now, person.id, "export.made", "export", waymark.new_id(),
            count=len(found), **_filter(waymark, asked, found),
        )  # fmt: skip
    lines = [_cells(waymark, row) for row in found]
    return Export(f"queue-{now.astimezone(LONDON):%Y-%m-%d}.csv", table(COLUMNS, lines), len(found))


def _filter(waymark: Waymark, asked: Asked, found: Sequence[Found]) -> dict[str, Any]:
    """What was asked for, in ids only: an address may hold anything."""
    owners = {"me", "nobody", *(row.owner for row in found)}
    return {
        "stage": asked.stage,
        "status": "+".join(sorted(s for s in asked.status if s in tuple(Status))) or None,
        "priority": "+".join(sorted(asked.priority)) or None,
        "kind": "+".join(sorted(k for k in asked.kind if k in kinds(waymark))) or None,
        "owner": asked.owner if asked.owner in owners else None,
        "unread": asked.unread,
    }


def _cells(waymark: Waymark, row: Found) -> list[str]:
    times = (row.received_at, row.reply_due, row.replied_at)
    received, due, replied = (
        f"{at.astimezone(LONDON):%Y-%m-%d %H:%M}" if at else "" for at in times
    )
    teams = waymark.authority.teams
    return [
        row.reference, row.handle, waymark.content.policy.priorities[row.priority],
        "; ".join(row.reasons), row.title, row.topic or "", sender_words(row.sender_role),
        received, due, replied, row.owner_name or "", teams.get(row.team or "", row.team or ""),
        stages.LABELS[Status(row.status)],
        "yes" if row.unread else "no", "yes" if row.restricted else "no",
    ]  # fmt: skip


def table(heads: Iterable[str], lines: Iterable[Iterable[str]]) -> bytes:
    """Every cell in quotes, none of them a formula; marked as UTF-8 for the programs that ask."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([inert(cell) for cell in heads])
    writer.writerows([inert(cell) for cell in line] for line in lines)
    return written.getvalue().encode("utf-8-sig")


def inert(cell: str) -> str:
    """With a quotation mark before it, where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.lstrip(" \u00a0\ufeff").startswith(FORMULA) else cell
