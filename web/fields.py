"""A question's own page: what its fields mean, and what they hold before anything is typed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.script import Script
from bot.conversation.submission import spoken
from content.schema import Question, QuestionType, Skip

_TICKED = (QuestionType.CHOICES, QuestionType.ENTITLEMENTS)


def meant(question: Question, answer: Sequence[str], skip: str) -> ev.Event:
    """What somebody says who sends this page."""
    if skip in tuple(Skip):
        return ev.Skipped(Skip(skip), question.id)
    if question.type is QuestionType.CARD:
        return ev.Answered(question.id, values=("read",))
    if question.type is QuestionType.FILE:
        return ev.Picked(question.id)
    if question.type in _TICKED or (question.type is QuestionType.CHOICE and answer):
        return ev.Answered(question.id, values=tuple(answer))
    return ev.Answered(question.id, text=answer[0] if answer else "")


def before(script: Script, language: str, asked: say.Ask) -> tuple[str, ...]:
    """What to fill in: their answer so far, a date as they would type it."""
    if asked.question.type in _TICKED:
        return asked.picked
    if asked.answer is None or asked.answer.skip or asked.question.type is QuestionType.FILE:
        return ()
    if asked.question.type is QuestionType.DATE:
        words = script.words(language)
        return tuple(spoken(script, asked.question, asked.answer.values, words))
    return asked.answer.values
