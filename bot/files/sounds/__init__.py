"""Voice notes, as browsers and telephones record them: one module for each way to wrap sound.

Each hands back the sound alone, rebuilt from its parts; only MP4 is blanked in place instead.
"""

from __future__ import annotations

from bot.files.unfit import Unfit

LONGEST = 300
"""Seconds."""


def bounded(seconds: float) -> None:
    """Raises Unfit for a recording that is too long."""
    if seconds > LONGEST + 1:
        raise Unfit("file-long", {"minutes": str(LONGEST // 60)})
