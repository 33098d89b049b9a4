"""A turn's messages put into words, and into the outbox where they must travel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation import speech
from bot.conversation.engine import Turn
from bot.conversation.script import Script
from bot.conversation.speech import Bubble, Sent, Voice
from bot.conversation.state import Conversation
from bot.inbound import Inbound, Received
from bot.store import outbox
from bot.wiring import Waymark
from content.schema import Channel

MUST_ARRIVE = ("submitted",)
"""Kinds of bubble that never ride in the channel's response: nobody learns if that arrived."""
_NOBODY = Conversation(id="", flow="", flow_hash="")


def voice(
    waymark: Waymark,
    script: Script | None = None,
    conversation: Conversation | None = None,
    sent: Sent | None = None,
) -> Voice:
    """What words are made with, in the person's language."""
    language = conversation.language if conversation else "en"
    return Voice(
        words=waymark.content.wording.get(language, waymark.content.wording["en"]),
        notices=waymark.content.notices,
        helplines=waymark.lines(waymark.clock()),
        site=waymark.settings.address,
        script=script,
        nonce=conversation.nonce if conversation else "",
        sent=sent,
        resume_code=waymark.keys.resume_code(conversation.id) if conversation else None,
    )


async def answer(
    waymark: Waymark,
    db: AsyncConnection,
    inbound: Inbound,
    script: Script,
    turn: Turn,
    sent: Sent | None = None,
) -> Received:
    """A turn's answer; on Telegram it goes into the outbox, or rides in the response."""
    bubbles = speech.speak(turn, voice(waymark, script, turn.conversation, sent))
    carried = None
    if inbound.channel is Channel.TELEGRAM:
        ticked = _ticked(inbound, turn.messages)
        said = bubbles[-1:] if ticked else speech.merged(bubbles)
        carried = await _post(db, inbound, said, ticked, await _rides(db, inbound, said))
    return Received(turn, script, tuple(bubbles), sent, carried=carried)


async def answer_anyone(
    waymark: Waymark, db: AsyncConnection, inbound: Inbound, *messages: say.Message
) -> Received:
    """An answer outside any conversation."""
    bubbles = speech.speak(Turn(_NOBODY, messages), voice(waymark))
    carried = None
    if inbound.channel is Channel.TELEGRAM:
        said = speech.merged(bubbles)
        carried = await _post(db, inbound, said, None, await _rides(db, inbound, said))
    return Received(None, None, tuple(bubbles), carried=carried)


async def answer_stranger(
    waymark: Waymark, db: AsyncConnection, inbound: Inbound, *messages: say.Message
) -> Received:
    """An answer to somebody of whom nothing may be kept: it rides in the response. Where there
    is none to ride in, it waits in the outbox and leaves no trace once it is said."""
    bubbles = speech.merged(speech.speak(Turn(_NOBODY, messages), voice(waymark)))
    assert len(bubbles) == 1, "what a stranger is told fits in one message"
    if not inbound.carries:
        leaves_no_trace = replace(inbound, dedupe_key=f"{outbox.TRACELESS}{inbound.dedupe_key}")
        await _post(db, leaves_no_trace, bubbles, None, rides=False)
        return Received(None, None, tuple(bubbles))
    return Received(None, None, tuple(bubbles), carried=_payload(bubbles[0], None))


def _ticked(inbound: Inbound, messages: tuple[say.Message, ...]) -> int | None:
    """The message to redraw, when nothing happened but a tick in it."""
    event = inbound.event
    asked = messages[0] if len(messages) == 1 else None
    if isinstance(event, ev.Toggled) and isinstance(asked, say.Ask):
        return inbound.message if asked.question.id == event.question else None
    return None


def _payload(bubble: Bubble, redraw: int | None) -> dict[str, Any]:
    rows = [[list(button) for button in row] for row in bubble.rows]
    return {"kind": bubble.kind, "text": bubble.text, "rows": rows, "redraw": redraw}


async def _post(
    db: AsyncConnection, inbound: Inbound, bubbles: list[Bubble], redraw: int | None, rides: bool
) -> dict[str, Any] | None:
    """Queue the bubbles; gives back the one that rides in the response, if one does."""
    state = "carried" if rides else "queued"
    payloads = [_payload(bubble, redraw) for bubble in bubbles]
    for number, payload in enumerate(payloads):
        key = f"{inbound.dedupe_key}#{number}"
        await outbox.post(db, key, inbound.sender, payload, inbound.received_at, state)
    return payloads[0] if rides else None


async def _rides(db: AsyncConnection, inbound: Inbound, bubbles: list[Bubble]) -> bool:
    """Whether the channel's response carries it: it must fit, and overtake nothing."""
    if not inbound.carries or len(bubbles) != 1:
        return False
    if bubbles[0].kind in MUST_ARRIVE or len(bubbles[0].text) > speech.LONGEST:
        return False
    return not await outbox.waiting(db, inbound.sender)
