"""What a page is handed: the running Waymark, and the pages it can show."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from bot.wiring import Waymark
from web.templating import Pages


def _waymark(request: Request) -> Waymark:
    waymark: Waymark = request.app.state.waymark
    return waymark


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


ThisWaymark = Annotated[Waymark, Depends(_waymark)]
ThesePages = Annotated[Pages, Depends(_pages)]
