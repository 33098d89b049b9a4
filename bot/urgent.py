"""What is heard however much came before it: help, leaving, and what tells of harm."""

from __future__ import annotations

from bot import safeguarding
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.path import path
from bot.conversation.script import Script
from bot.conversation.state import Conversation

_AT_ONCE = (ev.HelpNow, ev.Stop, ev.Delete)


def at_once(event: ev.Event | ev.AtTheDoor) -> bool:
    """Whether it is so by its kind alone. A child who says so is never held back."""
    return isinstance(event, _AT_ONCE) or (isinstance(event, ev.SaidAge) and not event.over_16)


def tells_of_harm(script: Script, before: Conversation, turn: Turn) -> bool:
    """Whether a turn, if it were taken, would bring someone to help or staff to look."""
    told = set(safeguarding.concerns(path(script, turn.conversation.answers)))
    if turn.submission is not None:
        return bool(told)
    if told - set(safeguarding.concerns(path(script, before.answers))):
        return True
    return any(map(_is_help, turn.messages)) or _ticks_harm(turn)


def _is_help(message: say.Message) -> bool:
    pointed = isinstance(message, say.Ended) and bool(message.ending.helplines)
    return pointed or isinstance(message, say.SafetyNotice)


def _ticks_harm(turn: Turn) -> bool:
    """A box is ticked now, and sent with the next button."""
    ask = turn.asking
    return ask is not None and any(o.disclosure for o in ask.options if o.value in ask.picked)
