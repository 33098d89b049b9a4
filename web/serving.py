"""A file handed to a browser, so that it can do nothing there but be saved, seen or heard."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import HTTPException, Request, Response

ENDINGS: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "application/pdf": "pdf",
    "audio/ogg": "ogg",
    "audio/webm": "webm",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}
"""What is ever handed out, and how its name ends."""
WITHIN = ("image", "audio")
"""What a page may use a file as. As a page of its own it would stand in our name."""
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")


def to_save(content: bytes, media_type: str, name: str) -> Response:
    """As a download, under a name of ours."""
    return Response(content, headers=_headers(media_type, name))


def only_within(request: Request) -> None:
    """Raises 404 unless an image or a player in a page asks. Browsers too old to say who asks are
    given the file as well, but as a download."""
    if request.headers.get("sec-fetch-dest", WITHIN[0]) not in WITHIN:
        raise HTTPException(404)


def within(request: Request, content: bytes, media_type: str) -> Response:
    """For an image or a player, a piece at a time if asked: Safari plays nothing else."""
    headers = {**_headers(media_type, "file"), "Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None:
        return Response(content, headers=headers)
    first = int(wanted[1])
    last = min(int(wanted[2] or len(content)), len(content) - 1)
    if first > last:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], status_code=206, headers=headers)


def _headers(media_type: str, name: str) -> dict[str, str]:
    return {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{name}.{ENDINGS[media_type]}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
