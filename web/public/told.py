"""What someone has told us so far: their answers by section, and the help these call for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.conversation import files
from bot.conversation.files import File
from bot.conversation.path import Step, path
from bot.conversation.script import Script
from bot.conversation.state import Answer, Conversation
from bot.conversation.submission import spoken
from bot.wiring import Waymark
from content.schema import Question, QuestionType


@dataclass(frozen=True)
class Row:
    """A question, what they said, and the help that answer calls for."""

    question: Question
    said: tuple[str, ...]
    notices: tuple[str, ...]
    files: tuple[File, ...]
    """Files in the answer, to be seen or heard until they are sent."""


def said(script: Script, language: str, question: Question, answer: Answer) -> tuple[str, ...]:
    """An answer as the person would read it."""
    if answer.skip:
        return (script.words(language)[f"conversation.skip.{answer.skip.value}"],)
    if question.type is QuestionType.CARD:
        return (script.words(language)["conversation.button.card"],)
    return tuple(spoken(script, question, answer.values, script.words(language)))


def added(question: Question, answer: Answer | None) -> tuple[File, ...]:
    """The files in an answer."""
    if question.type is not QuestionType.FILE or answer is None:
        return ()
    return tuple(files.listed(question.id, answer.values))


def rows(waymark: Waymark, script: Script, conversation: Conversation) -> tuple[Row, ...]:
    """Every question asked so far, in order."""
    return tuple(
        Row(
            step.question,
            said(script, conversation.language, step.question, step.answer),
            tuple(dict.fromkeys((*_chosen(step), *_written(waymark, script, step)))),
            added(step.question, step.answer),
        )
        for step in path(script, conversation.answers).asked
    )


def _chosen(step: Step) -> Iterator[str]:
    chosen = (step.question.by_value.get(value) for value in step.answer.values)
    yield from (option.disclosure.notice for option in chosen if option and option.disclosure)


def _written(waymark: Waymark, script: Script, step: Step) -> Iterator[str]:
    if step.question.type is QuestionType.TEXT:
        for words in step.answer.values:
            if found := waymark.screening.screen(words):
                yield waymark.notice(script.flow, found)


def sections(told: Iterable[Row]) -> Mapping[str | None, list[Row]]:
    """The rows under their headings; what is only there to be read is left out."""
    found: dict[str | None, list[Row]] = {}
    section = None
    for row in told:
        section = row.question.section or section
        if row.question.type is not QuestionType.CARD:
            found.setdefault(section, []).append(row)
    return found
