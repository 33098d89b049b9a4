"""Training of model.py, from content/safeguarding/examples and the ways to ask. Nothing is random.

python -m bot.safeguarding.train                     how well it tells what it was not trained on
python -m bot.safeguarding.train --keep ENOUGH GRAVE  its weights anew, and where it begins to tell
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.safeguarding.model import BUCKETS, WEIGHTS, Floats, counted, numbered, tokens
from content import loader
from content.schema import Findable

EXAMPLES = loader.HERE / "safeguarding/examples"
STEPS, PACE, HELD = 240, 0.25, 2e-6
"""Of the training: steps over all examples, the length of a step, and what holds weights small."""
FOLDS, TOGETHER = 5, 10
"""Parts that are left out in turn; so many lines after each other stay together, as twins do."""
WORDS = 1 << 14
NEITHER = (
    "homeless", "mental", "advoc", "want-to-talk", "raise", "support-for", "call", "suspens",
    "rights", "independent", "safe", "talk", "housed", "reduced", "move",
)  # fmt: skip
"""Ways to ask for these may well tell of a worry: they are no examples of either."""


UNSAID = ""
"""The category of a way to ask: nobody has said."""


@dataclass(frozen=True)
class Example:
    """Something that might be written, and what a careful person would say of it."""

    text: str
    label: str
    category: str
    kind: str
    role: str
    lang: str
    file: str


def examples() -> list[Example]:
    return [*_written(EXAMPLES), *_asked()]


def _written(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.jsonl")):
        yield from read(path)


def read(path: Path) -> Iterator[Example]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        yield Example(
            row["text"], row["label"], row["category"], row["kind"], row["role"],
            row.get("lang", "en"), path.stem,
        )  # fmt: skip


def _asked() -> Iterator[Example]:
    """Ways to ask for things are ordinary talk; ways to ask for help now are not."""
    for kind, ways in loader.read().asked_as.items():
        for id_, listed in ways.items():
            harm = kind is Findable.HELP
            if not harm and any(part in id_ for part in NEITHER):
                continue
            label, category = ("urgent", UNSAID) if harm else ("none", UNSAID)
            for way in listed:
                yield Example(way, label, category, "plain" if harm else "ordinary", "", "en", kind)


class _Rows:
    """All examples as one sparse table."""

    def __init__(self, texts: Sequence[str]) -> None:
        rows = [counted(text) for text in texts]
        self.numbers = np.concatenate([numbers for numbers, _ in rows])
        self.amounts = np.concatenate([amounts for _, amounts in rows])
        self.of = np.repeat(np.arange(len(rows)), [len(numbers) for numbers, _ in rows])
        self.count = len(rows)

    def scores(self, weights: Floats) -> Floats:
        told = np.bincount(self.of, weights[self.numbers] * self.amounts, self.count)
        return told.astype(np.float32)

    def gathered(self, errors: Floats) -> Floats:
        found = np.bincount(self.numbers, errors[self.of] * self.amounts, BUCKETS)
        return found.astype(np.float32)


def fitted(rows: _Rows, wanted: Floats, counts: Floats) -> tuple[Floats, float]:
    """Logistic regression by Adam over all at once. `counts`: what each example counts; 0 leaves
    it out."""
    weights, first, second = (np.zeros(BUCKETS, np.float32) for _ in range(3))
    bias = 0.0
    counts = counts / counts.sum()
    for step in range(1, STEPS + 1):
        likely = 1 / (1 + np.exp(-np.clip(rows.scores(weights) + bias, -30, 30)))
        errors = (likely - wanted) * counts
        slope = rows.gathered(errors) + HELD * weights
        first += np.float32(0.1) * (slope - first)
        second += np.float32(0.01) * (slope * slope - second)
        rate = PACE * (1 - step / (STEPS + 1))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-6)
        bias -= rate * 2 * float(errors.sum())
    return weights, bias


def targets(shown: Sequence[Example]) -> tuple[Floats, Floats]:
    harm = np.array([one.label != "none" for one in shown], np.float32)
    grave = np.array([one.label == "urgent" for one in shown], np.float32)
    return harm, grave


def left_out(shown: Sequence[Example]) -> tuple[Floats, Floats]:
    """The scores of each example by weights that were trained without it and its neighbours."""
    rows, (harm, grave) = _Rows([one.text for one in shown]), targets(shown)
    fold = np.array(
        [crc32(f"{o.file}{at // TOGETHER}".encode()) % FOLDS for at, o in enumerate(shown)]
    )
    told, graver = np.zeros(rows.count, np.float32), np.zeros(rows.count, np.float32)
    for part in range(FOLDS):
        used = (fold != part).astype(np.float32)
        for wanted, counts, found in ((harm, used, told), (grave, used * harm, graver)):
            weights, bias = fitted(rows, wanted, counts)
            found[fold == part] = (rows.scores(weights) + bias)[fold == part]
    return told, graver


def trained(shown: Sequence[Example], enough: float, grave_from: float) -> dict[str, NDArray[Any]]:
    rows, (harm, grave) = _Rows([one.text for one in shown]), targets(shown)
    kept: dict[str, NDArray[Any]] = {"enough": np.array(enough), "grave": np.array(grave_from)}
    everything = np.ones(rows.count, np.float32)
    for name, wanted, counts in (("harm", harm, everything), ("urgent", grave, harm)):
        weights, bias = fitted(rows, wanted, counts)
        scale = float(np.abs(weights).max()) / 127
        kept[name] = np.round(weights / scale).astype(np.int8)
        kept[f"{name}_scale"], kept[f"{name}_bias"] = np.array(scale), np.array(bias)
    kept["categories"], kept["by_category"] = _categories(shown)
    return kept


def _categories(shown: Sequence[Example]) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """For each word, how much likelier it stands in what tells of a category."""
    telling = [one for one in shown if one.label != "none" and one.category != UNSAID]
    names = sorted({one.category for one in telling})
    counts = np.ones((WORDS, len(names)), np.float32) * 0.3
    for one in telling:
        for word in set(tokens(one.text)):
            counts[numbered(f"w1{word}") % WORDS, names.index(one.category)] += 1
    told = np.log(counts / counts.sum(axis=0)) - np.log(
        counts.sum(axis=1, keepdims=True) / counts.sum()
    )
    return np.array(names), np.round(np.clip(told / 4, -1, 1) * 127).astype(np.int8)


def main() -> None:
    shown, write = examples(), sys.stdout.write
    label = np.array([one.label for one in shown])
    write(f"{len(shown)} examples: {dict(Counter(label.tolist()))}\n")
    if "--keep" in sys.argv:
        enough, grave = (float(value) for value in sys.argv[sys.argv.index("--keep") + 1 :][:2])
        np.savez_compressed(WEIGHTS, **trained(shown, enough, grave))  # type: ignore[arg-type]
        write(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size // 1024} KiB\n")
        return
    told, _ = left_out(shown)
    ordinary = np.array([one.kind == "ordinary" for one in shown])
    parts = {
        "urgent": label == "urgent",
        "concern": label == "concern",
        "hard": (label == "none") & ~ordinary,
        "ordinary": (label == "none") & ordinary,
    }
    write("from ".join(("", "".join(f"{name:>16}" for name in parts) + "\n")))
    for enough in np.arange(-2.0, 1.6, 0.25):
        hit = told >= enough
        shares = (f"{(hit & of).sum() / of.sum():>16.1%}" for of in parts.values())
        write(f"{enough:5.2f}{''.join(shares)}\n")


if __name__ == "__main__":
    main()
