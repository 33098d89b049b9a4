"""A file we can't take, and why: in words its sender can act on."""

from __future__ import annotations

from collections.abc import Mapping


class Unfit(Exception):
    """`key` is one of `conversation.problem`; `gaps` are the numbers in it."""

    def __init__(self, key: str, gaps: Mapping[str, str] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.gaps = gaps or {}


def broken() -> Unfit:
    """It can't be read to its end, or not at all."""
    return Unfit("file-broken")
