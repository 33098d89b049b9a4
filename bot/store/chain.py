"""How a line of the audit is bound to the one before it. No SQL.

The form below is for good: lines written by it must verify in twenty years. Another form would
carry another `v`.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.audit_keys import AuditKeys

BEGINNING = "0" * 64
"""What the very first line follows."""


@dataclass(frozen=True)
class Entry:
    """What was done, before it has its place in the chain."""

    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    detail: dict[str, Any] = field(default_factory=dict)
    outcome: str = "done"
    acting_as: str | None = None
    purpose: str | None = None
    request_id: str | None = None


FIELDS = tuple(Entry.__dataclass_fields__)


@dataclass(frozen=True)
class Link:
    """Where the chain stands: a line's number and its MAC."""

    seq: int = 0
    mac: str = BEGINNING


@dataclass(frozen=True)
class Anchor:
    """Where the chain stood at a time, as it was written down off the box."""

    seq: int
    mac: str
    at: datetime
    count: int
    """Lines kept then; those removed by age are not among them."""


def entry(row: Any) -> Entry:
    """What a stored line says."""
    return Entry(**{name: getattr(row, name) for name in FIELDS})


def signed(keys: AuditKeys, key: str, seq: int, prev: str, said: Any) -> str | None:
    """The MAC of a line, an entry or a stored row, in that place; None without its key."""
    whole = {name: getattr(said, name) for name in FIELDS}
    whole["at"] = said.at.astimezone(UTC).isoformat(timespec="microseconds")
    return _mac(keys, key, {**whole, "seq": seq, "prev": prev, "what": "line"})


def signed_head(keys: AuditKeys, key: str, end: Link) -> str | None:
    """The MAC of the note that says where the log ends."""
    return _mac(keys, key, {"seq": end.seq, "last": end.mac, "what": "head"})


def signed_segment(keys: AuditKeys, key: str, row: Any) -> str | None:
    """The MAC of what is left of lines that were removed by age."""
    names = ("first", "last", "count", "prev", "last_mac")
    said = {name: getattr(row, name) for name in names}
    return _mac(keys, key, {**said, "what": "segment"})


def same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and hmac.compare_digest(str(one), str(other))


def _mac(keys: AuditKeys, key: str, said: dict[str, Any]) -> str | None:
    whole = {**said, "key": key, "v": 1}
    return keys.mac(key, json.dumps(whole, sort_keys=True, separators=(",", ":")).encode())
