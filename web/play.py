"""A flow's conversation held in the terminal, as a sender meets it. Nothing is kept."""

from __future__ import annotations

import typer

from bot import asking
from bot.conversation import buttons, engine, speech
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.script import Script
from bot.conversation.speech import Bubble, Voice
from bot.conversation.state import Conversation, Status
from bot.errors import UnknownFlow
from bot.wiring import Waymark
from content.schema import Channel, QuestionType

HOW = "Type an answer or a number. Words that steer: back, skip, stop, check, send. Ctrl-D leaves."


def hold(waymark: Waymark, flow: str, language: str) -> None:
    """Until it is sent, stopped or left. Raises ValueError for a flow there is not."""
    now = waymark.clock()
    try:
        script = waymark.script(flow, now)
    except UnknownFlow:
        known = ", ".join(sorted(waymark.content.flows))
        raise ValueError(f"There is no flow {flow!r}. Choose from: {known}") from None
    conversation = engine.begin(script, waymark.new_id(), language)
    typer.echo(f"{HOW}\n")
    event: ev.Event = ev.Start()
    while True:
        turn = engine.step(script, conversation, event, waymark.clock(), Channel.CHAT)
        turn = asking.answered(waymark, script, Channel.CHAT, turn)
        conversation = turn.conversation
        choices = _show(waymark, script, turn)
        if turn.submission or turn.forget or conversation.status is Status.STOPPED:
            typer.echo("(This was a rehearsal: nothing was kept.)")
            return
        said = _read()
        if said is None:
            return
        event = _event(said, choices)


def _show(waymark: Waymark, script: Script, turn: Turn) -> list[str]:
    """Print what is said; what the numbered choices carry."""
    voice = _voice(waymark, script, turn.conversation)
    choices: list[str] = []
    for bubble in speech.speak(turn, voice):
        typer.echo(f"{bubble.text}\n")
        if not _is_scale(turn):
            choices += _choices(bubble, len(choices))
    return choices


def _choices(bubble: Bubble, before: int) -> list[str]:
    flat = [button for row in bubble.rows for button in row]
    for number, (label, _) in enumerate(flat, before + 1):
        typer.echo(f"  {number:>2}  {label}")
    if flat:
        typer.echo("")
    return [token for _, token in flat]


def _is_scale(turn: Turn) -> bool:
    """Where a number is the answer itself, numbering the choices would only confuse."""
    asked = next((m for m in turn.messages if isinstance(m, say.Ask)), None)
    return asked is not None and asked.question.type is QuestionType.NUMBER


def _voice(waymark: Waymark, script: Script, conversation: Conversation) -> Voice:
    return Voice(
        words=script.words(conversation.language),
        notices=waymark.content.notices,
        helplines=waymark.lines(waymark.clock()),
        site=waymark.settings.address,
        script=script,
        nonce=conversation.nonce,
    )


def _read() -> str | None:
    try:
        return input("> ")
    except (EOFError, KeyboardInterrupt):
        typer.echo("")
        return None


def _event(said: str, choices: list[str]) -> ev.Event:
    """A number presses that button; anything else is typed."""
    if said.strip().isdecimal() and 1 <= int(said) <= len(choices):
        pressed = buttons.read(choices[int(said) - 1])
        if pressed and not isinstance(pressed.event, ev.AtTheDoor):
            return pressed.event
    return ev.Typed(said)
