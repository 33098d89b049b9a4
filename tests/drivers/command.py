"""The `waymark` command, as somebody types it at the machine."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from unittest import mock

from tests.drivers.waymark import CONTENT
from web import cli


@dataclass(frozen=True)
class Done:
    """What it printed, with what it said on leaving, and whether it went well."""

    said: str
    well: bool


def waymark(settings: Mapping[str, object], *typed: object) -> Done:
    """Run it. Settings by their names, without WAYMARK_."""
    environment = {f"WAYMARK_{name.upper()}": str(value) for name, value in settings.items()}
    out = io.StringIO()
    with (
        mock.patch.dict("os.environ", environment),
        mock.patch.object(sys, "argv", ["waymark", *map(str, typed)]),
        mock.patch("content.loader.read", return_value=CONTENT),  # reading it each time is slow
        mock.patch("content.checks.checked", return_value=CONTENT),
        contextlib.redirect_stdout(out),
        ThreadPoolExecutor(1) as pool,  # it has an event loop of its own
    ):
        left = pool.submit(_main).result()
    said = out.getvalue() + (left if isinstance(left, str) else "")
    return Done(said, well=left in (None, 0))


def _main() -> str | int | None:
    try:
        cli.main()
    except SystemExit as leaving:
        return leaving.code
    return None
