"""The one door: one turn for every channel, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import (
    adding,
    asking,
    attaching,
    erased,
    erasure,
    filing,
    own,
    safeguarding,
    saying,
    urgent,
)
from bot.conversation import engine, speech
from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.engine import Turn
from bot.conversation.path import path
from bot.conversation.reconcile import reconcile
from bot.conversation.script import Script, folded, steering
from bot.conversation.state import Conversation, Status
from bot.erasure import Gone, Why
from bot.errors import StaleConversation, UnknownConversation, UnknownFlow
from bot.inbound import Inbound as Inbound  # channels hand these in
from bot.inbound import Received as Received  # and get these back
from bot.limits import TooMuch
from bot.store import audit, conversations, outbox, submissions
from bot.store.conversations import Kept, Known
from bot.wiring import Waymark
from content.schema import Channel, Flow, Limit, QuestionType, Urgency

TRIES = 5
"""How often a turn is taken again when someone else's was committed first."""
LATE_BY = 10_000
"""Numbers further back than this are a channel starting its count anew, not a late event."""


async def receive(waymark: Waymark, inbound: Inbound) -> Received:
    """Take one event. Raises UnknownConversation or UnknownFlow for a page that isn't theirs,
    TooMuch for a flood, and whatever the database raises: then nothing was kept and nothing may
    be said."""
    await waymark.facts.refresh(waymark.database, waymark.clock())
    await _admit(waymark, inbound)
    for _ in range(TRIES - 1):
        try:
            return await _receive(waymark, inbound)
        except StaleConversation:
            continue
    return await _receive(waymark, inbound)


async def _receive(waymark: Waymark, inbound: Inbound) -> Received:
    async with waymark.database.transaction() as db:
        turn = _Turn(waymark, db, inbound)
        received = await turn.take()
    await erased.write(waymark, turn.gone)
    return received


async def _admit(waymark: Waymark, inbound: Inbound) -> None:
    """Raises TooMuch, but never for what must be heard however much came before."""
    try:
        limit = waymark.content.policy.limits.turns
        waymark.limits.count("turns", limit, inbound.whose, inbound.received_at)
    except TooMuch:
        async with waymark.database.reading() as db:
            if not await _Turn(waymark, db, inbound).presses():
                raise


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
        kept = await conversations.read(db, conversation)
        if kept is None or kept.sender != sender:
            raise UnknownConversation(conversation)
        script = waymark.script(kept.conversation.flow, now)
        standing, changed = _gone_on(script, kept.conversation)
        turn = _where(script, standing, now, channel, event)
        turn = replace(turn, messages=(*changed, *turn.messages))
        sent = await filing.sent(waymark, db, kept.conversation)
    turn = asking.answered(waymark, script, channel, turn)
    voice = saying.voice(waymark, script, kept.conversation, sent)
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


def _gone_on(
    script: Script, conversation: Conversation
) -> tuple[Conversation, tuple[say.Message, ...]]:
    """Under what the content says today, and what its person must be told of the change."""
    if conversation.status is Status.SUBMITTED or conversation.flow_hash == script.flow_hash:
        return conversation, ()
    found = reconcile(script, conversation)
    told = "flow-withdrawn" if found.withdrawn else "flow-changed"
    return found.conversation, (say.Say(told),) if found.felt else ()


class _Turn:
    """One event being taken, inside its transaction."""

    def __init__(self, waymark: Waymark, db: AsyncConnection, inbound: Inbound) -> None:
        self.waymark = waymark
        self.db = db
        self.inbound = inbound
        self.now = inbound.received_at
        self.gone: list[Gone] = []
        """What was erased in it."""

    async def take(self) -> Received:
        inbound = self.inbound
        known = await conversations.sender(self.db, inbound.sender)
        event = self.inbound.event
        if at_door := self.door(known, event):
            return await self.answer_door(known, at_door)
        if not await conversations.claim(self.db, inbound.dedupe_key, self.now):
            return await self.again()
        known, late = _ordered(known, inbound.order)
        known = replace(known, blocked=False)  # whoever speaks to us doesn't block us
        if isinstance(event, ev.SaidAge):
            known = replace(known, over_16=True)
            event = ev.Open(event.payload)
        if isinstance(event, ev.Open):
            event = self.opened(event)
        if isinstance(event, ev.Begin):
            return await self.begin(known, event)
        if isinstance(event, ev.AddTo):
            return await self.add_to(known, event)
        if isinstance(event, ev.Lost):
            return await self.menu(known, say.Say("no-longer-here"))
        if isinstance(event, ev.Look):
            return await self.menu(known, of=event.group)
        if isinstance(event, ev.AskDeletion | ev.ForgetUnsent):
            return await self.own(known, event)
        return await self.heard(known, event, late)

    async def heard(self, known: Known, event: ev.Event | ev.Open, late: bool) -> Received:
        """Said in a conversation, or with none begun."""
        kept = await self.kept(known)
        if self.about_them(kept, event):
            return await self.own(known, ev.MyData())
        if isinstance(event, ev.Open):
            return await self.welcome_back(known, kept)
        if kept is None:
            return await self.nothing_open(known, event)
        if late and isinstance(event, ev.Typed | ev.Answered):
            event = replace(event, late=True)
        return await self.converse(known, kept, event)

    async def presses(self) -> bool:
        """Whether this can't wait: help, leaving, what tells of harm; or it was taken before, so
        that nothing is done but to say so."""
        event = self.inbound.event
        if urgent.at_once(event) or self.calls_for_help(event) or self.tells(event):
            return True
        if await conversations.was_claimed(self.db, self.inbound.dedupe_key):
            return True
        kept = await self.kept(await conversations.sender(self.db, self.inbound.sender))
        if kept is None or isinstance(event, ev.AtTheDoor):
            return False
        script = self.waymark.script(kept.conversation.flow, self.now)
        turn = engine.step(script, kept.conversation, event, self.now, self.inbound.channel)
        turn = asking.answered(self.waymark, script, self.inbound.channel, turn)
        return urgent.tells_of_harm(script, kept.conversation, turn)

    def count(self, what: str, limit: Limit) -> None:
        """Raises TooMuch; the transaction is then undone, so nothing is half taken."""
        self.waymark.limits.count(what, limit, self.inbound.whose, self.now)

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
        voice = saying.voice(self.waymark, script, kept.conversation, sent)
        bubbles = tuple(speech.speak(turn, voice))
        return Received(turn, script, bubbles, sent, repeated=True, carried=carried)

    # --- At the door ----------------------------------------------------------------------

    def door(self, known: Known, event: ev.Event | ev.AtTheDoor) -> tuple[say.Message, ...] | None:
        """On Telegram nothing is kept of anyone who hasn't said they are 16 or over; what they
        are told instead. Help is given to anyone."""
        if self.inbound.channel is not Channel.TELEGRAM or known.over_16:
            return None
        if isinstance(event, ev.SaidAge):
            return None if event.over_16 else (say.TooYoung(),)
        ask = say.AskAge(event.payload if isinstance(event, ev.Open) else "")
        if self.calls_for_help(event) or self.tells(event):
            return (*self.help_first(), ask)
        asks = isinstance(event, ev.MyData) or self.steers(event) == "my-data"
        return (say.Say("nothing-held"), ask) if asks else (ask,)

    def calls_for_help(self, event: ev.Event | ev.AtTheDoor) -> bool:
        return self.steers(event) == "help-now" or isinstance(event, ev.HelpNow)

    def tells(self, event: ev.Event | ev.AtTheDoor) -> bool:
        """Whether its words tell that somebody may be unsafe."""
        words = safeguarding.heard(event)
        return words is not None and self.waymark.screening.screen(words) is not None

    def help_first(self) -> tuple[say.Message, ...]:
        """Help for somebody who has begun nothing: a notice of what is offered to them."""
        notice = asking.help_notice(self.waymark, (self.inbound.channel,))
        return (say.SafetyNotice(notice),) if notice else ()

    def found(self, event: ev.Find | ev.Typed) -> tuple[say.Message, ...]:
        """What fits words that are said before anything is asked. A greeting needs no "nothing
        fits"; a question does."""
        steered = self.steers(event)
        if steered == "ask" or not event.text.strip():
            return (say.Say("ask-how"),)
        if steered is not None:
            return ()
        told = asking.find(self.waymark, event.text, (self.inbound.channel,))
        asks = isinstance(event, ev.Find) or event.text.rstrip().endswith("?")
        return told if asks or not isinstance(told[0], say.Found) or told[0].results else ()

    async def answer_door(self, known: Known, messages: tuple[say.Message, ...]) -> Received:
        if isinstance(messages[0], say.TooYoung):
            await conversations.forget_sender(self.db, known.address)
        # An answer that waits in the outbox is posted once; one that rides need not be counted.
        key = None if self.inbound.carries else self.inbound.dedupe_key
        if key and not await conversations.claim(self.db, key, self.now):
            return Received(None, None, (), repeated=True)
        return await saying.answer_stranger(self.waymark, self.db, self.inbound, *messages)

    def opened(self, event: ev.Open) -> ev.Begin | ev.Open:
        """A link may name a flow; anything else it names means nothing."""
        flow = self.waymark.content.flows.get(event.payload)
        return ev.Begin(flow.id) if flow and self.inbound.channel in flow.channels else event

    async def menu(self, known: Known, *first: say.Message, of: str = "") -> Received:
        await conversations.keep_sender(self.db, known, self.now)
        return await self.say(*first, say.Menu(self.offered(), of))

    async def say(self, *messages: say.Message) -> Received:
        return await saying.answer_anyone(self.waymark, self.db, self.inbound, *messages)

    def offered(self) -> Mapping[str, tuple[Flow, ...]]:
        return self.waymark.content.offered((self.inbound.channel,))

    async def welcome_back(self, known: Known, kept: Kept | None) -> Received:
        """Something is unfinished: carry on, start again, or do something else."""
        if kept is None or not kept.conversation.answers:
            return await self.menu(known)
        if kept.conversation.status is Status.SUBMITTED:
            return await self.menu(known)
        script = self.waymark.script(kept.conversation.flow, self.now)
        turn = engine.step(script, kept.conversation, ev.Start(), self.now, self.inbound.channel)
        turn = replace(turn, messages=(*turn.messages, say.Menu(self.offered())))
        await conversations.keep_sender(self.db, known, self.now)
        await conversations.claimed_for(self.db, self.inbound.dedupe_key, turn.conversation.id)
        return await saying.answer(self.waymark, self.db, self.inbound, script, turn)

    async def nothing_open(self, known: Known, event: ev.Event) -> Received:
        """Nothing was begun, or what a button was made in is gone. Help is given all the same,
        and nothing is kept for it."""
        if isinstance(event, ev.HelpNow):
            return await self.say(*self.help_first(), say.Menu(self.offered()))
        words = safeguarding.heard(event)
        if words and (screened := self.waymark.screening.screen(words)):
            concern = safeguarding.Concern(screened.urgency, screened.category, "words")
            await self.raised(self.waymark.new_id(), concern, words)
            return await self.menu(known, *self.help_first())
        if isinstance(event, ev.Find | ev.Typed) and (told := self.found(event)):
            return await self.menu(known, *told)
        gone = (say.Say("no-longer-here"),) if self.inbound.nonce else ()
        return await self.menu(known, *gone)

    # --- What we hold of them -------------------------------------------------------------

    def about_them(self, kept: Kept | None, event: ev.Event | ev.Open) -> bool:
        """Whether they ask about all we hold of them: only where the chat is theirs alone. With
        nothing unfinished, that is what deleting is about too."""
        if self.inbound.channel is not Channel.TELEGRAM:
            return False
        asked = self.steers(event)
        if asked == "my-data" or isinstance(event, ev.MyData):
            return True
        unfinished = kept is not None and kept.conversation.status is not Status.SUBMITTED
        return not unfinished and (asked == "delete" or event == ev.Delete())

    def steers(self, event: ev.Event | ev.AtTheDoor) -> str | None:
        """What a typed word would steer to, if it does."""
        if not isinstance(event, ev.Typed):
            return None
        return steering(self.waymark.content.wording)["en"].get(folded(event.text))

    async def own(self, known: Known, event: ev.Own) -> Received:
        message, gone = await own.answer(self.waymark, self.db, known.address, event)
        self.gone += gone
        await conversations.keep_sender(self.db, known, self.now)
        return await self.say(message)

    async def begin(self, known: Known, event: ev.Begin) -> Received:
        flow = self.waymark.content.flows.get(event.flow)
        if flow is None or self.inbound.channel not in flow.channels:
            raise UnknownFlow(event.flow)
        adds_to = None
        if flow.submission.addition:  # started again: to what it was begun for
            kept = await self.kept(known)
            adds_to = kept.adds_to if kept and kept.conversation.flow == flow.id else None
            if adds_to is None:
                return await self.nothing_to_add_to(known, flow.id)
        return await self.begin_to(known, event, adds_to)

    async def nothing_to_add_to(self, known: Known, flow: str) -> Received:
        """It can't begin by itself. In a chat of their own they choose among what they sent."""
        if self.inbound.channel is not Channel.TELEGRAM:
            raise UnknownFlow(flow)
        return await self.own(known, ev.MyData())

    async def add_to(self, known: Known, event: ev.AddTo) -> Received:
        """Begin something that will stand beside what they sent before."""
        row = await adding.original(self.db, known.address, event)
        flow = adding.flow(self.waymark, row, self.inbound.channel) if row else None
        if row is None or flow is None:  # an old button, or somebody else's
            return await self.menu(known, say.Say("no-longer-here"))
        return await self.begin_to(known, ev.Begin(flow.id), row.id)

    async def begin_to(self, known: Known, event: ev.Begin, adds_to: str | None) -> Received:
        script = self.waymark.script(event.flow, self.now)
        if not event.fresh:
            begun = await conversations.begun(self.db, known.address, event.flow, adds_to)
            kept = await conversations.load(self.db, begun) if begun else None
            if kept is not None and kept.conversation.answers:
                return await self.converse(known, kept, ev.Start())
        if script.flow.withdrawn:
            return await self.menu(known, say.Say("flow-gone"))
        self.count("starts", self.waymark.content.policy.limits.starts)
        conversation = engine.begin(script, self.waymark.new_id())
        resume_key = self.waymark.keys.resume_key(self.waymark.keys.resume_code(conversation.id))
        kept = await conversations.add(
            self.db, conversation, known.address, resume_key, self.now, adds_to
        )
        await audit.record(
            self.db, self.now, "sender", "conversation.begun", "conversation", conversation.id
        )
        return await self.converse(known, kept, ev.Start())

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
        if kept.conversation.flow not in self.waymark.content.flows:
            return await self.menu(known, say.Say("flow-gone"))
        script = self.waymark.script(kept.conversation.flow, self.now)
        before, changed = _gone_on(script, kept.conversation)
        if changed:
            if not self.meant(script, kept.conversation, before, event):
                event, changed = ev.Resume(), (*changed, say.Say("not-used"))
            await audit.record(
                self.db, self.now, "sender", "conversation.reconciled", "conversation", before.id
            )
        if isinstance(event, ev.Added):
            self.inbound = attaching.named(self.waymark, self.inbound)
            assert isinstance(self.inbound.event, ev.Added)
            event = self.inbound.event
        turn = engine.step(script, before, event, self.now, self.inbound.channel)
        turn = asking.answered(self.waymark, script, self.inbound.channel, turn)
        turn = await self.screened(script, before, turn, event)
        turn = replace(turn, messages=(*changed, *turn.messages))
        after = turn.conversation
        walked = path(script, after.answers)
        if turn.forget:
            await self.forget(before)
            known = replace(known, current=None)
        else:
            await attaching.keep(self.db, script, kept, after, self.inbound)
            concerns = safeguarding.concerns(walked)
            await self.alert(after, concerns)
            if turn.submission is not None:
                await filing.file(self.waymark, self.db, self.inbound, script, kept, turn, walked)
            if after != kept.conversation:
                await conversations.save(self.db, kept, after, self.now)
            if turn.submission is not None and not concerns:
                self.count("submissions", self.waymark.content.policy.limits.submissions)
            known = replace(known, current=after.id)
        await conversations.keep_sender(self.db, known, self.now)
        if not turn.forget:
            await conversations.claimed_for(self.db, self.inbound.dedupe_key, after.id)
        sent = await filing.sent(self.waymark, self.db, after)
        return await saying.answer(self.waymark, self.db, self.inbound, script, turn, sent)

    def meant(
        self, script: Script, before: Conversation, after: Conversation, event: ev.Event
    ) -> bool:
        """Words said to no question in particular are not taken for an answer to another one than
        they saw."""
        same = path(script, before.answers).current == path(script, after.answers).current
        said = isinstance(event, ev.Typed) and event.asked is None and not self.steers(event)
        return same or not said

    async def forget(self, conversation: Conversation) -> None:
        """What was said goes; that someone may be unsafe stays, as ids (content words never)."""
        why = Why("sender", by="sender")
        self.gone.append(await erasure.conversation(self.waymark, self.db, conversation.id, why))

    async def alert(
        self, conversation: Conversation, found: tuple[safeguarding.Concern, ...]
    ) -> None:
        """What choices told."""
        for concern in found:
            await self.raised(conversation.id, concern)

    async def screened(
        self, script: Script, before: Conversation, turn: Turn, event: ev.Event
    ) -> Turn:
        """The turn, with help put first where its words tell that somebody may be unsafe. Said
        again, the same words call nobody again, and interrupt nobody."""
        words = safeguarding.heard(event)
        found = self.waymark.screening.screen(words) if words else None
        if words is None or found is None or _set_form(script, before, turn):
            return turn
        concern = safeguarding.Concern(found.urgency, found.category, _asked(before, turn, words))
        if await self.raised(before.id, concern, words) is None:
            return turn
        notice = self.waymark.notice(script.flow, found)
        if found.urgency is Urgency.URGENT:
            return engine.interrupted(script, turn, notice, self.now, self.inbound.channel)
        return replace(turn, messages=(say.SafetyNotice(notice), *turn.messages))

    async def raised(
        self, conversation: str, concern: safeguarding.Concern, words: str | None = None
    ) -> str | None:
        """The alert put before staff, if it is a new one."""
        mark = self.waymark.keys.digest("words", f"{conversation}\0{words}") if words else None
        sent = await submissions.by_conversation(self.db, conversation) if words else None
        alert = await conversations.raise_alert(
            self.db, conversation, concern.question, concern.urgency.value, concern.category,
            self.now, words=words, mark=mark, submission=sent.id if sent else None,
        )  # fmt: skip
        if alert is not None:
            await audit.record(
                self.db, self.now, "sender", "alert.raised", "alert", alert,
                urgency=concern.urgency.value, category=concern.category,
            )  # fmt: skip
        return alert


def _set_form(script: Script, before: Conversation, turn: Turn) -> bool:
    """Whether the words were taken for a number, a date or an address: these tell of nothing."""
    asked = _changed(before, turn)
    question = script.flow.by_id.get(asked) if asked else None
    return question is not None and question.type is not QuestionType.TEXT


def _changed(before: Conversation, turn: Turn) -> str | None:
    """The question whose answer words changed."""
    after = turn.conversation.answers
    return next((name for name in after if after[name] != before.answers.get(name)), None)


def _asked(before: Conversation, turn: Turn, words: str) -> str:
    """The question that words are about: whose answer they changed or are, or which stood then."""
    answers = turn.conversation.answers.items()
    same = next((name for name, answer in answers if words.strip() in answer.values), None)
    stood = turn.asking.question.id if turn.asking else "words"
    return _changed(before, turn) or same or stood


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
