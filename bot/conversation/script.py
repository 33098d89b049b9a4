"""What one conversation is played from: a flow, its words, and what its person may be owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from bot.signposting import Signpost, entitled
from content.conditions import Known
from content.schema import Entitlement, Flow, Option, Question, QuestionType, Skip

Wording = Mapping[str, str]


@dataclass(frozen=True, repr=False)
class Script:
    """Everything the engine may know; nothing in it changes during a turn."""

    flow: Flow
    flow_hash: str
    languages: Mapping[str, Wording]
    entitlements: Mapping[str, Entitlement]
    today: date

    def words(self, language: str) -> Wording:
        return self.languages.get(language, self.languages["en"])

    @cached_property
    def commands(self) -> Mapping[str, Mapping[str, str]]:
        """Language -> typed word -> command."""
        return steering(self.languages)

    def offered(self, question: Question, known: Known) -> tuple[Option, ...]:
        """The options open to this person."""
        if question.always_offered:
            return question.options
        return tuple(o for o in question.options if o.when is None or o.when.truth(known))

    def signposts(self, known: Known) -> tuple[Signpost, ...]:
        """What this person may be entitled to, as far as their answers tell."""
        return entitled(self.entitlements.values(), self.flow, known, self.today)

    def skips(self, question: Question) -> tuple[Skip, ...]:
        return self.flow.skips_of(question)

    def takes_several(self, question: Question) -> bool:
        return question.type in (QuestionType.CHOICES, QuestionType.ENTITLEMENTS)


def steering(languages: Mapping[str, Wording]) -> Mapping[str, Mapping[str, str]]:
    """Words that steer rather than answer, from `conversation.words.*` (comma separated)."""
    prefix = "conversation.words."
    return {
        language: {
            folded(word): key.removeprefix(prefix)
            for key, listed in words.items()
            if key.startswith(prefix)
            for word in listed.split(",")
        }
        for language, words in languages.items()
    }


def folded(text: str) -> str:
    """Words as they are compared: case, spaces and closing stops don't matter."""
    return " ".join(text.casefold().split()).strip(" .!?,")
