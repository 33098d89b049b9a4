"""A file sent by a form: read into memory and no further, then what is meant by all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from bot import attaching
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.files.cleaning import LARGEST
from bot.inbound import Arrived
from bot.wiring import Waymark
from content.schema import FileKind, Question, QuestionType, Skip
from web.public.turns import Posted
from web.security import Browser

ROOM = LARGEST + 64 * 1024
"""Bytes held of a body: one file, and the few words around it."""
AT_ONCE = 16
"""Bodies held at the same time."""
PATIENCE = 300.0
"""Seconds a body may take: on a slow telephone, a large photo takes minutes."""
MEGABYTES = LARGEST // 1024 // 1024
CHOOSABLE: Mapping[FileKind, tuple[str, ...]] = {
    FileKind.PICTURE: ("image/jpeg", "image/png", "image/webp"),
    FileKind.VOICE: (
        ".mp3", ".m4a", ".ogg", ".opus", ".weba", ".webm", ".wav",
        "audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/ogg", "audio/webm", "audio/wav",
    ),
    FileKind.DOCUMENT: (".pdf", "application/pdf"),
}  # fmt: skip
"""What a browser offers to choose from. What is taken is decided by what is in the file."""


class _Room:
    """Where bodies are held until they are done with: so many at the same time, and no more."""

    def __init__(self, places: int) -> None:
        self._free = places

    @contextmanager
    def taken(self) -> Iterator[int]:
        """How many bytes may be held; none when it is full."""
        mine = min(self._free, 1)
        self._free -= mine
        try:
            yield mine * ROOM
        finally:
            self._free += mine


_room = _Room(AT_ONCE)


@dataclass(frozen=True)
class Meant:
    """What a post means, with the words and files that came with it."""

    event: ev.Event
    post: Posted
    files: tuple[Arrived, ...] = ()


class _Unread(Exception):
    """A body that was not held; the text is the key of what to say."""


def takes(asked: say.Ask, question: str) -> bool:
    """Whether this is what is being asked, and it asks for files."""
    return asked.question.id == question and asked.question.type is QuestionType.FILE


def asking(question: Question) -> dict[str, Any]:
    """What a page needs to ask for files."""
    accept = ",".join(part for kind in question.accepts for part in CHOOSABLE[kind])
    return {"accept": accept, "megabytes": MEGABYTES}


async def meant(waymark: Waymark, request: Request, browser: Browser, asked: say.Ask) -> Meant:
    """Read the body and clean the file in it, if there is one. Raises TooMuch."""
    with _room.taken() as room:
        return await _meant(waymark, request, browser, asked, room)


async def _meant(
    waymark: Waymark, request: Request, browser: Browser, asked: say.Ask, room: int
) -> Meant:
    question = asked.question
    try:
        post, content = await _read(request, room)
    except _Unread as trouble:
        gaps = (("most", str(MEGABYTES)),)
        return Meant(ev.Unfit(question.id, str(trouble), gaps), Posted(()))
    if post.one("skip") in tuple(Skip):
        return Meant(ev.Skipped(Skip(post.one("skip")), question.id), post)
    if post.one("remove"):
        return Meant(ev.Removed(question.id, post.one("remove")), post)
    adds = bool(post.one("add"))
    if content is None:
        none = ev.Unfit(question.id, "file-none") if adds else ev.Picked(question.id)
        return Meant(none, post)
    most = question.max or 1
    if len(asked.answer.values if asked.answer else ()) >= most:
        return Meant(ev.Unfit(question.id, "file-enough", (("most", str(most)),)), post)
    try:
        arrived = await attaching.take_in(waymark, content, question.accepts, browser.whose)
    except attaching.Unfit as unfit:
        return Meant(ev.Unfit(question.id, unfit.key, tuple(unfit.gaps.items())), post)
    return Meant(ev.Added(question.id, done=not adds), post, (arrived,))


# --- Reading ------------------------------------------------------------------------------


async def _read(request: Request, room: int) -> tuple[Posted, bytes | None]:
    """The words of a form, and the file in it. What it is called is not looked at."""
    try:
        async with asyncio.timeout(PATIENCE):
            form = await _parsed(request, _bounded(request, room))
    except (ClientDisconnect, MultiPartException, TimeoutError) as error:
        raise _Unread("file-broken") from error
    try:
        words = tuple((key, value) for key, value in form.multi_items() if isinstance(value, str))
        file = form.get("file")
        chosen = isinstance(file, UploadFile) and bool(file.filename or file.size)
        return Posted(words), await file.read() if chosen else None  # type: ignore[union-attr]
    finally:
        await form.close()


async def _bounded(request: Request, room: int) -> AsyncGenerator[bytes, None]:
    """The body as far as there is room. The rest is read all the same and let go: a browser hears
    no answer before it has said everything."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read <= room:
            yield chunk
    if read > room:
        raise _Unread("file-too-big" if room else "file-busy")


async def _parsed(request: Request, body: AsyncGenerator[bytes, None]) -> FormData:
    how = request.headers.get("content-type", "")
    few = {"max_fields": 20, "max_part_size": 16 * 1024}
    if how.startswith("multipart/form-data"):
        parser = MultiPartParser(request.headers, body, max_files=1, **few)
        parser.spool_max_size = ROOM  # never to a disk: nothing there is sealed
        return await parser.parse()
    if how.startswith("application/x-www-form-urlencoded"):
        return await FormParser(request.headers, body, **few).parse()
    async for _ in body:
        pass
    return FormData()
