"""Every way through a flow, with ways that no later condition can tell apart walked once. What is
asked upon harm may come at any point, and changes no way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    tests = _Tests(flow)
    front: list[_Walker] = [(0, {}, [])]
    covered: set[Pair] = set()  # what is on a way that can't be merged away any more
    for index, question in enumerate(flow.questions):
        matters = tests.after[index + 1]
        merged: dict[int, _Walker] = {}
        for seen, way, fresh in front:
            for answer, ends in _steps(flow, question, tests, seen):
                taken = way if answer is None else {**way, question.id: answer}
                pairs = fresh if answer is None else [*fresh, (question.id, answer)]
                if ends is not None:
                    covered.update(pairs)
                    yield Way(taken, flow.ending_by_id.get(ends))
                    continue
                now = tests.seen(seen, question.id, answer) & matters
                if now not in merged:
                    merged[now] = (now, taken, pairs)
                elif left := [pair for pair in pairs if pair not in covered]:
                    covered.update(left)
                    yield _finished(flow, tests, index + 1, now, taken)
                if len(merged) > 20_000:
                    raise OverflowError(f"{flow.id} has too many ways at {question.id}")
        front = [
            (seen, way, [pair for pair in fresh if pair not in covered])
            for seen, way, fresh in merged.values()
        ]
    for seen, way, _ in front:
        yield Way(way, tests.ending(seen))


def lengths(flow: Flow) -> tuple[int, int]:
    """Fewest and most questions on a way to the end; ways that stop early at once don't count."""
    tests = _Tests(flow)
    front = {0: (0, 0)}
    for index, question in enumerate(flow.questions):
        merged: dict[int, tuple[int, int]] = {}
        for seen, (fewest, most) in front.items():
            for answer, ends in _steps(flow, question, tests, seen):
                if ends is not None:
                    continue
                now = tests.seen(seen, question.id, answer) & tests.after[index + 1]
                asked = answer is not None
                few, many = merged.get(now, (fewest + asked, most + asked))
                merged[now] = (min(few, fewest + asked), max(many, most + asked))
        front = merged
    return min(few for few, _ in front.values()), max(many for _, many in front.values())


Pair = tuple[str, frozenset[str]]
_Walker = tuple[int, Answers, list[Pair]]
"""What later conditions see of it, the whole way, and the answers that may be on no other way."""
_Step = tuple[frozenset[str] | None, str | None]
"""An answer (none: not asked), and the ending it leads to at once."""
_NOT_ASKED: tuple[_Step, ...] = ((None, None),)


class _Tests:
    """Each test of one question in a flow's conditions is a bit: of all that was answered before,
    later conditions see no more than which tests hold."""

    def __init__(self, flow: Flow) -> None:
        self._bits: dict[Condition, int] = {}
        self.of: dict[str, list[Condition]] = {}
        """The tests of each question."""
        self.steps: dict[tuple[str | bool, ...], tuple[_Step, ...]] = {}
        """By the question, and which of its choices that hang on something are offered."""
        self.endings = [(self._compiled(end.when), end) for end in flow.endings]
        matters = self._matter(end.when for end in flow.endings)
        self.after = [matters]
        """For each question, the bits that conditions from it onwards look at; endings last."""
        for question in reversed(flow.questions):
            matters |= self._matter((question.when, *(o.when for o in question.options)))
            self.after.append(matters)
        self.after.reverse()
        self.asked = {question.id: self._compiled(question.when) for question in flow.questions}
        self.hanging = {
            question.id: [(self._compiled(o.when), o.value) for o in question.options if o.when]
            for question in flow.questions
        }

    def seen(self, before: int, question: str, answer: frozenset[str] | None) -> int:
        """The bits that hold after this answer."""
        if answer is None:
            return before
        known = {question: answer}
        for test in self.of.get(question, ()):
            if test.truth(known):
                before |= self._bits[test]
        return before

    def ending(self, seen: int) -> Ending | None:
        """After the last question: the first whose condition holds."""
        return next((ending for holds, ending in self.endings if holds(seen)), None)

    def _matter(self, conditions: Iterable[Condition | None]) -> int:
        bits = 0
        for condition in conditions:
            for leaf in condition.leaves() if condition else ():
                bits |= self._bit(leaf)
        return bits

    def _bit(self, leaf: Condition) -> int:
        if leaf not in self._bits:
            self._bits[leaf] = 1 << len(self._bits)
            assert leaf.question is not None
            self.of.setdefault(leaf.question, []).append(leaf)
        return self._bits[leaf]

    def _compiled(self, condition: Condition | None) -> Callable[[int], bool]:
        if condition is None:
            return lambda seen: True
        if condition.question is not None:
            bit = self._bit(condition)
            return lambda seen: bool(seen & bit)
        parts = [self._compiled(c) for c in condition.all_ or condition.any_ or ()]
        if condition.all_ is not None:
            return lambda seen: all(part(seen) for part in parts)
        if condition.any_ is not None:
            return lambda seen: any(part(seen) for part in parts)
        inner = self._compiled(condition.not_)
        return lambda seen: not inner(seen)


def _steps(flow: Flow, question: Question, tests: _Tests, seen: int) -> tuple[_Step, ...]:
    """Every answer it can have here, worked out once for each set of choices it can offer."""
    if question.upon_harm or not tests.asked[question.id](seen):
        return _NOT_ASKED
    now: tuple[str | bool, ...] = (
        question.id,
        *(holds(seen) for holds, _ in tests.hanging[question.id]),
    )
    if now not in tests.steps:
        not_now = {option for holds, option in tests.hanging[question.id] if not holds(seen)}
        offered = [option for option in question.options if option.value not in not_now]
        tests.steps[now] = tuple(_branches(flow, question, offered, tests))
    return tests.steps[now]


def _finished(flow: Flow, tests: _Tests, start: int, seen: int, way: Answers) -> Way:
    """Any one way on from here."""
    for question in flow.questions[start:]:
        answer, ends = _steps(flow, question, tests, seen)[0]
        if answer is not None:
            seen, way = tests.seen(seen, question.id, answer), {**way, question.id: answer}
        if ends is not None:
            return Way(way, flow.ending_by_id.get(ends))
    return Way(way, tests.ending(seen))


def ending_after(flow: Flow, known: Answers) -> Ending | None:
    """The ending after the last question: the first whose condition holds."""
    return next((e for e in flow.endings if e.when is None or e.when.truth(known)), None)


def _branches(
    flow: Flow, question: Question, offered: list[Option], tests: _Tests
) -> Iterator[_Step]:
    own = tests.of.get(question.id, [])
    for skip in flow.skips_of(question):
        yield frozenset({skip.value}), None
    if question.type.counts:
        yield from _numbers(question, own)
    elif question.options:
        for option in offered:
            yield frozenset({option.value}), option.ends
        if question.type is QuestionType.CHOICES:
            yield from ((several, None) for several in _several(question, offered, own))
    else:
        yield GIVEN, None


def _numbers(question: Question, tests: Iterable[Condition]) -> Iterator[_Step]:
    """The smallest, the largest, and those on either side of what a test looks for."""
    low, high = question.min or 0, question.max or 0  # the schema makes sure of both
    edges = {low, high}
    for leaf in tests:
        for bound in (leaf.at_least, leaf.at_most):
            edges |= set() if bound is None else {bound - 1, bound, bound + 1}
    for number in sorted(edges):
        if low <= number <= high:
            yield frozenset({str(number)}), None


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
