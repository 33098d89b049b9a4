"""MP3: only its frames are kept; tags, pictures and whatever stands between them are dropped."""

from __future__ import annotations

from dataclasses import dataclass

from bot.files.sounds import bounded
from bot.files.unfit import broken

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
ENOUGH = 4
"""So many frames in a row are no accident."""


@dataclass(frozen=True)
class Frame:
    """One frame's header."""

    length: int
    seconds: float
    family: tuple[int, int]
    """What all frames of one recording share: version and sampling rate."""


def clean(data: bytes) -> bytes:
    """Raises Unfit."""
    found: list[bytes] = []
    seconds = 0.0
    at = _start(data)
    first = _frame(data, at)
    while (at := _next(data, at, first)) >= 0:
        frame = _frame(data, at)
        assert frame is not None
        found.append(data[at : at + frame.length])
        seconds += frame.seconds
        at += frame.length
    if first is None or len(found) < ENOUGH:
        raise broken()
    bounded(seconds)
    return b"".join(found)


def _start(data: bytes) -> int:
    """Where the sound begins: after the tags, at the first frames in a row."""
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        at += 10 + sum((data[at + 6 + i] & 0x7F) << (21 - 7 * i) for i in range(4))
    while at >= 0:
        after, row = at, 0
        while row < ENOUGH and (frame := _frame(data, after)):
            after, row = after + frame.length, row + 1
        if row == ENOUGH:
            return at
        at = data.find(b"\xff", at + 1, at + 65_536)
    raise broken()


def _next(data: bytes, at: int, like: Frame | None) -> int:
    """Where the next whole frame of the same recording begins; -1 after the last."""
    while 0 <= at < len(data):
        frame = _frame(data, at)
        if frame and like and frame.family == like.family:
            return at
        at = data.find(b"\xff", at + 1)
    return -1


def _frame(data: bytes, at: int) -> Frame | None:
    head = int.from_bytes(data[at : at + 4], "big")
    version, layer = head >> 19 & 3, head >> 17 & 3
    kbits, rate = head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or kbits in (0, 15) or rate == 3:
        return None
    samples = 1152 if version == 3 else 576
    hertz = _RATES[version][rate]
    length = samples // 8 * _KBITS[3 if version == 3 else 2][kbits - 1] * 1000 // hertz
    length += head >> 9 & 1
    if at + length > len(data):
        return None
    return Frame(length, samples / hertz, (version, rate))
