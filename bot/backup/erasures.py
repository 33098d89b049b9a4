"""The list of what was erased, beside the backups too: it must not be lost with the database."""

from __future__ import annotations

import os
from pathlib import Path

from bot import erased


def keep_beside(data_dir: Path, folder: Path) -> None:
    """Whatever is on the list, on the copy of it in the folder of backups too."""
    _add(folder / erased.NAME, _lines(data_dir / erased.NAME))


def bring_back(folder: Path, data_dir: Path) -> bool:
    """Whatever is on the copy, on the list too. Whether there is any list now."""
    _add(data_dir / erased.NAME, _lines(folder / erased.NAME))
    return (data_dir / erased.NAME).exists()


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line]


def _add(path: Path, lines: list[str]) -> None:
    there = set(_lines(path))
    more = [line for line in lines if line not in there]
    if not more:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        # A new line first: one that a crash cut short must not spoil the next.
        file.write("\n".join(["", *more, ""]))
        file.flush()
        os.fsync(file.fileno())
