"""Receipts of what was removed, as staff look them up and print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import UnknownSubmission
from bot.store import receipts, staff
from bot.store.models import Found
from bot.wiring import Waymark
from web.casework.permissions import Action, Person, check

PAGE = 50
KINDS = {"submission": "A submission", "conversation": "A conversation that was not sent"}
WHY = {
    "period": "It was kept long enough",
    "request": "Somebody asked for it, and two of us agreed",
    "sender": "Whoever wrote it deleted it",
    "restored": "It had been removed before, and a backup brought it back",
}
REMOVED = {
    "submission": "What was sent",
    "conversation": "Drafts: the conversation as it was kept for its sender",
    "attachment": "Files",
    "note": "Notes of staff",
    "reply": "Replies",
    "alert": "Safety alerts, with what was done about them",
    "hold": "Legal holds that were lifted before",
    "submission_link": "Whom it was shared with",
    "access_grant": "Reasons given for opening it",
    "outbox": "Outbox: what was said, or was to be said, to the sender",
    "data_key": "Keys, without which nobody can open the words any more",
}
STAYED = {
    "alert": "Safety alerts: that someone may have been unsafe, and when; no words",
    "audit": "Lines of the log: who did what and when; no words",
    "inbox": "Inbox: marks of what arrived, not tied to it any more; they go within days",
    "person_request": "That it was asked for; no words",
}
"""Table -> what it holds, in words."""


@dataclass(frozen=True)
class Receipts:
    """A page of them."""

    rows: Sequence[Found]
    kind: str
    page: int
    counts: Mapping[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.counts.get(self.kind, 0) // PAGE))


async def listed(waymark: Waymark, person: Person, kind: str, page: int) -> Receipts:
    check(person, Action.SEE_REQUESTS)
    async with waymark.database.reading() as db:
        rows = await receipts.newest(db, kind, PAGE, (page - 1) * PAGE)
        return Receipts(rows, kind, page, await receipts.counts(db))


@dataclass(frozen=True)
class Receipt:
    """One, with its counts in words."""

    row: Found
    by: str
    second: str | None
    removed: Sequence[tuple[str, int]]
    stayed: Sequence[tuple[str, int]]


async def show(waymark: Waymark, person: Person, id_: str) -> Receipt:
    """Raises UnknownSubmission where there is none."""
    check(person, Action.SEE_REQUESTS)
    async with waymark.database.reading() as db:
        row = await receipts.get(db, id_)
        names = await staff.names(db)
    if row is None:
        raise UnknownSubmission(id_, wanted=Action.SEE_REQUESTS.value)
    ours = {"waymark": "Waymark, by itself", "sender": "Whoever wrote it"}
    return Receipt(
        row=row,
        by=ours.get(row.by) or names.get(row.by, "Someone"),
        second=names.get(row.second, "Someone") if row.second else None,
        removed=told(row.removed, REMOVED),
        stayed=told(row.stayed, STAYED),
    )


ALWAYS = ("conversation", "attachment", "outbox", "inbox", "data_key")
"""Said even where there were none: so that nobody has to ask."""


def told(counts: Mapping[str, int], words: Mapping[str, str]) -> list[tuple[str, int]]:
    """In the order of the words; a table of a newer version goes by its name."""
    wanted = [table for table in words if table in counts or table in ALWAYS]
    known = [(words[table], counts.get(table, 0)) for table in wanted]
    return known + [(table, many) for table, many in counts.items() if table not in words]
