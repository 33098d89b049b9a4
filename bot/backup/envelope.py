"""A sealed file of lines: written as they come, by someone who can't open it again.

    WAYMARK BACKUP 1
    {"what": "tables", "key": "0001-5f3c9a11", "wrapped": "..."}
    chunk, chunk, ... chunk

The second line names the backup key, and has the file's own random key wrapped for it (HPKE,
keypair.py). The lines are compressed (zlib) and cut into chunks of 64 KiB, each sealed with
AES-256-GCM under the file's key. A chunk's nonce is its number; bound to it are the first two
lines, its number and whether it is the last: what is cut off, swapped, added or changed is found.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.backup.keypair import Private, Public
from bot.errors import BadBackup

MAGIC = b"WAYMARK BACKUP 1\n"
CHUNK = 64 * 1024
_TAG = 16
_LONGEST_HEAD = 4096


@dataclass(frozen=True)
class Head:
    """The two lines in front: what it is and who opens it."""

    what: str
    key: str
    wrapped: bytes
    digest: bytes


# --- Writing ------------------------------------------------------------------------------


@contextmanager
def writing(path: Path, what: str, public: Public) -> Iterator[Out]:
    """A new file that only its owner can read, on the disk when this closes; none if it fails.
    Raises FileExistsError."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            out = Out(file, what, public)
            yield out
            out.close()
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class Out:
    """Takes lines. `key` opens the file again, for as long as somebody remembers it."""

    def __init__(self, file: BinaryIO, what: str, public: Public) -> None:
        self.key = secrets.token_bytes(32)
        wrapped = base64.b64encode(public.wrap(self.key, what)).decode()
        said = json.dumps({"what": what, "key": public.id, "wrapped": wrapped})
        head = MAGIC + said.encode() + b"\n"
        file.write(head)
        self._file = file
        self._digest = hashlib.sha256(head).digest()
        self._sealing = AESGCM(self.key)
        self._deflate = zlib.compressobj()
        self._waiting = bytearray()
        self._number = 0

    def write(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._add(self._deflate.compress(line + b"\n"))

    def close(self) -> None:
        self._add(self._deflate.flush())
        self._seal(bytes(self._waiting), last=True)

    def _add(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > CHUNK:  # something is always left for the last one
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def _seal(self, data: bytes, *, last: bool) -> None:
        bound = _bound(self._digest, self._number, last)
        self._file.write(self._sealing.encrypt(_nonce(self._number), data, bound))
        self._number += 1


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(digest: bytes, number: int, last: bool) -> bytes:
    return digest + number.to_bytes(8, "big") + (b"last" if last else b"more")


# --- Reading ------------------------------------------------------------------------------


def head(path: Path) -> Head:
    """Raises BadBackup for a file that isn't one of these."""
    with path.open("rb") as file:
        return _head(file)


def key(path: Path, private: Private) -> bytes:
    """The file's own key. Raises BadBackup."""
    found = head(path)
    return private.unwrap(found.key, found.wrapped, found.what)


def lines(path: Path, file_key: bytes) -> Generator[bytes, None, None]:
    """Each as it was written. Raises BadBackup at the first chunk that is not as it was."""
    with path.open("rb") as file:
        found = _head(file)
        yield from _split(_inflated(_chunks(file, AESGCM(file_key), found.digest)))


def _head(file: BinaryIO) -> Head:
    magic, said = file.readline(len(MAGIC)), file.readline(_LONGEST_HEAD)
    if magic != MAGIC:
        raise BadBackup("This is no backup of Waymark's, or one of a kind that is not known here")
    try:
        told = json.loads(said)
        wrapped = base64.b64decode(told["wrapped"], validate=True)
        what, id_ = str(told["what"]), str(told["key"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise BadBackup("The file is damaged where it says how it is sealed") from error
    return Head(what, id_, wrapped, hashlib.sha256(magic + said).digest())


def _chunks(file: BinaryIO, sealing: AESGCM, digest: bytes) -> Iterator[bytes]:
    number, sealed = 0, file.read(CHUNK + _TAG)
    while True:
        following = file.read(CHUNK + _TAG)
        bound = _bound(digest, number, last=not following)
        try:
            yield sealing.decrypt(_nonce(number), sealed, bound)
        except (InvalidTag, ValueError) as error:
            where = f"part {number + 1}, {number * CHUNK // 1024} KiB in"
            raise BadBackup(f"The file is damaged, cut off or was changed ({where})") from error
        if not following:
            return
        number, sealed = number + 1, following


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    for chunk in chunks:
        yield inflate.decompress(chunk)
    if not inflate.eof:
        raise BadBackup("The file ends before what is in it does")


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []  # one line may be as long as the largest file somebody sent
    for piece in pieces:
        first, *more = piece.split(b"\n")
        begun.append(first)
        for after in more:
            yield b"".join(begun)
            begun = [after]
    if any(begun):
        raise BadBackup("The file ends in the middle of a line")
