"""Key files put back from their backup, and whether those are here that a backup needs."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from bot.backup import envelope
from bot.backup.body import Manifest
from bot.backup.keypair import Private
from bot.errors import BadBackup
from bot.keyring import write_secret


def put_back(path: Path, private: Private, data_dir: Path) -> int:
    """Write every key file that isn't there; how many that were. All or, if one that is there says
    something else, none: raises BadBackup."""
    if envelope.head(path).what != "keys":
        raise BadBackup(f"{path.name} is no backup of keys")
    with closing(envelope.lines(path, envelope.key(path, private))) as lines:
        next(lines, None)
        files = dict(_file(line, data_dir) for line in lines)
    other = [file for file, content in files.items() if _differs(file, content)]
    if other:
        raise BadBackup(
            f"{other[0]} is there already, with another key in it. Restore into an empty data "
            "folder, or move what is in this one aside"
        )
    missing = {file: content for file, content in files.items() if not file.exists()}
    for file, content in missing.items():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(file, content)
    return len(missing)


def _file(line: bytes, data_dir: Path) -> tuple[Path, bytes]:
    name, content = json.loads(line)
    parts = PurePosixPath(name).parts
    if parts != ("secret",) and (parts[:1] != ("keys",) or ".." in parts):
        raise BadBackup("The backup of keys holds a file that is no key")
    return data_dir.joinpath(*parts), bytes.fromhex(content)


def _differs(file: Path, content: bytes) -> bool:
    return file.exists() and file.read_bytes() != content


def check(manifest: Manifest, data_dir: Path) -> None:
    """Raises BadBackup naming the key files that a backup needs and that are not here."""
    secret = data_dir / "secret"
    needed = [f"keys/{folder}/{id_}.key" for folder, ids in manifest.keys.items() for id_ in ids]
    missing = [name for name in sorted(needed) if not (data_dir / name).exists()]
    if not secret.exists() or seen_as(secret.read_bytes()) != manifest.secret:
        missing.insert(0, "secret (that of the backup)")
    if missing:
        raise BadBackup(
            "What is in the backup can't be opened with the keys that are here. Nothing was "
            "restored. Give a backup of the keys with --keys, or --without-keys to do without.\n"
            f"Missing in {data_dir}: {', '.join(missing)}"
        )


def seen_as(secret: bytes) -> str:
    """What tells an installation's secret from another's, without telling it."""
    return hmac.digest(secret, b"waymark backup", "sha256").hex()[:16]


def all_(data_dir: Path) -> Iterator[Path]:
    """Every key file there is."""
    for path in (data_dir / "secret", *sorted((data_dir / "keys").rglob("*"))):
        if path.is_file() and path.suffix in ("", ".key", ".pub"):
            yield path
