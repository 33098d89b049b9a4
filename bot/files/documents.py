"""PDFs: looked through, not rewritten.

Refused is what a reader could be made to run, send or open: scripts, programs to launch, files
inside, forms that send themselves; and what can't be looked into: encrypted files, packed parts
that can't be unpacked. Names are looked for as written, with their #-escapes undone, and in every
part packed with Flate, as most programs pack.

Not caught: faults in a reader's own code that a malformed but harmless-looking PDF provokes; names
in parts packed some other way (unless they hold objects: those are refused); links that a person
would have to press. Staff are handed a PDF only to download, and a scanner can be set up.
"""

from __future__ import annotations

import re
import zlib

from bot.files.unfit import Unfit, broken

DOES_THINGS = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|XFA|GoToE|Movie|Sound)"
    rb"(?![A-Za-z0-9])"
)
LOCKED = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
OBJECTS = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_BEGINS = re.compile(rb"\d\s+\d+\s+obj")
_END = b"%%EOF"
UNPACKED = 4 * 1024 * 1024
"""Bytes looked at of one packed part: lists of objects are far smaller; only pictures are not."""
UNPACKED_IN_ALL = 96 * 1024 * 1024


def clean(data: bytes) -> bytes:
    """The PDF up to its end mark; what hung on after that is dropped. Raises Unfit."""
    end = data.rfind(_END)
    if not data.startswith(b"%PDF-") or end < 0:
        raise broken()
    kept = data[: end + len(_END)] + b"\n"
    plain = _unescaped(kept)
    if LOCKED.search(plain):
        raise Unfit("file-locked")
    _look(plain)
    _look_inside(kept)
    return kept


def _unescaped(data: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), data)


def _look(plain: bytes) -> None:
    if DOES_THINGS.search(plain):
        raise Unfit("file-active")


def _look_inside(data: bytes) -> None:
    left = UNPACKED_IN_ALL
    for start in _STREAM.finditer(data):
        objects = OBJECTS.search(_unescaped(_dictionary(data, start.start())))
        inside, whole = _unpacked(memoryview(data)[start.end() :], max(0, min(left, UNPACKED)))
        if objects and not whole:
            raise Unfit("file-active")
        _look(_unescaped(inside))
        left -= len(inside)


def _dictionary(data: bytes, stream: int) -> bytes:
    """What stands between the beginning of an object and its stream."""
    near = data[max(0, stream - 2048) : stream]
    begun = [found.end() for found in _BEGINS.finditer(near)]
    return near[begun[-1] if begun else 0 :]


def _unpacked(packed: memoryview, most: int) -> tuple[bytes, bool]:
    """What a stream unpacks to, no more than so many bytes of it, and whether that is all."""
    unpack = zlib.decompressobj()
    found = b""
    try:
        # A little at a time: what follows the stream is no part of it, and may be long.
        for at in range(0, len(packed), 65_536):
            found += unpack.decompress(packed[at : at + 65_536], most + 1 - len(found))
            if unpack.eof or len(found) > most:
                break
    except zlib.error:
        return found, False
    return found, unpack.eof and len(found) <= most
