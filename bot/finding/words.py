"""Words as they are compared: case, accents, marks, slang and endings don't matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("['\u2019\u2018`\u00b4]")
_LITTLE, _LESS = 0.15, 0.4
_SMALL = """
a about after all also am an and any are as at be been before being but by can cant could did
didnt do does doesnt doing dont even ever for from get gets getting go goes going gonna got had
has have havent having he her him his how i id if ill im in into is isnt it its ive just let like
lot made make many me much my myself need needs no not now of off ok on one only or our out over
please really said say says she should so some something still tell than that the their them then
there theres they theyre thing this those to too up us want was we were what whats when where
which who whos whose why will with wont would you your youre yours
"""
_EVERYDAY = """
able actually add again age ago already answer anyone anything area around back bad believe best
better big bring brought buy call called change check close come cost count day days different
difficult end enough every everyone everything explain far fast feel find first free give given
good great happen happens hard hear hello help hey hi home hour important join keep kept kind
know known last late left less life little live long look lost mean means meet might minute
money month more morning most move name near new next nice night nobody nothing number old open
order other own part pay people person phone place play price put question read real register
report right same see sell set short show shut side sign somebody someone sort speak start
started stay stop story such sure take talk thank thanks think three time today told tomorrow
tonight took try turn two type use used very wait walk watch way week weeks well went whole win
without word work worth wrong year years yes young
"""
SMALL = frozenset(_WORD.findall(_SMALL))
"""Words that say nothing of what is asked about."""
_ENDINGS = (
    ("ies", "y"), ("ied", "y"), ("ships", ""), ("ship", ""), ("ings", ""), ("ing", ""),
    ("ers", "er"), ("ed", ""), ("es", ""), ("ly", ""), ("s", ""),
)  # fmt: skip


def plain(text: str) -> list[str]:
    """The words of a text, without capitals, accents or apostrophes."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    flat = _MARKS.sub("", flat).replace("£", " pound ")
    bare = "".join(ch for ch in flat if not unicodedata.combining(ch))
    bare = re.sub(r"(?<=\d),(?=\d{3})", "", bare)
    return [re.sub(r"([^\W\d])\1{2,}", r"\1\1", word) for word in _WORD.findall(bare)]


def stem(word: str) -> str:
    """A word without its ending: houses, housing and house are one."""
    if len(word) < 4 or not word.isalpha():
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= 3:
            if ending == "s" and word.endswith(("ss", "us")):
                break
            word = word.removesuffix(ending) + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiols":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


EVERYDAY = frozenset(map(stem, _WORD.findall(_EVERYDAY)))
"""Words of any talk whatever: alone they tell little, together with others something."""


def own_weight(word: str) -> float:
    """What a word tells whatever is known, 0 to 1."""
    if word in SMALL:
        return _LITTLE
    digit = len(word) == 1 and word.isdecimal()
    return _LESS if digit or word in EVERYDAY else 1.0


class Reading:
    """Reads a text as the words that are compared, with slang put into our words."""

    def __init__(self, synonyms: Mapping[str, Sequence[str]]) -> None:
        self._ours = {
            tuple(plain(theirs)): plain(ours)
            for ours, listed in synonyms.items()
            for theirs in listed
        }
        self._longest = max(map(len, self._ours), default=0)

    def ours(self, text: str) -> list[str]:
        """The plain words, slang replaced; the longest that fits first."""
        return list(self._replaced(plain(text)))

    def stems(self, text: str) -> list[str]:
        return [word if word in SMALL else stem(word) for word in self.ours(text)]

    def _replaced(self, words: list[str]) -> Iterator[str]:
        at = 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                if (ours := self._ours.get(tuple(words[at : at + length]))) is not None:
                    yield from ours
                    at += length
                    break
            else:
                yield words[at]
                at += 1


def pieces(words: Sequence[str]) -> set[str]:
    """The runs of three letters in them, with where a word begins and ends: two spellings of one
    word share most."""
    marked = (f" {word} " for word in words)
    return {word[at : at + 3] for word in marked for at in range(len(word) - 2)}


def near(word: str, other: str) -> bool:
    """Whether one is a slip of the other: a letter missing, added, wrong, or two swapped; in long
    words two of these."""
    most = 2 if min(len(word), len(other)) >= 8 else 1
    if abs(len(word) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(word, 1):
        now = [i]
        for j, b in enumerate(other, 1):
            cost = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == word[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        before, row = row, now
        if min(row) > most:
            return False
    return row[-1] <= most
