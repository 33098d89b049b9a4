"""The keys that words are sealed with: files in one folder, each with an id, the last one in use.

`talk` keys open what is still being said; whoever speaks with people needs them. A `case` key has
two halves: with the public one anybody can seal what is sent, only the private one opens it again.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bot.errors import CannotOpen, WaymarkError

Reader = Literal["talk", "case", "sender"]
"""Who can open something: whoever speaks with people, staff, or the sender by return code."""
Kind = Literal["talk", "case"]
KINDS: tuple[Kind, ...] = ("talk", "case")
NONCE = 12
_NAME = re.compile(r"^\d{4}-[0-9a-f]{6}$")
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class NoKey(WaymarkError):
    """A key file that is needed isn't there. The text says which."""


class Keyring:
    """The keys by id. Without `private`, what is sealed for staff can't be opened here."""

    def __init__(self, folder: Path, *, staff: bool = True) -> None:
        """The keys in this folder. On the first start of an installation they are made.

        Without `staff`, private halves are not even read, and nothing is made: raises NoKey.
        """
        self.folder = folder
        self._staff = staff
        if staff:
            for kind in KINDS:
                if not any((folder / kind).glob("*.key")):
                    add_key(folder, kind)
        self.read()
        if not self.talk or not self.public:
            raise NoKey(
                "The keys that words are sealed with are not there. Start once with "
                "--role staff or all, then copy secret, keys/talk, keys/audit and "
                "keys/case/*.pub here"
            )

    def read(self) -> None:
        """Look again which keys are there."""
        self._seen = self._state()
        self.talk: Mapping[str, bytes] = _files(self.folder / "talk", ".key")
        self.public: Mapping[str, X25519PublicKey] = {
            name: X25519PublicKey.from_public_bytes(raw)
            for name, raw in _files(self.folder / "case", ".pub").items()
        }
        private = _files(self.folder / "case", ".key") if self._staff else {}
        self.private: Mapping[str, X25519PrivateKey] = {
            name: X25519PrivateKey.from_private_bytes(raw) for name, raw in private.items()
        }

    def _state(self) -> tuple[int, ...]:
        places = (self.folder / kind for kind in KINDS)
        return tuple(place.stat().st_mtime_ns if place.is_dir() else 0 for place in places)

    def has(self, reader: Reader, name: str) -> bool:
        """Whether this key is here to open with; a key made since the start is looked for."""
        if name not in self._opening(reader):
            self.read()
        return name in self._opening(reader)

    def _opening(self, reader: Reader) -> Mapping[str, Any]:
        return self.talk if reader == "talk" else self.private

    def newest(self, reader: Reader) -> str:
        """The id of the key that is sealed with now. One made since the start is noticed: what
        is sealed with a key that was given up could be lost with it."""
        if self._seen != self._state():
            self.read()
        return {"talk": max(self.talk), "case": max(self.public)}.get(reader, reader)

    def wrap(self, reader: Reader, key: bytes, owner: str, code: str = "") -> tuple[str, bytes]:
        """A data key, so that this reader can have it again: which key wraps it, and how."""
        name = self.newest(reader)
        bound = _bound(owner, reader, name)
        if reader == "case":
            return name, _HPKE.encrypt(key, self.public[name], bound)
        with_ = self.talk[name] if reader == "talk" else from_code(code, owner)
        return name, encrypt(with_, key, bound)

    def unwrap(
        self, reader: Reader, name: str, wrapped: bytes, owner: str, code: str = ""
    ) -> bytes:
        """The data key. Raises CannotOpen without the right key, or for another owner's."""
        bound = _bound(owner, reader, name)
        if reader != "sender" and not self.has(reader, name):
            raise CannotOpen(owner)
        if reader == "case":
            try:
                return _HPKE.decrypt(wrapped, self.private[name], bound)
            except InvalidTag as error:
                raise CannotOpen(owner) from error
        with_ = self.talk[name] if reader == "talk" else from_code(code, owner)
        return decrypt(with_, wrapped, bound, owner)

    def carry(self, purpose: str, value: bytes) -> str:
        """Something for a browser to bring back, which it can neither read nor change."""
        name = max(self.talk)
        sealed = encrypt(self.talk[name], value, _bound(purpose, "talk", name))
        return f"{name}.{base64.urlsafe_b64encode(sealed).decode()}"

    def carried(self, purpose: str, token: str) -> bytes | None:
        """What was given to a browser for this purpose; None for anything else."""
        name, _, text = token.partition(".")
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii"))
            if name not in self.talk:
                return None
            return decrypt(self.talk[name], sealed, _bound(purpose, "talk", name), purpose)
        except (CannotOpen, ValueError):
            return None


def from_code(code: str, owner: str) -> bytes:
    """The key that follows from a return code. Slow on purpose: a code has 60 bits, and whoever
    stole the tables may try as many as they like (16 MiB and about 40 ms each)."""
    return Scrypt(salt=owner.encode(), length=32, n=2**14, r=8, p=1).derive(code.encode())


def encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """AES-256-GCM under a fresh random nonce, which stands in front."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def decrypt(key: bytes, sealed: bytes, bound: bytes, what: str) -> bytes:
    """Raises CannotOpen naming `what`, never its words."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(what) from error


def _bound(owner: str, reader: Reader, name: str) -> bytes:
    return f"waymark data key 1|{owner}|{reader}|{name}".encode()


# --- Files --------------------------------------------------------------------------------


def add_key(folder: Path, kind: Kind) -> str:
    """Make a new key of this kind, which is used from now on; its id."""
    place = folder / kind
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = [int(path.stem[:4]) for path in place.iterdir() if _NAME.match(path.stem)]
    name = f"{max(before, default=0) + 1:04d}-{secrets.token_hex(3)}"
    if kind == "talk":
        write_secret(place / f"{name}.key", secrets.token_bytes(32))
    else:
        private = X25519PrivateKey.generate()
        write_secret(place / f"{name}.key", private.private_bytes_raw())
        write_secret(place / f"{name}.pub", private.public_key().public_bytes_raw())
    return name


def destroy_key(folder: Path, kind: Kind, name: str) -> None:
    """Delete a key's files; what only it opens is lost for good."""
    for ending in (".key", ".pub"):
        (folder / kind / f"{name}{ending}").unlink(missing_ok=True)


def write_secret(path: Path, content: bytes) -> None:
    """A new file that only its owner can read. Raises FileExistsError."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as made:
        made.write(content)
        made.flush()
        os.fsync(made.fileno())


def _files(folder: Path, ending: str) -> dict[str, bytes]:
    found = sorted(folder.glob(f"*{ending}")) if folder.is_dir() else []
    return {path.stem: path.read_bytes() for path in found if _NAME.match(path.stem)}
