"""MP4 and M4A with AAC or Opus, as Safari and telephones record.

Its tables point into it by position, so nothing is moved: what tells of places, times, names and
programs is blanked where it stands. The sound itself is not rebuilt: bytes in it that no table
points to stay where they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.sounds import bounded
from bot.files.unfit import Unfit, broken

_KEPT = {
    b"": {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"mfra", b"free"},
    b"moov": {b"mvhd", b"trak", b"mvex", b"free"},
    b"trak": {b"tkhd", b"edts", b"mdia", b"free"},
    b"mdia": {b"mdhd", b"hdlr", b"minf", b"free"},
    b"minf": {b"smhd", b"dinf", b"stbl", b"free"},
    b"dinf": {b"dref", b"free"},
    b"moof": {b"mfhd", b"traf", b"free"},
    b"traf": {b"tfhd", b"tfdt", b"trun", b"sbgp", b"sgpd", b"free"},
}
"""What each box may hold; `stbl` and the others are kept as they are."""
_CODECS = {b"mp4a", b"Opus"}


@dataclass(frozen=True)
class Box:
    """Where a box and what it holds begin, and where both end."""

    name: bytes
    start: int
    body: int
    end: int


def clean(data: bytes) -> bytes:
    """Raises Unfit."""
    out = bytearray(data)
    names = _blank(out, Box(b"", 0, 0, len(out)))
    if names.count(b"trak") < 1 or names.count(b"moov") != 1 or b"mdat" not in names:
        raise broken()
    return bytes(out)


def _blank(out: bytearray, box: Box) -> list[bytes]:
    """Blank what is not kept, all the way down; the names of what is."""
    names = []
    for inner in _boxes(out, box):
        if inner.name not in _KEPT[box.name] or inner.name == b"free":
            out[inner.start + 4 : inner.start + 8] = b"free"
            out[inner.body : inner.end] = bytes(inner.end - inner.body)
            continue
        names.append(inner.name)
        if inner.name in _KEPT:
            names += _blank(out, inner)
        elif inner.name in _LOOKS:
            _LOOKS[inner.name](out, inner)
        elif inner.name == b"stbl":
            _codec(out, inner)
    return names


def _boxes(out: bytearray, box: Box) -> Iterator[Box]:
    at = box.body
    while at < box.end:
        if at + 8 > box.end:
            raise broken()
        size, name = struct.unpack_from(">I4s", out, at)
        body = at + 8
        if size == 1 and at + 16 <= box.end:
            (size,) = struct.unpack_from(">Q", out, at + 8)
            body = at + 16
        end = box.end if size == 0 and box.name == b"" else at + size
        if end > box.end or end < body:
            raise broken()
        yield Box(name, at, body, end)
        at = end


def _head(out: bytearray, box: Box) -> None:
    """When it was made is nobody's business; how long it is, is."""
    if box.end - box.body < 24:
        raise broken()
    wide = out[box.body] == 1
    out[box.body + 4 : box.body + (20 if wide else 12)] = bytes(16 if wide else 8)
    if box.name == b"mvhd":
        if wide and box.end - box.body < 32:
            raise broken()
        rate, length = struct.unpack_from(
            ">IQ" if wide else ">II", out, box.body + (20 if wide else 12)
        )
        if rate and length < (1 << 32) - 1:
            bounded(length / rate)


def _handler(out: bytearray, box: Box) -> None:
    if out[box.body + 8 : box.body + 12] != b"soun":
        raise Unfit("file-kind")
    out[box.body + 24 : box.end] = bytes(max(0, box.end - box.body - 24))


def _references(out: bytearray, box: Box) -> None:
    """All of the sound must be in this very file."""
    for one in _boxes(out, Box(b"dref", box.start, box.body + 8, box.end)):
        if one.end - one.body < 4 or not out[one.body + 3] & 1:
            raise broken()
        out[one.body + 4 : one.end] = bytes(one.end - one.body - 4)


def _codec(out: bytearray, box: Box) -> None:
    for inner in _boxes(out, box):
        if inner.name == b"stsd":
            entries = list(_boxes(out, Box(b"stsd", inner.start, inner.body + 8, inner.end)))
            if not entries or any(entry.name not in _CODECS for entry in entries):
                raise Unfit("file-kind")
            return
    raise broken()


_LOOKS = {
    b"mvhd": _head,
    b"tkhd": _head,
    b"mdhd": _head,
    b"hdlr": _handler,
    b"dref": _references,
}
