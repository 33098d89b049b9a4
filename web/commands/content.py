"""`waymark check-content`: faults by file, line and key; and whom a change would touch."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot import underway
from bot.settings import Settings
from bot.wiring import wire
from bot.working_days import LONDON
from content import checks, facts, loader

WORDS = {
    "kept": "go on as they are",
    "again": "are asked something again, or something new",
    "gone": "have an answer that is asked for no more (it is kept)",
    "withdrawn": "can only send what they have",
    "no-flow": "can't be carried on: keep the flow with `withdrawn: true` until they are over",
}


def check(
    under_way: Annotated[
        bool, typer.Option("--under-way", help="Say whom it touches of those in the middle.")
    ] = False,
) -> None:
    """Check every content file; say file, line and key of each fault."""
    content = loader.read()
    faults = checks.check(content)
    if faults:
        sys.exit(checks.report(faults))
    typer.echo(
        f"Content {content.hash}: {len(content.flows)} flows, "
        f"{sum(row.published for row in content.entitlements.values())} entitlements shown "
        f"of {len(content.entitlements)}, {len(content.authorities)} authorities. No faults."
    )
    if due := facts.due(content, datetime.now(UTC).astimezone(LONDON).date()):
        typer.echo(f"due for re-check:\n{checks.report(due)}")
    if under_way:
        for line in _told(asyncio.run(_touched())):
            typer.echo(line)


def _told(found: Mapping[str, Counter[str]]) -> list[str]:
    if not found:
        return ["Nobody is in the middle of anything."]
    return [
        f"{flow}: {many} {WORDS[outcome]}"
        for flow, outcomes in sorted(found.items())
        for outcome in underway.OUTCOMES
        if (many := outcomes[outcome])
    ]


async def _touched() -> Mapping[str, Counter[str]]:
    waymark = wire(Settings())
    await waymark.database.migrate()
    try:
        return await underway.touched(waymark)
    finally:
        await waymark.database.close()
