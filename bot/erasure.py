"""Something forgotten for good: removed whole, with a receipt that says so and holds none of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit, erasure, receipts
from bot.store.erasure import Counts, Plan
from bot.store.models import Found
from bot.wiring import Waymark


@dataclass(frozen=True)
class Why:
    """What for, by whom, and who else agreed."""

    why: Literal["period", "request", "sender", "restored"]
    by: str = "waymark"
    second: str | None = None


@dataclass(frozen=True)
class Gone:
    """What is known afterwards of a thing that was removed."""

    receipt: str
    kind: str
    objects: tuple[str, ...]
    """Digests of its id, and of its conversation's."""
    at: datetime


def digest(waymark: Waymark, kind: str, id_: str) -> str:
    """What a thing is known by once it is gone: its id can't be had from it."""
    return waymark.keys.digest("erased", f"{kind}:{id_}")


async def planned(db: AsyncConnection, row: Found) -> Counts:
    """What removing this submission at somebody's wish would take, and what would stay."""
    return await erasure.count(db, await erasure.of_submission(db, row, alerts_stay=True))


async def submission(waymark: Waymark, db: AsyncConnection, row: Found, why: Why) -> Gone:
    """With all that was said about it. That someone was thought unsafe stays for as long as such
    alerts do, unless the time of all this is over anyway."""
    plan = await erasure.of_submission(db, row, alerts_stay=why.why == "request")
    objects = (
        digest(waymark, "submission", row.id),
        digest(waymark, "conversation", row.conversation),
    )
    gone = Gone(waymark.new_id(), "submission", objects, waymark.clock())
    await _remove(waymark, db, plan, gone, why, row.id, row.return_key)
    return gone


async def conversation(waymark: Waymark, db: AsyncConnection, id_: str, why: Why) -> Gone:
    """What somebody said and did not send, or its copy for their browser."""
    plan = await erasure.of_conversation(db, id_)
    objects = (digest(waymark, "conversation", id_),)
    gone = Gone(waymark.new_id(), "conversation", objects, waymark.clock())
    await _remove(waymark, db, plan, gone, why, id_)
    return gone


async def _remove(
    waymark: Waymark,
    db: AsyncConnection,
    plan: Plan,
    gone: Gone,
    why: Why,
    id_: str,
    return_key: str | None = None,
) -> None:
    done = await erasure.carry_out(db, plan)
    backups = timedelta(days=waymark.content.policy.retention.backup)
    await receipts.add(
        db,
        id=gone.receipt,
        kind=gone.kind,
        objects=list(gone.objects),
        return_key=return_key,
        why=why.why,
        at=gone.at,
        by=why.by,
        second=why.second,
        removed=dict(done.removed),
        stayed=dict(done.stayed),
        backups_forget_by=gone.at + backups,
    )
    actor, told = why.by, {"why": why.why, "receipt": gone.receipt}
    if why.second is not None:  # who is at the desk is the one who confirms
        actor, told["first"] = why.second, why.by
    await audit.record(db, gone.at, actor, f"{gone.kind}.erased", gone.kind, id_, **told)
