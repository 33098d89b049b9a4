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
from content.loader import Content
from content.plain_words import read_texts, reading_age
from content.walk import lengths

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
    flows: Annotated[
        bool, typer.Option("--flows", help="Say how long each flow is, and how easy to read.")
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
    if flows:
        for line in _lengths(content):
            typer.echo(line)
    if due := facts.due(content, datetime.now(UTC).astimezone(LONDON).date()):
        typer.echo(f"due for re-check:\n{checks.report(due)}")
    if under_way:
        for line in _told(asyncio.run(_touched())):
            typer.echo(line)


def _lengths(content: Content) -> list[str]:
    """Fewest and most questions on a way to the end, how long it says it takes, and the reading
    age of its words taken together."""
    lines = [f"{'flow':<28} {'questions':>9} {'minutes':>8} {'reading age':>12}"]
    for name, flow in content.flows.items():
        fewest, most = lengths(flow)
        age = reading_age("\n".join(said.text for said in read_texts(flow))) or 0
        lines.append(f"{name:<28} {f'{fewest}-{most}':>9} {flow.minutes:>8} {age:>12.1f}")
    return lines


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
