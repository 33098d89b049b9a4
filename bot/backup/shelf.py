"""The folder backups lie in, and its index: when each was made and how much is in it, no more."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

What = Literal["tables", "keys"]
INDEX = "index.jsonl"
ENDINGS: dict[What, str] = {"tables": ".backup", "keys": ".keys"}
UNFINISHED = ".part"
_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"waymark-(\d{8}T\d{6}Z)-[0-9a-f]{4}(\.backup|\.keys)(\.part)?")


@dataclass(frozen=True)
class Backup:
    """One line of the index."""

    at: datetime
    what: What
    file: str
    key: str
    """Which backup key opens it."""
    size: int
    sha256: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Failure:
    """Another: one that could not be made."""

    at: datetime
    failed: str
    """The error's name."""


Line = Backup | Failure


class Shelf:
    """The backups in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = folder / INDEX

    def place(self, what: What, at: datetime) -> Path:
        """Where the next one is written until it is known to be good."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        when = at.astimezone(UTC).strftime(_TIME)
        ending = f"{ENDINGS[what]}{UNFINISHED}"
        return self.folder / f"waymark-{when}-{secrets.token_hex(2)}{ending}"

    def keep(self, part: Path, of: Backup) -> Backup:
        """It is good: give it a line in the index, and its name. In this order, so that a full
        disk leaves no file that nobody counts; a line without its file is passed over."""
        self._append(of)
        part.rename(self.folder / of.file)
        handle = os.open(self.folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        return of

    def failed(self, at: datetime, error: Exception) -> None:
        self._append(Failure(at, type(error).__name__))

    def lines(self) -> list[Line]:
        """The index, oldest first. What can't be read of it is left out: the files still count."""
        if not self._index.exists():
            return []
        found = [_line(text) for text in self._index.read_text(encoding="utf-8").splitlines()]
        return sorted((line for line in found if line), key=lambda line: line.at)

    def all(self) -> list[Backup]:
        """Those that are in the index and still there, oldest first."""
        made = (line for line in self.lines() if isinstance(line, Backup))
        return [one for one in made if (self.folder / one.file).exists()]

    def backups(self, what: What = "tables") -> list[Backup]:
        return [one for one in self.all() if one.what == what]

    def newest_good(self, what: What) -> Backup | None:
        """The last one that is, byte for byte, what was written."""
        good = (one for one in reversed(self.backups(what)) if self.is_whole(one))
        return next(good, None)

    def is_whole(self, backup: Backup) -> bool:
        path = self.folder / backup.file
        return path.exists() and digest(path) == backup.sha256

    # --- Forgetting -----------------------------------------------------------------------

    def prune(self, now: datetime, days: int, *, dry_run: bool = False) -> list[str]:
        """Delete what is older than this, but never the newest good one of a kind; their names."""
        before = now - timedelta(days=days)
        newest = [self.newest_good(what) for what in ENDINGS]
        kept = {one.file for one in newest if one}
        old = [p for p in self._files() if _made(p) < before and p.name not in kept]
        if not dry_run:
            for path in old:
                path.unlink()
            self._rewrite(before, kept)
        return [path.name for path in old]

    def _files(self) -> list[Path]:
        """In the index or not, finished or not: a copy nobody counts is a copy nobody forgets."""
        found = self.folder.iterdir() if self.folder.is_dir() else []
        return sorted(path for path in found if _NAME.fullmatch(path.name))

    def _rewrite(self, before: datetime, kept: set[str]) -> None:
        lines = self.lines()
        old = [line for line in lines if line.at < before]
        gone = [line for line in old if isinstance(line, Failure) or line.file not in kept]
        if not gone:
            return
        left = [line for line in lines if line not in gone]
        part = self._index.with_suffix(UNFINISHED)
        part.unlink(missing_ok=True)
        _write(part, left)
        part.replace(self._index)

    def _append(self, line: Line) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self._index, [line])


def _write(path: Path, lines: Iterable[Line]) -> None:
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        told = (json.dumps({**asdict(line), "at": line.at.isoformat()}) for line in lines)
        # A new line first: one that a full disk cut short must not spoil the next.
        file.write("\n".join(["", *told, ""]))
        file.flush()
        os.fsync(file.fileno())


def _line(text: str) -> Line | None:
    try:
        told: dict[str, Any] = json.loads(text)
        at = datetime.fromisoformat(told.pop("at")).astimezone(UTC)
        return Failure(at, **told) if "failed" in told else Backup(at, **told)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def _made(path: Path) -> datetime:
    """As its name says: copying a file back may have given it another time."""
    return datetime.strptime(path.name.split("-")[1], _TIME).replace(tzinfo=UTC)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
