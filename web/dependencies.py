"""What a page is handed: the running Waymark, the pages it can show, who signs staff in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from bot.wiring import Waymark
from web.casework.browsers import family
from web.casework.oidc import Provider
from web.templating import Pages


async def _waymark(request: Request) -> Waymark:
    waymark: Waymark = request.app.state.waymark
    await waymark.facts.refresh(waymark.database, waymark.clock())
    return waymark


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _council(request: Request) -> Provider | None:
    council: Provider | None = request.app.state.council
    return council


def _browser(request: Request) -> str:
    return family(request.headers.get("user-agent", ""))


ThisWaymark = Annotated[Waymark, Depends(_waymark)]
ThesePages = Annotated[Pages, Depends(_pages)]
ThisCouncil = Annotated[Provider | None, Depends(_council)]
"""The council's own sign-in, where there is one."""
ItsBrowser = Annotated[str, Depends(_browser)]
"""What kind of browser asks, in plain words."""
