"""The engine's messages put into words and buttons, for channels that talk in bubbles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.conversation import buttons, found, own
from bot.conversation import messages as say
from bot.conversation.days import spoken_weekday
from bot.conversation.engine import Turn
from bot.conversation.script import Script
from bot.conversation.submission import spoken
from bot.helplines import Lines
from bot.signposting import Signpost
from content.schema import Helpline, Notice, QuestionType

LONGEST = 3500
"""Characters of one bubble; Telegram refuses more than 4,096."""
MOST_TICKS = 90
"""Telegram refuses a message with more than 100 buttons; what fits best comes first."""

Row = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Bubble:
    """One thing said: its words, and rows of (label, what the button carries)."""

    kind: str
    text: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Sent:
    """What only the desk knows of a submission: the sender's half of it."""

    return_code: str
    reply_by: date


@dataclass(frozen=True)
class Voice:
    """Everything needed to put a turn into words."""

    words: Mapping[str, str]
    notices: Mapping[str, Notice]
    helplines: Lines
    site: str
    """The browser's way in, for people who are sent there."""
    script: Script | None = None
    nonce: str = ""
    sent: Sent | None = None
    resume_code: str | None = None

    def say(self, key: str, **gaps: str) -> str:
        return self.words[f"conversation.{key}"].format(**gaps)


def speak(turn: Turn, voice: Voice) -> list[Bubble]:
    """A turn's messages as bubbles, in order."""
    spoken_bubbles = []
    for message in turn.messages:
        spoken_bubbles += list(_SPEAKERS[type(message)](message, voice))
    return spoken_bubbles


def _say(message: say.Say, voice: Voice) -> Iterator[Bubble]:
    text = voice.say(f"say.{message.key}", site=voice.site, **message.gaps)
    if message.key == "stopped":
        if voice.resume_code:
            code = voice.say("say.stopped-code", site=voice.site, code=voice.resume_code)
            text = f"{text}\n\n{code}"
        yield Bubble("say", text, (_carry_on(voice),))
    else:
        yield Bubble("say", text)


def _carry_on(voice: Voice) -> Row:
    return ((voice.say("button.carry-on"), buttons.carry_on(voice.nonce)),)


def _welcome(message: say.Welcome, voice: Voice) -> Iterator[Bubble]:
    flow = message.flow
    minutes = voice.say("welcome.minutes", minutes=str(flow.minutes))
    yield Bubble("welcome", f"{flow.title}\n\n{flow.intro}\n\n{minutes}")


def _problem(message: say.Problem, voice: Voice) -> Iterator[Bubble]:
    yield Bubble("problem", voice.say(f"problem.{message.key}", **message.gaps))


def _ask(message: say.Ask, voice: Voice) -> Iterator[Bubble]:
    if message.question.type is QuestionType.ENTITLEMENTS:
        yield from entitlements(message.signposts, voice)
    yield Bubble("ask", "\n\n".join(_asked(message, voice)), tuple(_rows(message, voice)))


def _asked(message: say.Ask, voice: Voice) -> Iterator[str]:
    question = message.question
    at = voice.say("ask.progress", at=str(message.progress.at), of=str(message.progress.of))
    yield f"{at}\n{question.text}"
    if question.help:
        yield question.help
    if question.example:
        yield voice.say("ask.example", example=question.example)
    if question.type is QuestionType.CHOICES:
        most = question.max
        yield voice.say("ask.pick-most", most=str(most)) if most else voice.say("ask.pick-several")
    if question.type is QuestionType.FILE:
        yield voice.say("ask.file-elsewhere", site=voice.site)
    if message.changing and message.answer is not None:
        yield voice.say("ask.before", answer=_before(message, voice))
    if message.stuck:
        yield voice.say("say.stuck")


def _before(message: say.Ask, voice: Voice) -> str:
    assert message.answer is not None
    assert voice.script is not None
    if message.answer.skip:
        return voice.say(f"skip.{message.answer.skip.value}")
    words = spoken(voice.script, message.question, message.answer.values, voice.words)
    return ", ".join(words) or voice.say("ask.nothing-chosen")


def _rows(message: say.Ask, voice: Voice) -> Iterator[Row]:
    question, nonce = message.question, voice.nonce
    if question.type is QuestionType.CARD:
        yield ((voice.say("button.card"), buttons.answer(nonce, question.id, "read")),)
    elif question.type is QuestionType.NUMBER and question.style == "scale":
        numbers = [str(n) for n in range(question.min or 0, (question.max or 0) + 1)]
        row = tuple((n, buttons.answer(nonce, question.id, n)) for n in numbers)
        yield from (row[at : at + 5] for at in range(0, len(row), 5))
    elif question.type in (QuestionType.CHOICES, QuestionType.ENTITLEMENTS):
        yield from _ticks(message, voice)
    else:
        for option in message.options:
            label = f"{option.face} {option.label}" if option.face else option.label
            yield ((label, buttons.answer(nonce, question.id, option.value)),)
    for which in message.skips:
        label = voice.say(f"skip.{which.value}")
        yield ((label, buttons.skip(nonce, question.id, which)),)
    if question.another_way:
        label = voice.say("button.another-way")
        yield ((label, buttons.another_way(nonce, question.id)),)
    last = []
    if not message.first:
        last.append((voice.say("button.back"), buttons.back(nonce, question.id)))
    last.append((voice.say("button.help-now"), buttons.help_now(nonce)))
    yield tuple(last)


def _ticks(message: say.Ask, voice: Voice) -> Iterator[Row]:
    choices = [(option.value, option.label, option.face) for option in message.options]
    choices += [(p.entitlement.id, p.entitlement.title, None) for p in message.signposts]
    for value, label, face in choices[:MOST_TICKS]:
        mark = "☑" if value in message.picked else "☐"
        text = f"{mark} {face} {label}" if face else f"{mark} {label}"
        yield ((text, buttons.toggle(voice.nonce, message.question.id, value)),)
    yield ((voice.say("button.done"), buttons.picked(voice.nonce, message.question.id)),)


def entitlements(signposts: tuple[Signpost, ...], voice: Voice) -> Iterator[Bubble]:
    """What someone may get, a few to a bubble."""
    if not signposts:
        yield Bubble("say", voice.say("ask.nothing-found"))
    page: list[str] = []
    for post in signposts:
        text = "\n".join(_entitlement(post, voice))
        if page and len("\n\n".join([*page, text])) > LONGEST:
            yield Bubble("entitlements", "\n\n".join(page))
            page = []
        page.append(text)
    if page:
        yield Bubble("entitlements", "\n\n".join(page))


def _entitlement(post: Signpost, voice: Voice) -> Iterator[str]:
    row = post.entitlement
    yield f"▪ {row.title}"
    yield row.what
    because = " ".join(reason.said(voice.words) for reason in post.because)
    yield voice.say(f"ask.entitlement-{post.told.value}", because=because)
    if not post.now:
        return
    yield from found.facts(row, voice.say)


def spoken_wait(words: Mapping[str, str], wait: timedelta) -> str:
    """How long to rest: one minute, 15 minutes. Rather a little longer than too short."""
    minutes = math.ceil(wait / timedelta(minutes=1))
    if minutes <= 1:
        return words["conversation.wait.one"]
    return words["conversation.wait.more"].format(minutes=minutes)


def _review(message: say.Review, voice: Voice) -> Iterator[Bubble]:
    assert voice.script is not None
    title = voice.say("review.title" if message.complete else "review.so-far")
    blocks = [title]
    rows: list[Row] = []
    for step in message.steps:
        if step.question.type is QuestionType.CARD:
            continue
        skip = step.answer.skip
        words = (
            [voice.say(f"skip.{skip.value}")]
            if skip
            else spoken(voice.script, step.question, step.answer.values, voice.words)
        )
        said = ", ".join(words) or voice.say("ask.nothing-chosen")
        block = f"{step.question.text}\n→ {said}"
        if len("\n\n".join([*blocks, block])) > LONGEST:
            yield Bubble("review", "\n\n".join(blocks), tuple(rows))
            blocks, rows = [], []
        blocks.append(block)
        label = f"{voice.say('button.change')}: {step.question.text}"
        short = label if len(label) <= 40 else f"{label[:39]}…"
        rows.append(((short, buttons.change(voice.nonce, step.question.id)),))
    if message.complete:
        send = (voice.say("button.send"), buttons.send(voice.nonce, message.revision))
        blocks.append(voice.say("review.send-lead"))
        rows.append((send,))
    else:
        rows.append(_carry_on(voice))
    yield Bubble("review", "\n\n".join(blocks), tuple(rows))


def _ended(message: say.Ended, voice: Voice) -> Iterator[Bubble]:
    ending = message.ending
    blocks = [ending.title, ending.text, *ending.next]
    blocks += _lines(ending.helplines, voice)
    if message.saved:
        blocks.append(voice.say("ended.saved"))
        blocks += [f"▪ {post.entitlement.title}" for post in message.saved]
    back = ((voice.say("button.back"), buttons.back(voice.nonce, "")),)
    yield Bubble("ended", "\n\n".join(blocks), (back,))


def _submitted(message: say.Submitted, voice: Voice) -> Iterator[Bubble]:
    ending = message.ending
    blocks = [voice.say("submitted.again")] if message.again else [ending.title, ending.text]
    blocks.append(voice.say("submitted.reference", reference=message.reference))
    if voice.sent:
        blocks.append(voice.say("submitted.code", code=voice.sent.return_code))
    if ending.next and voice.sent:
        by = spoken_weekday(voice.sent.reply_by)
        blocks.append(voice.say("submitted.next"))
        blocks += [line.format(reply_by=by) for line in ending.next]
    blocks += _lines(ending.helplines, voice)
    yield Bubble("submitted", "\n\n".join(blocks))


def _notice(message: say.SafetyNotice, voice: Voice) -> Iterator[Bubble]:
    notice = voice.notices[message.notice]
    lines = _lines(notice.helplines, voice)
    yield Bubble("notice", "\n\n".join([notice.title, notice.text, *lines, notice.after]))


def _lines(names: Iterable[str], voice: Voice) -> list[str]:
    """Those of them that may be told today and fit the hour."""
    return [helpline(line) for line in voice.helplines.fitting(names)]


def helpline(line: Helpline) -> str:
    """A line to ring, in words."""
    parts = [f"{line.name}: {line.contact}", line.hours, line.limits]
    return "\n".join(part for part in parts if part)


def _offer_resume(message: say.OfferResume, voice: Voice) -> Iterator[Bubble]:
    assert voice.script is not None
    again = buttons.begin(voice.script.flow.id, fresh=True)
    rows = (_carry_on(voice), ((voice.say("button.start-again"), again),))
    yield Bubble("say", f"{voice.script.flow.title}\n\n{voice.say('say.resume')}", rows)


def _confirm_delete(message: say.ConfirmDelete, voice: Voice) -> Iterator[Bubble]:
    sure = ((voice.say("button.delete-sure"), buttons.delete(voice.nonce)),)
    no = ((voice.say("button.delete-not"), buttons.carry_on(voice.nonce)),)
    yield Bubble("say", voice.say("say.confirm-delete"), (sure, no))


def _deleted(message: say.Deleted, voice: Voice) -> Iterator[Bubble]:
    yield Bubble("say", voice.say("say.deleted"))


def _ask_age(message: say.AskAge, voice: Voice) -> Iterator[Bubble]:
    yes = ((voice.say("door.yes"), buttons.age(True, message.payload)),)
    no = ((voice.say("door.no"), buttons.age(False, "")),)
    yield Bubble("say", voice.say("door.age"), (yes, no))


def _too_young(message: say.TooYoung, voice: Voice) -> Iterator[Bubble]:
    yield Bubble("say", voice.say("door.too-young", site=voice.site))


MOST_AT_ONCE = 6
"""Buttons a person looks through without losing the thread."""


def _menu(message: say.Menu, voice: Voice) -> Iterator[Bubble]:
    """By group where there is more than a person takes in at once."""
    every = [flow for flows in message.groups.values() for flow in flows]
    here = message.groups.get(message.of, ())
    if not here and len(every) > MOST_AT_ONCE:
        groups = ((voice.say(f"group.{group}"), buttons.look(group)) for group in message.groups)
        yield Bubble("menu", voice.say("door.menu"), tuple((each,) for each in groups))
        return
    shown = here or every
    rows = [((flow.title, buttons.begin(flow.id)),) for flow in shown]
    if here:
        rows.append(((voice.say("door.more"), buttons.look()),))
    summaries = [f"{flow.title}: {flow.summary}" for flow in shown]
    yield Bubble("menu", "\n\n".join([voice.say("door.menu"), *summaries]), tuple(rows))


def _found(message: say.Found, voice: Voice) -> Iterator[Bubble]:
    """What fits a question they asked."""
    for text, rows in found.told(message, voice.say):
        yield Bubble("found", text, rows)


def _own(message: own.Message, voice: Voice) -> Iterator[Bubble]:
    """About what we hold of them."""
    for text, rows in own.told(message, voice.words, voice.site):
        yield Bubble("own", text, rows)


_SPEAKERS: Mapping[type[Any], Callable[[Any, Voice], Iterator[Bubble]]] = {
    say.Say: _say,
    say.Welcome: _welcome,
    say.Problem: _problem,
    say.Ask: _ask,
    say.Review: _review,
    say.Ended: _ended,
    say.Submitted: _submitted,
    say.SafetyNotice: _notice,
    say.OfferResume: _offer_resume,
    say.ConfirmDelete: _confirm_delete,
    say.Deleted: _deleted,
    say.AskAge: _ask_age,
    say.TooYoung: _too_young,
    say.Menu: _menu,
    say.Found: _found,
    **dict.fromkeys(own.MESSAGES, _own),
}


def merged(bubbles: list[Bubble]) -> list[Bubble]:
    """As few bubbles as fit: words join up, and only the last of a run may have buttons."""
    out: list[Bubble] = []
    for bubble in bubbles:
        before = out[-1] if out else None
        if before and not before.rows and len(before.text) + len(bubble.text) + 2 <= LONGEST:
            out[-1] = Bubble(bubble.kind, f"{before.text}\n\n{bubble.text}", bubble.rows)
        else:
            out.append(bubble)
    return out
