"""A conversation under content that changed since: what stays, and what is asked again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.conversation.path import path
from bot.conversation.script import Script
from bot.conversation.state import Answer, Conversation
from content.schema import Question, QuestionType


@dataclass(frozen=True)
class Reconciled:
    """The conversation as it goes on, and what changed for its person."""

    conversation: Conversation
    again: frozenset[str]
    """Questions that ask something else now: asked once more, with the old answer offered."""
    gone: frozenset[str]
    """Answers whose question is asked no more. They are kept, off the path."""
    new: bool
    """Something is asked that stands before what they had come to."""
    withdrawn: bool

    @property
    def felt(self) -> bool:
        """Whether the person must be told: not of new wording, nor of another order."""
        return bool(self.again or self.gone or self.new or self.withdrawn)


def reconcile(script: Script, before: Conversation) -> Reconciled:
    """What a change of content does to someone in the middle of it. Nothing they said is lost."""
    questions = script.flow.by_id
    again = {
        name
        for name, answer in before.answers.items()
        if name in questions and _asks_something_else(questions[name], answer)
    }
    gone = {name for name in before.answers if name not in questions}
    answers = {
        name: replace(answer, again=True) if name in again else answer
        for name, answer in before.answers.items()
    }
    after = replace(before, flow_hash=script.flow_hash, answers=MappingProxyType(answers))
    if again:  # a button of what they saw before must not send
        after = replace(after, revision=before.revision + 1, focus=None, picking=None, misses=None)
    there = path(script, before.answers)
    last = max(
        (script.flow.place[name] for name in before.answers if name in questions), default=-1
    )
    new = there.current is not None and script.flow.place[there.current.id] < last
    return Reconciled(
        after, frozenset(again), frozenset(gone), new, withdrawn=script.flow.withdrawn
    )


def _asks_something_else(question: Question, answer: Answer) -> bool:
    """Files answer whatever was asked: they stay."""
    changed = bool(answer.asked) and answer.asked != question.meaning
    return changed and question.type is not QuestionType.FILE
