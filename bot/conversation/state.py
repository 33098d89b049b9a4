"""What is kept of a conversation: its answers, and as little else as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from content.schema import Channel, Skip

SCHEMA = 1
"""Raised when the stored shape changes; `Conversation.loads` then reads the older ones too."""


class Status(StrEnum):
    """Review and ending are not here: they follow from the answers."""

    OPEN = "open"
    STOPPED = "stopped"
    SUBMITTED = "submitted"


@dataclass(frozen=True)
class Answer:
    """What a person said to one question: chosen values or words, or an honest non-answer."""

    values: tuple[str, ...]
    skip: Skip | None
    at: datetime
    channel: Channel
    source: str | None = None
    """The message it came in, so that editing that message edits the answer."""
    asked: str = ""
    """What the question meant when it was answered (Question.meaning)."""
    again: bool = False
    """The question means something else now: asked once more, with this offered."""

    @property
    def known(self) -> frozenset[str]:
        """As conditions see it."""
        return frozenset((self.skip.value,)) if self.skip else frozenset(self.values)

    def same_as(self, other: Answer | None) -> bool:
        """Whether both say the same, whenever and however it was said."""
        return other is not None and (self.values, self.skip) == (other.values, other.skip)


@dataclass(frozen=True)
class Conversation:
    """The state. There is no cursor: where someone is follows from their answers (path)."""

    id: str
    flow: str
    flow_hash: str
    language: str = "en"
    answers: Mapping[str, Answer] = field(default_factory=lambda: MappingProxyType({}))
    focus: str | None = None
    """The earlier question being looked at again, if any."""
    picking: tuple[str, tuple[str, ...]] | None = None
    """Choices ticked so far on a question that takes several: (question id, values)."""
    misses: tuple[str, int] | None = None
    """How often in a row an answer to this question could not be understood."""
    revision: int = 0
    status: Status = Status.OPEN
    submitted_revision: int | None = None

    @property
    def nonce(self) -> str:
        """Names this conversation on a button, so that an old button is known for what it is."""
        return self.id[:6]

    def with_answer(self, question: str, answer: Answer) -> Conversation:
        answers = MappingProxyType({**self.answers, question: answer})
        return replace(self, answers=answers, picking=None, misses=None)

    def without_answer(self, question: str) -> Conversation:
        left = {name: answer for name, answer in self.answers.items() if name != question}
        return replace(self, answers=MappingProxyType(left), picking=None, misses=None)

    def dumps(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "flow": self.flow,
            "flow_hash": self.flow_hash,
            "language": self.language,
            "answers": {name: _dump(answer) for name, answer in self.answers.items()},
            "focus": self.focus,
            "picking": [self.picking[0], list(self.picking[1])] if self.picking else None,
            "misses": list(self.misses) if self.misses else None,
            "revision": self.revision,
            "status": self.status.value,
            "submitted_revision": self.submitted_revision,
        }

    @classmethod
    def loads(cls, stored: Mapping[str, Any]) -> Conversation:
        """The conversation as stored. Raises ValueError on a shape this code can't read."""
        if stored.get("schema") != SCHEMA:
            raise ValueError(f"conversation of schema {stored.get('schema')!r}")
        picking, misses = stored["picking"], stored["misses"]
        return cls(
            id=stored["id"],
            flow=stored["flow"],
            flow_hash=stored["flow_hash"],
            language=stored["language"],
            answers=MappingProxyType({name: _load(a) for name, a in stored["answers"].items()}),
            focus=stored["focus"],
            picking=(picking[0], tuple(picking[1])) if picking else None,
            misses=(misses[0], misses[1]) if misses else None,
            revision=stored["revision"],
            status=Status(stored["status"]),
            submitted_revision=stored["submitted_revision"],
        )


def _dump(answer: Answer) -> dict[str, Any]:
    return {
        "values": list(answer.values),
        "skip": answer.skip.value if answer.skip else None,
        "at": answer.at.isoformat(),
        "channel": answer.channel.value,
        "source": answer.source,
        "asked": answer.asked,
        "again": answer.again,
    }


def _load(stored: Mapping[str, Any]) -> Answer:
    return Answer(
        values=tuple(stored["values"]),
        skip=Skip(stored["skip"]) if stored["skip"] else None,
        at=datetime.fromisoformat(stored["at"]),
        channel=Channel(stored["channel"]),
        source=stored["source"],
        asked=stored.get("asked", ""),
        again=stored.get("again", False),
    )
