"""Where someone is: found anew from the flow and their answers, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from bot.conversation.script import Script
from bot.conversation.state import Answer
from content.conditions import Condition, Known
from content.schema import Ending, Question


@dataclass(frozen=True)
class Step:
    """A question that was asked, and its answer."""

    question: Question
    answer: Answer


@dataclass(frozen=True)
class Path:
    """The questions asked so far in order, then either the next question or an ending."""

    asked: tuple[Step, ...]
    current: Question | None
    ending: Ending | None
    known: Known

    def step(self, question: str) -> Step | None:
        return next((step for step in self.asked if step.question.id == question), None)

    def reaches(self, question: str) -> bool:
        """Whether this question has been asked, or is being asked, on this path."""
        return self.step(question) is not None or (
            self.current is not None and self.current.id == question
        )

    def before(self, question: str | None) -> Question | None:
        """The question asked before this one; before the end, for None."""
        asked = [step.question for step in self.asked]
        names = [q.id for q in asked]
        at = names.index(question) if question in names else len(names)
        return asked[at - 1] if at else None


def path(script: Script, answers: Mapping[str, Answer]) -> Path:
    """Walk the flow from its start. An answer that no longer fits its question counts as none.
    What is asked upon harm comes before whatever else would be asked next."""
    asked: list[Step] = []
    known: dict[str, frozenset[str]] = {}
    first: Question | None = None

    def at(current: Question | None, ending: Ending | None) -> Path:
        if first is not None:
            return Path(tuple(asked), first, None, known)
        return Path(tuple(asked), current, ending, known)

    for question in script.flow.questions:
        answer = answers.get(question.id)
        if question.upon_harm and answer is None:
            continue
        if question.when is not None and not question.when.truth(known):
            continue
        if answer is None or answer.again or not fits(script, question, answer, known):
            if script.flow.withdrawn:  # nothing more is asked; what they said can be sent
                continue
            if question.upon_harm:
                first = first or question
                continue
            return at(question, None)
        asked.append(Step(question, answer))
        known[question.id] = answer.known
        if question.options and (ends := _ends(question, answer)):
            return at(None, script.flow.ending_by_id[ends])
    return at(None, _ending(script, known))


def fits(script: Script, question: Question, answer: Answer, known: Known) -> bool:
    """Whether a kept answer is one this question still takes (content may have changed)."""
    if answer.skip is not None:
        return answer.skip in script.skips(question)
    if question.options:
        if question.always_offered:
            return bool(answer.values) and all(v in question.by_value for v in answer.values)
        offered = {option.value for option in script.offered(question, known)}
        return bool(answer.values) and offered.issuperset(answer.values)
    if question.type.counts and question.min is not None:
        value = Decimal(answer.values[0])
        return question.min <= value <= (question.max or value)
    return True


def _ends(question: Question, answer: Answer) -> str | None:
    chosen = (question.by_value[value] for value in answer.values if value in question.by_value)
    return next((option.ends for option in chosen if option.ends), None)


def _ending(script: Script, known: Known) -> Ending:
    for ending in script.flow.endings:
        if ending.when is None or ending.when.truth(known):
            return ending
    raise LookupError(f"{script.flow.id} has no ending here")  # content.checks rules this out


@dataclass(frozen=True)
class Progress:
    """`at` of about `of`."""

    at: int
    of: int


def progress(script: Script, walked: Path, question: Question) -> Progress:
    """How far along this question stands. What is still to come is weighed by how likely each
    question is to be asked, which lies between the shortest and the longest way on."""
    asked = [step.question.id for step in walked.asked]
    at = asked.index(question.id) + 1 if question.id in asked else len(asked) + 1
    if walked.current is None:
        return Progress(at, len(asked))
    ahead = script.flow.questions[script.flow.place[walked.current.id] :]
    chances: dict[str, float] = {}
    for later in ahead:
        if later.id in asked:
            continue
        chances[later.id] = (
            0.0 if later.upon_harm else _chance(later.when, walked.known, script, chances)
        )
    return Progress(at, len(asked) + max(1, round(sum(chances.values()))))


def _chance(
    when: Condition | None, known: Known, script: Script, chances: Mapping[str, float]
) -> float:
    """How likely a condition is to hold, each option being as likely as the next."""
    if when is None:
        return 1.0
    if when.all_ is not None:
        return prod(_chance(part, known, script, chances) for part in when.all_)
    if when.any_ is not None:
        return 1 - prod(1 - _chance(part, known, script, chances) for part in when.any_)
    if when.not_ is not None:
        return 1 - _chance(when.not_, known, script, chances)
    name = when.question or ""
    if name not in chances:
        return float(bool(when.truth(known)))
    options = script.flow.by_id[name].options
    if when.is_ is None or not options:
        return chances[name] / 2
    return chances[name] * min(1.0, len(when.is_) / len(options))
