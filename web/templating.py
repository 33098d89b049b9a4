"""Templates to pages: words from content, times as people read them, everything escaped."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from bot.wiring import Waymark
from bot.working_days import LONDON

HERE = Path(__file__).parent


@lru_cache
def _templates() -> Environment:
    """The templates, each compiled once in a process."""
    # autoescape is said outright: by file name, some templates would go unescaped.
    # The GOV.UK macros look into parameters that may be missing: hence ChainableUndefined.
    environment = Environment(
        autoescape=True,
        auto_reload=False,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=ChoiceLoader(
            [
                PackageLoader("web"),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
    )
    environment.globals.update(asset=asset)
    environment.filters.update(day=day, weekday=weekday, moment=moment)
    return environment


class Pages:
    """Every page of the site, ready to be filled in."""

    def __init__(self, waymark: Waymark) -> None:
        self._waymark = waymark

    def show(
        self, request: Request, name: str, *, status: int = 200, language: str = "en", **filled: Any
    ) -> HTMLResponse:
        """A template filled in. `t('pages.front.title')` in it is a word of content."""
        words = self._waymark.content.wording.get(language, self._waymark.content.wording["en"])

        def t(key: str, **gaps: Any) -> str:
            return words[key].format(**gaps)

        text = (
            _templates()
            .get_template(name)
            .render(
                t=t,
                authority=self._waymark.authority,
                flows=self._waymark.content.flows,
                language=language,
                nonce=request.scope.get("state", {}).get("nonce", ""),
                path=request.scope["path"],
                **filled,
            )
        )
        return HTMLResponse(text, status_code=status)


@lru_cache
def asset(name: str) -> str:
    """The address of a static file, with its content's hash so that a new one is fetched."""
    path = HERE / "static" / name
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.exists() else "missing"
    return f"/static/{name}?{mark}"


def day(value: date | datetime) -> str:
    """21 November 2026."""
    local = value.astimezone(LONDON) if isinstance(value, datetime) else value
    return f"{local.day} {local:%B %Y}"


def weekday(value: date | datetime) -> str:
    """Friday 27 November."""
    local = value.astimezone(LONDON) if isinstance(value, datetime) else value
    return f"{local:%A} {local.day} {local:%B}"


def moment(value: datetime) -> str:
    """21 November 2026, 4:05pm."""
    local = value.astimezone(LONDON)
    hour = local.hour % 12 or 12
    return f"{day(local)}, {hour}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
