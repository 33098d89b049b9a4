"""The keys of this installation: the secret that codes follow from, and those words are sealed
with."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from bot.audit_keys import AuditKeys
from bot.keyring import Keyring, write_secret

_ALPHABET = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@dataclass(frozen=True)
class Keys:
    """One random secret, from which digests and codes are derived; the sealing keys, and those
    the audit is signed with."""

    secret: bytes = field(repr=False)
    ring: Keyring = field(repr=False)
    audit: AuditKeys = field(repr=False)

    @classmethod
    def at(cls, folder: Path, *, staff: bool = True) -> Keys:
        """The keys kept in this folder, made on the first start; only its owner can read them.

        Raises NoKey, where the process is not to make any (`staff=False`).
        """
        path = folder / "secret"
        folder.mkdir(parents=True, exist_ok=True)
        ring = Keyring(folder / "keys", staff=staff)
        with contextlib.suppress(FileExistsError):
            write_secret(path, secrets.token_bytes(32))
        audit = AuditKeys(folder / "keys" / "audit", make=staff)
        return cls(path.read_bytes(), ring, audit)

    def _mac(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}:{value}".encode(), hashlib.sha256)

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


def new_return_code() -> str:
    """What opens what was sent and its replies, together with the reference: 60 random bits, easy
    to copy out. Only the sender has it; from the tables it can't be worked out."""
    return _readable(secrets.token_bytes(8))


def _readable(digest: bytes) -> str:
    letters = base64.b32encode(digest)[:12].decode().translate(_ALPHABET)
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def tidy_code(typed: str) -> str:
    """A code as people type it: case, spaces and dashes don't matter, nor O for 0 or I for 1."""
    plain = "".join(ch for ch in typed.upper() if ch.isalnum())
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")
