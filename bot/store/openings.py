"""Who opened what: the audit read for people. Reading goes by (action, at) or by object."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import Alert, Audit, Found, SubmissionRow

OPENED = ("submission.opened", "alert.opened", "file.shown", "file.downloaded")
"""Lines that say that somebody saw what a sender wrote."""
REFUSED = "access.refused"
READ = "reply.read"
"""The sender opened what they sent, and what was answered."""
GLASS = "access.glass"
"""Somebody broke the glass to open what is restricted."""
SIGN_IN_REFUSED = "staff.sign-in-refused"
ACKNOWLEDGED = "unusual.acknowledged"

_SHORT = (
    Audit.seq,
    Audit.at,
    Audit.actor,
    Audit.acting_as,
    Audit.action,
    Audit.object_type,
    Audit.object_id,
    Audit.purpose,
)


async def between(db: AsyncConnection, since: datetime, until: datetime) -> list[Found]:
    """What staff opened and were refused, in the order of time."""
    found = await db.execute(
        sa.select(*_SHORT)
        .where(Audit.action.in_((*OPENED, REFUSED)), Audit.at >= since, Audit.at < until)
        .order_by(Audit.at, Audit.seq)
    )
    return list(found.all())


async def failed_sign_ins(db: AsyncConnection, since: datetime, until: datetime) -> int:
    found = await db.scalar(
        sa.select(sa.func.count()).where(
            Audit.action == SIGN_IN_REFUSED, Audit.at >= since, Audit.at < until
        )
    )
    return found or 0


async def of_record(db: AsyncConnection, submission: str) -> list[Found]:
    """Everything about who saw one record, its alerts included, in the order of time."""
    alerts = await db.scalars(sa.select(Alert.id).where(Alert.submission == submission))
    found = await db.execute(
        sa.select(*_SHORT)
        .where(Audit.object_id.in_([submission, *alerts]))
        .order_by(Audit.at, Audit.seq)
    )
    # Not in the query: a database might go by the action then, of which there are far more.
    return [row for row in found if row.action in (*OPENED, GLASS, REFUSED, READ)]


async def wanted(db: AsyncConnection, lines: Collection[int]) -> dict[int, str]:
    """What was refused in these lines: the name of an action."""
    found = await db.execute(
        sa.select(Audit.seq, Audit.detail).where(Audit.seq.in_(lines), Audit.action == REFUSED)
    )
    return {row.seq: row.detail["wanted"] for row in found}


async def acknowledged(db: AsyncConnection, since: datetime) -> dict[str, int]:
    """Which notices somebody has looked into, and up to which line."""
    found = await db.execute(
        sa.select(Audit.object_id, Audit.detail).where(
            Audit.action == ACKNOWLEDGED, Audit.at >= since
        )
    )
    upto: dict[str, int] = {}
    for key, detail in found:
        upto[key] = max(upto.get(key, 0), detail["upto"])
    return upto


async def records(db: AsyncConnection, ids: Collection[str]) -> dict[str, Found]:
    """The submissions that these ids, of submissions or alerts, lead to; no words."""
    listed = (SubmissionRow.id, SubmissionRow.handle, SubmissionRow.reference)
    straight = await db.execute(sa.select(*listed).where(SubmissionRow.id.in_(ids)))
    found = {row.id: row for row in straight.all()}
    by_alert = await db.execute(
        sa.select(Alert.id.label("alert"), *listed)
        .join(SubmissionRow, SubmissionRow.id == Alert.submission)
        .where(Alert.id.in_(ids))
    )
    return found | {row.alert: row for row in by_alert.all()}
