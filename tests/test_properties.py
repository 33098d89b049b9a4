"""Whatever people do, in whatever order: nothing raises, nothing is lost, and every channel ends
with the same submission."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.path import path
from content.schema import Channel, QuestionType, Skip
from tests.small import Talk
from tests.test_every_path import CONTENT, WORDS, script

FLOWS = sorted(CONTENT.flows)
JUNK = st.sampled_from(["", "hm", "😀", "\u200b", "back to school", "<b>", "0", "99999", "\ud800"])

acts = st.one_of(
    st.tuples(st.just("answer"), st.integers(0, 9)),
    st.tuples(st.just("answer"), st.integers(0, 9)),
    st.tuples(st.just("answer"), st.integers(0, 9)),
    st.tuples(st.just("back"), st.just(0)),
    st.tuples(st.just("change"), st.integers(0, 99)),
    st.tuples(st.just("skip"), st.sampled_from(list(Skip))),
    st.tuples(st.just("stale"), st.integers(0, 9999)),
    st.tuples(st.just("again"), st.just(0)),
    st.tuples(st.just("language"), st.sampled_from(["english", "English."])),
    st.tuples(st.just("junk"), JUNK),
    st.tuples(st.just("check"), st.just(0)),
    st.tuples(st.just("help"), st.just(0)),
    st.tuples(st.just("stop"), st.just(0)),
    st.tuples(st.just("send"), st.just(0)),
)


def answer(talk: Talk, number: int) -> list:
    """One answer to what is being asked, as this talk's channel would carry it."""
    ask = talk.turn.asking
    if ask is None:
        return [ev.Resume()]
    question = ask.question
    if question.type in WORDS:
        text = "3 March 2027" if question.time == "future" else WORDS[question.type]
        text = f"{text} {number}" if question.type is QuestionType.TEXT else text
        typed = talk.channel is not Channel.FORM
        return [ev.Typed(text) if typed else ev.Answered(question.id, text=text)]
    if question.type.counts:
        value = str(question.min + number % (question.max - question.min + 1))
        if talk.channel is Channel.CHAT:
            return [ev.Typed(value)]
        return [ev.Answered(question.id, (value,))]
    if question.type is QuestionType.FILE:
        return files(ask, number)
    if question.type is QuestionType.CARD:
        return [ev.Answered(question.id, ("read",))]
    return choice(talk, ask, number)


def files(ask: say.Ask, number: int) -> list:
    """One file, added once, and on."""
    added = f"{ask.question.accepts[0]}:{number}"
    once = () if ask.answer and added in ask.answer.values else (added,)
    return [ev.Added(ask.question.id, once), ev.Picked(ask.question.id)]


def choice(talk: Talk, ask: say.Ask, number: int) -> list:
    question = ask.question
    values = [o.value for o in ask.options] or [p.entitlement.id for p in ask.signposts]
    if not values:
        return [ev.Answered(question.id, ())]
    value = values[number % len(values)]
    if question.type in (QuestionType.CHOICES, QuestionType.ENTITLEMENTS):
        if talk.channel is Channel.FORM:
            return [ev.Answered(question.id, (value,))]
        ticked = [ev.Toggled(question.id, old) for old in ask.picked]
        return [*ticked, ev.Toggled(question.id, value), ev.Picked(question.id)]
    if talk.channel is Channel.CHAT:
        return [ev.Typed(ask.options[number % len(values)].label)]
    return [ev.Answered(question.id, (value,))]


def events(talk: Talk, act: str, detail, last: list) -> list:
    flow = talk.script.flow
    if act == "answer":
        return answer(talk, detail)
    if act == "change":
        asked = path(talk.script, talk.conversation.answers).asked
        return [ev.GoTo(asked[detail % len(asked)].question.id)] if asked else [ev.Back()]
    if act == "stale":
        question = flow.questions[detail % len(flow.questions)]
        value = question.options[0].value if question.options else "no-such-thing"
        if question.type in (QuestionType.TEXT, QuestionType.DATE):
            return [ev.GoTo("no-such-question")]
        return [ev.Answered(question.id, (value,))]
    if act == "again":
        # A tap again is the same tap. Words that come again are known by their key before they get
        # here (test_intake); typed anew they would answer what is asked now.
        return [event for event in last if not isinstance(event, ev.Typed)] or [ev.Resume()]
    if act == "send":
        return [ev.Submit(talk.conversation.revision)]
    simple = {
        "back": ev.Back(),
        "check": ev.Check(),
        "help": ev.HelpNow(),
        "stop": ev.Stop(),
    }
    if act in simple:
        return [simple[act]]
    if act == "skip":
        return [ev.Skipped(detail)]
    return [ev.Typed(detail)]


def play(flow: str, channel: Channel, sequence: list) -> Talk:
    talk = Talk(script(flow), channel)
    talk.hears(ev.Start())
    last: list = [ev.Resume()]
    for act, detail in sequence:
        last = events(talk, act, detail, last)
        for event in last:
            turn = talk.hears(event)
            assert turn.messages, f"nothing was said to {event}"
        if talk.conversation.status == "stopped":
            talk.hears(ev.Resume())
    return talk


def finish(talk: Talk) -> Talk:
    """Answer whatever is left, the same way on every channel, and send."""
    for _ in range(200):
        if talk.turn.asking is None:
            talk.hears(ev.Resume())
        if talk.turn.asking is None:
            break
        for event in answer(talk, 1):
            talk.hears(event)
        assert talk.turn.problem is None, talk.turn.problem
    if reviews := talk.says(say.Review):
        talk.hears(ev.Submit(reviews[0].revision))
    return talk


def outcome(talk: Talk) -> bytes:
    from bot.conversation.submission import compose

    walked = path(talk.script, talk.conversation.answers)
    assert walked.ending is not None
    return compose(talk.script, talk.conversation, walked).canonical


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=st.sampled_from(FLOWS), sequence=st.lists(acts, max_size=25))
def test_every_channel_ends_with_the_same_submission(flow, sequence):
    sent = {outcome(finish(play(flow, channel, sequence))) for channel in Channel}
    assert len(sent) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=st.sampled_from(FLOWS), sequence=st.lists(acts, max_size=40))
def test_what_is_reviewed_is_what_the_path_holds(flow, sequence):
    talk = play(flow, Channel.TELEGRAM, sequence)
    talk.hears(ev.Check())
    asked = path(talk.script, talk.conversation.answers).asked
    for review in talk.says(say.Review):
        assert review.steps == asked
