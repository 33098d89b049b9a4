"""What may be told as fact today: what content says, as far as it is sure, and staff decided."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from bot import finding
from bot.finding import Index
from bot.store import facts
from bot.store.database import Database
from bot.store.models import Found
from bot.working_days import LONDON
from content.facts import Row, Stated, stated
from content.loader import Content
from content.schema import Confidence, Entitlement, Helpline, Misconception, ServiceAnswer, Source

READ_EVERY = timedelta(seconds=20)
"""How soon what was decided in one process is known to the others."""
log = logging.getLogger("waymark.facts")
Kind = TypeVar("Kind", bound=Row)


class Verdict(StrEnum):
    """What can be decided about a fact."""

    CONFIRMED = "confirmed"
    TAKEN_DOWN = "taken-down"
    RESTORED = "restored"


class State(StrEnum):
    """Whether a fact is told."""

    TAKEN_DOWN = "taken-down"
    AWAITING = "awaiting"
    """It is not sure, and nobody has confirmed it as it reads now."""
    PAST = "past"
    """Its review date is over: told, but with less."""
    TOLD = "told"


Decisions = Mapping[tuple[str, str], Found]
"""Kind and id of a row -> what was decided last."""


# --- One row ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A row of content, and what was decided about it."""

    stated: Stated
    decision: Found | None
    file_review_by: date

    @property
    def confirmed(self) -> bool:
        """Somebody confirmed it exactly as it reads now."""
        decided = self.decision
        same = decided is not None and decided.digest == self.stated.digest
        return same and decided is not None and decided.verdict == Verdict.CONFIRMED

    @property
    def lapsed(self) -> bool:
        """Something was decided, but the row reads otherwise now."""
        return self.decision is not None and self.decision.digest != self.stated.digest

    @property
    def review_by(self) -> date:
        """By its file or by whoever confirmed it: whichever was looked at later counts."""
        if self.decision is None or not self.confirmed:
            return self.file_review_by
        later = self._confirmed_on >= self.stated.row.checked
        return self.decision.review_by if later else self.file_review_by

    @property
    def _confirmed_on(self) -> date:
        assert self.decision is not None
        day: date = self.decision.at.astimezone(LONDON).date()
        return day

    def state(self, today: date) -> State:
        # Taken down stays so until somebody puts it back, whatever is written meanwhile.
        if self.decision is not None and self.decision.verdict == Verdict.TAKEN_DOWN:
            return State.TAKEN_DOWN
        if not (self.confirmed or self.stated.row.confidence.publishable):
            return State.AWAITING
        return State.PAST if self.review_by < today else State.TOLD

    def row(self) -> Row:
        """As it is told: what was confirmed, with the source and the day of that."""
        row, decided = self.stated.row, self.decision
        if decided is None or not self.confirmed or self._confirmed_on < row.checked:
            return row
        source = Source(title=decided.source, publisher=decided.publisher, address=decided.address)
        others = row.sources if row.confidence.publishable else ()
        told = {
            "sources": (source, *(one for one in others if one.title != source.title)),
            "checked": self._confirmed_on,
            "confidence": Confidence.HIGH,
            "review_by": decided.review_by,
        }
        return row.model_copy(update=told)


def judged(content: Content, authority: str | None, decisions: Decisions) -> list[Judged]:
    """Every row of one council's service; of all of them, without one."""
    policy = content.policy.facts
    return [
        Judged(one, decisions.get(one.key), one.review_by(policy))
        for one in stated(content, authority)
    ]


# --- All that may be told -----------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Told:
    """What may be told on one day; what is not in here is not said."""

    content: Content
    """As it is written."""
    authority: str | None
    rows: tuple[Judged, ...]
    today: date

    @cached_property
    def entitlements(self) -> Mapping[str, Entitlement]:
        """Those past their review date without their sum, and as something to ask about."""
        return {
            row.id: self._to_be_asked(row) if state is State.PAST else row
            for row, state in self._of(Entitlement)
        }

    @cached_property
    def helplines(self) -> Mapping[str, Helpline]:
        """Those past their review date too: an old number is more help than none."""
        return {row.id: row for row, _ in self._of(Helpline)}

    @cached_property
    def answers(self) -> Mapping[str, ServiceAnswer]:
        """Those past their review date say so first."""
        return {
            row.id: self._to_be_checked(row) if state is State.PAST else row
            for row, state in self._of(ServiceAnswer)
        }

    @cached_property
    def misconceptions(self) -> Mapping[str, Misconception]:
        """None past its review date: nobody is put right by what may be wrong."""
        return {row.id: row for row, state in self._of(Misconception) if state is State.TOLD}

    @cached_property
    def finder(self) -> Index:
        """Finds what fits a question, among what may be told."""
        assert self.authority is not None
        pack = self.content.authorities[self.authority]
        pack = pack.model_copy(update={"answers": tuple(self.answers.values())})
        now = replace(
            self.content,
            entitlements=self.entitlements,
            misconceptions=self.misconceptions,
            authorities={**self.content.authorities, self.authority: pack},
        )
        return finding.indexed(now, self.authority)

    def _of(self, kind: type[Kind]) -> Iterator[tuple[Kind, State]]:
        for one in self.rows:
            state = one.state(self.today)
            if state in (State.TOLD, State.PAST) and isinstance(row := one.row(), kind):
                yield row, state

    def _to_be_asked(self, row: Entitlement) -> Entitlement:
        """It may have changed since somebody looked: no sum is promised, nothing is certain."""
        said = self._words("checking-amount" if row.amount else "checking")
        unsure = " ".join(part for part in (said, row.unsure) if part)
        return row.model_copy(update={"amount": None, "year": None, "unsure": unsure})

    def _to_be_checked(self, row: ServiceAnswer) -> ServiceAnswer:
        said = self._words("checking-answer")
        return row.model_copy(update={"answer": f"{said}\n\n{row.answer}"})

    def _words(self, key: str) -> str:
        return self.content.wording["en"][f"why.{key}"]


def told(content: Content, authority: str | None, decisions: Decisions, today: date) -> Told:
    return Told(content, authority, tuple(judged(content, authority, decisions)), today)


# --- What was decided ---------------------------------------------------------------------


class Facts:
    """What was decided, as read not long ago, and what may be told by it."""

    def __init__(self) -> None:
        self.decisions: Decisions = {}
        self._read_at: datetime | None = None
        self._changes = 0
        self._told: tuple[tuple[Content, Decisions], Told] | None = None

    async def refresh(self, database: Database, now: datetime) -> None:
        """Read again what was decided, if that was not done just now. While the database can't be
        read, what was known goes on: help has to be told all the same."""
        if self._read_at is not None and abs(now - self._read_at) < READ_EVERY:
            return
        changes = self._changes
        try:
            decisions = await _read(database)
        except (SQLAlchemyError, OSError) as error:
            log.error("decisions not read", extra={"error": type(error).__name__})
            return
        if changes != self._changes:
            return
        self._read_at = now
        if decisions != self.decisions:  # else what was worked out by them still holds
            self.decisions = decisions

    def changed(self) -> None:
        """Something was decided here: what is being read this moment may be without it."""
        self._changes += 1
        self._read_at = None

    def told(self, content: Content, authority: str, today: date) -> Told:
        """What may be told today, by what was read last."""
        by, found = self._told or ((None, None), None)
        same = by[0] is content and by[1] is self.decisions
        if found is None or not same or found.today != today:
            found = told(content, authority, self.decisions, today)
            self._told = (content, self.decisions), found
        return found


async def _read(database: Database) -> Decisions:
    async with database.reading() as db:
        return {(row.kind, row.row): row for row in await facts.newest(db)}


async def already(database: Database) -> Decisions:
    """What was decided, in a database that may be of an older shape. Raises ValueError."""
    try:
        async with database.reading() as db:
            kept = await facts.are_kept(db)
        return await _read(database) if kept else {}
    except SQLAlchemyError:
        raise ValueError("The database can't be read, nor what staff have taken down") from None
