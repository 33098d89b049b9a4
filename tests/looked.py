"""How a page, a file or a message is looked at, beside its twin made of harmless words."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import zip_longest

from tests.headers import tags
from tests.injections import MARK, SUM

TELLING = ("href", "src", "action", "formaction", "style", "method", "name", "type", "rel")
_PASSING = re.compile(r"[0-9a-f]{24,64}|VS-\w{4}-\w{4}")


@lru_cache(maxsize=500)
def shape(text: str) -> tuple[tuple, ...]:
    """A page without its words: every element, its attributes, and where these lead."""
    return tuple(
        (
            name,
            *sorted(attributes),
            *(_settled(attributes[one] or "") for one in TELLING if one in attributes),
        )
        for name, attributes in tags(text)
    )


def _settled(value: str) -> str:
    """Without what is another each time, and without what a link asks for: there, quoted words
    are only words."""
    where, mark, asked = _PASSING.sub("#", value).partition("?")
    return where + mark + re.sub(r"=[^&]*", "=#", asked)


def same(text: str, twin: str, where: str) -> None:
    """The page has nothing that the same page with harmless words hasn't."""
    assert SUM not in text, where
    for got, wanted in zip_longest(shape(text), shape(twin)):
        assert got == wanted, where


def table(text: str, twin: str, where: str) -> None:
    """No cell of a spreadsheet begins as a formula does."""
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows:
        for cell in row:
            assert not cell.startswith(tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")), (where, cell)
    assert len(rows) == len(list(csv.reader(io.StringIO(twin)))), where


def plain(text: str, twin: str, where: str) -> None:
    json.loads(text)
    assert SUM not in text, where


def silent(text: str, twin: str, where: str) -> None:
    assert MARK not in text, where


READERS: dict[str, Callable[[str, str, str], None]] = {
    "text/html; charset=utf-8": same,
    "text/csv; charset=utf-8": table,
    "application/json": plain,
    "text/css; charset=utf-8": silent,
}
"""How each kind of output is looked at, beside its twin with harmless words. A page of a kind that
is not here fails the tests: whoever adds a format says what would be wrong in it."""
