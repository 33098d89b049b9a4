"""What is missing from a form that staff filled in."""

from __future__ import annotations

from bot.errors import WaymarkError


class NotSaid(WaymarkError):
    """Something is missing from what was written. The text is the sentence staff read."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
