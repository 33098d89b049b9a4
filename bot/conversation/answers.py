"""What a person gave, read as an answer; or why it can't be, in words they can act on."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import dateparser
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from bot.conversation.script import Script, Wording, folded
from content.conditions import Known
from content.schema import Question, QuestionType, Skip

LONGEST = 4000
"""Characters of a text answer whose question sets no other bound."""
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Given:
    """An answer that can be kept."""

    values: tuple[str, ...]
    skip: Skip | None = None


@dataclass(frozen=True)
class Trouble:
    """Why it can't: a key of `conversation.problem`, and the words for its gaps."""

    key: str
    gaps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """One thing that can be chosen, however it came to be offered."""

    value: str
    label: str
    synonyms: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class Asking:
    """A question as put to this person now: what an answer is read against."""

    script: Script
    question: Question
    known: Known
    words: Wording
    now: datetime

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be chosen, in the order shown."""
        if self.question.type is QuestionType.ENTITLEMENTS:
            posts = self.script.signposts(self.known)
            return tuple(Choice(p.entitlement.id, p.entitlement.title) for p in posts)
        if self.question.type is QuestionType.CARD:
            return (Choice("read", self.words["conversation.button.card"]),)
        options = self.script.offered(self.question, self.known)
        return tuple(Choice(o.value, o.label, o.synonyms, o.alone) for o in options)


def read_values(asking: Asking, values: Sequence[str]) -> Given | Trouble:
    """An answer made by tapping or ticking. Several choices come out in the order shown."""
    skips = {skip.value: skip for skip in asking.script.skips(asking.question)}
    if len(values) == 1 and values[0] in skips:
        return Given((), skips[values[0]])
    if asking.question.type is QuestionType.FILE:  # files are added, never named
        return _words_for_a_file(asking)
    if asking.question.type.counts:
        return read_text(asking, values[0] if values else "")
    choices = {choice.value: choice for choice in asking.choices}
    if any(value not in choices for value in values):
        return Trouble("choice")
    chosen = tuple(value for value in choices if value in values)
    if not asking.script.takes_several(asking.question):
        return Given(chosen) if len(chosen) == 1 else Trouble("choice")
    return _several(asking, [choices[value] for value in chosen])


def _several(asking: Asking, chosen: list[Choice]) -> Given | Trouble:
    question = asking.question
    fewest = question.min or (0 if question.type is QuestionType.ENTITLEMENTS else 1)
    if len(chosen) < fewest:
        return Trouble("choose-some")
    if question.max is not None and len(chosen) > question.max:
        return Trouble("choose-fewer", {"most": str(question.max)})
    alone = next((choice for choice in chosen if choice.alone), None)
    if alone is not None and len(chosen) > 1:
        return Trouble("alone", {"label": alone.label})
    return Given(tuple(choice.value for choice in chosen))


def read_text(asking: Asking, text: str) -> Given | Trouble:
    """An answer made in words."""
    words = tidy(text)
    if not words:
        return Trouble("empty")
    return _READERS[asking.question.type](asking, words)


def tidy(text: str) -> str:
    """The words as typed, less what no person means to type: control characters, byte-order
    marks, zero-width spaces and broken halves of characters. Joiners stay: emoji and Persian
    need them."""
    sound = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    kept = (
        ch
        for ch in unicodedata.normalize("NFC", sound.replace("\r\n", "\n").replace("\r", "\n"))
        if ch in "\n\t" or not (unicodedata.category(ch) == "Cc" or ch in "\ufeff\u200b\u2060")
    )
    return "".join(kept).strip()


def _choice(asking: Asking, text: str) -> Given | Trouble:
    skips = asking.script.skips(asking.question)
    for skip in skips:
        if folded(text) == folded(asking.words[f"conversation.skip.{skip.value}"]):
            return Given((), skip)
    found = match(asking.choices, text)
    return Given((found.value,)) if found else Trouble("choice")


def _choices(asking: Asking, text: str) -> Given | Trouble:
    whole = _choice(asking, text)
    if isinstance(whole, Given):
        return whole if whole.skip else read_values(asking, whole.values)
    parts = [part for part in re.split(r"[,;\n/+&]", text) if part.strip()]
    found = [match(asking.choices, part) for part in parts]
    if not found or None in found:
        return Trouble("choices")
    return read_values(asking, [choice.value for choice in found if choice])


def match(choices: Sequence[Choice], text: str) -> Choice | None:
    """Exact label or a listed synonym, then number, then the only label it begins.

    Never a guess: what could mean two things means nothing. A synonym comes before a number,
    so that "3" to "Which year are you in?" is Year 3 and not the third button.
    """
    said = folded(text)
    for meant in (
        [c for c in choices if said in (folded(c.label), c.value)],
        [c for c in choices if said in map(folded, c.synonyms)],
        choices[int(said) - 1 : int(said)] if said.isdecimal() and int(said) > 0 else [],
        [c for c in choices if said and folded(c.label).startswith(said)],
    ):
        if meant:
            return meant[0] if len(meant) == 1 else None
    return None


def _words(asking: Asking, text: str) -> Given | Trouble:
    most = asking.question.max or LONGEST
    if len(text) > most:
        over = str(len(text) - most)
        return Trouble("too-long", {"most": f"{most:,}", "over": over})
    return Given((text,))


def _number(asking: Asking, text: str) -> Given | Trouble:
    # One number and no more: "about 60%" is 60, but "60-70" is asked again; so is "12.5" unless
    # halves are counted.
    if asking.question.halves:
        return _counted(asking, "halves", _HALF.sub(".5", text), r"\d{1,6}(?:\.[05])?|\.5")
    return _counted(asking, "number", text, r"\d{1,6}")


_HALF = re.compile(r"\s*½|(?<=\d)\s+and\s+a\s+half|(?<=\d)\s+1/2", re.IGNORECASE)


def _money(asking: Asking, text: str) -> Given | Trouble:
    if re.search(r"\d\s*(k|m|p|pence|thousand|million)\b", text, re.IGNORECASE):
        return Trouble("money", _bounds(asking))
    thousands = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", text)
    return _counted(asking, "money", thousands, r"\d{1,6}(?:\.\d\d)?")


def _counted(asking: Asking, trouble: str, text: str, shape: str) -> Given | Trouble:
    """The one amount of this shape in a text, written the plainest way: 5, 4.5 or 120.50."""
    runs = re.findall(r"[\d.,]*\d", text)
    if len(runs) != 1 or re.search(r"-\s*[\d.]", text) or not re.fullmatch(shape, runs[0]):
        return Trouble(trouble, _bounds(asking))
    value = Decimal(runs[0])
    if not (asking.question.min or 0) <= value <= (asking.question.max or 0):
        return Trouble(trouble, _bounds(asking))
    return Given((f"{int(value)}" if value == int(value) else f"{value}",))


def _bounds(asking: Asking) -> Mapping[str, str]:
    return {"low": f"{asking.question.min or 0:,}", "high": f"{asking.question.max or 0:,}"}


def _date(asking: Asking, text: str) -> Given | Trouble:
    now = asking.now.astimezone(LONDON).replace(tzinfo=None)
    time = asking.question.time
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dateparser's own, about a pattern it asks Python for
        found = dateparser.parse(
            text,
            languages=["en"],
            settings={
                "DATE_ORDER": "DMY",
                "RELATIVE_BASE": now,
                "REQUIRE_PARTS": ["day", "month"],
                "PREFER_DATES_FROM": {"past": "past", "future": "future"}.get(
                    time, "current_period"
                ),
            },
        )
    if found is None or not 2000 <= found.year <= 2100:
        return Trouble("date")
    if time == "past" and found.date() > now.date():
        return Trouble("date-past")
    if time == "future" and found.date() < now.date():
        return Trouble("date-future")
    return Given((found.date().isoformat(),))


def _phone(asking: Asking, text: str) -> Given | Trouble:
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return Trouble("phone")
    # Possible, not valid: Ofcom's numbers for drama are not in use, and a carer may type one
    # that a newer numbering plan knows.
    if not phonenumbers.is_possible_number(number):
        return Trouble("phone")
    return Given(
        (phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),)
    )


def _email(asking: Asking, text: str) -> Given | Trouble:
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return Trouble("email")
    return Given((found.normalized,))


def listed_kinds(question: Question, words: Wording) -> str:
    """What a file question takes, in words: "pictures, voice notes or PDFs"."""
    *first, last = (words[f"conversation.file.kinds.{kind}"] for kind in question.accepts)
    return f"{', '.join(first)} {words['conversation.file.or']} {last}" if first else last


def _no_file(asking: Asking, text: str) -> Given | Trouble:
    """Words can't be a file; a non-answer in words is one."""
    read = _choice(asking, text)
    return read if isinstance(read, Given) else _words_for_a_file(asking)


def _words_for_a_file(asking: Asking) -> Trouble:
    return Trouble("file-words", {"kinds": listed_kinds(asking.question, asking.words)})


_READERS: Mapping[QuestionType, Callable[[Asking, str], Given | Trouble]] = {
    QuestionType.CHOICE: _choice,
    QuestionType.CHOICES: _choices,
    QuestionType.TEXT: _words,
    QuestionType.NUMBER: _number,
    QuestionType.MONEY: _money,
    QuestionType.DATE: _date,
    QuestionType.PHONE: _phone,
    QuestionType.EMAIL: _email,
    QuestionType.CARD: _choice,
    QuestionType.ENTITLEMENTS: _choices,
    QuestionType.FILE: _no_file,
}
