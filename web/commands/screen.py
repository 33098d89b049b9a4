"""`waymark screen`: texts on standard input, a line of JSON each; what they tell, likewise."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from bot.safeguarding import Screening
from content import checks, loader
from content.schema import Urgency


def screen() -> None:
    """Read {"id", "text"} lines; write {"id", "label", "category", "reasons"} lines. Nothing is
    kept."""
    screening = Screening(checks.checked(loader.read()).screening)
    for line in sys.stdin.buffer:
        if line.strip():
            typer.echo(json.dumps(_told(screening, line)))
            sys.stdout.flush()  # whoever asks one at a time waits for the answer


def _told(screening: Screening, line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        return {"id": None, "error": "not a line of JSON"}
    if not isinstance(asked, dict) or "id" not in asked:
        return {"id": None, "error": 'not an object with "id" and "text"'}
    if not isinstance(asked.get("text"), str):
        return {"id": asked["id"], "error": '"text" must be words'}
    found = screening.screen(asked["text"])
    return {
        "id": asked["id"],
        "label": (found.urgency if found else Urgency.NONE).value,
        "category": found.category if found else None,
        "reasons": list(found.reasons) if found else [],
    }
