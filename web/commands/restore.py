"""`waymark restore`: get everything back from a backup, and look whether it is all there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.backup import keyfiles, keypair, restoring
from bot.backup.restoring import Report
from bot.settings import Settings
from bot.wiring import Waymark, wire
from web.commands import audit


def restore(
    file: Path,
    key: Annotated[Path, typer.Option(help="the file with the backup key in it")],
    keys: Annotated[
        Path | None, typer.Option(help="a backup of the key files, put back first")
    ] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="replace what is there, after a backup of it")
    ] = False,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="even if what they open stays closed")
    ] = False,
) -> None:
    """Put a backup back, all of it or nothing. Stop Waymark first."""
    settings = Settings()
    private = keypair.read(key.read_text(encoding="utf-8"))
    manifest = restoring.manifest(file, private)
    if keys:
        put_back = keyfiles.put_back(keys, private, settings.data_dir)
        typer.echo(f"{put_back} key files put back.")
    if not without_keys:
        keyfiles.check(manifest, settings.data_dir)
    waymark = wire(settings)
    report = asyncio.run(_restore(waymark, file, private, replace=replace))
    typer.echo(told(report))
    if not report.whole:
        raise typer.Exit(1)


async def _restore(
    waymark: Waymark, file: Path, private: keypair.Private, *, replace: bool
) -> Report:
    try:
        return await restoring.restore(waymark, file, private, replace=replace)
    finally:
        await waymark.database.close()


def told(report: Report) -> str:
    """What was done and found, in plain words."""
    manifest = report.manifest
    lines = [f"{rows:8}  {name}" for name, rows in manifest.counts.items() if rows]
    lines.append(f"Restored as it was on {manifest.made_at:%d %B %Y at %H:%M} UTC.")
    if report.aside:
        lines.append(f"What was there before is in {report.aside.file}.")
    if report.erasures_known:
        lines.append(f"Erased again, because it had been erased since: {report.erased_again}.")
    else:
        lines.append("No list of erasures was found: what was erased since the backup is back.")
    lines += [
        f"{place}: {'opens' if opens else 'CAN NOT BE OPENED with the keys here'}"
        for place, opens in report.opened.items()
    ]
    if report.audit:
        lines.append(audit.told(report.audit))
    lines.append(f"It took {report.seconds:.1f} seconds. Everybody signs in again.")
    return "\n".join(lines)
