"""How well words are screened, on examples that nothing was trained or tuned on:
python -m tests.screening.measure"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bot.safeguarding import Screening
from bot.safeguarding.train import Example, read
from content import loader
from tests.finding.measure import interval

UNSEEN = Path(__file__).parent / "unseen.jsonl"
PARTS: dict[str, tuple[Callable[[Example], bool], str]] = {
    "urgent, noticed": (lambda one: one.label == "urgent", "95 % at least"),
    "urgent or concern, noticed": (lambda one: one.label != "none", "92 % at least"),
    "hard negatives, noticed": (
        lambda one: one.label == "none" and one.kind != "ordinary", "8 % at most"
    ),
    "ordinary, noticed": (
        lambda one: one.label == "none" and one.kind == "ordinary", "1 % at most"
    ),
}  # fmt: skip


def figures() -> dict[str, tuple[int, int]]:
    """For each part: how many were noticed, of how many."""
    screening = Screening(loader.read().screening)
    shown = list(read(UNSEEN))
    hit = {one.text for one in shown if screening.screen(one.text)}
    return {
        name: (sum(one.text in hit for one in shown if of(one)), sum(map(of, shown)))
        for name, (of, _) in PARTS.items()
    }


def by(key: str) -> dict[str, tuple[int, int]]:
    """Of what tells, how much was noticed, by category, kind or role."""
    screening = Screening(loader.read().screening)
    told: dict[str, tuple[int, int]] = {}
    for one in read(UNSEEN):
        if one.label != "none":
            hits, of = told.get(getattr(one, key), (0, 0))
            told[getattr(one, key)] = hits + bool(screening.screen(one.text)), of + 1
    return dict(sorted(told.items()))


def milliseconds() -> tuple[float, float]:
    """The median, and what 99 of 100 take at most."""
    screening, took = Screening(loader.read().screening), []
    for one in read(UNSEEN):
        before = time.perf_counter()
        screening.screen(one.text)
        took.append((time.perf_counter() - before) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def main() -> None:
    write = sys.stdout.write
    write("| | share | 95 % interval | asked |\n|---|---|---|---|\n")
    for name, (hits, of) in figures().items():
        low, high = interval(hits, of)
        asked = PARTS[name][1]
        write(f"| {name} | {hits} of {of}: {hits / of:.1%} | {low:.0%} to {high:.0%} | {asked} |\n")
    for key in ("category", "kind", "role"):
        write(f"\n| {key} | noticed |\n|---|---|\n")
        for name, (hits, of) in by(key).items():
            write(f"| {name} | {hits} of {of} |\n")
    usual, most = milliseconds()
    write(f"\n{usual:.1f} ms for a text (median), {most:.1f} ms (99 of 100)\n")


if __name__ == "__main__":
    main()
