"""A flow gone through as its senders meet it, and nothing kept: the page carries what was said so
far, and each time all of it is said again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot import asking, safeguarding, saying
from bot.conversation import buttons, engine, speech
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.path import Path, path
from bot.conversation.script import Script
from bot.conversation.speech import Bubble, Sent, Voice
from bot.conversation.submission import spoken
from bot.errors import UnknownFlow
from bot.priority import Priority, prioritise
from bot.safeguarding import Concern
from bot.wiring import Waymark
from bot.working_days import reply_by
from content.schema import Channel, QuestionType
from web import fields
from web.casework.permissions import Action, Person, check

MOST = 250
"""Things said in one rehearsal: several times the questions of the longest flow."""
LONGEST, TOGETHER = 12_000, 120_000
"""Characters of one of them, and of all, as the page carries them."""
NOBODY = "preview0"
"""Whose conversation it is: always the same, so that its buttons fit from page to page."""
CODE = "(a code of their own)"


@dataclass(frozen=True)
class Step:
    """One thing done on the page: a button pressed, words typed, or a question's fields sent."""

    press: str = ""
    words: str = ""
    answer: tuple[str, ...] | None = None
    skip: str = ""

    def carried(self) -> str:
        """As the page carries it."""
        told: dict[str, Any] = {"press": self.press} if self.press else {"words": self.words}
        if self.answer is not None:
            told = {"answer": self.answer, "skip": self.skip}
        return json.dumps(told, ensure_ascii=False)


def read(carried: Sequence[str]) -> list[Step]:
    """What pages carried, as much as fits on one; what was never carried by one of ours is left
    out."""
    found, room = [], TOGETHER
    for one in carried[:MOST]:
        room -= len(one)
        step = _read(one) if room >= 0 else None
        if step is not None:
            found.append(step)
    return found


def _read(carried: str) -> Step | None:
    if len(carried) > LONGEST:
        return None
    try:
        told = json.loads(carried)
        json.dumps(told, ensure_ascii=False).encode()  # half a character can't be shown again
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not set(told) <= {"press", "words", "answer", "skip"}:
        return None
    answer = told.pop("answer", None)
    if not all(isinstance(value, str) for value in told.values()):
        return None
    if answer is None:
        return Step(**told) if told.get("press") or told.get("words") else None
    if isinstance(answer, list) and all(isinstance(value, str) for value in answer):
        return Step(answer=tuple(answer[:100]), skip=told.get("skip", ""))
    return None


@dataclass(frozen=True)
class Exchange:
    """What they did, and what they are told then."""

    mine: str | None
    bubbles: Sequence[Bubble]


@dataclass(frozen=True)
class Asked:
    """A question that was answered: what was said, and why it is asked."""

    question: str
    said: str
    why: str | None


@dataclass
class Rehearsal:
    """Where it stands after everything that was said."""

    script: Script
    channel: Channel
    turn: Turn
    steps: list[Step] = field(default_factory=list)
    talk: list[Exchange] = field(default_factory=list)
    promised: datetime | None = None
    """By when they would have an answer."""

    @property
    def ask(self) -> say.Ask | None:
        return self.turn.asking

    @property
    def over(self) -> bool:
        """Nothing more fits on the page."""
        carried = [len(step.carried()) for step in self.steps]
        return len(carried) >= MOST or sum(carried) + LONGEST > TOGETHER

    @property
    def walked(self) -> Path:
        return path(self.script, self.turn.conversation.answers)

    @property
    def priority(self) -> Priority:
        return prioritise(self.script.flow, self.walked.known)

    @property
    def concerns(self) -> tuple[Concern, ...]:
        return safeguarding.concerns(self.walked)

    @property
    def asked(self) -> list[Asked]:
        """What was answered so far."""
        words = self.script.words("en")
        return [
            Asked(step.question.text, ", ".join(_said(self.script, step, words)), step.question.why)
            for step in self.walked.asked
        ]

    @property
    def typed(self) -> tuple[str, ...]:
        """What the question's fields hold: what was just sent and not taken, or their answer."""
        assert self.ask is not None
        if self.turn.problem and self.steps and self.steps[-1].answer is not None:
            return self.steps[-1].answer
        return fields.before(self.script, "en", self.ask)


def _said(script: Script, step: Any, words: Any) -> list[str]:
    if step.answer.skip:
        return [words[f"conversation.skip.{step.answer.skip.value}"]]
    if step.question.type is QuestionType.CARD:
        return [words["conversation.button.card"]]
    return spoken(script, step.question, step.answer.values, words)


def rehearse(
    waymark: Waymark, person: Person, flow: str, channel: str, steps: Sequence[Step] = ()
) -> Rehearsal:
    """Say all of it, from the start. Raises UnknownFlow."""
    check(person, Action.SEE_CONTENT)
    now = waymark.clock()
    script = waymark.script(flow, now)
    there = next((one for one in script.flow.channels if one.value == channel), None)
    if there is None:
        raise UnknownFlow(flow)
    conversation = engine.begin(script, NOBODY)
    turn = engine.step(script, conversation, ev.Start(), now, there)
    found = Rehearsal(script, there, turn)
    voice = replace(saying.voice(waymark, script, conversation), resume_code=None)
    found.talk.append(Exchange(None, _spoken(found, voice)))
    for step in steps:
        event = None if turn.forget else _event(step, found)
        if event is None:
            continue
        mine = _label(step, found)
        turn = engine.step(script, turn.conversation, event, now, there)
        found.turn = turn = asking.answered(waymark, script, there, turn)
        found.steps.append(step)
        if turn.submission is not None:
            promise = waymark.authority.promises[found.priority.level.value]
            found.promised = reply_by(now, promise, waymark.authority.closures)
            voice = replace(voice, sent=Sent(CODE, found.promised.date()))
        found.talk.append(Exchange(mine, _spoken(found, voice)))
    return found


def _event(step: Step, found: Rehearsal) -> ev.Event | None:
    """What it means here; none for what no button, box or field here can say."""
    if step.answer is not None:
        asked = found.ask
        return fields.meant(asked.question, step.answer, step.skip) if asked else None
    if step.press:
        pressed = buttons.read(step.press)
        theirs = pressed is not None and pressed.nonce == found.turn.conversation.nonce
        if pressed is None or not theirs or isinstance(pressed.event, ev.AtTheDoor):
            return None
        return pressed.event
    return ev.Typed(step.words) if step.words.strip() else None


def _label(step: Step, found: Rehearsal) -> str:
    """What was said, in words: a button's label, or what was typed."""
    shown = (row for one in reversed(found.talk) for bubble in one.bubbles for row in bubble.rows)
    labels = (label for row in shown for label, token in row if token == step.press)
    return next(labels, step.press) if step.press else step.words


def _spoken(found: Rehearsal, voice: Voice) -> list[Bubble]:
    turn = found.turn
    if found.channel is Channel.FORM:  # its questions are pages of their own
        turn = replace(turn, messages=tuple(_besides(turn)))
    bubbles = speech.speak(turn, voice)
    return speech.merged(bubbles) if found.channel is Channel.TELEGRAM else bubbles


def _besides(turn: Turn) -> Iterator[say.Message]:
    yield from (m for m in turn.messages if not isinstance(m, say.Ask | say.Problem))
