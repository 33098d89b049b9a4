"""`waymark coverage`: what practitioners ask and young people may get, and what carries it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import typer

from content import loader
from content.loader import Content
from content.schema import CoverageRow, Entitlement, QuestionType, Standing

SECTIONS = {
    "2.3": "What children and young people are asked",
    "3.3": "A concern, or a request for support",
    "3.4": "What a concern is about",
    "3.5": "A school move",
    "3.6": "Pupil Premium Plus",
    "3.7": "Training",
    "3.8": "How good a PEP is",
    "3.9": "A handover",
}
HEAD = """# What is asked, and where

Made by `waymark coverage > docs/content-coverage.md`; a test fails while the two differ. The rows
are those of our reference on practice, sections 2.3 and 3.3 to 3.9, as `content/coverage.yaml` has
them. Each is asked somewhere, as `flow`: `question` or `question.option`, or left out for the
reason given, or both. `waymark check-content` fails when what should ask it is gone.
"""
ENTITLEMENTS = """## What young people may get

The rows are those of our reference on entitlements, and ours that are in no row of it (-). What
can be used today, and is sure, is told to whom it fits; what is to come is told as such.
"""


def show() -> None:
    """Print what is asked where, what is left out and why. For docs/content-coverage.md."""
    typer.echo(page(loader.read()), nl=False)


def page(content: Content) -> str:
    parts = [HEAD]
    for section, rows in groupby(content.coverage.values(), lambda row: row.id.split()[0]):
        parts += [f"## {SECTIONS[section]} ({section})\n", *_asked(rows), ""]
    parts += [ENTITLEMENTS, *_told(content)]
    return "\n".join(parts) + "\n"


def _asked(rows: Iterable[CoverageRow]) -> Iterator[str]:
    yield "| Row | What | Asked in | Left out, and why |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        yield f"| {row.id} | {row.asks} | {_places(row.carried)} | {row.left_out or ''} |"


def _places(carried: Iterable[str]) -> str:
    """`a-flow`: `role`, `topic.send`; `another`: `role`."""
    asked: dict[str, list[str]] = {}
    for place in carried:
        flow, _, question = place.partition(".")
        asked.setdefault(flow, []).append(f"`{question}`")
    return "; ".join(f"`{flow}`: {', '.join(questions)}" for flow, questions in asked.items())


def _told(content: Content) -> Iterator[str]:
    yield "| Row | Entitlement | Title | Told in, or why not |"
    yield "| --- | --- | --- | --- |"
    told = _places(_tells(content))
    rows = content.entitlements.values()
    found = [(place, row) for row in rows for place in row.rows or ("-",)]
    for place, row in sorted(found, key=lambda pair: (len(pair[0]) < 2, _place(pair[0]))):
        yield f"| {place} | {row.id} | {row.title} | {_unless(row) or told}{_to_come(row)} |"


def _tells(content: Content) -> Iterator[str]:
    for flow in content.flows.values():
        for question in flow.questions:
            if question.type is QuestionType.ENTITLEMENTS:
                yield f"{flow.id}.{question.id}"


def _place(place: str) -> tuple[str, int]:
    section, _, at = place.partition(".")
    return section, int(at or 0)


def _unless(row: Entitlement) -> str:
    """Why it is not told."""
    if row.standing is Standing.ENDED:
        return "It has ended, and stays here so that nobody adds it again."
    if not row.confidence.publishable:
        return f"Not sure enough to be told as fact (confidence: {row.confidence.value})."
    return ""


def _to_come(row: Entitlement) -> str:
    return f", as not yet ({row.standing.value})" if row.to_come and not _unless(row) else ""
