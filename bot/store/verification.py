"""The chain walked from end to end: lines, segments, head and anchors held against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Literal, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit_keys import AuditKeys
from bot.errors import WaymarkError
from bot.store import audit, chain
from bot.store.chain import Anchor, Link
from bot.store.models import Audit, AuditSegment, Found, Staff, SubmissionRow

BATCH = 200
NEARBY = 1000
"""How far from its place a line is looked for that is out of order."""

Kind = Literal["changed", "missing", "inserted", "moved", "cut", "head", "segment", "anchor", "key"]
_WORDS: dict[Kind, str] = {
    "changed": "Line {seq} was changed after it was written.",
    "missing": "Missing from the log: {lines}.",
    "inserted": "Line {seq} was put in by someone else: it does not follow from line {before}.",
    "moved": "Line {seq} is out of order: it was written as line {to}.",
    "cut": "The log is cut off at the end. Missing: {lines}.",
    "head": "The note of where the log ends was changed. Lines from {seq} on may be missing.",
    "segment": "The record of what was removed by age was changed: {lines}.",
    "anchor": "Line {seq} is not the line that was anchored. The log was written anew before it, "
    "by someone who has the key.",
    "key": "Line {seq} is signed with a key that is not here, so nobody can say if it is genuine.",
}


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong, at which line."""

    kind: Kind
    seq: int
    to: int | None = None

    @property
    def words(self) -> str:
        one = self.to in (None, self.seq)
        lines = f"line {self.seq}" if one else f"lines {self.seq} to {self.to}"
        return _WORDS[self.kind].format(
            seq=self.seq, to=self.to, lines=lines, before=max(self.seq - 1, 0)
        )

    @property
    def code(self) -> str:
        return f"{self.kind}:{self.seq}:{self.to or ''}"


def fault_from(code: str) -> Fault:
    """A fault as its code kept it."""
    kind, seq, to = code.split(":")
    return Fault(cast(Kind, kind), int(seq), int(to) if to else None)


class Broken(WaymarkError):
    """The log is not as it was written."""

    def __init__(self, kind: Kind, seq: int, to: int | None = None) -> None:
        self.fault = Fault(kind, seq, to)
        super().__init__(self.fault.words)


@dataclass(frozen=True)
class Verdict:
    """What verifying found."""

    lines: int
    """Lines that were looked at and are genuine."""
    end: Link
    """Where the log ends, or where it stops being genuine."""
    segments: int
    anchors: int
    """Anchors that a line was held against."""
    restored: int
    """How often the database was put back from a backup."""
    fault: Fault | None


async def verify(db: AsyncConnection, keys: AuditKeys, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Everything; stops at the first fault. `db` must see one state throughout (`reading`)."""
    restores = await _restores(db)
    walk = Walk(db, keys, [a for a in anchors if not _lost(a, restores)])
    fault = None
    try:
        await walk.segments()
        await walk.lines()
        await walk.end()
    except Broken as broken:
        fault = broken.fault
    return Verdict(walk.seen, walk.at, walk.cuts, walk.compared, len(restores), fault)


async def _restores(db: AsyncConnection) -> list[Found]:
    found = await db.execute(
        sa.select(Audit.at, Audit.detail).where(Audit.action == audit.RESTORED)
    )
    return list(found.all())


def _lost(anchor: Anchor, restores: Iterable[Found]) -> bool:
    """Whether the line it names was lost when a backup was put back, as the log itself says."""
    return any(anchor.at <= r.at and anchor.seq > r.detail["kept"] for r in restores)


class Walk:
    """Somebody going along the chain; `at` is how far it is genuine."""

    def __init__(self, db: AsyncConnection, keys: AuditKeys, anchors: Iterable[Anchor]) -> None:
        self.db = db
        self.keys = keys
        self.at = Link()
        self.seen = self.cuts = self.compared = 0
        self._anchors: dict[int, set[str]] = defaultdict(set)
        for anchor in anchors:
            self._anchors[anchor.seq].add(anchor.mac)

    async def segments(self) -> None:
        """What was removed by age: each follows the one before it."""
        rows = await self.db.execute(
            sa.select(*AuditSegment.__table__.columns).order_by(AuditSegment.last)
        )
        for row in rows:
            follows = (row.first, row.prev) == (self.at.seq + 1, self.at.mac)
            whole = row.count == row.last - row.first + 1
            ours = chain.same(row.mac, chain.signed_segment(self.keys, row.key, row))
            if not (follows and whole and ours):
                raise Broken("segment", row.first, row.last)
            self._reach(Link(row.last, row.last_mac))
            self.cuts += 1

    async def lines(self, until: int | None = None) -> None:
        """Each line kept, in order."""
        async for row in _lines(self.db, until):
            await self._check(row)
            self._reach(Link(row.seq, row.mac))
            self.seen += 1

    async def end(self) -> None:
        """The log ends where its head and its anchors say."""
        head, after = await audit.head(self.db), self.at.seq + 1
        if head is not None and head.seq > self.at.seq:
            raise Broken("cut", after, head.seq)
        if head is None or not audit.head_holds(self.keys, head) or audit.link(head) != self.at:
            raise Broken("head", after)
        if max(self._anchors, default=0) > self.at.seq:
            raise Broken("cut", after, max(self._anchors))
        if self.at.seq == 0 and await _lived_in(self.db):
            raise Broken("cut", 1)

    def _reach(self, link: Link) -> None:
        for mac in self._anchors.get(link.seq, ()):
            if not chain.same(mac, link.mac):
                raise Broken("anchor", link.seq)
            self.compared += 1
        self.at = link

    async def _check(self, row: Found) -> None:
        expected = self.at.seq + 1
        if row.seq > expected:
            raise Broken("missing", expected, row.seq - 1)
        if row.seq < expected:
            raise Broken("inserted", row.seq)
        mac = self._signed(row, row.seq)
        if mac is None:
            raise Broken("key", row.seq)
        if not chain.same(mac, row.mac):
            raise await self._named(row)
        if row.prev != self.at.mac:
            raise Broken("inserted", row.seq)

    def _signed(self, row: Found, seq: int) -> str | None:
        return chain.signed(self.keys, row.key, seq, row.prev, row)

    async def _named(self, row: Found) -> Broken:
        """What was done to a line that isn't genuine in its place."""
        if row.seq > audit.link(await audit.head(self.db)).seq:
            return Broken("inserted", row.seq)
        after = (await self.db.execute(_ROWS.where(Audit.seq == row.seq + 1))).first()
        if after and after.prev == self.at.mac and self._signed(after, row.seq) == after.mac:
            return Broken("inserted", row.seq)
        for seq in range(max(1, row.seq - NEARBY), row.seq + NEARBY):
            if self._signed(row, seq) == row.mac:
                return Broken("moved", row.seq, seq)
        return Broken("changed", row.seq)


_ROWS = sa.select(*Audit.__table__.columns)


async def _lines(db: AsyncConnection, until: int | None) -> AsyncIterator[Found]:
    """A batch at a time, so that a long log needs no more memory than a short one."""
    last = -(2**62)
    ordered = _ROWS.order_by(Audit.seq).limit(BATCH)
    if until is not None:
        ordered = ordered.where(Audit.seq <= until)
    while rows := (await db.execute(ordered.where(Audit.seq > last))).all():
        for row in rows:
            yield row
        last = rows[-1].seq


async def _lived_in(db: AsyncConnection) -> bool:
    """Whether anything is here that never comes without a line in the log."""
    exists = sa.or_(sa.exists(sa.select(Staff.id)), sa.exists(sa.select(SubmissionRow.id)))
    return bool(await db.scalar(sa.select(exists)))
