"""How well questions find: right first, right in three, and honestly nothing. Prints the tables of
docs/finding.md:  python -m tests.finding.measure        (--unseen for the part not tuned on)"""

from __future__ import annotations

import json
import math
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot import finding
from bot.finding import Document, Index, words
from content import loader

HERE = Path(__file__).parent
Found = list[tuple[str, float]]
Method = Callable[[str], Found]
"""A question -> what it finds, best first: kind and id, score."""


@dataclass(frozen=True)
class Asked:
    """A question, and what would answer it; nothing should where there is none."""

    text: str
    right: frozenset[str]
    authority: str
    unseen: bool
    """Written before the phrases that find it, and never tuned on."""


@cache
def questions() -> tuple[Asked, ...]:
    return (*_part("tuning"), *_part("unseen"))


def _part(part: str) -> Iterator[Asked]:
    for line in (HERE / f"{part}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        authority = row.get("authority", "staffordshire")
        yield Asked(row["text"], frozenset(row["right"]), authority, part == "unseen")


@dataclass(frozen=True)
class Figures:
    """What was counted, of how many."""

    first: int
    in_three: int
    fitting: int
    honest: int
    """Nothing found where nothing fits."""
    empty: int
    """Nothing found where something fits."""
    strangers: int


def figures(method: Callable[[str], Method], asked: Iterable[Asked], enough: float) -> Figures:
    first = in_three = fitting = honest = empty = strangers = 0
    for question in asked:
        found = [(n, s) for n, s in method(question.authority)(question.text)[:5] if s >= enough]
        names = [name for name, _ in found]
        if question.right:
            fitting += 1
            first += bool(names and names[0] in question.right)
            in_three += bool(question.right & set(names[:3]))
            empty += not names
        else:
            strangers += 1
            honest += not names
    return Figures(first, in_three, fitting, honest, empty, strangers)


def interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's interval, 95 %."""
    if not of:
        return 0.0, 1.0
    z, p = 1.96, hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return middle - half, middle + half


# --- Methods ------------------------------------------------------------------------------


@cache
def index(authority: str) -> Index:
    return finding.indexed(_content(), authority)


@cache
def _content() -> loader.Content:
    return loader.read()


def name(document: Document) -> str:
    return f"{document.kind.value} {document.id}"


def hybrid(authority: str) -> Method:
    """What the product uses."""
    found = index(authority)
    return lambda text: [(name(r.document), r.score) for r in found.find(text)]


@cache
def word_search(authority: str) -> Method:
    """BM25 over words, by SQLite's full-text search with Porter's stems."""
    documents = index(authority).documents
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(asked, body, tokenize='porter unicode61')")
    for at, doc in enumerate(documents):
        row = (at, " . ".join(doc.asked), doc.body)
        db.execute("INSERT INTO f(rowid, asked, body) VALUES (?, ?, ?)", row)

    def find(text: str) -> Found:
        typed = [w for w in words.plain(text) if w not in words.SMALL] or words.plain(text)
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(typed))
        if not query:
            return []
        sql = "SELECT rowid, -bm25(f, 3.0, 1.0) AS s FROM f WHERE f MATCH ? ORDER BY s DESC LIMIT 5"
        # Scores grow with the words asked; a share of them can be compared with a threshold.
        rows = db.execute(sql, (query,)).fetchall()
        return [(name(documents[at]), score / len(typed)) for at, score in rows]

    return find


@cache
def letter_search(authority: str) -> Method:
    """Likeness of runs of three letters, with the best way to ask for each."""
    documents = index(authority).documents
    ways = [(at, words.pieces(words.plain(w))) for at, d in enumerate(documents) for w in d.asked]
    counts: dict[str, int] = {}
    for _, grams in ways:
        for gram in grams:
            counts[gram] = counts.get(gram, 0) + 1
    weight = {gram: math.log(1 + len(ways) / n) for gram, n in counts.items()}
    most = max(weight.values())
    lengths = [math.sqrt(sum(weight[g] ** 2 for g in grams)) for _, grams in ways]

    def find(text: str) -> Found:
        asked = words.pieces(words.plain(text))
        length = math.sqrt(sum(weight.get(g, most) ** 2 for g in asked)) or 1.0
        best: dict[str, float] = {}
        for (at, grams), own in zip(ways, lengths, strict=True):
            like = sum(weight[g] ** 2 for g in asked & grams) / (length * own)
            key = name(documents[at])
            best[key] = max(best.get(key, 0.0), like)
        return sorted(best.items(), key=lambda pair: -pair[1])[:5]

    return find


@cache
def look_search(authority: str) -> Method:
    """Words and letters, as the product weighs them, without what they mean."""
    found = index(authority)

    def find(text: str) -> Found:
        looks = found._looks(text, found._reading.stems(text))
        return _best({at: math.sqrt(like) for at, like in looks.items()}, found)

    return find


@cache
def meaning_search(authority: str) -> Method:
    """What a question means, whatever its words."""
    found = index(authority)
    return lambda text: _best(dict(enumerate(found._meant.likeness(text).all)), found)


def _best(scores: dict[int, float], found: Index) -> Found:
    best = sorted(scores.items(), key=lambda pair: -pair[1])[:5]
    return [(name(found.documents[at]), float(score)) for at, score in best]


METHODS: dict[str, Callable[[str], Method]] = {
    "words (SQLite FTS5, BM25, Porter)": word_search,
    "letters (runs of three)": letter_search,
    "words and letters": look_search,
    "meaning (all-MiniLM-L6-v2)": meaning_search,
    "all three (what we use)": hybrid,
}


def threshold(method: Callable[[str], Method], asked: Sequence[Asked]) -> float:
    """The score that best tells what fits from what doesn't, on these: right in three where
    something fits, and nothing where nothing does, counted alike."""
    found = [(q, method(q.authority)(q.text)[:3]) for q in asked]
    scores = sorted({score for _, hits in found for _, score in hits})

    def good(enough: float) -> float:
        right = [bool(q.right & {n for n, s in h if s >= enough}) for q, h in found if q.right]
        none = [all(s < enough for _, s in h) for q, h in found if not q.right]
        return sum(right) / len(right) + sum(none) / len(none)

    return max(scores, key=good)


# --- Telling ------------------------------------------------------------------------------


def main(unseen: bool) -> None:
    tuning = [q for q in questions() if not q.unseen]
    asked = [q for q in questions() if q.unseen] if unseen else tuning
    print(f"{'unseen' if unseen else 'tuning'} part, {len(asked)} questions\n")
    print("| method | right first | right in three | nothing, where nothing fits |")
    print("|---|---|---|---|")
    for label, method in METHODS.items():
        own = 0.0 if method is hybrid else threshold(method, tuning)  # ours has its own
        f = figures(method, asked, own)
        cells = (
            _share(f.first, f.fitting), _share(f.in_three, f.fitting), _share(f.honest, f.strangers)
        )  # fmt: skip
        print(f"| {label} | {' | '.join(cells)} |")
    took = milliseconds()
    print(f"\na question takes {took[0]:.1f} ms (median), {took[1]:.1f} ms (99 of 100)")


def _share(hits: int, of: int) -> str:
    low, high = interval(hits, of)
    return f"{hits} of {of}: {hits / of:.1%} ({low:.0%} to {high:.0%})"


def milliseconds() -> tuple[float, float]:
    """The median, and the most that 99 of 100 take; of every fifth question."""
    found, took = index("staffordshire"), []
    for question in questions()[::5]:
        before = time.perf_counter()
        found.find(question.text)
        took.append((time.perf_counter() - before) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def misses(asked: Iterable[Asked]) -> None:
    """For tuning: what went wrong, and what was found instead."""
    for q in asked:
        found = [(n, s) for n, s in hybrid(q.authority)(q.text)[:3]]
        good = [n for n, _ in found]
        if (q.right and not q.right & set(good)) or (not q.right and good):
            told = "; ".join(f"{n} {s:.2f}" for n, s in found)
            print(f"{q.text!r}  wants {', '.join(sorted(q.right)) or 'nothing'}\n    {told}")


if __name__ == "__main__":
    if "--misses" in sys.argv:
        misses(q for q in questions() if not q.unseen)
    else:
        main("--unseen" in sys.argv)
