"""The `waymark` command: run, play, check the content, add staff."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Literal

import typer
import uvicorn
from pydantic import ValidationError

from bot.errors import BadBackup
from bot.keyring import NoKey
from bot.rotation import KeyInUse
from bot.settings import Settings
from bot.telegram import app as telegram
from bot.wiring import Waymark, decided, wire
from content.loader import ContentError
from web import play as playing
from web import server
from web.app import create_app
from web.casework import accounts
from web.commands import (
    audit,
    backup,
    content,
    coverage,
    entitlements,
    find,
    keys,
    restore,
    retention,
    rights,
    screen,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.command("check-content")(content.check)
app.command("rights")(rights.show)
app.command("coverage")(coverage.show)
app.command("entitlements", help=entitlements.HELP)(entitlements.show)
app.command("find")(find.find)
app.command("screen")(screen.screen)
app.add_typer(backup.app, name="backup")
app.command("restore")(restore.restore)
app.add_typer(retention.app, name="retention")


def main() -> None:
    """The command's way in: trouble anyone can mend is a sentence, not a traceback."""
    try:
        app()
    except ContentError as error:
        sys.exit(f"The content has faults, so nothing was started:\n{error}")
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
        ]
        sys.exit("The settings (WAYMARK_...) can't be used:\n" + "\n".join(faults))
    except (NoKey, KeyInUse, BadBackup, ValueError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


@app.command()
def run(
    role: Annotated[
        Literal["all", "public", "staff"] | None,
        typer.Option(help="public: for senders, and can't open what was sent. staff: for staff."),
    ] = None,
) -> None:
    """Serve the site, the browser chat and the form; and Telegram, if a token is set."""
    settings = Settings()
    if role:
        settings = settings.model_copy(update={"role": role})
    waymark = wire(settings)
    site = create_app(waymark, telegram.connect(settings))
    config = server.config(site, host=settings.host, port=settings.port)
    uvicorn.Server(config).run()


@app.command()
def play(flow: str, language: str = "en") -> None:
    """Hold a flow's conversation here in the terminal. Nothing is kept."""
    settings = Settings()
    waymark = wire(settings)
    waymark.facts.decisions = asyncio.run(decided(settings))
    playing.hold(waymark, flow, language)


@app.command("add-staff")
def add_staff(
    name: str,
    email: str,
    role: Annotated[str, typer.Option(help="headteacher, education-coordinator ...")],
    team: Annotated[str | None, typer.Option(help="One of `teams` in the council's file.")] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="for when the council's own sign-in fails")
    ] = False,
    new_phone: Annotated[
        bool, typer.Option("--new-phone", help="phone and recovery codes are gone")
    ] = False,
) -> None:
    """Add a member of the team, or let one back in; prints a one-time way in."""
    more = {"emergency": emergency, "new_phone": new_phone}
    asyncio.run(_add_staff(wire(Settings()), name, email, role, team, **more))


async def _add_staff(
    waymark: Waymark, name: str, email: str, role: str, team: str | None, **more: bool
) -> None:
    await waymark.database.migrate()
    link = await accounts.add(waymark, name, email, role, team, **more)
    typer.echo(link)
    await waymark.database.close()
