"""`waymark find`: questions on standard input, a line of JSON each; what fits them, likewise."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bot import finding
from bot.facts import told
from bot.finding import Index
from bot.settings import Settings
from bot.wiring import decided
from bot.working_days import LONDON
from content import checks, loader


def find(
    authority: Annotated[
        str | None, typer.Option(help="Whose pack; WAYMARK_AUTHORITY if none is named.")
    ] = None,
) -> None:
    """Read {"id", "text"} lines; write {"id", "results"} lines, best first, or none. Nothing is
    kept."""
    settings = Settings()
    whose = authority or settings.authority
    content = checks.checked(loader.read())
    if whose not in content.authorities:
        known = ", ".join(sorted(content.authorities))
        raise ValueError(f"There is no authority {whose!r}; there is: {known}")
    today = datetime.now(UTC).astimezone(LONDON).date()
    decisions = asyncio.run(decided(settings))
    index = told(content.served_by(whose), whose, decisions, today).finder
    for line in sys.stdin.buffer:
        if line.strip():
            typer.echo(json.dumps(_answer(index, line)))
            sys.stdout.flush()  # whoever asks one at a time waits for the answer


def _answer(index: Index, line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        return {"id": None, "error": "not a line of JSON"}
    if not isinstance(asked, dict):
        return {"id": None, "error": 'not an object with "id" and "text"'}
    named = asked.get("id")
    if "id" not in asked or isinstance(named, dict | list):
        return {"id": None, "error": '"id" must be words or a number'}
    if not isinstance(asked.get("text"), str):
        return {"id": named, "error": '"text" must be words'}
    return {"id": named, "results": [_result(r) for r in index.find(asked["text"])]}


def _result(result: finding.Result) -> dict[str, Any]:
    found = result.document
    return {
        "id": found.id,
        "kind": found.kind.value,
        "title": found.title,
        "summary": found.summary,
        "score": result.score,
    }
