"""Days as people say them."""

from __future__ import annotations

from datetime import date


def spoken_day(day: date) -> str:
    """21 November 2026."""
    return f"{day.day} {day:%B %Y}"


def spoken_weekday(day: date) -> str:
    """Friday 27 November."""
    return f"{day:%A} {day.day} {day:%B}"
