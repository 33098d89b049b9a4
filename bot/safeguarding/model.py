"""A small statistical model of how people tell of harm: words, words near each other and letters,
weighed. Trained here, on content/safeguarding/examples (train.py); nothing else is in it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from content.schema import Urgency

Floats = NDArray[np.float32]
WEIGHTS = Path(__file__).with_name("weights.npz")
BUCKETS = 1 << 18
"""Features are counted under so many numbers; two may share one, which costs little."""
LONGEST = 6000
"""Characters that are looked at together; more is looked at in pieces of this length."""
APART = (2, 3, 4)
"""Words so far apart are also seen as a pair: "comes ... my room"."""
RUNS = (3, 4, 5)
"""Runs of letters: a misspelt word shares most with the word that was meant."""
MOST_REASONS = 3
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]")
_SILENT = frozenset('.,;:-"()')


@dataclass(frozen=True)
class Told:
    """What words tell, and which of them."""

    urgency: Urgency
    category: str
    reasons: tuple[str, ...]


def tokens(text: str) -> list[str]:
    """Words and telling signs, without capitals, accents, apostrophes and letters drawn out."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    flat = "".join(ch for ch in flat if not unicodedata.combining(ch))
    flat = re.sub("['\u2019`]", "", flat)
    flat = re.sub(r"(.)\1{2,}", r"\1\1", flat)
    return [token for token in _TOKEN.findall(flat) if token not in _SILENT]


def phrases(words: list[str]) -> Iterator[tuple[str, str]]:
    """Features that words make, each with the words as staff may read them."""
    marked = ["^", *words, "$"]
    for long in (1, 2, 3):
        for at in range(len(marked) - long + 1):
            some = marked[at : at + long]
            yield f"{long}" + "_".join(some), " ".join(w for w in some if w not in "^$")
    for apart in APART:
        for one, other in zip(marked, marked[apart:], strict=False):
            yield f"a{one}_{other}", f"{one} … {other}"


def letters(words: list[str]) -> Iterator[str]:
    row = f" {' '.join(words)} "
    for long in RUNS:
        for at in range(len(row) - long + 1):
            yield row[at : at + long]


def numbered(feature: str) -> int:
    """The number of a feature; half characters, as a broken sender may give them, have one too."""
    return crc32(feature.encode("utf-8", "surrogatepass"))


def counted(text: str) -> tuple[NDArray[np.int64], Floats]:
    """The features of a text: their numbers, and how much of each, words and letters each of
    length one together."""
    words = tokens(text)
    numbers: list[int] = []
    amounts: list[float] = []
    kinds = (f"w{name}" for name, _ in phrases(words)), (f"c{run}" for run in letters(words))
    for kind in kinds:
        counts = Counter(numbered(feature) % BUCKETS for feature in kind)
        much = [1 + np.log(count) for count in counts.values()]
        length = float(np.sqrt(sum(m * m for m in much))) or 1.0
        numbers += counts
        amounts += [m / length for m in much]
    return np.array(numbers, np.int64), np.array(amounts, np.float32)


class Model:
    """Weights, and where on their scale it begins to tell."""

    def __init__(self, kept: dict[str, NDArray[np.generic]]) -> None:
        self._harm, self._urgent = (self._read(kept, name) for name in ("harm", "urgent"))
        self._bias = {name: float(kept[f"{name}_bias"]) for name in ("harm", "urgent")}
        self._categories = [str(name) for name in kept["categories"]]
        self._by_category = kept["by_category"].astype(np.float32) / 127.0
        self.enough = float(kept["enough"])
        self.grave = float(kept["grave"])

    @staticmethod
    def _read(kept: dict[str, NDArray[np.generic]], name: str) -> Floats:
        found: Floats = kept[name].astype(np.float32) * np.float32(kept[f"{name}_scale"])
        return found

    def scores(self, text: str) -> tuple[float, float]:
        """How much it tells of harm, and how grave that is: over 0 each is likelier than not."""
        numbers, amounts = counted(text)
        harm = float(self._harm[numbers] @ amounts) + self._bias["harm"]
        return harm, float(self._urgent[numbers] @ amounts) + self._bias["urgent"]

    def found(self, text: str) -> Iterator[Told]:
        for at in range(0, max(1, len(text)), LONGEST):
            piece = text[at : at + LONGEST]
            harm, grave = self.scores(piece)
            if harm >= self.enough:
                urgency = Urgency.URGENT if grave >= self.grave else Urgency.CONCERN
                yield Told(urgency, self._category(piece), self._reasons(piece))

    def _category(self, text: str) -> str:
        numbers = [
            crc32(f"w1{word}".encode("utf-8", "surrogatepass")) % len(self._by_category)
            for word in tokens(text)
        ]
        if not numbers:
            return self._categories[0]
        return self._categories[int(self._by_category[numbers].sum(axis=0).argmax())]

    def _reasons(self, text: str) -> tuple[str, ...]:
        """The words that told most."""
        told: dict[str, float] = {}
        for name, read in phrases(tokens(text)):
            weight = float(self._harm[numbered(f"w{name}") % BUCKETS])
            if weight > 0 and read:
                told[read] = max(told.get(read, 0.0), weight)
        return tuple(sorted(told, key=lambda read: -told[read])[:MOST_REASONS])


@cache
def installed() -> Model:
    with np.load(WEIGHTS) as kept:
        return Model(dict(kept))
