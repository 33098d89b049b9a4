"""Passwords: argon2id, away from the event loop, two at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# Each hash takes 64 MiB: without a bound, a burst of sign-ins would use up the machine.
_at_work = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_at_work, _hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. As much work where there is none to compare with."""
    return await asyncio.get_running_loop().run_in_executor(_at_work, _matches, stored, password)


def _matches(stored: str | None, password: str) -> bool:
    nobodys = _nobodys()  # made first in either case, so that the very first try tells nothing
    try:
        _hasher.verify(stored or nobodys, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@lru_cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody at all")
