"""The keys the audit is signed with: a file each; the newest writes, every one still verifies."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from pathlib import Path

from bot.keyring import NoKey, write_secret

_NAME = re.compile(r"\d{4}-[0-9a-f]{6}")
_LENGTH = 32


class AuditKeys:
    """`<folder>/<id>.key`. An id is a number and a random part: a folder that was lost and made
    anew has other ids, so that old lines are known to lack their key instead of seeming changed."""

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        """On the first start of an installation a key is made; without `make`, raises NoKey."""
        self._folder = folder
        self._read: dict[str, bytes] = {}
        if not self.ids():
            if not make:
                raise NoKey("The keys that the audit is signed with are not there: copy keys/audit")
            add_key(folder)
        self.newest = max(self.ids())

    def ids(self) -> list[str]:
        return [path.stem for path in self._folder.glob("*.key") if _NAME.fullmatch(path.stem)]

    def mac(self, id_: str, message: bytes) -> str | None:
        """None if there is no such key. Raises NoKey if its file holds something else."""
        key = self._key(id_)
        return hmac.digest(key, message, hashlib.sha256).hex() if key else None

    def _key(self, id_: str) -> bytes | None:
        if id_ not in self._read:
            # The id may come out of a table that somebody changed: it must not lead elsewhere.
            path = self._folder / f"{id_}.key"
            if not _NAME.fullmatch(id_) or not path.exists():
                return None
            key = path.read_bytes()
            if len(key) != _LENGTH:
                raise NoKey(f"{path} is not an audit key: it must hold {_LENGTH} bytes")
            self._read[id_] = key
        return self._read[id_]


def add_key(folder: Path) -> str:
    """Make a new key, which signs from the next start on; its id."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = max((int(path.stem[:4]) for path in folder.glob("*.key")), default=0) + 1
    name = f"{number:04d}-{secrets.token_hex(3)}"
    write_secret(folder / f"{name}.key", secrets.token_bytes(_LENGTH))
    return name
