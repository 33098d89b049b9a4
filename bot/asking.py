"""A question that somebody asks us, whatever else is going on: what fits it, or who to ask.

The words are looked at and let go: they are neither kept nor logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.script import Script
from bot.finding import Result
from bot.limits import TooMuch
from bot.wiring import Waymark
from content.schema import (
    TO_A_PERSON,
    WHO_TO_ASK,
    Audience,
    Channel,
    Findable,
    Flow,
)

MOST = 3
"""So many things that fit are told; more is a list to wade through."""
CHANNELS = (Channel.FORM, Channel.CHAT)


def answered(waymark: Waymark, script: Script, channel: Channel, turn: Turn) -> Turn:
    """A turn with what fits the question put in it, before all else it says."""
    if turn.finds is None:
        return turn
    found = find(waymark, turn.finds, (channel,), script.flow)
    return replace(turn, messages=(*found, *turn.messages), finds=None)


def find(
    waymark: Waymark, text: str, channels: tuple[Channel, ...], within: Flow | None = None
) -> tuple[say.Message, ...]:
    """What to say to a question: help first, if somebody may be unsafe; what fits; or honestly
    that nothing does, and who to ask. `within` is the flow they are in the middle of."""
    told = waymark.told(waymark.clock())
    results = told.finder.find(text)
    unsafe = any(result.document.kind is Findable.HELP for result in results)
    notice = within.help_notice if within else help_notice(waymark, channels)
    help_first = (say.SafetyNotice(notice),) if unsafe and notice else ()
    audience = within.audience if within else None
    fits = tuple(r for r in results if _usable(r, channels, audience))[:MOST]
    if help_first and not fits:
        return help_first
    if fits:
        return (*help_first, say.Found(fits))
    return (say.Found((), told.answers.get(WHO_TO_ASK), _people(waymark, channels, audience)),)


def help_notice(waymark: Waymark, channels: tuple[Channel, ...]) -> str | None:
    """Help for somebody who has begun nothing: a notice of what is offered to them."""
    flows = [flow for group in waymark.content.offered(channels).values() for flow in group]
    flows.sort(key=lambda flow: flow.audience is Audience.ADULT)  # the young come first
    return flows[0].help_notice if flows else None


def in_browser(
    waymark: Waymark, text: str, whose: Mapping[str, str | None], within: Flow | None
) -> tuple[say.Message, ...]:
    """What to say on a page. Raises TooMuch for a flood, but never where help is called for."""
    messages = find(waymark, text, CHANNELS, within)
    try:
        limit = waymark.content.policy.limits.turns
        waymark.limits.count("turns", limit, dict(whose), waymark.clock())
    except TooMuch:
        if not any(isinstance(message, say.SafetyNotice) for message in messages):
            raise
    return messages


def _usable(result: Result, channels: tuple[Channel, ...], audience: Audience | None) -> bool:
    """A flow only where they may begin it: here, and if it speaks to people like them."""
    thing = result.document.thing
    if isinstance(thing, Flow):
        here = any(channel in thing.channels for channel in channels)
        return here and audience in (None, thing.audience, *thing.also_for)
    return thing is not None


def _people(
    waymark: Waymark, channels: tuple[Channel, ...], audience: Audience | None
) -> tuple[Flow, ...]:
    """The flows that bring somebody to a person."""
    offered = waymark.content.offered(channels, audience).values()
    return tuple(f for flows in offered for f in flows if f.submission.kind == TO_A_PERSON)
