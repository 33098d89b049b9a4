"""`waymark retention`: what goes when, and removing what is due now."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from bot import retention
from bot.retention import Ahead
from bot.settings import Settings
from bot.wiring import Waymark, wire
from web.chores import CHORES

app = typer.Typer(no_args_is_help=True, help="What is kept how long: look ahead, and remove.")
Result = TypeVar("Result")


@app.command()
def preview(months: int = typer.Option(12, min=1, max=120, help="How far to look ahead.")) -> None:
    """Say what a run would remove now, and what goes in each month to come. Changes nothing."""
    found = asyncio.run(_with(lambda waymark: retention.preview(waymark, months)))
    for name, ahead in found.items():
        typer.echo(_line(name, ahead))


def _line(name: str, ahead: Ahead) -> str:
    told = [f"{ahead.due} due now"]
    told += [f"{ahead.held} kept back"] if ahead.held else []
    told += [f"{month}: {many}" for month, many in sorted(ahead.months.items())]
    return f"{name:<24} {', '.join(told)}"


@app.command()
def run() -> None:
    """Remove what was kept long enough, as every night. Fails if anything overdue is left."""
    swept = asyncio.run(_with(lambda waymark: retention.run(waymark, CHORES)))
    if swept is None:
        sys.exit("Another process is at it just now. Nothing was done here.")
    for name, many in swept.removed.items():
        typer.echo(f"{name:<24} {many} removed")
    if swept.left:
        told = ", ".join(f"{name}: {many}" for name, many in swept.left.items())
        sys.exit(f"Overdue and not removed: {told}. The log says what went wrong.")
    typer.echo("Nothing overdue is left.")


async def _with(do: Callable[[Waymark], Awaitable[Result]]) -> Result:
    waymark = wire(Settings())
    await waymark.database.migrate()
    try:
        return await do(waymark)
    finally:
        await waymark.database.close()
