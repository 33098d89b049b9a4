"""What else is done every night, besides removing what was kept long enough."""

from __future__ import annotations

from bot.retention import Chore

CHORES: tuple[Chore, ...] = ()
"""Each is called once a night, by one process, and says how many things it did."""
