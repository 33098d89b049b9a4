"""Where a file is opened: a process of its own, which can open nothing else and is soon over.

It reads a file from standard input and writes what is left of it, or why it can't be taken, to
standard output. Whatever a file does to the programs that read it, it does here: without other
files, without the network, without much memory or time, and without the service's secrets.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping

import filetype  # type: ignore[import-untyped]

from bot.files import documents, pictures
from bot.files.sounds import mp3, mp4, ogg, wav, webm
from bot.files.unfit import Unfit

MEMORY = 1536 * 1024 * 1024
SECONDS = 15
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The agreed test for scanners, in two pieces so that none of them stops at this file."""

KNOWN: Mapping[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "image/jpeg": ("picture", "image/jpeg", pictures.clean),
    "image/png": ("picture", "image/jpeg", pictures.clean),
    "image/apng": ("picture", "image/jpeg", pictures.clean),
    "image/webp": ("picture", "image/jpeg", pictures.clean),
    "application/pdf": ("document", "application/pdf", documents.clean),
    "audio/ogg": ("voice", "audio/ogg", ogg.clean),
    "audio/mpeg": ("voice", "audio/mpeg", mp3.clean),
    "audio/x-wav": ("voice", "audio/wav", wav.clean),
    "video/webm": ("voice", "audio/webm", webm.clean),
    "audio/mp4": ("voice", "audio/mp4", mp4.clean),
    "video/mp4": ("voice", "audio/mp4", mp4.clean),
}
"""What we can take, by what its first bytes say: its kind, what it will be, and who cleans it."""
_BETTER_SAID = {
    "image/heic": "file-heic",
    "application/msword": "file-word",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "file-word",
}
"""What people often have and we can't take, with what they can do instead."""


def clean(data: bytes, accepts: frozenset[str]) -> tuple[str, str, bytes]:
    """A file's kind, its type, and what is kept of it. Raises Unfit."""
    if EICAR in data:
        raise Unfit("file-unsafe")
    said = _said(data)
    if said not in KNOWN:
        raise Unfit(_BETTER_SAID.get(said, "file-kind"))
    kind, becomes, cleaner = KNOWN[said]
    if kind not in accepts:
        raise Unfit("file-kind")
    return kind, becomes, cleaner(data)


def _said(data: bytes) -> str:
    """What the first bytes say it is."""
    found = filetype.guess_mime(data)
    if found is None and data[4:8] == b"ftyp":
        return "video/mp4"  # of a brand that the list doesn't know; its boxes will tell
    if found is None and data.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm"  # written in another way than the list expects; its pieces will tell
    return str(found or "")


def _shut_doors() -> None:
    """From here on nothing can be opened or begun, and little can be used up."""
    warnings.simplefilter("ignore")  # to print one, Python would open our source
    _said(b"\0\0\0\x10ftypnone\0\0\0\0")  # looks up what is only looked up when it is needed
    try:
        import resource
    except ImportError:  # not on Windows, where only the time is bounded
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(what, (most, most))


def main(accepts: str) -> None:
    """Answers with a line that says what it is, and then the bytes of it."""
    data = sys.stdin.buffer.read()
    _shut_doors()
    kept = b""
    answer: dict[str, object]
    try:
        kind, becomes, kept = clean(data, frozenset(accepts.split(",")))
        answer = {"kind": kind, "media_type": becomes}
    except Unfit as unfit:
        answer = {"unfit": unfit.key, "gaps": dict(unfit.gaps)}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + kept)
    sys.stdout.buffer.flush()
