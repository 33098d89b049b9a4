"""Finding by question: the words of each thing, how the ways to ask for it are spelt, and what
they mean."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.finding.documents import Document
from bot.finding.meaning import Meaning
from bot.finding.words import Reading, near, own_weight, pieces, plain
from content.schema import Findable

MOST = 5
"""Results at most."""
LONGEST = 500
"""Characters of a question that are looked at."""
ENOUGH = 0.34
"""A score under this is no answer. Measured, as every number here: docs/finding.md."""
ENOUGH_FOR_HELP = 0.38
"""Nor is help shown under this: it is put before all else, so it must fit somewhat better."""
NEARER = 0.02
"""So much nearer must a question be to a way to ask than to anything that is not ours."""
LOOKS, MEANING = 0.5, 0.5
"""How much of a score is how a question looks, word by word, and how much is what it means."""
WAY_MEANT, SUMMARY_MEANT = 0.8, 0.2
"""Of what it means: the most like way to ask, and what the thing says of itself."""
SPELLING = 0.35
"""How much of a likeness is spelling; the rest is words."""
EVIDENCE = 6.0
"""How rare the words must be that a question shares with a thing, for the likeness to count
half. "Whats your name" is all in some text, and still tells nothing."""
WAY, BODY = 2.0, 0.5
"""What a word counts that stands in a way to ask, and in the text."""
SHARED = 3
"""A word that so many ways to ask have is not misspelt."""
ENOUGH_OF_ONE, LENGTH = 1.2, 0.6
"""BM25's k1 and b: more of one word soon adds nothing, and a long text must have more of it."""


_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Result:
    """Something that fits a question, and how well: 0 to 1."""

    document: Document
    score: float


def _first(result: Result) -> bool:
    return result.document.kind is Findable.HELP or result.score >= 1.0


def _enough(document: Document) -> float:
    return ENOUGH_FOR_HELP if document.kind is Findable.HELP else ENOUGH


class Index:
    """Built once from what can be found; then each question takes a few milliseconds."""

    def __init__(
        self,
        documents: Sequence[Document],
        synonyms: Mapping[str, Sequence[str]],
        not_ours: Sequence[str],
        meaning: Meaning,
    ) -> None:
        self.documents = documents
        self._meant = _Meant(documents, not_ours, meaning)
        self._reading = Reading(synonyms)
        self._words = _Words([self._counted(document) for document in documents])
        self._spelling = _Spelling(
            [(at, self._reading.ours(way)) for at, doc in enumerate(documents) for way in doc.asked]
        )
        self._slips = _Slips(_spelt(documents, not_ours))
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
        """What fits, best first, but help before all that wasn't asked for in so many words;
        nothing where nothing fits well enough."""
        fits = [r for r in self.ranked(text) if r.score >= _enough(r.document)]
        return tuple(sorted(fits, key=lambda r: not _first(r))[:MOST])

    def ranked(self, text: str) -> list[Result]:
        """Everything that is nearer to it than what is not ours, by how well it fits, best first;
        nothing where there is not a word."""
        text = self._slips.mended(text[:LONGEST])
        stems = self._reading.stems(text)
        if not stems:
            return []
        looks = self._looks(text, stems)
        meant = self._meant.likeness(text)
        same = self._very_words.get(frozenset(stems), set())
        results = []
        for at, document in enumerate(self.documents):
            if at in same:
                results.append(Result(document, 1.0))
            elif meant.way[at] > meant.not_ours + NEARER:
                score = LOOKS * math.sqrt(looks.get(at, 0.0)) + MEANING * meant.all[at]
                results.append(Result(document, round(score, 4)))
        return sorted(results, key=lambda r: (-r.score, r.document.kind, r.document.id))

    def _looks(self, text: str, stems: Iterable[str]) -> dict[int, float]:
        """How like each thing the question looks: 0 to 1, and none that shares no word."""
        spelt = self._spelling.likeness(self._reading.ours(text))
        shared_words = self._words.likeness({stem: own_weight(stem) for stem in stems})
        looks = {}
        for at, (like, shared) in shared_words.items():
            both = (1 - SPELLING) * like + SPELLING * spelt.get(at, 0.0)
            looks[at] = both * shared / (shared + EVIDENCE)
        return looks


@dataclass(frozen=True)
class _Likeness:
    """How near a question is in meaning: cosines, for each thing in turn."""

    way: list[float]
    """To the nearest way to ask for it."""
    all: list[float]
    """To that and to what it says of itself; 0 at least."""
    not_ours: float
    """To the nearest of what is not ours."""


class _Meant:
    """What each thing means, by each way to ask for it and by its summary; and what is not ours."""

    def __init__(
        self, documents: Sequence[Document], not_ours: Sequence[str], meaning: Meaning
    ) -> None:
        self._meaning = meaning
        self._begins = np.cumsum([0, *(len(document.asked) for document in documents)])[:-1]
        self._ways = meaning.of_each([way for document in documents for way in document.asked])
        self._summaries = meaning.of_each([document.summary for document in documents])
        self._not_ours = meaning.of_each(not_ours)

    def likeness(self, text: str) -> _Likeness:
        asked = self._meaning.of(text)
        way = np.maximum.reduceat(self._ways @ asked, self._begins)
        both = WAY_MEANT * way + SUMMARY_MEANT * (self._summaries @ asked)
        stranger = float((self._not_ours @ asked).max(initial=-1.0))
        return _Likeness(way.tolist(), np.maximum(both, 0.0).tolist(), stranger)


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


def _spelt(documents: Sequence[Document], not_ours: Sequence[str]) -> set[str]:
    """Words that are spelt well: our own, and those that several ways to ask share. One way alone
    may be misspelt on purpose."""
    ours = {w for document in documents for w in plain(f"{document.title} {document.body}")}
    ways = [*not_ours, *(way for document in documents for way in document.asked)]
    often = Counter(word for way in ways for word in set(plain(way)))
    return ours | {word for word, count in often.items() if count >= SHARED}


class _Slips:
    """Known words by what is left of them without a letter: two spellings meet there."""

    def __init__(self, known: Iterable[str]) -> None:
        self._left: dict[str, list[str]] = defaultdict(list)
        self._known = frozenset(known)
        for word in sorted(self._known):
            if len(word) >= 4 and word.isalpha():
                for left in self._without(word):
                    self._left[left].append(word)

    @staticmethod
    def _without(word: str) -> set[str]:
        once = {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
        if len(word) < 8:
            return once
        return once | {left[:at] + left[at + 1 :] for left in once for at in range(len(left))}

    def mended(self, text: str) -> str:
        """A text in which each slip is the word that was meant; otherwise as it is."""
        return _LETTERS.sub(lambda found: self.meant(found[0].lower()) or found[0], text)

    def meant(self, word: str) -> str | None:
        """The known word that this one is a slip of, if there is one."""
        if word in self._known:
            return None
        if not 4 <= len(word) <= 20 or not word.isalpha():
            return None
        close = {w for left in self._without(word) for w in self._left.get(left, ())}
        fits = sorted(w for w in close if w[0] == word[0] and near(word, w))
        return min(fits, key=lambda w: abs(len(w) - len(word)), default=None)
