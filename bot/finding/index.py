"""Finding by question: the words of each thing, and the spelling of the ways to ask for it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.finding.documents import Document
from bot.finding.words import Reading, near, own_weight, pieces
from content.schema import Findable

MOST = 5
"""Results at most."""
LONGEST = 500
"""Characters of a question that are looked at."""
ENOUGH = 0.12
"""A score under this is no answer. Measured, as every number here: docs/finding.md."""
ENOUGH_FOR_HELP = 0.105
"""Nor under this, where somebody may be unsafe: help that was not needed does little harm."""
SPELLING = 0.35
"""How much of a likeness is spelling; the rest is words."""
EVIDENCE = 6.0
"""How rare the words must be that a question shares with a thing, for the likeness to count
half. "Whats your name" is all in some text, and still tells nothing."""
WAY, BODY = 2.0, 0.5
"""What a word counts that stands in a way to ask, and in the text."""
ENOUGH_OF_ONE, LENGTH = 1.2, 0.6
"""BM25's k1 and b: more of one word soon adds nothing, and a long text must have more of it."""
SLIP = 0.85
"""What a misspelt word weighs beside the same word spelt well."""


@dataclass(frozen=True)
class Result:
    """Something that fits a question, and how well: 0 to 1."""

    document: Document
    score: float


def _enough(document: Document) -> float:
    return ENOUGH_FOR_HELP if document.kind is Findable.HELP else ENOUGH


class Index:
    """Built once from what can be found; then each question takes a few milliseconds."""

    def __init__(
        self, documents: Sequence[Document], synonyms: Mapping[str, Sequence[str]]
    ) -> None:
        self.documents = documents
        self._reading = Reading(synonyms)
        self._words = _Words([self._counted(document) for document in documents])
        self._spelling = _Spelling(
            [(at, self._reading.ours(way)) for at, doc in enumerate(documents) for way in doc.asked]
        )
        self._slips = _Slips(self._words.rarity)
        self._very_words: dict[frozenset[str], set[int]] = defaultdict(set)
        """Ways to ask that a question may be in so many words, in any order."""
        for at, document in enumerate(documents):
            for way in document.asked:
                self._very_words[frozenset(self._reading.stems(way))].add(at)

    def _counted(self, document: Document) -> Counter[str]:
        """The words of a thing, by how much each counts in it."""
        ways = [set(self._reading.stems(way)) for way in document.asked]
        body = self._reading.stems(document.body)
        counted: Counter[str] = Counter()
        for weight, texts in ((WAY, ways), (BODY, [body])):
            for text in texts:
                for word in text:
                    counted[word] += weight  # type: ignore[assignment]  # halves are counted too
        return counted

    def find(self, text: str) -> tuple[Result, ...]:
        """What fits, best first, but help before all; nothing where nothing fits well enough."""
        fits = [r for r in self.ranked(text) if r.score >= _enough(r.document)]
        return tuple(sorted(fits, key=lambda r: r.document.kind is not Findable.HELP)[:MOST])

    def ranked(self, text: str) -> list[Result]:
        """Whatever has anything in common with it, best first."""
        text = text[:LONGEST]
        stems = self._reading.stems(text)
        words = self._words.likeness(self._read(stems))
        spelt = self._spelling.likeness(self._reading.ours(text))
        same = self._very_words.get(frozenset(stems), set())
        results = []
        for at, (like, shared) in words.items():
            both = (1 - SPELLING) * like + SPELLING * spelt.get(at, 0.0)
            score = 1.0 if at in same else both * shared / (shared + EVIDENCE)
            results.append(Result(self.documents[at], round(score, 4)))
        return sorted(results, key=lambda r: (-r.score, r.document.kind, r.document.id))

    def _read(self, stems: Iterable[str]) -> dict[str, float]:
        """Each word with what it weighs; a slip is read as the word it is near."""
        read: dict[str, float] = {}
        for word in stems:
            meant = None if word in self._words.rarity else self._slips.meant(word)
            read.setdefault(meant or word, own_weight(meant or word) * (SLIP if meant else 1.0))
        return read


class _Words:
    """BM25 over weighted words, as a share of what a text holding all of the question would get."""

    def __init__(self, texts: Sequence[Counter[str]]) -> None:
        self._holding: dict[str, list[tuple[int, float]]] = defaultdict(list)
        usual = sum(text.total() for text in texts) / (len(texts) or 1) or 1.0
        for at, text in enumerate(texts):
            long = 1 - LENGTH + LENGTH * text.total() / usual
            for word, count in text.items():
                self._holding[word].append((at, count / (count + ENOUGH_OF_ONE * long)))
        self.rarity = {
            word: math.log(1 + (len(texts) - len(held) + 0.5) / (len(held) + 0.5))
            for word, held in self._holding.items()
        }
        self._unknown = max(self.rarity.values(), default=1.0)

    def likeness(self, asked: Mapping[str, float]) -> dict[int, tuple[float, float]]:
        """For each text that shares a word: how like it is, and how much the words that are shared
        tell. A word nobody knows makes every text less like."""
        weights = {word: own * self.rarity.get(word, self._unknown) for word, own in asked.items()}
        whole = sum(weights.values()) or 1.0
        found: dict[int, tuple[float, float]] = {}
        for word, weight in weights.items():
            for at, held in self._holding.get(word, ()):
                like, shared = found.get(at, (0.0, 0.0))
                found[at] = (like + weight / whole * held, shared + weight)
        return found


class _Spelling:
    """Runs of three letters of each way to ask: a misspelt question shares most of them."""

    def __init__(self, ways: Sequence[tuple[int, list[str]]]) -> None:
        self._of = [at for at, _ in ways]
        self._holding: dict[str, list[int]] = defaultdict(list)
        grams = [pieces(words) for _, words in ways]
        for way, own in enumerate(grams):
            for piece in own:
                self._holding[piece].append(way)
        self._rarity = {
            piece: math.log(1 + len(ways) / len(held)) for piece, held in self._holding.items()
        }
        self._unknown = max(self._rarity.values(), default=1.0)
        self._length = [self._long(own) for own in grams]

    def _long(self, grams: Iterable[str]) -> float:
        return math.sqrt(sum(self._rarity.get(g, self._unknown) ** 2 for g in grams)) or 1.0

    def likeness(self, words: Sequence[str]) -> dict[int, float]:
        """Cosine with the most like way to ask for each thing."""
        grams = pieces(words)
        shared: dict[int, float] = defaultdict(float)
        for piece in grams:
            for way in self._holding.get(piece, ()):
                shared[way] += self._rarity[piece] ** 2
        length = self._long(grams)
        best: dict[int, float] = defaultdict(float)
        for way, dot in shared.items():
            best[self._of[way]] = max(best[self._of[way]], dot / (length * self._length[way]))
        return best


class _Slips:
    """Known words by what is left of them without a letter: two spellings meet there."""

    def __init__(self, known: Iterable[str]) -> None:
        self._left: dict[str, list[str]] = defaultdict(list)
        for word in sorted(known):
            if len(word) >= 4 and word.isalpha():
                for left in self._without(word):
                    self._left[left].append(word)

    @staticmethod
    def _without(word: str) -> set[str]:
        once = {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
        if len(word) < 8:
            return once
        return once | {left[:at] + left[at + 1 :] for left in once for at in range(len(left))}

    def meant(self, word: str) -> str | None:
        """The known word that this one is a slip of, if there is one."""
        if not 4 <= len(word) <= 20 or not word.isalpha():
            return None
        close = {w for left in self._without(word) for w in self._left.get(left, ())}
        fits = sorted(w for w in close if w[0] == word[0] and near(word, w))
        return min(fits, key=lambda w: abs(len(w) - len(word)), default=None)
