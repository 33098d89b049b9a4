"""What is sent at the end: every answer beside its question as it was asked."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from bot.conversation import files
from bot.conversation.path import Path
from bot.conversation.script import Script, Wording
from bot.conversation.state import Conversation
from content.schema import Question, QuestionType

_SUBMISSIONS = UUID("6b1a0c9e-5d0b-4c0e-9a55-0d6f6d6b7a11")
"""Namespace of submission ids; any fixed value does."""


@dataclass(frozen=True)
class Submission:
    """The record that staff review. The same answers make the same payload on every channel."""

    id: str
    reference: str
    payload: dict[str, Any]

    @property
    def canonical(self) -> bytes:
        """The payload as bytes, the same for the same answers."""
        return json.dumps(
            self.payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()


def reference(conversation: str, revision: int) -> str:
    """A number people can read out: a function of what was sent, so a repeat gets the same."""
    digest = hashlib.sha256(f"{conversation}:{revision}".encode()).digest()
    # Crockford's alphabet: no I, L, O or U to misread or to spell with.
    letters = base64.b32encode(digest)[:8].decode()
    plain = letters.translate(
        str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    )
    return f"VS-{plain[:4]}-{plain[4:]}"


def compose(script: Script, conversation: Conversation, walked: Path) -> Submission:
    """The submission of a finished path. Answers off the path are not in it."""
    shape = script.flow.submission
    payload = {
        "flow": script.flow.id,
        "flow_hash": script.flow_hash,
        "kind": shape.kind,
        "title": shape.title,
        "language": conversation.language,
        "answers": _answers(script, conversation, walked),
    }
    id_ = uuid5(_SUBMISSIONS, f"{conversation.id}:{conversation.revision}").hex
    return Submission(id_, reference(conversation.id, conversation.revision), payload)


def _answers(script: Script, conversation: Conversation, walked: Path) -> list[dict[str, Any]]:
    section = None
    lines = []
    words = script.words(conversation.language)
    for step in walked.asked:
        section = step.question.section or section
        if step.question.type is QuestionType.CARD:
            continue
        skip = step.answer.skip
        lines.append(
            {
                "question": step.question.id,
                "section": section,
                "asked": step.question.text,
                "why": step.question.why,
                "type": step.question.type.value,
                "values": list(step.answer.values),
                "skip": skip.value if skip else None,
                "words": [words[f"conversation.skip.{skip.value}"]]
                if skip
                else spoken(script, step.question, step.answer.values, words),
            }
        )
    return lines


def spoken(
    script: Script, question: Question, values: tuple[str, ...], words: Wording
) -> list[str]:
    """An answer as the person would read it: labels for choices, their own words otherwise."""
    if question.type is QuestionType.FILE:
        return files.counted(values, words)
    if question.type is QuestionType.ENTITLEMENTS:
        return [script.entitlements[v].title for v in values if v in script.entitlements]
    if question.options:
        return [option.label for value in values if (option := question.by_value.get(value))]
    if question.type is QuestionType.NUMBER and question.style == "scale":
        return [f"{value} / {question.max}" for value in values]
    if question.type is QuestionType.MONEY:
        return [_pounds(value, words) for value in values]
    if question.type is QuestionType.DATE:
        return [f"{day.day} {day:%B %Y}" for day in map(date.fromisoformat, values)]
    return list(values)


def _pounds(value: str, words: Wording) -> str:
    pounds, _, pence = value.partition(".")
    return words["conversation.pounds"].format(sum=f"{int(pounds):,}{pence and '.'}{pence}")
