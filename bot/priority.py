"""How soon a submission must be acted on, and why: the rules of its flow applied."""

from __future__ import annotations

from dataclasses import dataclass

from content.conditions import Known
from content.schema import Flow, Level

ORDER = tuple(Level)
"""Most urgent first."""


@dataclass(frozen=True)
class Priority:
    """A level, with the reasons staff see as chips, the gravest first."""

    level: Level
    reasons: tuple[str, ...]

    def raised(self, level: Level, reason: str) -> Priority:
        """At least so urgent, and why."""
        gravest = min(self.level, level, key=ORDER.index)
        return Priority(gravest, tuple(dict.fromkeys((reason, *self.reasons))))

    @property
    def rank(self) -> int:
        return ORDER.index(self.level)


def prioritise(flow: Flow, known: Known) -> Priority:
    """The most urgent level any rule gives; standard where none speaks."""
    held = [rule for rule in flow.priority if rule.when is None or rule.when.truth(known)]
    held.sort(key=lambda rule: ORDER.index(rule.level))
    level = held[0].level if held else Level.STANDARD
    # A rule without a condition only says what this is; it is a reason when nothing else is.
    told = [rule for rule in held if rule.when is not None] or held
    return Priority(level, tuple(dict.fromkeys(rule.reason for rule in told)))
