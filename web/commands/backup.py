"""`waymark backup`: make, verify, list and forget backups, and the key that opens them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.backup import envelope, erasures, keypair, making
from bot.backup.nightly import last_backup
from bot.backup.shelf import Backup, Shelf
from bot.errors import BadBackup
from bot.keyring import write_secret
from bot.settings import Settings
from bot.wiring import Waymark, wire
from content import loader

app = typer.Typer(no_args_is_help=True, help="Backups that this machine can't read.")
Folder = Annotated[Path | None, typer.Option("--to", help="the folder; else WAYMARK_BACKUP_DIR")]


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="where its private half goes; - prints it")],
) -> None:
    """Make a backup key. Its private half is written this once: take it away from here."""
    settings = Settings()
    halves = making.public_halves(settings)
    public, paper = keypair.new(halves)
    if str(file) == "-":
        typer.echo(paper)
    else:
        _keep_away(file, settings)
        write_secret(file, paper.encode())
        typer.echo(f"{file} opens the backups: take it away from this machine.")
    keypair.keep(halves, public)
    typer.echo(f"From now on backups are sealed with key {public.id}.")


def _keep_away(file: Path, settings: Settings) -> None:
    for folder in (settings.data_dir, making.folder(settings)):
        if file.resolve().is_relative_to(folder.resolve()):
            raise BadBackup(f"Not in {folder}: whoever takes that folder could open the backups")


@app.command()
def make(
    to: Folder = None,
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="the key files too, as a file for another safe")
    ] = False,
) -> None:
    """Back up the database, encrypted, and read it back."""
    settings = Settings()
    shelf, public = _shelf(settings, to), keypair.newest(making.public_halves(settings))
    _tell(shelf, asyncio.run(_make(wire(settings), shelf, public)))
    erasures.keep_beside(settings.data_dir, shelf.folder)
    if with_keys:
        _tell(shelf, making.keep_keys(settings, shelf, public, datetime.now(UTC)))
        typer.echo("That file holds the keys. Keep it elsewhere than the backups.")
    elif making.keys_changed(settings, shelf):
        typer.echo("The key files changed since they were backed up: use --with-keys.")


async def _make(waymark: Waymark, shelf: Shelf, public: keypair.Public) -> Backup:
    try:
        return await making.make(waymark, shelf, public)
    finally:
        await waymark.database.close()


def _tell(shelf: Shelf, made: Backup) -> None:
    rows = sum(made.counts.values())
    typer.echo(f"{shelf.folder / made.file}  {_size(made.size)}, {rows} rows, read back whole")


@app.command()
def verify(
    file: Path,
    key: Annotated[Path | None, typer.Option(help="the file with the backup key in it")] = None,
) -> None:
    """Open a backup whole and count what is in it; without the key, only compare its checksum."""
    if key is not None:
        counts = making.verify(file, keypair.read(key.read_text(encoding="utf-8")))
        typer.echo("\n".join(f"{rows:8}  {name}" for name, rows in counts.items()))
        typer.echo(f"{file.name} is whole.")
        return
    shelf = Shelf(file.parent)
    if not any(shelf.is_whole(one) for one in shelf.all() if one.file == file.name):
        raise BadBackup(f"{file.name} is not as the index beside it says, or not in it")
    typer.echo(f"{file.name} is as it was written. Key {envelope.head(file).key} opens it.")


@app.command("list")
def list_(to: Folder = None) -> None:
    """The backups there are, and whether the last one is late."""
    settings = Settings()
    shelf = _shelf(settings, to)
    for made in shelf.all():
        when = made.at.strftime("%Y-%m-%d %H:%M")
        typer.echo(f"{when}  {_size(made.size):>10}  key {made.key}  {made.file}")
    last = last_backup(shelf, datetime.now(UTC))
    if last.failed:
        typer.echo(f"One failed at {last.failed.at:%Y-%m-%d %H:%M}: {last.failed.failed}")
    if last.late:
        typer.echo("There is no backup of the last 26 hours.")
    if making.keys_changed(settings, shelf):
        typer.echo("The key files changed since they were backed up: make one with --with-keys.")


@app.command()
def prune(
    to: Folder = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say which")] = False,
) -> None:
    """Delete backups older than the retention policy says, but never the newest good one."""
    days = loader.read().policy.retention.backup
    shelf = _shelf(Settings(), to)
    gone = shelf.prune(datetime.now(UTC), days, dry_run=dry_run)
    for name in gone:
        typer.echo(name)
    typer.echo(f"{len(gone)} older than {days} days{' would be' if dry_run else ''} deleted.")


def _shelf(settings: Settings, to: Path | None) -> Shelf:
    return Shelf(to or making.folder(settings))


def _size(size: int) -> str:
    return f"{size / 1024:,.0f} KiB"
