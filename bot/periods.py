"""When what is kept has been kept long enough. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from content.loader import Content
from content.schema import RetentionPolicy

WARNED = ("submission",)
"""Sorts of things that staff are told of before they go."""


@dataclass(frozen=True)
class Kept:
    """Something that is kept, as far as its end goes."""

    sort: str
    """What it is, by the name of its period in the policy."""
    id: Any
    since: datetime
    """When its period began."""
    outcome: str | None = None
    """Of what kind it is, or what came of it, where periods differ by that."""
    until: datetime | None = None
    """Someone said: not before then."""
    warned_at: datetime | None = None
    """Since when staff are told that it will go."""
    held_by: tuple[str, ...] = ()
    """What keeps it from going: hold, alert or request."""


def days(content: Content, sort: str, outcome: str | None = None) -> int:
    """How long such a thing is kept."""
    policy = content.policy.retention
    if sort == "unfinished_conversation":
        flow = content.flows.get(outcome or "")
        periods = policy.unfinished_conversation
        return periods[flow.audience] if flow else min(periods.values())
    if sort == "submission":
        return policy.submission.get(outcome or "", policy.submission["other"])
    period: int = getattr(policy, sort)
    return period


def shortest(policy: RetentionPolicy, sort: str) -> timedelta:
    """Nothing of this sort goes sooner after its beginning."""
    period = getattr(policy, sort)
    return timedelta(days=period if isinstance(period, int) else min(period.values()))


def end(content: Content, kept: Kept, now: datetime) -> datetime:
    """When it goes. What staff are to be told of doesn't go before they have been, in time."""
    ends = kept.since + timedelta(days=days(content, kept.sort, kept.outcome))
    if kept.until is not None:
        ends = max(ends, kept.until)
    if kept.sort in WARNED:
        told = kept.warned_at or now
        ends = max(ends, told + timedelta(days=content.policy.retention.warning))
    return ends


def submission_goes(content: Content, row: Any, now: datetime) -> datetime | None:
    """When it goes, as things stand; None while it is open. What keeps it is not looked at."""
    if row.closed_at is None:
        return None
    return end(
        content,
        Kept(
            "submission",
            row.id,
            row.closed_at,
            outcome=row.kind,
            until=row.kept_until,
            warned_at=row.warned_at,
        ),
        now,
    )


def due(content: Content, kept: Iterable[Kept], now: datetime) -> list[Kept]:
    """What has been kept long enough, and nothing keeps from going."""
    return [one for one in kept if not one.held_by and end(content, one, now) <= now]


def to_warn_of(content: Content, kept: Iterable[Kept], now: datetime) -> list[Kept]:
    """What staff are to be told of from now on."""
    ahead = timedelta(days=content.policy.retention.warning)
    return [one for one in kept if one.warned_at is None and end(content, one, now) <= now + ahead]
