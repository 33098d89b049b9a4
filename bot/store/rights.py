"""What a person is to a submission, in SQL: the filter without which no list is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.models import AccessGrant, Found, SubmissionLink, SubmissionRow

Test = sa.ColumnElement[bool]


class Way(Protocol):
    """Facts by name: all of these, and none of those."""

    @property
    def needs(self) -> Collection[str]: ...
    @property
    def without(self) -> Collection[str]: ...


@dataclass(frozen=True)
class Viewer:
    """Who looks, and when."""

    id: str
    team: str
    now: datetime


FACTS: Mapping[str, Callable[[Viewer], Test]] = {
    # None is somebody else's too, and a test that is neither true nor false would be lost.
    "own": lambda who: SubmissionRow.owner.is_not_distinct_from(who.id),
    "linked": lambda who: _linked(who),
    "team": lambda who: SubmissionRow.team.is_not_distinct_from(who.team),
    "unowned": lambda who: SubmissionRow.owner.is_(None),
    "restricted": lambda who: SubmissionRow.restricted.is_(True),
    "reason": lambda who: _granted(who, "reason"),
    "glass": lambda who: _granted(who, "glass"),
}
"""The facts of web/casework/permissions.py, of the submission in a query's row."""


@dataclass(frozen=True)
class Within:
    """Those submissions that a rule leaves to a person."""

    viewer: Viewer
    ways: Iterable[Way]

    @property
    def test(self) -> Test:
        return sa.or_(sa.false(), *(_all(self.viewer, way) for way in self.ways))


def _all(who: Viewer, way: Way) -> Test:
    needs = (FACTS[fact](who) for fact in sorted(way.needs))
    without = (sa.not_(FACTS[fact](who)) for fact in sorted(way.without))
    return sa.and_(sa.true(), *needs, *without)


def _linked(who: Viewer) -> Test:
    return sa.exists().where(
        SubmissionLink.submission == SubmissionRow.id,
        SubmissionLink.staff == who.id,
        sa.or_(SubmissionLink.until.is_(None), SubmissionLink.until > who.now),
    )


def _granted(who: Viewer, kind: str) -> Test:
    return sa.exists().where(
        AccessGrant.submission == SubmissionRow.id,
        AccessGrant.staff == who.id,
        AccessGrant.kind == kind,
        AccessGrant.until > who.now,
    )


def _purpose(who: Viewer, submission: str) -> sa.ScalarSelect[str]:
    """What they gave last, of what still holds."""
    return (
        sa.select(AccessGrant.purpose)
        .where(
            AccessGrant.submission == submission,
            AccessGrant.staff == who.id,
            AccessGrant.until > who.now,
        )
        .order_by(AccessGrant.given_at.desc(), AccessGrant.id)
        .limit(1)
        .scalar_subquery()
    )


async def facts(db: AsyncConnection, who: Viewer, submission: str) -> Found | None:
    """Whose it is, what is so of it for this person, and for what purpose they said they need it.
    No words are read for that."""
    told: list[sa.ColumnElement[Any]] = [
        FACTS[fact](who).label(fact) for fact in ("linked", "reason", "glass")
    ]
    told.append(_purpose(who, submission).label("purpose"))
    found = await db.execute(
        sa.select(SubmissionRow.owner, SubmissionRow.team, SubmissionRow.restricted, *told).where(
            SubmissionRow.id == submission
        )
    )
    return found.first()
