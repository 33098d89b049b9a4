"""Everything told as fact, whatever its kind: where it stands, and until when it is sure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from content.loader import Content, Fault, Page
from content.schema import (
    Entitlement,
    FactsPolicy,
    Helpline,
    Misconception,
    ServiceAnswer,
    Standing,
)

Row = Entitlement | Helpline | ServiceAnswer | Misconception
NOT_TEXT = {"checked", "review_by", "confidence", "hours_confidence"}
"""What may change of a row without its saying anything else."""


@dataclass(frozen=True, repr=False)
class Stated:
    """A row of a content file that states facts."""

    kind: str
    row: Row
    content: Content
    place: str
    """The file it stands in, by its name among the content's pages."""

    @property
    def page(self) -> Page:
        return self.content.pages[self.place]

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.row.id

    @property
    def title(self) -> str:
        match self.row:
            case Entitlement():
                return self.row.title
            case Helpline():
                return self.row.name
            case ServiceAnswer():
                return self.row.question
            case Misconception():
                return self.row.said[0]

    @property
    def over(self) -> bool:
        """What has ended is told to nobody, so that nobody need look at it again."""
        return isinstance(self.row, Entitlement) and self.row.standing is Standing.ENDED

    @property
    def digest(self) -> str:
        """Changes with anything that it says, and with whom it is for."""
        said = json.dumps(self.row.model_dump(mode="json", exclude=NOT_TEXT), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def review_by(self, policy: FactsPolicy) -> date:
        """The last day on which it counts as checked, by its own file."""
        given: date | None = self.row.review_by
        return given or self.row.checked + timedelta(days=policy.recheck)

    def fault(self, message: str) -> Fault:
        """Something to see to, by file, line and key."""
        return self.page.fault_near(self.row.id, message)


def stated(content: Content, authority: str | None = None) -> Iterator[Stated]:
    """What one council's service states; without one, what any of them does."""
    served = [authority] if authority else sorted(content.authorities)
    for name, row in content.entitlements.items():
        yield Stated("entitlement", row, content, f"entitlement {name}")
    for name, wrong in content.misconceptions.items():
        yield Stated("misconception", wrong, content, f"misconception {name}")
    local = {line.id for name in served for line in content.authorities[name].helplines}
    for name, line in content.national_helplines.items():
        if not (authority and name in local):
            yield Stated("helpline", line, content, f"helpline {name}")
    for name in served:
        place = f"authority {name}"
        for line in content.authorities[name].helplines:
            yield Stated("helpline", line, content, place)
        for answer in content.authorities[name].answers:
            yield Stated("answer", answer, content, place)


def due(content: Content, today: date) -> list[Fault]:
    """What must be looked at again soon or should have been, the longest overdue first."""
    policy = content.policy.facts
    rows = sorted(
        ((one.review_by(policy), one) for one in stated(content)), key=lambda pair: pair[0]
    )
    return [
        one.fault(f"{'due on' if day >= today else 'past since'} {day.isoformat()}")
        for day, one in rows
        if day <= today + timedelta(days=policy.warning) and not one.over
    ]
