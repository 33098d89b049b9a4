"""`waymark audit`: verify the log, anchor it, and make a new key for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot import anchors, watch
from bot.audit_keys import add_key
from bot.settings import Settings
from bot.store.chain import Anchor
from bot.store.verification import Verdict
from bot.wiring import Waymark, wire

app = typer.Typer(no_args_is_help=True, help="The log of who did what, and who opened what.")


@app.command()
def verify(
    held_against: Annotated[
        list[Path] | None,
        typer.Option("--anchors", help="a file of anchors fetched from where they were posted"),
    ] = None,
) -> None:
    """Hold every line against the one before, the keys and the anchors; names the first fault."""
    more = [anchor for path in held_against or () for anchor in _anchors(path)]
    verdict = asyncio.run(_verify(wire(Settings()), more))
    typer.echo(told(verdict))
    if verdict.fault:
        raise typer.Exit(1)


def _anchors(path: Path) -> list[Anchor]:
    if not path.exists():
        raise ValueError(f"There is no file {path}")
    return anchors.read(path)


async def _verify(waymark: Waymark, more: list[Anchor]) -> Verdict:
    await waymark.database.migrate()
    verdict = await watch.verify(waymark, more)
    await waymark.database.close()
    return verdict


def told(verdict: Verdict) -> str:
    """What verifying found, in a sentence or two."""
    looked = f"{verdict.lines} lines, up to line {verdict.end.seq}"
    looked += f"; {verdict.anchors} anchors agree with it"
    if verdict.segments:
        looked += f"; {verdict.segments} older parts were removed by age"
    if verdict.restored:
        looked += f"; restored from a backup {verdict.restored} times"
    if verdict.fault:
        return f"FAULT at line {verdict.fault.seq}. {verdict.fault.words}\nGenuine: {looked}."
    return f"The log is whole: {looked}."


@app.command()
def anchor() -> None:
    """Write down now, off the box, where the log stands."""
    waymark = wire(Settings())
    if waymark.settings.audit_anchor is None:
        raise ValueError("Set WAYMARK_AUDIT_ANCHOR to a file or an address (https://...) first")
    found = asyncio.run(_anchor(waymark))
    if found is None:
        typer.echo("Not anchored: the place in WAYMARK_AUDIT_ANCHOR can't be reached or written to")
        raise typer.Exit(1)
    typer.echo(f"Anchored at line {found.seq}.")


async def _anchor(waymark: Waymark) -> Anchor | None:
    await waymark.database.migrate()
    found = await anchors.anchor(waymark)
    await waymark.database.close()
    return found


@app.command("new-key")
def new_key() -> None:
    """Make a new key to sign with from the next start on; the old ones still verify."""
    name = add_key(Settings().data_dir / "keys" / "audit")
    typer.echo(f"Made key {name}. Back it up with the others; it signs from the next start on.")
