"""A copy of somebody's information as a file of their own: to read, or for a program."""

from __future__ import annotations

import json

from fastapi import Request
from fastapi.responses import Response

from bot import copies
from bot.copies import Copy
from bot.wiring import Waymark
from web.templating import Pages

SHARED = ("shared-1", "shared-2", "shared-3")
"""Who may have seen it, in general words: `copies.*`."""


def page(request: Request, pages: Pages, copy: Copy, *, draft: bool = False) -> Response:
    """One file that holds everything it needs: no script, no picture, nothing to be fetched."""
    response: Response = pages.show(request, "copy.html", copy=copy, shared=SHARED)
    return _as_file(response, copy, "html", draft)


def data(waymark: Waymark, copy: Copy, *, draft: bool = False) -> Response:
    words = waymark.content.wording["en"]
    school = waymark.authority.virtual_school
    shared = [words[f"copies.{key}"].format(school=school) for key in SHARED]
    text = json.dumps(copies.as_json(copy, shared), ensure_ascii=False, indent=2)
    return _as_file(Response(text, media_type="application/json"), copy, "json", draft)


def _as_file(response: Response, copy: Copy, kind: str, draft: bool) -> Response:
    name = f"{copy.reference}{'-not-released' if draft else ''}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
