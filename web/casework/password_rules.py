"""Which passwords will do: long enough, and not one that would be tried first.

Nothing else is asked of them, and nothing of them leaves this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from zxcvbn import zxcvbn  # type: ignore[import-untyped]

from bot.errors import WaymarkError

FEWEST = 8
MOST = 128
HARD_ENOUGH = 3
"""Of zxcvbn's 0 to 4: at 3, a hundred million guesses would not find it."""
LOOKED_AT = 64
"""Its work grows with the square of the length, and what is hard this far stays hard."""


class BadPassword(WaymarkError):
    """The new password can't be taken. The text is the sentence staff read."""


async def check(password: str, about: Iterable[str], breached: Path | None) -> None:
    """`about` is what anyone would try for this person: names, address, council. `breached` is a
    file of known passwords' SHA-1 in order. Raises BadPassword."""
    if len(password) < FEWEST:
        raise BadPassword(f"Your new password must have {FEWEST} characters or more")
    if len(password) > MOST:
        raise BadPassword(f"Your new password must have {MOST} characters or fewer")
    words = _words(about)
    if len(_without(password, words)) < FEWEST:
        raise BadPassword(
            "Your new password must not be made of your name, your email address or the council's "
            "name"
        )
    if breached is not None and await asyncio.to_thread(_listed, breached, password):
        raise BadPassword("Your new password is on a list of stolen passwords. Choose another one")
    if await asyncio.to_thread(_easy, password, words):
        raise BadPassword(
            "Your new password would be guessed quickly. Three words that only you would put "
            "together work well"
        )


def _words(about: Iterable[str]) -> list[str]:
    found = {word for text in about for word in re.split(r"[^\w]+", text.casefold())}
    return sorted((word for word in found if len(word) > 2), key=len, reverse=True)


def _without(password: str, words: list[str]) -> str:
    """What is left once those words are taken out; all of it, where none is in it."""
    left = password.casefold()
    for word in words:
        left = left.replace(word, "")
    return left


def _easy(password: str, words: list[str]) -> bool:
    tried = zxcvbn(password[:LOOKED_AT], user_inputs=words)
    return bool(tried["score"] < HARD_ENOUGH)


def _listed(path: Path, password: str) -> bool:
    """Whether a file of `SHA1` or `SHA1:count` lines, in order, has it: looked up by halving, as
    such files have tens of gigabytes."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            file.seek(middle)
            if middle:
                file.readline()  # the rest of a line begun before the middle
            line = file.readline()[:40].upper()
            if not line or line >= wanted:
                high = middle
            else:
                low = middle + 1
        file.seek(low)
        if low:
            file.readline()
        return file.readline()[:40].upper() == wanted
