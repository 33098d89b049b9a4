"""Every way through a flow, with ways that no later condition can tell apart walked once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from content.conditions import Condition
from content.schema import Ending, Flow, Option, Question, QuestionType

Answers = dict[str, frozenset[str]]
GIVEN = frozenset({"given"})
"""Stands for any words, date, phone number ...: no condition looks inside those."""


@dataclass(frozen=True)
class Way:
    """One way through: the answers on it in the order asked, and the ending (None: no exit)."""

    answers: Answers
    ending: Ending | None


def ways(flow: Flow) -> Iterator[Way]:
    """Walk the flow. Two ways that later conditions can't tell apart are followed as one, but
    every option of every question, and every skip, is on some way."""
    conditions = _conditions_after(flow)
    front: list[_Walker] = [({}, {}, [])]
    covered: set[Pair] = set()  # what is on a way that can't be merged away any more
    for index, question in enumerate(flow.questions):
        tests = {str(leaf): leaf for c in conditions[index + 1] for leaf in c.leaves()}
        needed = {leaf.question for leaf in tests.values()}
        merged: dict[tuple[bool | None, ...], _Walker] = {}
        for known, way, fresh in front:
            for answer, ends in _steps(flow, question, conditions[index + 1], known):
                taken = way if answer is None else {**way, question.id: answer}
                pairs = fresh if answer is None else [*fresh, (question.id, answer)]
                if ends is not None:
                    covered.update(pairs)
                    yield Way(taken, flow.ending_by_id.get(ends))
                    continue
                matters = known if answer is None else {**known, question.id: answer}
                matters = {name: value for name, value in matters.items() if name in needed}
                key = tuple(test.truth(matters) for test in tests.values())
                if key not in merged:
                    merged[key] = (matters, taken, pairs)
                elif left := [pair for pair in pairs if pair not in covered]:
                    covered.update(left)
                    yield _finished(flow, conditions, index + 1, (matters, taken))
                if len(merged) > 20_000:
                    raise OverflowError(f"{flow.id} has too many ways at {question.id}")
        front = [
            (known, way, [pair for pair in fresh if pair not in covered])
            for known, way, fresh in merged.values()
        ]
    for known, way, _ in front:
        yield Way(way, ending_after(flow, known))


Pair = tuple[str, frozenset[str]]
_Walker = tuple[Answers, Answers, list[Pair]]
"""What still matters, the whole way, and the answers on it that may be on no other way."""


def _steps(
    flow: Flow, question: Question, later: list[Condition], known: Answers
) -> Iterator[tuple[frozenset[str] | None, str | None]]:
    if question.when is not None and not question.when.truth(known):
        yield None, None
    else:
        yield from _branches(flow, question, later, known)


def _finished(
    flow: Flow, conditions: list[list[Condition]], start: int, at: tuple[Answers, Answers]
) -> Way:
    """Any one way on from here."""
    known, way = at
    for index, question in enumerate(flow.questions[start:], start):
        answer, ends = next(_steps(flow, question, conditions[index + 1], known))
        if answer is not None:
            known, way = {**known, question.id: answer}, {**way, question.id: answer}
        if ends is not None:
            return Way(way, flow.ending_by_id.get(ends))
    return Way(way, ending_after(flow, known))


def ending_after(flow: Flow, known: Answers) -> Ending | None:
    """The ending after the last question: the first whose condition holds."""
    return next((e for e in flow.endings if e.when is None or e.when.truth(known)), None)


def _conditions_after(flow: Flow) -> list[list[Condition]]:
    """For each question, the conditions still to be asked from it onwards (endings last)."""
    after = [[e.when for e in flow.endings if e.when is not None]]
    for question in reversed(flow.questions):
        own = [c for c in (question.when, *(o.when for o in question.options)) if c is not None]
        after.append(own + after[-1])
    return after[::-1]


def _branches(
    flow: Flow, question: Question, later: list[Condition], known: Answers
) -> Iterator[tuple[frozenset[str], str | None]]:
    tests = [leaf for c in later for leaf in c.leaves() if leaf.question == question.id]
    for skip in flow.skips_of(question):
        yield frozenset({skip.value}), None
    if question.type is QuestionType.NUMBER:
        low, high = question.min or 0, question.max or 0  # the schema makes sure of both
        edges = {low, high}
        for leaf in tests:
            for bound in (leaf.at_least, leaf.at_most):
                edges |= set() if bound is None else {bound - 1, bound, bound + 1}
        for number in sorted(edges):
            if low <= number <= high:
                yield frozenset({str(number)}), None
    elif question.type in (QuestionType.CHOICE, QuestionType.CHOICES):
        offered = [o for o in question.options if o.when is None or o.when.truth(known)]
        for option in offered:
            yield frozenset({option.value}), option.ends
        if question.type is QuestionType.CHOICES:
            yield from ((several, None) for several in _several(question, offered, tests))
    else:
        yield GIVEN, None


def _several(
    question: Question,
    offered: list[Option],
    tests: list[Condition],
) -> Iterator[frozenset[str]]:
    """Sets of choices that later tests see differently from any single choice."""
    seen: set[tuple[bool, ...]] = set()
    sets = [frozenset({option.value}) for option in offered if not option.alone]
    grown = list(sets)
    while grown:
        chosen = grown.pop()
        for single in sets:
            both = chosen | single
            marks = tuple(bool(test.truth({question.id: both})) for test in tests)
            if marks not in seen and len(both) <= (question.max or len(offered)):
                seen.add(marks)
                grown.append(both)
                yield both
