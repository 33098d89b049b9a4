"""Conditions over answers: the small language that decides what is asked and what is true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Known = Mapping[str, frozenset[str]]
"""What was answered: question id -> chosen values (numbers as digits, skips by name)."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | int) else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Value = Annotated[str, BeforeValidator(_text)]
Values = Annotated[tuple[Value, ...], BeforeValidator(_listed)]


class Condition(BaseModel):
    """One leaf (`question` with `is`, `at_least` or `at_most`) or one of `all`, `any`, `not`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    question: str | None = None
    is_: Values | None = Field(default=None, alias="is")
    at_least: int | None = None
    at_most: int | None = None
    all_: tuple[Condition, ...] | None = Field(default=None, alias="all")
    any_: tuple[Condition, ...] | None = Field(default=None, alias="any")
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        groups = [part is not None for part in (self.all_, self.any_, self.not_)]
        tests = [part is not None for part in (self.is_, self.at_least, self.at_most)]
        if self.question is not None:
            if any(groups) or not any(tests):
                raise ValueError("a question needs one of: is, at_least, at_most, and nothing else")
        elif sum(groups) != 1 or any(tests):
            raise ValueError("needs exactly one of: question, all, any, not")
        return self

    def truth(self, known: Known, undecided: Set[str] = frozenset()) -> bool | None:
        """True, False, or None where it hangs on a question still `undecided`.

        A question that is neither known nor undecided was not asked: nothing is true of it.
        """
        if self.all_ is not None:
            return _every(part.truth(known, undecided) for part in self.all_)
        if self.any_ is not None:
            return _negated(_every(_negated(p.truth(known, undecided)) for p in self.any_))
        if self.not_ is not None:
            return _negated(self.not_.truth(known, undecided))
        assert self.question is not None
        if self.question in known:
            given = known[self.question]
            if self.at_least is None and self.at_most is None and self._is is not None:
                return not self._is.isdisjoint(given)
            return any(self._fits(value) for value in given)
        return None if self.question in undecided else False

    def questions(self) -> Iterator[str]:
        """Every question id this condition looks at."""
        if self.question is not None:
            yield self.question
        for part in (*(self.all_ or ()), *(self.any_ or ()), *((self.not_,) if self.not_ else ())):
            yield from part.questions()

    def leaves(self) -> Iterator[Condition]:
        """Every test of one question inside this condition."""
        if self.question is not None:
            yield self
        for part in (*(self.all_ or ()), *(self.any_ or ()), *((self.not_,) if self.not_ else ())):
            yield from part.leaves()

    @cached_property
    def _is(self) -> frozenset[str] | None:
        return None if self.is_ is None else frozenset(self.is_)

    def _fits(self, value: str) -> bool:
        if self._is is not None and value not in self._is:
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if not re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII):
            return False
        number = Decimal(value)
        low = self.at_least is None or number >= self.at_least
        return low and (self.at_most is None or number <= self.at_most)


def _negated(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _every(truths: Iterator[bool | None]) -> bool | None:
    seen = list(truths)
    if False in seen:
        return False
    return None if None in seen else True
