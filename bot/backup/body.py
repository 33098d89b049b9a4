"""What a backup says: a manifest, then each table's name and its rows, a line of JSON each.

    {"what": "tables", "made_at": ..., "tables": [{"name": "staff", "columns": [...], "rows": 4}]}
    "staff"
    ["5f3c...", "Ann Example", ...]

Bytes are base64 and times ISO 8601 in UTC, so that either database can take up what the other had.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from bot.errors import BadBackup

Kind = Literal["bytes", "moment", "day", "value"]
Row = tuple["Shape", dict[str, Any]]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Shape(_Strict):
    """A table as it was."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    rows: int


class Manifest(_Strict):
    """What a backup must hold, and what must be here for it to be of use."""

    what: Literal["tables"] = "tables"
    made_at: AwareDatetime
    revision: str
    """The shape of the tables: the migration they were at."""
    content: str
    """The hash of the content that was served."""
    keys: dict[str, list[str]]
    """Ids of the key files that are needed, by folder: talk, case, audit."""
    secret: str
    """What the installation's secret makes of a fixed word: tells it from another."""
    audit: tuple[int, str | None]
    """Number and MAC of the last line of the audit."""
    tables: tuple[Shape, ...]

    @property
    def counts(self) -> dict[str, int]:
        return {shape.name: shape.rows for shape in self.tables}

    @classmethod
    def read(cls, line: bytes) -> Manifest:
        """Raises BadBackup."""
        try:
            return cls.model_validate_json(line)
        except ValidationError as error:
            raise BadBackup("This is no backup of tables, or of a later kind") from error


def shape(table: sa.Table, rows: int) -> Shape:
    columns = tuple((column.name, _kind(column.type)) for column in table.columns)
    return Shape(name=table.name, columns=columns, rows=rows)


def _kind(type_: sa.types.TypeEngine[Any]) -> Kind:
    if isinstance(type_, sa.LargeBinary):
        return "bytes"
    if isinstance(type_, sa.DateTime):
        return "moment"
    return "day" if isinstance(type_, sa.Date) else "value"


# --- Writing ------------------------------------------------------------------------------


def _utc(value: datetime) -> str:
    # SQLite gives times back without their zone; all of ours are UTC.
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat()


_WRITE: Mapping[Kind, Callable[[Any], Any]] = {
    "bytes": lambda value: base64.b64encode(value).decode(),
    "moment": _utc,
    "day": date.isoformat,
    "value": lambda value: value,
}
_READ: Mapping[Kind, Callable[[Any], Any]] = {
    "bytes": lambda value: base64.b64decode(value, validate=True),
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
    "value": lambda value: value,
}


def line(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def written(of: Shape, rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    write = [_WRITE[kind] for _, kind in of.columns]
    for row in rows:
        pairs = zip(write, row, strict=True)
        yield line([None if value is None else said(value) for said, value in pairs])


# --- Reading ------------------------------------------------------------------------------


def rows(manifest: Manifest, lines: Iterable[bytes]) -> Iterator[Row]:
    """Every row with its table, in the order they can be put back. Raises BadBackup at the end if
    they are not as many as the manifest says."""
    shapes = {shape.name: shape for shape in manifest.tables}
    found: dict[str, int] = {}
    now: Shape | None = None
    for text in lines:
        said = json.loads(text)
        if isinstance(said, str) and said in shapes and said not in found:
            now, found[said] = shapes[said], 0
            continue
        if now is None or not isinstance(said, list) or len(said) != len(now.columns):
            raise BadBackup("The backup holds something that is no row of a table")
        found[now.name] += 1
        yield now, _values(now, said)
    wrong = sorted(name for name, rows in manifest.counts.items() if found.get(name) != rows)
    if wrong:
        raise BadBackup(f"The backup has not as many rows as it should: {', '.join(wrong)}")


def _values(of: Shape, said: list[Any]) -> dict[str, Any]:
    pairs = zip(of.columns, said, strict=True)
    return {name: None if v is None else _READ[kind](v) for (name, kind), v in pairs}
