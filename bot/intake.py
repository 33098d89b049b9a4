"""The one door: one turn for every channel, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import filing, safeguarding
from bot.conversation import engine, speech
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.path import path
from bot.conversation.script import Script
from bot.conversation.speech import Bubble, Sent, Voice
from bot.conversation.state import Conversation, Status
from bot.errors import StaleConversation, UnknownConversation, UnknownFlow
from bot.store import audit, conversations, outbox
from bot.store.conversations import Kept, Known
from bot.wiring import Waymark
from content.schema import Channel, Flow

TRIES = 5
"""How often a turn is taken again when someone else's was committed first."""
MUST_ARRIVE = ("submitted",)
"""Kinds of bubble that never ride in the channel's response: nobody learns if that arrived."""
LATE_BY = 10_000
"""Numbers further back than this are a channel starting its count anew, not a late event."""


@dataclass(frozen=True)
class Inbound:
    """Something that came in, from any channel."""

    channel: Channel
    sender: str
    """`telegram:<chat>` or `web:<hash>`."""
    event: ev.Event | ev.AtTheDoor
    received_at: datetime
    dedupe_key: str
    """Channel and native id: the same event has the same key, however often it comes."""
    conversation: str | None = None
    """Which conversation it is for; the sender's current one if none is named."""
    nonce: str | None = None
    """Or the beginning of its id, off a button."""
    order: int | None = None
    """The channel's own number, where it numbers what it delivers."""
    message: int | None = None
    """The message a button stood on, so that its ticks can be redrawn."""
    carries: bool = False
    """The channel's response can carry one answer itself."""


@dataclass(frozen=True)
class Received:
    """What came of it. Nothing here may be said before the transaction has committed; it has."""

    turn: Turn | None
    script: Script | None
    bubbles: tuple[Bubble, ...]
    sent: Sent | None = None
    repeated: bool = False
    carried: dict[str, Any] | None = None
    """What the channel's response is to carry."""

    @property
    def conversation(self) -> Conversation | None:
        return self.turn.conversation if self.turn else None


async def receive(waymark: Waymark, inbound: Inbound) -> Received:
    """Take one event. Raises UnknownConversation or UnknownFlow for a page that isn't theirs,
    and whatever the database raises: then nothing was kept and nothing may be said."""
    for _ in range(TRIES - 1):
        try:
            async with waymark.database.transaction() as db:
                return await _Turn(waymark, db, inbound).take()
        except StaleConversation:
            continue
    async with waymark.database.transaction() as db:
        return await _Turn(waymark, db, inbound).take()


async def look(
    waymark: Waymark,
    channel: Channel,
    sender: str,
    conversation: str,
    event: ev.Event = ev.Resume(),  # noqa: B008  # frozen, so it may be shared
) -> Received:
    """Where a conversation stands, or what an event would lead to, for showing a page; nothing
    is changed.

    Raises UnknownConversation if it isn't this sender's.
    """
    now = waymark.clock()
    async with waymark.database.reading() as db:
        kept = await conversations.load(db, conversation)
        if kept is None or kept.sender != sender:
            raise UnknownConversation(conversation)
        script = waymark.script(kept.conversation.flow, now)
        turn = _where(script, kept.conversation, now, channel, event)
        sent = await filing.sent(waymark, db, kept.conversation)
    voice = _voice(waymark, script, kept.conversation, sent)
    return Received(turn, script, tuple(speech.speak(turn, voice)), sent)


async def resume(waymark: Waymark, sender: str, code: str) -> str | None:
    """Carry on here with what was begun elsewhere; the conversation's id, or None for a wrong
    code."""
    async with waymark.database.transaction() as db:
        key = waymark.keys.resume_key(code)
        kept = await conversations.load_by_resume_key(db, key)
        if kept is None or kept.conversation.status is Status.SUBMITTED:
            return None
        now = waymark.clock()
        await conversations.hand_over(db, kept.conversation.id, sender)
        id_ = kept.conversation.id
        await audit.record(db, now, "sender", "conversation.resumed", "conversation", id_)
        return id_


def _where(
    script: Script,
    conversation: Conversation,
    now: datetime,
    channel: Channel,
    event: ev.Event = ev.Resume(),  # noqa: B008
) -> Turn:
    turn = engine.step(script, conversation, event, now, channel)
    return replace(turn, conversation=conversation)


def _voice(
    waymark: Waymark, script: Script | None, conversation: Conversation | None, sent: Sent | None
) -> Voice:
    language = conversation.language if conversation else "en"
    return Voice(
        words=waymark.content.wording.get(language, waymark.content.wording["en"]),
        notices=waymark.content.notices,
        helplines=waymark.content.helplines(waymark.settings.authority),
        site=waymark.settings.address,
        script=script,
        nonce=conversation.nonce if conversation else "",
        sent=sent,
        resume_code=waymark.keys.resume_code(conversation.id) if conversation else None,
    )


class _Turn:
    """One event being taken, inside its transaction."""

    def __init__(self, waymark: Waymark, db: AsyncConnection, inbound: Inbound) -> None:
        self.waymark = waymark
        self.db = db
        self.inbound = inbound
        self.now = inbound.received_at

    async def take(self) -> Received:
        inbound = self.inbound
        if not await conversations.claim(self.db, inbound.dedupe_key, self.now):
            return await self.again()
        known = await conversations.sender(self.db, inbound.sender)
        known, late = _ordered(known, inbound.order)
        known = replace(known, blocked=False)  # whoever speaks to us doesn't block us
        event = inbound.event
        at_door = self.door(known, event)
        if at_door is not None:
            return await self.answer_door(known, at_door)
        if isinstance(event, ev.SaidAge):
            known = replace(known, over_16=True)
            event = ev.Open(event.payload)
        if isinstance(event, ev.Open):
            event = self.opened(event)
        if isinstance(event, ev.Begin):
            return await self.begin(known, event)
        if isinstance(event, ev.Lost):
            return await self.menu(known, say.Say("no-longer-here"))
        kept = await self.kept(known)
        if isinstance(event, ev.Open):
            return await self.welcome_back(known, kept)
        if kept is None:
            return await self.nothing_open(known, event)
        if late and isinstance(event, ev.Typed | ev.Answered):
            event = replace(event, late=True)
        return await self.converse(known, kept, event)

    async def again(self) -> Received:
        """It came before: the same answer once more, and nothing else."""
        carried = await outbox.carried(self.db, f"{self.inbound.dedupe_key}#0")
        id_ = await conversations.moved_by(self.db, self.inbound.dedupe_key)
        kept = await conversations.load(self.db, id_) if id_ else None
        if kept is None or kept.sender != self.inbound.sender:
            return Received(None, None, (), repeated=True, carried=carried)
        script = self.waymark.script(kept.conversation.flow, self.now)
        turn = _where(script, kept.conversation, self.now, self.inbound.channel)
        sent = await filing.sent(self.waymark, self.db, kept.conversation)
        voice = _voice(self.waymark, script, kept.conversation, sent)
        bubbles = tuple(speech.speak(turn, voice))
        return Received(turn, script, bubbles, sent, repeated=True, carried=carried)

    # --- At the door ----------------------------------------------------------------------

    def door(self, known: Known, event: ev.Event | ev.AtTheDoor) -> say.Message | None:
        """On Telegram nothing is kept of anyone who hasn't said they are 16 or over."""
        if self.inbound.channel is not Channel.TELEGRAM or known.over_16:
            return None
        if isinstance(event, ev.SaidAge):
            return None if event.over_16 else say.TooYoung()
        if isinstance(event, ev.HelpNow):
            return None
        return say.AskAge(event.payload if isinstance(event, ev.Open) else "")

    async def answer_door(self, known: Known, message: say.Message) -> Received:
        if isinstance(message, say.TooYoung):
            await conversations.forget_sender(self.db, known.address)
        return await self.said(None, None, (message,))

    def opened(self, event: ev.Open) -> ev.Begin | ev.Open:
        """A link may name a flow; anything else it names means nothing."""
        flow = self.waymark.content.flows.get(event.payload)
        return ev.Begin(flow.id) if flow and self.inbound.channel in flow.channels else event

    async def menu(self, known: Known, *first: say.Message) -> Received:
        await conversations.keep_sender(self.db, known, self.now)
        return await self.said(None, None, (*first, say.Menu(self.flows())))

    def flows(self) -> tuple[Flow, ...]:
        return speech.flows_on(self.waymark.content.flows, self.inbound.channel)

    async def welcome_back(self, known: Known, kept: Kept | None) -> Received:
        """Something is unfinished: carry on, start again, or do something else."""
        if kept is None or not kept.conversation.answers:
            return await self.menu(known)
        if kept.conversation.status is Status.SUBMITTED:
            return await self.menu(known)
        script = self.waymark.script(kept.conversation.flow, self.now)
        turn = engine.step(script, kept.conversation, ev.Start(), self.now, self.inbound.channel)
        turn = replace(turn, messages=(*turn.messages, say.Menu(self.flows())))
        await conversations.keep_sender(self.db, known, self.now)
        await conversations.claimed_for(self.db, self.inbound.dedupe_key, turn.conversation.id)
        return await self.said(turn, script, turn.messages)

    async def nothing_open(self, known: Known, event: ev.Event) -> Received:
        """Nothing was begun, or what a button was made in is gone. Help is given all the same:
        the first flow's notice, and nothing is kept for it."""
        if not isinstance(event, ev.HelpNow):
            gone = (say.Say("no-longer-here"),) if self.inbound.nonce else ()
            return await self.menu(known, *gone)
        flows = self.flows()
        notices = [say.SafetyNotice(flow.help_notice) for flow in flows[:1]]
        onward = self.door(known, ev.Open()) or say.Menu(flows)
        return await self.said(None, None, (*notices, onward))

    async def begin(self, known: Known, event: ev.Begin) -> Received:
        flow = self.waymark.content.flows.get(event.flow)
        if flow is None or self.inbound.channel not in flow.channels:
            raise UnknownFlow(event.flow)
        script = self.waymark.script(flow.id, self.now)
        if not event.fresh:
            begun = await conversations.begun(self.db, known.address, flow.id)
            kept = await conversations.load(self.db, begun) if begun else None
            if kept is not None and kept.conversation.answers:
                return await self.converse(known, kept, ev.Start())
        conversation = engine.begin(script, self.waymark.new_id())
        kept = Kept(conversation, known.address)
        resume_key = self.waymark.keys.resume_key(self.waymark.keys.resume_code(conversation.id))
        expires = self.now + self.unfinished()
        await conversations.add(self.db, kept, resume_key, self.now, expires)
        await audit.record(
            self.db, self.now, "sender", "conversation.begun", "conversation", conversation.id
        )
        return await self.converse(known, kept, ev.Start())

    def unfinished(self) -> timedelta:
        return timedelta(days=self.waymark.content.policy.retention.unfinished_conversation)

    # --- In a conversation ----------------------------------------------------------------

    async def kept(self, known: Known) -> Kept | None:
        """The conversation meant: named, off a button, or the sender's current one.

        Raises UnknownConversation for one that is named and isn't theirs.
        """
        inbound = self.inbound
        if inbound.conversation is not None:
            kept = await conversations.load(self.db, inbound.conversation)
            if kept is None or kept.sender != known.address:
                raise UnknownConversation(inbound.conversation)
            return kept
        id_ = known.current
        if inbound.nonce is not None and not (id_ or "").startswith(inbound.nonce):
            id_ = await conversations.by_nonce(self.db, known.address, inbound.nonce)
        kept = await conversations.load(self.db, id_) if id_ else None
        return kept if kept and kept.sender == known.address else None

    async def converse(self, known: Known, kept: Kept, event: ev.Event) -> Received:
        before = kept.conversation
        script = self.waymark.script(before.flow, self.now)
        turn = engine.step(script, before, event, self.now, self.inbound.channel)
        after = turn.conversation
        walked = path(script, after.answers)
        if turn.forget:
            await self.forget(before)
            known = replace(known, current=None)
        else:
            await self.alert(after, safeguarding.concerns(walked))
            if turn.submission is not None:
                await filing.file(self.waymark, self.db, self.inbound, script, turn, walked)
            if after != before:
                expires = self.now + self.kept_for(after)
                await conversations.save(self.db, before, after, self.now, expires)
            known = replace(known, current=after.id)
        await conversations.keep_sender(self.db, known, self.now)
        await conversations.claimed_for(self.db, self.inbound.dedupe_key, after.id)
        sent = await filing.sent(self.waymark, self.db, after)
        return await self.said(turn, script, turn.messages, sent)

    def kept_for(self, conversation: Conversation) -> timedelta:
        retention = self.waymark.content.policy.retention
        if conversation.status is Status.SUBMITTED:
            return timedelta(days=retention.finished_conversation)
        return timedelta(days=retention.unfinished_conversation)

    async def forget(self, conversation: Conversation) -> None:
        """What was said goes; that someone may be unsafe stays, as ids (content words never)."""
        await conversations.delete(self.db, conversation.id)
        await audit.record(
            self.db, self.now, "sender", "conversation.deleted", "conversation", conversation.id
        )

    async def alert(
        self, conversation: Conversation, found: tuple[safeguarding.Concern, ...]
    ) -> None:
        for concern in found:
            alert = await conversations.raise_alert(
                self.db,
                conversation.id,
                concern.question,
                concern.urgency.value,
                concern.category,
                self.now,
            )
            if alert is not None:
                await audit.record(
                    self.db, self.now, "sender", "alert.raised", "alert", alert,
                    urgency=concern.urgency.value, category=concern.category,
                )  # fmt: skip

    async def said(
        self,
        turn: Turn | None,
        script: Script | None,
        messages: tuple[say.Message, ...],
        sent: Sent | None = None,
    ) -> Received:
        """Put the answer into words, and (where it must travel) into the outbox."""
        conversation = turn.conversation if turn else None
        voice = _voice(self.waymark, script, conversation, sent)
        whole = turn or Turn(Conversation(id="", flow="", flow_hash=""), messages)
        bubbles = speech.speak(replace(whole, messages=messages), voice)
        carried = None
        if self.inbound.channel is Channel.TELEGRAM:
            ticked = self.ticked(messages)
            said = bubbles[-1:] if ticked else speech.merged(bubbles)
            carried = await self.post(said, ticked)
        return Received(turn, script, tuple(bubbles), sent, carried=carried)

    def ticked(self, messages: tuple[say.Message, ...]) -> int | None:
        """The message to redraw, when nothing happened but a tick in it."""
        event = self.inbound.event
        asked = messages[0] if len(messages) == 1 else None
        if isinstance(event, ev.Toggled) and isinstance(asked, say.Ask):
            return self.inbound.message if asked.question.id == event.question else None
        return None

    async def post(self, bubbles: list[Bubble], redraw: int | None) -> dict[str, Any] | None:
        """Queue the bubbles. A single one may ride in the channel's own response."""
        rides = await self.rides(bubbles)
        carried = None
        for number, bubble in enumerate(bubbles):
            payload = {
                "kind": bubble.kind,
                "text": bubble.text,
                "rows": [[list(button) for button in row] for row in bubble.rows],
                "redraw": redraw,
            }
            await outbox.post(
                self.db,
                f"{self.inbound.dedupe_key}#{number}",
                self.inbound.sender,
                payload,
                self.now,
                state="carried" if rides else "queued",
            )
            carried = payload if rides else carried
        return carried

    async def rides(self, bubbles: list[Bubble]) -> bool:
        """Whether the channel's response carries it: it must fit, and overtake nothing."""
        if not self.inbound.carries or len(bubbles) != 1:
            return False
        if bubbles[0].kind in MUST_ARRIVE or len(bubbles[0].text) > speech.LONGEST:
            return False
        return not await outbox.waiting(self.db, self.inbound.sender)


def _ordered(known: Known, order: int | None) -> tuple[Known, bool]:
    """Whether this came late, and the sender with the newest number seen."""
    if order is None:
        return known, False
    newest = known.last_order
    if newest is None or order > newest or newest - order > LATE_BY:
        return replace(known, last_order=order), False
    return known, True


def flow_for(waymark: Waymark, flow: str, channel: Channel) -> Flow:
    """A flow as a channel may offer it. Raises UnknownFlow."""
    found = waymark.content.flows.get(flow)
    if found is None or channel not in found.channels:
        raise UnknownFlow(flow)
    return found
