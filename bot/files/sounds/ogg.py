"""Ogg with Opus, as Firefox and Telegram record: its pages are kept, its tags are written anew."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.sounds import bounded
from bot.files.unfit import Unfit, broken

_HEAD = struct.Struct("<4sBBqIIIB")
_TAGS = b"OpusTags" + struct.pack("<I7sI", 7, b"waymark", 0)
_BEGINS = 2


@dataclass(frozen=True)
class Page:
    """One page: its header's fields, and all of it as it stands."""

    flags: int
    moment: int
    """Samples at 48 kHz up to its end; -1 where no packet ends on it."""
    stream: int
    lacing: bytes
    body: bytes
    whole: bytes

    @property
    def ends_packet(self) -> bool:
        return any(length < 255 for length in self.lacing)


def clean(data: bytes) -> bytes:
    """Raises Unfit."""
    pages = list(_pages(data))
    first = pages[0]
    if not first.flags & _BEGINS or not first.body.startswith(b"OpusHead") or len(first.body) < 19:
        raise Unfit("file-kind")
    if any(page.stream != first.stream or page.flags & _BEGINS for page in pages[1:]):
        raise Unfit("file-kind")  # a picture beside the sound, or a second recording behind it
    rest = _after_tags(pages[1:])
    (skipped,) = struct.unpack_from("<H", first.body, 10)
    bounded((max(page.moment for page in rest) - skipped) / 48_000)
    tags = _made(first.stream, 1, _TAGS)
    return b"".join((first.whole, tags, *(page.whole for page in rest)))


def _after_tags(pages: list[Page]) -> list[Page]:
    """The pages of sound. The tags end their page, as the standard has it."""
    for number, page in enumerate(pages, 1):
        if page.ends_packet:
            if not pages[0].body.startswith(b"OpusTags") or number == len(pages):
                raise broken()
            return pages[number:]
    raise broken()


def _pages(data: bytes) -> Iterator[Page]:
    at = 0
    while at < len(data):
        if len(data) < at + _HEAD.size:
            raise broken()
        mark, version, flags, moment, stream, _, _, count = _HEAD.unpack_from(data, at)
        body = at + _HEAD.size + count
        lacing = data[at + _HEAD.size : body]
        end = body + sum(lacing)
        if mark != b"OggS" or version != 0 or len(data) < end:
            raise broken()
        yield Page(flags, moment, stream, lacing, data[body:end], data[at:end])
        at = end


def _made(stream: int, number: int, body: bytes) -> bytes:
    """A page with one short packet."""
    lacing = bytes([len(body)])

    def page(check: int) -> bytes:
        return _HEAD.pack(b"OggS", 0, 0, 0, stream, number, check, 1) + lacing + body

    return page(_check(page(0)))


def _check(data: bytes) -> int:
    """Ogg's own checksum."""
    check = 0
    for byte in data:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check & 0x80000000 else 0)) & 0xFFFFFFFF
    return check
