"""What a person is to a submission, in SQL: the filter without which no list is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

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


Row = Any
"""The table of submissions, under this name or another."""
OWN: Mapping[str, Callable[[Row, Viewer], Test]] = {
    # None is somebody else's too, and a test that is neither true nor false would be lost.
    "own": lambda row, who: row.owner.is_not_distinct_from(who.id),
    "linked": lambda row, who: _linked(row, who),
    "team": lambda row, who: row.team.is_not_distinct_from(who.team),
    "unowned": lambda row, who: row.owner.is_(None),
    "restricted": lambda row, who: row.restricted.is_(True),
    "reason": lambda row, who: _granted(row, who, "reason"),
    "glass": lambda row, who: _granted(row, who, "glass"),
}
"""The facts of web/casework/permissions.py, of a submission by itself."""
FIRST = aliased(SubmissionRow, name="first")
"""What a submission was added to."""


def _fact(name: str) -> Callable[[Viewer], Test]:
    """Of the submission in a query's row. What is so of the first is so of what was added to it;
    and nobody's own is only what is nobody's own there."""

    def test(who: Viewer) -> Test:
        alone = OWN[name](SubmissionRow, who)
        if name == "unowned":
            alone = sa.and_(alone, SubmissionRow.adds_to.is_(None))
        first = sa.exists().where(FIRST.id == SubmissionRow.adds_to, OWN[name](FIRST, who))
        return sa.or_(alone, first)

    return test


FACTS: Mapping[str, Callable[[Viewer], Test]] = {name: _fact(name) for name in OWN}


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


def _linked(row: Row, who: Viewer) -> Test:
    return sa.exists().where(
        SubmissionLink.submission == row.id,
        SubmissionLink.staff == who.id,
        sa.or_(SubmissionLink.until.is_(None), SubmissionLink.until > who.now),
    )


def _granted(row: Row, who: Viewer, kind: str) -> Test:
    return sa.exists().where(
        AccessGrant.submission == row.id,
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
    """Whose it is, what is so of it by itself for this person, and for what purpose they said they
    need it. No words are read for that."""
    told: list[sa.ColumnElement[Any]] = [
        OWN[fact](SubmissionRow, who).label(fact) for fact in ("linked", "reason", "glass")
    ]
    told.append(_purpose(who, submission).label("purpose"))
    found = await db.execute(
        sa.select(
            SubmissionRow.owner,
            SubmissionRow.team,
            SubmissionRow.restricted,
            SubmissionRow.adds_to,
            *told,
        ).where(SubmissionRow.id == submission)
    )
    return found.first()
