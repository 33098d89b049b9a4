"""Who is acting just now, in which role, for what, in which request: for audit and log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Acting:
    """What a line of the audit says beside what was done."""

    request: str | None = None
    """A random number for one HTTP request, so that audit and log can be laid side by side."""
    person: str | None = None
    role: str | None = None
    purpose: str | None = None
    """A short code; never anyone's own words."""


_now: ContextVar[Acting] = ContextVar("acting", default=Acting())  # noqa: B039  # frozen


def now() -> Acting:
    return _now.get()


def become(**known: str | None) -> None:
    """From here on, to the end of the request, this is known too."""
    _now.set(replace(_now.get(), **known))


@contextmanager
def within(**known: str | None) -> Iterator[None]:
    """Only inside this block; what became known in it is forgotten after."""
    before = _now.set(replace(_now.get(), **known))
    try:
        yield
    finally:
        _now.reset(before)
