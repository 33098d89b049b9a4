"""What stands for a file in an answer: its kind and its id, `picture:3f9a...`; never its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.conversation.script import Script, Wording
from bot.conversation.state import Conversation
from content.schema import FileKind, QuestionType


@dataclass(frozen=True)
class File:
    """One file of an answer."""

    id: str
    kind: FileKind
    question: str
    number: int
    """Which of its kind it is in this answer, from 1."""

    @property
    def value(self) -> str:
        return value(self.kind, self.id)


def value(kind: FileKind, id_: str) -> str:
    """As an answer keeps it."""
    return f"{kind.value}:{id_}"


def listed(question: str, values: Iterable[str]) -> list[File]:
    """The files of one answer, in the order they were added."""
    found: list[File] = []
    seen: Counter[str] = Counter()
    for one in values:
        kind, _, id_ = one.partition(":")
        seen[kind] += 1
        found.append(File(id_, FileKind(kind), question, seen[kind]))
    return found


def held(script: Script, conversation: Conversation) -> Iterator[File]:
    """Every file of every answer, on the path or off it."""
    for question in script.flow.questions:
        answer = conversation.answers.get(question.id)
        if question.type is QuestionType.FILE and answer is not None:
            yield from listed(question.id, answer.values)


def counted(values: Iterable[str], words: Wording) -> list[str]:
    """ "1 picture", "2 voice notes": how many of each kind, for reading."""
    kinds = Counter(file.kind for file in listed("", values))
    return [
        words[f"conversation.file.{'one' if count == 1 else 'some'}.{kind.value}"].format(
            count=count
        )
        for kind, count in kinds.items()
    ]
