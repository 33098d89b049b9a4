"""WebM with Opus, as Chromium records: rebuilt from its track and its blocks of sound.

The length is written in, which recorders leave out and players miss.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.sounds import bounded
from bot.files.unfit import Unfit, broken

EBML, SEGMENT, INFO, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TOP = {INFO, TRACKS, CLUSTER, 0x114D9B74, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469, EBML}
"""What stands beside a cluster, and so ends one whose length nobody knew."""
SCALE, LENGTH, MADE_WITH, WRITTEN_WITH = 0x2AD7B1, 0x4489, 0x4D80, 0x5741
TRACK, TRACK_TYPE, CODEC, SOUND = 0xAE, 0x83, 0x86, 0xE1
_OF_TRACK = {0xD7, 0x73C5, TRACK_TYPE, CODEC, 0x63A2, 0x56AA, 0x56BB, 0x9C, 0x23E383, SOUND}
_OF_SOUND = {0xB5, 0x78B5, 0x9F, 0x6264}
MOMENT, BLOCK, GROUP, BLOCK_IN_GROUP = 0xE7, 0xA3, 0xA0, 0xA1
_OF_GROUP = {BLOCK_IN_GROUP, 0x9B, 0x75A2}


@dataclass(frozen=True)
class Element:
    """A piece: what it is and what it holds. `open`: it runs on until something ends it."""

    id: int
    body: memoryview
    after: int
    open: bool = False


def clean(data: bytes) -> bytes:
    """Raises Unfit."""
    top = list(_pieces(memoryview(data)))
    if [piece.id for piece in top[:2]] != [EBML, SEGMENT]:
        raise broken()
    inside = list(_pieces(top[1].body))
    tracks = [track for piece in inside if piece.id == TRACKS for track in _pieces(piece.body)]
    clusters = [piece for piece in inside if piece.id == CLUSTER]
    if not clusters:
        raise broken()
    track = _track([track for track in tracks if track.id == TRACK])
    scale = _scale(inside)
    sound, last = _sound(clusters)
    bounded(last * scale / 1e9)
    return b"".join((_head(), _segment(scale, last), track, *sound))


def _pieces(data: memoryview) -> Iterator[Element]:
    at = 0
    while at < len(data):
        piece = _piece(data, at)
        if piece.open:
            piece = Element(piece.id, data[piece.after : (end := _end(data, piece))], end)
        yield piece
        at = piece.after


def _piece(data: memoryview, at: int) -> Element:
    id_, start, _ = _number(data, at, keep_mark=True)
    size, start, unknown = _number(data, start)
    if unknown:
        if id_ not in (SEGMENT, CLUSTER):
            raise broken()
        return Element(id_, data[start:start], start, open=True)
    if start + size > len(data):
        raise broken()
    return Element(id_, data[start : start + size], start + size)


def _end(data: memoryview, piece: Element) -> int:
    """Where a piece of unknown length ends: a segment with the file, a cluster before the next
    piece of its own rank."""
    if piece.id == SEGMENT:
        return len(data)
    at = piece.after
    while at < len(data) and _number(data, at, keep_mark=True)[0] not in _TOP:
        at = _piece(data, at).after
    return at


def _number(data: memoryview, at: int, *, keep_mark: bool = False) -> tuple[int, int, bool]:
    """A number of as many bytes as its first says; where it ends; whether it means `unknown`."""
    if at >= len(data) or not data[at]:
        raise broken()
    width = 9 - data[at].bit_length()
    if at + width > len(data) or (keep_mark and width > 4):
        raise broken()
    value = int.from_bytes(data[at : at + width], "big")
    bare = value & (1 << 7 * width) - 1
    return value if keep_mark else bare, at + width, bare == (1 << 7 * width) - 1


def _track(tracks: list[Element]) -> bytes:
    """The one track, without its names. Anything but one of sound is refused."""
    if len(tracks) != 1:
        raise Unfit("file-kind")
    parts = {part.id: bytes(part.body) for part in _pieces(tracks[0].body) if part.id in _OF_TRACK}
    if parts.get(TRACK_TYPE) != b"\x02" or parts.get(CODEC) != b"A_OPUS":
        raise Unfit("file-kind")
    if SOUND in parts:
        parts[SOUND] = b"".join(
            _made(part.id, part.body)
            for part in _pieces(memoryview(parts[SOUND]))
            if part.id in _OF_SOUND
        )
    track = b"".join(_made(id_, body) for id_, body in parts.items())
    return _made(TRACKS, _made(TRACK, track))


def _scale(inside: list[Element]) -> int:
    """Nanoseconds of one tick."""
    for piece in inside:
        for part in _pieces(piece.body) if piece.id == INFO else ():
            if part.id == SCALE:
                return int.from_bytes(part.body[:8], "big") or 1_000_000
    return 1_000_000


def _sound(clusters: list[Element]) -> tuple[list[bytes], int]:
    """The clusters with nothing but blocks in them, and when the last block begins."""
    made, last = [], 0
    for cluster in clusters:
        parts, base = [], 0
        for part in _pieces(cluster.body):
            body = bytes(part.body)
            if part.id == MOMENT:
                base = int.from_bytes(body[:8], "big")
            elif part.id == BLOCK:
                last = max(last, base + _offset(part.body))
            elif part.id == GROUP:
                kept = [inner for inner in _pieces(part.body) if inner.id in _OF_GROUP]
                blocks = [inner for inner in kept if inner.id == BLOCK_IN_GROUP]
                last = max([last, *(base + _offset(inner.body) for inner in blocks)])
                body = b"".join(_made(inner.id, inner.body) for inner in kept)
            else:
                continue
            parts.append(_made(part.id, body))
        made.append(_made(CLUSTER, b"".join(parts)))
    return made, last


def _offset(block: memoryview) -> int:
    """When a block begins, counted from its cluster."""
    _, at, _ = _number(block, 0)
    if at + 3 > len(block):
        raise broken()
    return int(struct.unpack_from(">h", block, at)[0])


def _made(id_: int, body: bytes | memoryview) -> bytes:
    width = 1 if len(body) < 127 else 8
    size = (len(body) | 1 << 7 * width).to_bytes(width, "big")
    return id_.to_bytes((id_.bit_length() + 7) // 8, "big") + size + bytes(body)


def _head() -> bytes:
    numbers = {0x4286: 1, 0x42F7: 1, 0x42F2: 4, 0x42F3: 8}
    about = b"".join(_made(id_, bytes([number])) for id_, number in numbers.items())
    about += _made(0x4282, b"webm") + _made(0x4287, b"\x04") + _made(0x4285, b"\x02")
    return _made(EBML, about)


def _segment(scale: int, last: int) -> bytes:
    """The beginning of a segment that runs to the end of the file, and what is known of it."""
    info = _made(SCALE, scale.to_bytes(8, "big")) + _made(LENGTH, struct.pack(">d", last))
    info += _made(MADE_WITH, b"waymark") + _made(WRITTEN_WITH, b"waymark")
    return SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7 + _made(INFO, info)
