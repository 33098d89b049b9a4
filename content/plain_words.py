"""Words that senders read: plain, kind, British, and asking for no more than is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from content.schema import Audience, Flow, Question, QuestionType

OLDEST = 9.0
"""The reading age that GOV.UK writes for; practice.md 6."""
FEWEST = 20
"""A formula says nothing of fewer words than these."""
AVOID = {
    r"LAC|CLA": "say children in care",
    r"looked[- ]after child(ren)?": "say child in care",
    r"placements?": "say home, or where you live",
    r"challenging behaviour": "say having a hard time",
    r"absconde?d?": "say went missing",
    r"NEET": "say not in work or training right now",
    r"UASC|asylum[- ]seekers?": "say young person",
    r"hard to reach|attention[- ]seeking|failed to": "say what happened, without blame",
    r"full potential|high aspirations": "say what is best for them",
    r"fixed[- ](term|period) exclusions?": "say suspension",
    r"(birth|biological) (parents?|mother|father|family)": "say family, mum or dad",
}
"""Words no sender reads, and what to say instead (practice.md 6)."""
AVOID_WITH_CHILDREN = {
    r"siblings?": "say brothers and sisters",
    r"respite": "say stay over",
    r"contact (time|visits?|with your)": "say family time",
    r"exclusions?|excluded": "say suspended, or not allowed in",
    r"professionals?": "say who they are",
}
AMERICAN = {
    r"colou?r": "colour",
    r"behaviou?r": "behaviour",
    r"favou?rite": "favourite",
    r"neighbou?r": "neighbour",
    r"cent(?:er|re)": "centre",
    r"mom": "mum",
    r"counsel(?:or|ing)": "counsellor, counselling",
    r"enroll(?:ment)?": "enrol, enrolment",
    r"fulfill": "fulfil",
    r"math": "maths",
    r"program": "programme",
    r"vacation": "holiday",
    r"gotten": "got",
}
_BRITISH = {"colour", "behaviour", "favourite", "neighbour", "centre"}
CAPITALS = {"SENCO", "CAMHS", "CAFCASS", "NSPCC", "UCAS", "PEPs", "EHCPs"}
"""Short forms of five letters and more that people know; others would shout."""
_SHOUTS = re.compile(r"\b[A-Z]{5,}\b|\b[A-Z]{2,} [A-Z]{2,} [A-Z]{2,}\b")
_SUSPECT = re.compile(
    rf"(?i:\b(?:{'|'.join((*AVOID, *AVOID_WITH_CHILDREN, *AMERICAN))})\b)|{_SHOUTS.pattern}"
)
"""What may be in any of the words above, whoever reads it and whatever the case."""
_LEAVES_OUT = re.compile(r"\b(names?|who it|don.t (have to|say)|address|private)\b", re.IGNORECASE)
"""How a help says what not to write."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_END = re.compile(r"[.!?:]+(?:\s|$)|\n+")


@dataclass(frozen=True)
class Said:
    """A text with the id of what it stands in."""

    where: str
    text: str


def read_texts(flow: Flow) -> Iterator[Said]:
    """The sentences of a flow that its sender reads, in blocks that are read together."""
    yield Said(flow.id, f"{flow.title}.\n{flow.summary}\n{flow.intro}")
    for question in flow.questions:
        yield Said(question.id, "\n".join(filter(None, (question.text, question.help))))
        if question.another_way:
            yield Said(question.id, question.another_way)
    for ending in flow.endings:
        yield Said(ending.id, "\n".join((f"{ending.title}.", ending.text, *ending.next)))


def flow_texts(flow: Flow) -> Iterator[Said]:
    """The same with what can be chosen; lists of words, which no formula fits."""
    yield from read_texts(flow)
    for question in flow.questions:
        yield Said(question.id, "\n".join(_labels(question)))


def _labels(question: Question) -> Iterator[str]:
    for option in question.options:
        yield f"{option.label}."
        if option.help:
            yield option.help


def unkind(text: str, audience: Audience | None = None) -> Iterator[str]:
    """Words to avoid, each with what to say instead."""
    if not _SUSPECT.search(text):  # as nearly every text
        return
    words = AVOID | (AVOID_WITH_CHILDREN if audience is Audience.CHILD else {})
    for pattern, instead in words.items():
        if found := re.search(rf"\b(?:{pattern})\b", text, _case(pattern)):
            yield f"says {found[0]!r} to a sender: {instead}"
    for pattern, british in AMERICAN.items():
        found = re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
        if found and found[0].lower() not in _BRITISH:
            yield f"says {found[0]!r}: say {british}"
    for found in _SHOUTS.finditer(text):
        if found[0] not in CAPITALS:
            yield f"shouts {found[0]!r}"


def _case(pattern: str) -> int:
    return 0 if pattern.isupper() or "UASC" in pattern else re.IGNORECASE


def says_what_to_leave_out(question: Question) -> bool:
    """Whoever may write at length is told what not to put (names, places, secrets)."""
    if question.type is not QuestionType.TEXT or not question.long:
        return True
    return bool(_LEAVES_OUT.search(f"{question.text} {question.help or ''}"))


def reading_age(text: str) -> float | None:
    """About how old a reader must be, in years: the Flesch-Kincaid grade (Kincaid and others,
    1975) and five. None for a text too short to say."""
    sentences = [part for part in _END.split(text) if _WORD.search(part)]
    words = _WORD.findall(text)
    if len(words) < FEWEST:
        return None
    per_sentence = len(words) / len(sentences)
    per_word = sum(map(_syllables, words)) / len(words)
    return max(5.0, 0.39 * per_sentence + 11.8 * per_word - 15.59 + 5)


@cache
def _syllables(word: str) -> int:
    """By groups of vowels, as the formula's own counters do; a silent e or ed is none."""
    word = word.lower()
    if word in _KNOWN:
        return 1
    groups = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouyl]e$", word) or re.search(r"[^aeiouytd]ed$", word):
        groups -= 1
    return max(1, groups)


_KNOWN = frozenset({
    "virtual", "education", "educational", "designated", "council", "university", "apprenticeship",
    "social", "worker", "teacher", "personal", "adviser", "staffordshire", "kirklees", "childline",
    "bursary", "entitlement", "pupil", "premium", "independent", "reviewing", "officer",
})  # fmt: skip
"""Long words that stand for one thing their readers meet daily, and have no shorter name: they
count as one syllable, as names do."""
