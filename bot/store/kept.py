"""Everything that is kept, since when, and what keeps it from going; one look for each sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from bot.periods import Kept
from bot.store import erasure, staff
from bot.store.erasure import Plan
from bot.store.models import (
    Alert,
    Attachment,
    Attempt,
    Base,
    Call,
    ConversationRow,
    FactDecision,
    Inbox,
    Outbox,
    PersonRequest,
    Receipt,
    Reply,
    Sender,
    SignInLink,
    Staff,
    StaffSession,
    SubmissionRow,
)
from bot.store.submissions import HELD
from content.schema import RetentionPolicy

Removed = Mapping[str, int]
ALWAYS, NEVER, NONE = sa.true(), sa.false(), sa.null()


@dataclass(frozen=True)
class Sort:
    """One sort of thing: where it stands, what its period is counted from, and how it goes."""

    name: str
    """Its period, as the policy names it."""
    table: type[Base]
    id: Any
    since: Any
    where: sa.ColumnElement[bool] = ALWAYS
    outcome: Any = NONE
    until: Any = NONE
    warned_at: Any = NONE
    held: sa.ColumnElement[bool] = NEVER
    alert: sa.ColumnElement[bool] = NEVER
    request: sa.ColumnElement[bool] = NEVER
    remove: Callable[[AsyncConnection, Sequence[Any]], Awaitable[Removed]] | None = None
    """How many of them go at once; none for what goes one by one, with a receipt."""


async def look(
    db: AsyncConnection,
    sort: Sort,
    before: datetime,
    *,
    only: Collection[Any] | None = None,
    after: Any = None,
    most: int = 500,
) -> list[Kept]:
    """What was begun to be counted before then, in the order of ids; only these, if any are named,
    and locked so that nobody changes them meanwhile."""
    query = _query(sort).where(sort.since <= before)
    if only is not None:
        locked = sa.select(sort.id).where(sort.where, sort.id.in_(only)).with_for_update()
        await db.execute(locked)
        query = query.where(sort.id.in_(only))
    elif after is not None:
        query = query.where(sort.id > after)
    return [_kept(sort, row) for row in await db.execute(query.limit(most))]


async def warned(db: AsyncConnection, sort: Sort) -> list[Kept]:
    """What staff are told of, because it goes soon."""
    found = await db.execute(
        _query(sort).where(sort.since.is_not(None), sort.warned_at.is_not(None))
    )
    return [_kept(sort, row) for row in found]


def _query(sort: Sort) -> sa.Select[tuple[Any, ...]]:
    wanted = (
        sort.id.label("id"),
        sort.since.label("since"),
        sort.outcome.label("outcome"),
        sort.until.label("until"),
        sort.warned_at.label("warned_at"),
        *(getattr(sort, name).label(name) for name in ("held", "alert", "request")),
    )
    return sa.select(*wanted).where(sort.where).order_by(sort.id)


def _kept(sort: Sort, row: Any) -> Kept:
    back = {"hold": row.held, "alert": row.alert, "request": row.request}
    return Kept(
        sort=sort.name,
        id=row.id,
        since=row.since,
        outcome=row.outcome,
        until=row.until,
        warned_at=row.warned_at,
        held_by=tuple(name for name, holds in back.items() if holds),
    )


# --- How things go that leave no receipt --------------------------------------------------


def _rows(table: type[Base], column: Any, owner: str = "") -> Callable[..., Awaitable[Removed]]:
    """Delete rows by id; and the data keys of what was sealed in them."""

    async def remove(db: AsyncConnection, ids: Sequence[Any]) -> Removed:
        steps = [erasure.Step(table, column.in_(ids))]
        if owner:
            steps.append(erasure.keys([f"{owner}:{id_}" for id_ in ids]))
        return (await erasure.carry_out(db, Plan(steps))).removed

    return remove


async def _letters(db: AsyncConnection, ids: Sequence[int]) -> Removed:
    keys = (await db.scalars(sa.select(Outbox.key).where(Outbox.id.in_(ids)))).all()
    return (await erasure.carry_out(db, Plan(erasure.letters(keys)))).removed


async def _copies(db: AsyncConnection, ids: Sequence[str]) -> Removed:
    """What was sent is a submission; its copy for the sender's browser goes."""
    removed: Counter[str] = Counter()
    for id_ in ids:
        removed.update(
            (await erasure.carry_out(db, await erasure.of_conversation(db, id_))).removed
        )
    return dict(removed)


async def _names(db: AsyncConnection, ids: Sequence[str]) -> Removed:
    removed = {"staff": await staff.forget_names(db, ids)}
    for table in erasure.belonging("staff"):
        plan = Plan([erasure.Step(table, table.staff.in_(ids))])
        removed |= (await erasure.carry_out(db, plan)).removed
    return removed


# --- The sorts ----------------------------------------------------------------------------

_sent = ConversationRow.status == "submitted"
_of_a_reply = sa.exists().where(sa.literal("reply:") + Reply.id == Outbox.key)
_unsettled = sa.exists().where(Alert.conversation == ConversationRow.id, Alert.seen_at.is_(None))
_alarmed = sa.exists().where(Alert.submission == SubmissionRow.id, Alert.seen_at.is_(None))
_asked = sa.exists().where(
    PersonRequest.submission == SubmissionRow.id, PersonRequest.decided_at.is_(None)
)
_talking = sa.exists().where(ConversationRow.sender == Sender.address)
_waiting = sa.exists().where(
    SubmissionRow.sender == Sender.address, SubmissionRow.closed_at.is_(None)
)
_unsaid = sa.exists().where(Outbox.sender == Sender.address, Outbox.state == "queued")
_later = aliased(FactDecision)
_decided_anew = sa.exists().where(
    _later.kind == FactDecision.kind,
    _later.row == FactDecision.row,
    _later.at > FactDecision.at,
)

SORTS: tuple[Sort, ...] = (
    Sort(
        "unfinished_conversation",
        ConversationRow,
        ConversationRow.id,
        ConversationRow.changed_at,
        where=~_sent,
        outcome=ConversationRow.flow,
        # Nobody has said yet what was done: whoever looks at last must find what they said.
        alert=_unsettled,
    ),
    Sort(
        "finished_conversation",
        ConversationRow,
        ConversationRow.id,
        ConversationRow.changed_at,
        where=_sent,
        remove=_copies,
    ),
    Sort(
        "submission",
        SubmissionRow,
        SubmissionRow.id,
        SubmissionRow.closed_at,
        outcome=SubmissionRow.kind,
        until=SubmissionRow.kept_until,
        warned_at=SubmissionRow.warned_at,
        held=HELD,
        alert=_alarmed,
        request=_asked,
    ),
    Sort(
        "attachment",
        Attachment,
        Attachment.id,
        SubmissionRow.closed_at,
        where=Attachment.submission == SubmissionRow.id,
        until=SubmissionRow.kept_until,
        held=HELD,
        alert=_alarmed,
        request=_asked,
        remove=_rows(Attachment, Attachment.id),
    ),
    Sort(
        "alert",
        Alert,
        Alert.id,
        Alert.raised_at,
        where=Alert.submission.is_(None),
        alert=Alert.seen_at.is_(None),
        remove=_rows(Alert, Alert.id, "alert"),
    ),
    Sort("call", Call, Call.id, Call.made_at, remove=_rows(Call, Call.id)),
    Sort(
        "letter",
        Outbox,
        Outbox.id,
        sa.func.coalesce(Outbox.done_at, Outbox.made_at),
        where=sa.and_(Outbox.state != "queued", ~_of_a_reply),
        remove=_letters,
    ),
    Sort(
        "unsent_letter",
        Outbox,
        Outbox.id,
        Outbox.made_at,
        where=sa.and_(Outbox.state == "queued", ~_of_a_reply),
        remove=_letters,
    ),
    Sort(
        "inbox_key",
        Inbox,
        Inbox.key,
        Inbox.received_at,
        where=Inbox.dead.is_(False),
        remove=_rows(Inbox, Inbox.key),
    ),
    Sort(
        "dead_letter",
        Inbox,
        Inbox.key,
        Inbox.received_at,
        where=Inbox.dead.is_(True),
        remove=_rows(Inbox, Inbox.key, "dead"),
    ),
    Sort(
        "sender",
        Sender,
        Sender.address,
        Sender.seen_at,
        where=sa.not_(sa.or_(_talking, _waiting, _unsaid)),
        remove=_rows(Sender, Sender.address),
    ),
    Sort(
        "person_request",
        PersonRequest,
        PersonRequest.id,
        PersonRequest.decided_at,
        where=PersonRequest.submission.is_(None),
        remove=_rows(PersonRequest, PersonRequest.id, "request"),
    ),
    Sort("receipt", Receipt, Receipt.id, Receipt.at, remove=_rows(Receipt, Receipt.id)),
    Sort(
        "fact_decision",
        FactDecision,
        FactDecision.id,
        FactDecision.at,
        where=_decided_anew,  # what holds today stays, however old
        remove=_rows(FactDecision, FactDecision.id, "fact"),
    ),
    Sort(
        "staff",
        Staff,
        Staff.id,
        Staff.off_at,
        where=sa.and_(~Staff.active, ~staff.nameless()),
        remove=_names,
    ),
    Sort(
        "staff_session",
        StaffSession,
        StaffSession.key,
        StaffSession.started_at,
        remove=_rows(StaffSession, StaffSession.key),
    ),
    Sort(
        "sign_in_link",
        SignInLink,
        SignInLink.key,
        SignInLink.expires_at,
        remove=_rows(SignInLink, SignInLink.key),
    ),
    Sort("attempt", Attempt, Attempt.id, Attempt.at, remove=_rows(Attempt, Attempt.id)),
)


# --- That nothing is left out -------------------------------------------------------------


def unkept(tables: Iterable[type[Base]], also: Collection[str] = ()) -> list[str]:
    """Tables that would be kept for ever: without a period, or with one that nobody sees to.
    `also` names the periods that chores see to."""
    return [f"{table.__tablename__}: {fault}" for table in tables for fault in _faults(table, also)]


def _faults(table: type[Base], also: Collection[str]) -> Iterator[str]:
    said = vars(table).get("__kept__")
    owner = said.removeprefix("with ") if said and said.startswith("with ") else None
    if said is None:
        yield "doesn't say how long it is kept"
    elif owner is None:
        if said not in RetentionPolicy.model_fields:
            yield f"there is no period {said}"
        elif said not in also and not any(sort.table is table for sort in SORTS):
            yield f"nobody removes what is kept for {said}"
    elif owner not in ("its owner", *also) and owner not in table.__table__.columns:
        yield f"is kept with {owner}, but doesn't say which"
