"""WAV: the format and the samples are kept, every other chunk is dropped."""

from __future__ import annotations

import struct

from bot.files.sounds import bounded
from bot.files.unfit import Unfit, broken

_PLAIN = (1, 3)
"""Whole numbers and fractions; browsers play both."""
_EXTENSIBLE = 0xFFFE


def clean(data: bytes) -> bytes:
    """Raises Unfit."""
    how, samples = _parts(data)
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", how)
    if tag == _EXTENSIBLE and len(how) >= 26:
        (tag,) = struct.unpack_from("<H", how, 24)
    if tag not in _PLAIN or bits not in (8, 16, 24, 32):
        raise Unfit("file-kind")
    if not (1 <= channels <= 2 and 8_000 <= rate <= 192_000):
        raise broken()
    align = channels * bits // 8
    samples = samples[: len(samples) // align * align]
    if not samples:
        raise broken()
    bounded(len(samples) / (align * rate))
    how = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits)
    body = b"WAVE" + _chunk(b"fmt ", how) + _chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _parts(data: bytes) -> tuple[bytes, bytes]:
    how, at = b"", 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            how = body
        if name == b"data" and len(how) >= 16:
            # A recorder that never knew the length writes one that is too large.
            return how, body
        at += 8 + size + size % 2
    raise broken()


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
