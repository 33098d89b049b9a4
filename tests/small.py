"""Tiny flows for tests: one feature each, written where they are used."""

from datetime import UTC, date, datetime

import yaml

from bot.conversation import engine
from bot.conversation.script import Script
from bot.conversation.state import Conversation
from content.loader import HERE, _Reader, _Yaml
from content.schema import Channel, Entitlement, Flow

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WORDS = _Reader(HERE).wording()

HEAD = """
id: tiny
title: Tiny
summary: A tiny flow.
audience: adult
for_whom: Testers
minutes: 1
channels: [telegram, chat, form]
intro: Hello.
help_notice: help-now-adult
submission: {kind: concern, title: Tiny thing, sender: role}
priority: [{level: standard, reason: Tiny}]
"""

ENDINGS = """
endings:
  - {id: sent, kind: submission, title: Sent, text: We have it., next: ["By {reply_by}."]}
"""


def flow(questions: str, endings: str = ENDINGS, head: str = HEAD) -> Flow:
    return Flow.model_validate(yaml.load(f"{head}\n{questions}\n{endings}", _Yaml))


def script(questions: str, endings: str = ENDINGS, rows: tuple[Entitlement, ...] = ()) -> Script:
    return Script(
        flow=flow(questions, endings),
        flow_hash="tiny",
        languages=WORDS,
        entitlements={row.id: row for row in rows},
        today=date(2026, 11, 23),
    )


class Talk:
    """A conversation held with the engine alone, re-read from its stored form at every step."""

    def __init__(self, played: Script, channel: Channel = Channel.FORM) -> None:
        self.script = played
        self.channel = channel
        self.conversation = engine.begin(played, "abcdef0123456789")
        self.turn = engine.Turn(self.conversation, ())

    def hears(self, event):
        self.turn = engine.step(self.script, self.conversation, event, NOW, self.channel)
        self.conversation = Conversation.loads(self.turn.conversation.dumps())
        assert self.conversation == self.turn.conversation
        return self.turn

    @property
    def asked(self) -> str | None:
        return self.turn.asking.question.id if self.turn.asking else None

    def says(self, kind: type) -> list:
        return [message for message in self.turn.messages if isinstance(message, kind)]
