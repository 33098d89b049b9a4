"""The backup key pair: anybody can seal a backup with the public half, which stays here; only the
private half opens it again, and that is taken away.

The id ends in a fingerprint of the public half, so that a private key mistyped from paper is known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from bot.errors import BadBackup
from bot.keyring import NoKey, write_secret

_ID = re.compile(r"(\d{4})-([0-9a-f]{8})")
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PAPER = """\
The private half of Waymark's backup key {id}. Whoever has it can open the backups; without it
nobody can. Keep it away from the machine and from the backups: print it, and put it in a safe.

waymark-backup-key {id} {letters}
"""
_WRITTEN = re.compile(r"waymark-backup-key\s+(\d{4}-[0-9a-f]{8})\s+([A-Za-z2-7\s-]+)")


@dataclass(frozen=True)
class Public:
    """What seals."""

    id: str
    key: X25519PublicKey = field(repr=False)

    def wrap(self, file_key: bytes, what: str) -> bytes:
        return _HPKE.encrypt(file_key, self.key, _bound(self.id, what))


@dataclass(frozen=True)
class Private:
    """What opens."""

    id: str
    key: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> Public:
        return Public(self.id, self.key.public_key())

    def unwrap(self, id_: str, wrapped: bytes, what: str) -> bytes:
        """Raises BadBackup for one that another key opens, or a damaged one."""
        if id_ != self.id:
            raise BadBackup(f"The key {id_} opens this file, and the one given is {self.id}")
        try:
            return _HPKE.decrypt(wrapped, self.key, _bound(id_, what))
        except (InvalidTag, ValueError) as error:
            raise BadBackup("The file is damaged where it says how it is sealed") from error


def _bound(id_: str, what: str) -> bytes:
    return f"waymark backup 1|{id_}|{what}".encode()


def new(folder: Path) -> tuple[Public, str]:
    """A new pair: its public half, and its private half as text for the safe. Nothing is kept: the
    public half may only be once the private one has reached whoever takes it away."""
    private = X25519PrivateKey.generate()
    public = private.public_key()
    id_ = f"{int(max(ids(folder), default='0000')[:4]) + 1:04d}-{_fingerprint(public)}"
    letters = base64.b32encode(private.private_bytes_raw()).decode().rstrip("=")
    groups = " ".join(letters[at : at + 4] for at in range(0, len(letters), 4))
    return Public(id_, public), _PAPER.format(id=id_, letters=groups)


def keep(folder: Path, public: Public) -> None:
    """From now on backups are sealed with it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secret(folder / f"{public.id}.pub", public.key.public_bytes_raw())


def ids(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.pub") if _ID.fullmatch(path.stem))


def newest(folder: Path) -> Public:
    """The one that is sealed with. Raises NoKey, and for a public half that is not what it was."""
    found = ids(folder)
    if not found:
        raise NoKey("There is no backup key yet. Make one with: waymark backup key FILE")
    public = X25519PublicKey.from_public_bytes((folder / f"{found[-1]}.pub").read_bytes())
    if _fingerprint(public) != found[-1][5:]:
        raise NoKey(f"The public half of the backup key {found[-1]} is not what it was")
    return Public(found[-1], public)


def read(text: str) -> Private:
    """A private half as it was written down; spaces, dashes and case don't matter.

    Raises BadBackup if it isn't one, or was copied wrongly.
    """
    found = _WRITTEN.search(text)
    if not found:
        raise BadBackup("There is no backup key in the file given with --key")
    letters = re.sub(r"[\s-]", "", found[2]).upper()
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
        private = X25519PrivateKey.from_private_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise BadBackup(f"The backup key {found[1]} was not copied whole") from error
    if _fingerprint(private.public_key()) != found[1][5:]:
        raise BadBackup(f"The backup key {found[1]} was copied with a mistake in it")
    return Private(found[1], private)


def _fingerprint(public: X25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:8]
