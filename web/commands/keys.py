"""`waymark keys`: the keys that words are sealed with, listed and changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import typer

from bot import rotation
from bot.settings import Settings
from bot.wiring import Waymark, wire

app = typer.Typer(no_args_is_help=True, help="The keys that words are sealed with.")
Kind = Annotated[
    Literal["talk", "case"], typer.Argument(help="talk: what is being said. case: what was sent.")
]
Done = TypeVar("Done")


@app.command("list")
def list_() -> None:
    """Every key, how much it opens, and which is in use."""
    for key in _with(rotation.standing):
        use = "in use" if key.newest else "old"
        typer.echo(f"{key.kind}/{key.name}  {use}  opens {key.wraps} records")


@app.command()
def add(kind: Kind) -> None:
    """Make a new key, used at once. Then run `waymark keys rewrap`."""
    typer.echo(_with(lambda waymark: rotation.add(waymark, kind)))


@app.command()
def rewrap() -> None:
    """Bring everything under the newest keys. May be broken off and begun again."""
    typer.echo(f"{_with(rotation.rewrap)} data keys wrapped anew.")


@app.command()
def destroy(kind: Kind, name: str) -> None:
    """Delete an old key that nothing needs any more. Backups made with it can't be read after."""
    _with(lambda waymark: rotation.destroy(waymark, kind, name))
    typer.echo(f"{kind}/{name} is destroyed.")


def _with(do: Callable[[Waymark], Awaitable[Done]]) -> Done:
    async def whole() -> Done:
        waymark = wire(Settings())
        await waymark.database.migrate()
        try:
            return await do(waymark)
        finally:
            await waymark.database.close()

    return asyncio.run(whole())
