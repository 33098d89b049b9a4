"""What a person's answers give away about someone's safety, and which words came with them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation import events as ev
from bot.conversation.path import Path
from content.schema import Urgency


@dataclass(frozen=True)
class Concern:
    """Someone may be unsafe: how soon to look, and what it rests on (ids, never words)."""

    urgency: Urgency
    category: str
    question: str


def concerns(walked: Path) -> tuple[Concern, ...]:
    """What the choices on this path disclose. The gravest of a question counts."""
    found = []
    for step in walked.asked:
        told = [
            option.disclosure
            for value in step.answer.values
            if (option := step.question.by_value.get(value)) and option.disclosure
        ]
        told.sort(key=lambda disclosure: disclosure.urgency is not Urgency.URGENT)
        found += [Concern(d.urgency, d.category, step.question.id) for d in told[:1]]
    return tuple(found)


def heard(event: ev.Event | ev.AtTheDoor) -> str | None:
    """The words that came with an event, if it brought any."""
    match event:
        case ev.Typed() | ev.Edited() | ev.Find():
            return event.text
        case ev.Answered():
            return event.text
        case ev.Unreadable():
            return event.caption
    return None
