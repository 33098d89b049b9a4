"""The engine: one event in, what should be said out. No I/O, no clock, nothing random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.answers import (
    Asking,
    Given,
    Trouble,
    listed_kinds,
    match,
    read_text,
    read_values,
)
from bot.conversation.path import Path, fits, path, progress
from bot.conversation.script import Script, folded
from bot.conversation.state import Answer, Conversation, Status
from bot.conversation.submission import Submission, compose, reference
from content.schema import Channel, Question, QuestionType, Skip

PATIENCE = 3
"""After so many answers not understood, a way round is offered."""


@dataclass(frozen=True)
class Turn:
    """What one event leads to: the new state and what should be said."""

    conversation: Conversation
    messages: tuple[say.Message, ...]
    submission: Submission | None = None
    """What is to be filed, if this event sent it."""
    forget: bool = False
    """Everything kept of this conversation is to be deleted."""
    finds: str | None = None
    """What they asked us: what fits is to be said before the rest (bot/asking.py)."""

    @property
    def problem(self) -> say.Problem | None:
        return next((m for m in self.messages if isinstance(m, say.Problem)), None)

    @property
    def asking(self) -> say.Ask | None:
        return next((m for m in self.messages if isinstance(m, say.Ask)), None)


@dataclass(frozen=True)
class _At:
    """A conversation at a moment, with where that is."""

    script: Script
    conversation: Conversation
    path: Path
    now: datetime
    channel: Channel

    @property
    def target(self) -> Question | None:
        """The question an unaddressed answer is for: the one looked at again, or the next."""
        focus = self.conversation.focus
        if focus is not None and (step := self.path.step(focus)):
            return step.question
        return self.path.current

    def to(self, conversation: Conversation) -> _At:
        return replace(
            self, conversation=conversation, path=path(self.script, conversation.answers)
        )

    def asking(self, question: Question) -> Asking:
        known = {
            step.question.id: step.answer.known
            for step in self.path.asked
            if step.question.id != question.id
        }
        words = self.script.words(self.conversation.language)
        return Asking(self.script, question, known, words, self.now)


def begin(script: Script, id_: str, language: str = "en") -> Conversation:
    """A conversation in which nothing has been said."""
    return Conversation(id=id_, flow=script.flow.id, flow_hash=script.flow_hash, language=language)


def step(
    script: Script, conversation: Conversation, event: ev.Event, now: datetime, channel: Channel
) -> Turn:
    """One turn. Never raises for anything a person can do; an event that changes nothing
    leaves the conversation equal to what it was."""
    at = _At(script, conversation, path(script, conversation.answers), now, channel)
    if conversation.status is Status.SUBMITTED:
        turn = _after_submission(at, event)
    elif conversation.status is Status.STOPPED and isinstance(event, _SAID):
        turn = Turn(conversation, (say.OfferResume(),), finds=_wondered(event))
    else:
        if conversation.status is Status.STOPPED and not isinstance(event, ev.HelpNow | ev.Stop):
            at = at.to(replace(conversation, status=Status.OPEN))
        turn = _HANDLERS[type(event)](at, event)
    after = _revised(script, conversation, turn.conversation)
    return replace(turn, conversation=after, messages=_reviewed(turn.messages, after.revision))


def interrupted(
    script: Script, turn: Turn, notice: str | None, now: datetime, channel: Channel
) -> Turn:
    """The same turn, when its words tell that somebody may be unsafe: help first of all, then what
    is asked upon harm. Their place is kept: afterwards the flow goes on where it was."""
    conversation = turn.conversation
    shown = any(m == say.SafetyNotice(notice or "") for m in turn.messages)
    first = (say.SafetyNotice(notice),) if notice and not shown else ()
    if conversation.status is not Status.OPEN or turn.forget or turn.submission is not None:
        return replace(turn, messages=(*first, *turn.messages))
    for question in script.flow.questions:
        if question.upon_harm:
            conversation = conversation.with_answer(question.id, _unasked(question, now, channel))
    asked = step(script, replace(conversation, focus=None), ev.Resume(), now, channel)
    instead = say.Ask | say.Review | say.Ended | say.Problem
    kept = (m for m in turn.messages if not isinstance(m, instead))
    return replace(turn, conversation=asked.conversation, messages=(*first, *kept, *asked.messages))


def _unasked(question: Question, now: datetime, channel: Channel) -> Answer:
    """It is to be asked now, whatever was said to it before."""
    return Answer((), None, now, channel, asked=question.meaning, again=True)


def _revised(script: Script, before: Conversation, after: Conversation) -> Conversation:
    if after == before:
        return before
    return replace(after, revision=before.revision + 1, flow_hash=script.flow_hash)


def _reviewed(messages: tuple[say.Message, ...], revision: int) -> tuple[say.Message, ...]:
    """A review names the revision as this turn leaves it, not as it found it."""
    return tuple(
        replace(message, revision=revision) if isinstance(message, say.Review) else message
        for message in messages
    )


# --- What to say next ---------------------------------------------------------------------


def _turn(at: _At, *first: say.Message) -> Turn:
    return Turn(at.conversation, (*first, *_present(at)))


def _present(at: _At) -> tuple[say.Message, ...]:
    """The question, the review or the ending they have come to."""
    if at.target is not None:
        return (_ask(at, at.target),)
    return (_close(at),)


def _close(at: _At) -> say.Message:
    ending = at.path.ending
    assert ending is not None
    if ending.kind == "submission":
        return say.Review(at.path.asked, at.conversation.revision, complete=True)
    return say.Ended(ending, saved(at.script, at.path))


def saved(script: Script, walked: Path) -> tuple[Any, ...]:
    """The entitlements they chose to keep."""
    chosen = {
        value
        for step in walked.asked
        if step.question.type is QuestionType.ENTITLEMENTS
        for value in step.answer.values
    }
    if not chosen:
        return ()
    return tuple(p for p in script.signposts(walked.known) if p.entitlement.id in chosen)


def _ask(at: _At, question: Question) -> say.Ask:
    conversation = at.conversation
    before = at.path.step(question.id)
    old = before.answer if before else _given_before(at, question)
    asking = at.asking(question)
    picked = conversation.picking
    misses = conversation.misses
    given = old.values if old else ()
    return say.Ask(
        question=question,
        options=at.script.offered(question, asking.known),
        skips=() if _has_files(question, given) else at.script.skips(question),
        progress=progress(at.script, at.path, question),
        answer=old,
        picked=picked[1] if picked and picked[0] == question.id else given,
        signposts=at.script.signposts(asking.known)
        if question.type is QuestionType.ENTITLEMENTS
        else (),
        changing=before is not None,
        stuck=misses is not None and misses[0] == question.id and misses[1] >= PATIENCE,
        first=at.path.before(question.id) is None,
    )


def _given_before(at: _At, question: Question) -> Answer | None:
    """What they answered to what the question meant before, as far as it still can be."""
    old = at.conversation.answers.get(question.id)
    if old is None or not old.again:
        return None
    known = at.asking(question).known
    return old if fits(at.script, question, old, known) else None


# --- Answers ------------------------------------------------------------------------------


def _typed(at: _At, event: ev.Typed) -> Turn:
    if event.late:
        return _turn(at, say.Say("late"))
    target = at.target
    if event.asked is not None and event.asked in at.script.flow.by_id:
        if not at.path.reaches(event.asked):
            return _turn(at, say.Say("no-longer-asked"))
        target = at.script.flow.by_id[event.asked]
    command = at.script.commands[_language(at)].get(folded(event.text))
    if command and _steers(at, command, target, event.text):
        return _command(at, command, target)
    if _wondered(event) and not _could_answer(at, target, event.text):
        return _find(at, ev.Find(event.text))
    if target is None:
        return _turn(at, say.Say("nothing-asked"))
    return _take(at, target, read_text(at.asking(target), event.text), event.source)


def _wondered(event: ev.Event) -> str | None:
    """What they ask us, where their words are a question."""
    asks = isinstance(event, ev.Find) or (
        isinstance(event, ev.Typed) and event.text.rstrip().endswith("?")
    )
    return event.text if asks and isinstance(event, ev.Find | ev.Typed) else None


def _could_answer(at: _At, target: Question | None, text: str) -> bool:
    """Whether words are an answer to what is asked. In their own words, anything is."""
    if target is None:
        return False
    if target.type is QuestionType.TEXT:
        return True
    return isinstance(read_text(at.asking(target), text), Given)


def _language(at: _At) -> str:
    return at.conversation.language if at.conversation.language in at.script.languages else "en"


def _steers(at: _At, command: str, target: Question | None, text: str) -> bool:
    """Whether a word that could steer does: not where it names a choice, nor where it asks for
    what this question doesn't offer (then it is an answer in words)."""
    if command == "another-way" and not (target and target.another_way):
        return False
    if target is None:
        return True
    if target.options:
        return match(at.asking(target).choices, text) is None
    return command not in tuple(Skip) or Skip(command) in at.script.skips(target)


def _command(at: _At, command: str, target: Question | None) -> Turn:
    """A word that steers rather than answers ("back"), as `conversation.words` lists them."""
    asked = target.id if target else None
    if command in tuple(Skip):
        return _skipped(at, ev.Skipped(Skip(command), asked))
    if command.startswith("language-"):
        return _speak(at, ev.Speak(command.removeprefix("language-")))
    if command == "carry-on" and target and target.type is QuestionType.FILE:
        return _carried_on(at, target)
    if command == "send":
        return _submit(at, ev.Submit(at.conversation.revision))
    commands: dict[str, ev.Event] = {
        "back": ev.Back(asked),
        "another-way": ev.AnotherWay(asked or ""),
        "stop": ev.Stop(),
        "help": ev.Help(),
        "help-now": ev.HelpNow(),
        "check": ev.Check(),
        "delete": ev.Delete(),
        "my-data": ev.MyData(),
        "carry-on": ev.Resume(),
        "ask": ev.Find(""),
    }
    event = commands[command]
    return _HANDLERS[type(event)](at, event)


def _answered(at: _At, event: ev.Answered) -> Turn:
    question = at.script.flow.by_id.get(event.question)
    if question is None or not at.path.reaches(question.id):
        return _turn(at, say.Say("no-longer-asked"))
    if event.late and at.path.step(question.id):
        return _turn(at)
    asking = at.asking(question)
    if event.values is not None:
        return _take(at, question, read_values(asking, event.values), event.source)
    return _take(at, question, read_text(asking, event.text or ""), event.source)


def _take(at: _At, question: Question, read: Given | Trouble, source: str | None) -> Turn:
    if isinstance(read, Trouble):
        return _not_taken(at, question, read)
    if question.type is QuestionType.FILE and _files(at, question):
        return _carried_on(at, question)  # to skip now means: no more; what is there stays
    answer = Answer(read.values, read.skip, at.now, at.channel, source, question.meaning)
    before = at.path.step(question.id)
    if before is not None and answer.same_as(before.answer):
        # Said again: nothing changes but where they look, so a repeat is harmless.
        return _turn(at.to(replace(at.conversation, focus=None, picking=None, misses=None)))
    conversation = at.conversation.with_answer(question.id, answer)
    if conversation.focus == question.id:
        conversation = replace(conversation, focus=None)
    notices = tuple(say.SafetyNotice(name) for name in _notices(question, answer))
    changed = (say.Say("changed"),) if before is not None else ()
    return _turn(at.to(conversation), *notices, *changed)


def _notices(question: Question, answer: Answer) -> list[str]:
    chosen = (question.by_value[v] for v in answer.values if v in question.by_value)
    return list(dict.fromkeys(o.disclosure.notice for o in chosen if o.disclosure))


def _not_taken(at: _At, question: Question, trouble: Trouble) -> Turn:
    misses = at.conversation.misses
    count = misses[1] + 1 if misses and misses[0] == question.id else 1
    focus = question.id if at.path.step(question.id) else at.conversation.focus
    at = at.to(replace(at.conversation, misses=(question.id, count), focus=focus))
    problem = say.Problem(question.id, trouble.key, trouble.gaps)
    return Turn(at.conversation, (problem, _ask(at, question)))


def _toggled(at: _At, event: ev.Toggled) -> Turn:
    question = at.script.flow.by_id.get(event.question)
    if question is None or not at.path.reaches(question.id):
        return _turn(at, say.Say("no-longer-asked"))
    choices = {choice.value: choice for choice in at.asking(question).choices}
    if event.value not in choices or not at.script.takes_several(question):
        return _turn(at, say.Say("no-longer-asked"))
    ticked = set(_ask(at, question).picked)
    if event.value in ticked:
        ticked.discard(event.value)
    elif choices[event.value].alone:
        ticked = {event.value}
    else:
        ticked = {value for value in ticked if value in choices and not choices[value].alone}
        ticked.add(event.value)
    picking = (question.id, tuple(value for value in choices if value in ticked))
    focus = question.id if at.path.step(question.id) else at.conversation.focus
    at = at.to(replace(at.conversation, picking=picking, focus=focus))
    return Turn(at.conversation, (_ask(at, question),))


def _picked(at: _At, event: ev.Picked) -> Turn:
    question = at.script.flow.by_id.get(event.question)
    if question is None or not at.path.reaches(question.id):
        return _turn(at, say.Say("no-longer-asked"))
    if question.type is QuestionType.FILE:
        return _carried_on(at, question)
    values = _ask(at, question).picked
    return _take(at, question, read_values(at.asking(question), values), None)


# --- Files --------------------------------------------------------------------------------


def _file_question(at: _At, name: str) -> Question | None:
    question = at.script.flow.by_id.get(name)
    if question is None or question.type is not QuestionType.FILE or not at.path.reaches(name):
        return None
    return question


def _added(at: _At, event: ev.Added) -> Turn:
    """Kept as part of the answer at once; they stay with the question until they carry on."""
    question = _file_question(at, event.question)
    if question is None:
        return _turn(at, say.Say("no-longer-asked"))
    have = _files(at, question)
    most = question.max or 1
    if not (have or event.files):
        return _not_taken(at, question, Trouble("file-none"))
    if len(have) + len(event.files) > most:
        return _not_taken(at, question, Trouble("file-enough", {"most": str(most)}))
    at = _holding(at, question, (*have, *event.files))
    if event.done:
        return _turn(at.to(replace(at.conversation, focus=None)))
    return _turn(at, say.Say("file-added"))


def _removed(at: _At, event: ev.Removed) -> Turn:
    question = _file_question(at, event.question)
    if question is None:
        return _turn(at, say.Say("no-longer-asked"))
    if event.file not in _files(at, question):  # taken away before
        return _turn(at)
    left = tuple(file for file in _files(at, question) if file != event.file)
    return _turn(_holding(at, question, left), say.Say("file-removed"))


def _has_files(question: Question, values: tuple[str, ...]) -> bool:
    return question.type is QuestionType.FILE and bool(values)


def _files(at: _At, question: Question) -> tuple[str, ...]:
    before = at.path.step(question.id)
    return before.answer.values if before else ()


def _holding(at: _At, question: Question, files: tuple[str, ...]) -> _At:
    """With just these files in the answer; without any, it is no answer."""
    if not files:
        return at.to(replace(at.conversation.without_answer(question.id), focus=None))
    answer = Answer(files, None, at.now, at.channel, asked=question.meaning)
    return at.to(replace(at.conversation.with_answer(question.id, answer), focus=question.id))


def _carried_on(at: _At, question: Question) -> Turn:
    """On from the files they added, if they added any."""
    if not _files(at, question):
        return _not_taken(at, question, Trouble("file-none"))
    return _turn(at.to(replace(at.conversation, focus=None, picking=None, misses=None)))


def _unfit(at: _At, event: ev.Unfit) -> Turn:
    question = _file_question(at, event.question)
    if question is None:
        return _turn(at, say.Say("no-longer-asked"))
    gaps = {"kinds": listed_kinds(question, at.asking(question).words), **dict(event.gaps)}
    return _not_taken(at, question, Trouble(event.key, gaps))


# --- Skipping and editing -----------------------------------------------------------------


def _skipped(at: _At, event: ev.Skipped) -> Turn:
    question = at.target if event.question is None else at.script.flow.by_id.get(event.question)
    if question is None or not at.path.reaches(question.id):
        return _turn(at, say.Say("no-longer-asked"))
    if event.skip not in at.script.skips(question):
        problem = say.Problem(question.id, "cannot-skip")
        return Turn(at.conversation, (problem, _ask(at, question)))
    return _take(at, question, Given((), event.skip), None)


def _edited(at: _At, event: ev.Edited) -> Turn:
    """An edited message edits the answer it gave; or, if it gave none yet, tries again."""
    for name, answer in at.conversation.answers.items():
        if answer.source == event.source and at.path.step(name):
            question = at.script.flow.by_id[name]
            read = read_text(at.asking(question), event.text)
            return _take(at, question, read, event.source)
    if at.conversation.misses is not None and at.target is not None:
        return _typed(at, ev.Typed(event.text, source=event.source))
    return _turn(at, say.Say("edit-unknown"))


# --- Moving about -------------------------------------------------------------------------


def _start(at: _At, event: ev.Start) -> Turn:
    if at.conversation.answers:
        return Turn(at.conversation, (say.OfferResume(),))
    return _turn(at, say.Welcome(at.script.flow))


def _resume(at: _At, event: ev.Resume) -> Turn:
    return _turn(at)


def _back(at: _At, event: ev.Back) -> Turn:
    here = event.asked if event.asked and at.path.reaches(event.asked) else None
    before = at.path.before(here or (at.target.id if at.target else None))
    if before is None:
        return _turn(at, say.Say("at-the-start"))
    return _turn(at.to(replace(at.conversation, focus=before.id, picking=None, misses=None)))


def _another_way(at: _At, event: ev.AnotherWay) -> Turn:
    """The same question in other words. It is no answer: ticks and place stay as they are."""
    question = at.script.flow.by_id.get(event.question)
    if question is None or not question.another_way or not at.path.reaches(question.id):
        return _turn(at, say.Say("no-longer-asked"))
    focus = question.id if at.path.step(question.id) else None
    other = say.Say("another-way", {"words": question.another_way})
    return _turn(at.to(replace(at.conversation, focus=focus)), other)


def _go_to(at: _At, event: ev.GoTo) -> Turn:
    if not at.path.reaches(event.question):
        return _turn(at, say.Say("no-longer-asked"))
    focus = event.question if at.path.step(event.question) else None
    return _turn(at.to(replace(at.conversation, focus=focus, picking=None, misses=None)))


def _check(at: _At, event: ev.Check) -> Turn:
    at = at.to(replace(at.conversation, focus=None))
    if at.path.current is None:
        return Turn(at.conversation, (_close(at),))
    if not at.path.asked:
        return _turn(at, say.Say("nothing-yet"))
    review = say.Review(at.path.asked, at.conversation.revision, complete=False)
    return Turn(at.conversation, (review,))


def _stop(at: _At, event: ev.Stop) -> Turn:
    stopped = replace(at.conversation, status=Status.STOPPED)
    return Turn(stopped, (say.Say("stopped"),))


def _delete(at: _At, event: ev.Delete) -> Turn:
    if not event.sure:
        return Turn(at.conversation, (say.ConfirmDelete(),))
    return Turn(at.conversation, (say.Deleted(),), forget=True)


def _my_data(at: _At, event: ev.MyData) -> Turn:
    return _turn(at, say.Say("my-data"))


def _help(at: _At, event: ev.Help) -> Turn:
    return _turn(at, say.Say("help"))


def _help_now(at: _At, event: ev.HelpNow) -> Turn:
    return _turn(at, say.SafetyNotice(at.script.flow.help_notice))


def _find(at: _At, event: ev.Find) -> Turn:
    """Nothing changes: the same question stands, with the answers as they are."""
    if not event.text.strip():
        return _turn(at, say.Say("ask-how"))
    return replace(_turn(at), finds=event.text)


def _speak(at: _At, event: ev.Speak) -> Turn:
    if event.language not in at.script.languages:
        return _turn(at, say.Say("language-unknown"))
    return _turn(at.to(replace(at.conversation, language=event.language)))


def _unreadable(at: _At, event: ev.Unreadable) -> Turn:
    return _turn(at, say.Say(f"unreadable-{event.kind}"))


# --- Sending ------------------------------------------------------------------------------


def _submit(at: _At, event: ev.Submit) -> Turn:
    ending = at.path.ending
    if ending is None or ending.kind != "submission":
        return _turn(at, say.Say("not-ready"))
    if event.revision != at.conversation.revision or at.conversation.focus is not None:
        at = at.to(replace(at.conversation, focus=None))
        return _turn(at, say.Say("changed-since"))
    filed = compose(at.script, at.conversation, at.path)
    sent = replace(
        at.conversation,
        status=Status.SUBMITTED,
        submitted_revision=event.revision,
        picking=None,
        misses=None,
    )
    return Turn(sent, (say.Submitted(ending, filed.reference, again=False),), submission=filed)


def _after_submission(at: _At, event: ev.Event) -> Turn:
    """What was sent is sealed: anything said now gets the same reference, and no second record."""
    if isinstance(event, ev.HelpNow):
        return Turn(at.conversation, (say.SafetyNotice(at.script.flow.help_notice),))
    if isinstance(event, ev.Delete):
        return Turn(at.conversation, (say.Say("sent-stays"),))
    first: tuple[say.Message, ...] = ()
    if isinstance(event, ev.Edited):
        first = (say.Say("edited-after-sending"),)
    revision = at.conversation.submitted_revision
    assert revision is not None
    number = reference(at.conversation.id, revision)
    # The flow may have changed since; what was sent still has somewhere to end.
    ends = (at.path.ending, *at.script.flow.endings)
    ending = next(end for end in ends if end is not None and end.kind == "submission")
    sent = say.Submitted(ending, number, again=True)
    return Turn(at.conversation, (*first, sent), finds=_wondered(event))


_SAID = (ev.Typed, ev.Start, ev.Find)
"""What somebody who has stopped may say without carrying on by it."""
_HANDLERS: Mapping[type[Any], Callable[[_At, Any], Turn]] = {
    ev.Start: _start,
    ev.Resume: _resume,
    ev.Typed: _typed,
    ev.Answered: _answered,
    ev.Toggled: _toggled,
    ev.Picked: _picked,
    ev.Added: _added,
    ev.Removed: _removed,
    ev.Unfit: _unfit,
    ev.Skipped: _skipped,
    ev.Back: _back,
    ev.AnotherWay: _another_way,
    ev.GoTo: _go_to,
    ev.Check: _check,
    ev.Submit: _submit,
    ev.Stop: _stop,
    ev.Delete: _delete,
    ev.MyData: _my_data,
    ev.Help: _help,
    ev.HelpNow: _help_now,
    ev.Find: _find,
    ev.Speak: _speak,
    ev.Edited: _edited,
    ev.Unreadable: _unreadable,
}
