"""The secret of this installation, and the codes that follow from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

_ALPHABET = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@dataclass(frozen=True)
class Keys:
    """One random secret; every code is derived from it, so none has to be stored."""

    secret: bytes = field(repr=False)

    @classmethod
    def at(cls, folder: Path) -> Keys:
        """The secret kept in this folder, made on the first start; only its owner can read it."""
        path = folder / "secret"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        with os.fdopen(handle, "wb") as made:
            secret = secrets.token_bytes(32)
            made.write(secret)
        return cls(secret)

    def _mac(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}:{value}".encode(), hashlib.sha256)

    def return_code(self, submission: str) -> str:
        """What opens the reply, together with the reference: 60 bits, easy to copy out."""
        return _readable(self._mac("return-code", submission))

    def resume_code(self, conversation: str) -> str:
        """What opens an unfinished conversation in another browser."""
        return _readable(self._mac("resume-code", conversation))

    def digest(self, purpose: str, value: str) -> str:
        """A value as it is stored to be found by, but not read back."""
        return self._mac(purpose, value).hex()

    def return_key(self, reference: str, code: str) -> str:
        return self.digest("return-key", f"{tidy_code(reference)}:{tidy_code(code)}")

    def resume_key(self, code: str) -> str:
        return self.digest("resume-key", tidy_code(code))


def _readable(digest: bytes) -> str:
    letters = base64.b32encode(digest)[:12].decode().translate(_ALPHABET)
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def tidy_code(typed: str) -> str:
    """A code as people type it: case, spaces and dashes don't matter, nor O for 0 or I for 1."""
    plain = "".join(ch for ch in typed.upper() if ch.isalnum())
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")
