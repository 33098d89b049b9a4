"""Every path of every flow we ship is walked through the engine and comes to an ending."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.path import path
from bot.conversation.script import Script
from content import loader
from content.schema import QuestionType, Skip
from content.walk import ways
from tests.small import Talk

CONTENT = loader.read().served_by("staffordshire")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WORDS = {
    QuestionType.TEXT: "Words",
    QuestionType.DATE: "3 March",
    QuestionType.PHONE: "07700 900123",
    QuestionType.EMAIL: "someone@example.org",
}


def script(flow: str) -> Script:
    return Script(
        CONTENT.flows[flow],
        CONTENT.flow_hashes[flow],
        CONTENT.wording,
        CONTENT.entitlements,
        NOW.date(),
    )


def reply(talk: Talk, values: frozenset[str]):
    """The event that gives a walked answer to the question being asked."""
    question = talk.turn.asking.question
    (value, *_) = sorted(values)
    if value in tuple(Skip):
        return ev.Skipped(Skip(value), question.id)
    if question.type in WORDS:
        text = WORDS[question.type]
        if question.time == "future":
            text = "3 March 2027"
        return ev.Answered(question.id, text=text)
    if question.type is QuestionType.FILE:
        return ev.Added(question.id, (f"{question.accepts[0]}:{'a' * 24}",), done=True)
    if question.type is QuestionType.CARD:
        return ev.Answered(question.id, ("read",))
    if question.type is QuestionType.ENTITLEMENTS:
        offered = tuple(post.entitlement.id for post in talk.turn.asking.signposts)
        return ev.Answered(question.id, offered[:2])
    return ev.Answered(question.id, tuple(values))


def test_there_are_flows_to_walk():
    assert {"raise-a-concern", "next-steps"} <= set(CONTENT.flows)
    assert sum(flow.audience == "child" for flow in CONTENT.flows.values()) >= 2


@pytest.mark.parametrize("flow", sorted(CONTENT.flows))
def test_every_path_ends_where_it_should(flow):
    endings = Counter()
    asked = set()
    for way in ways(CONTENT.flows[flow]):
        talk = Talk(script(flow))
        talk.hears(ev.Start())
        for question, values in way.answers.items():
            assert talk.asked == question, f"{question} was expected on {way.answers}"
            talk.hears(reply(talk, values))
            assert talk.turn.problem is None, talk.turn.problem
            asked.add(question)
        walked = path(talk.script, talk.conversation.answers)
        assert walked.ending == way.ending
        if walked.ending.kind == "submission":
            (review,) = talk.says(say.Review)
            talk.hears(ev.Submit(review.revision))
            assert talk.turn.submission is not None
            assert talk.says(say.Submitted)
        else:
            (ended,) = talk.says(say.Ended)
            assert ended.ending.text
        endings[walked.ending.id] += 1
    assert asked == {q.id for q in CONTENT.flows[flow].questions if not q.upon_harm}
    assert set(endings) == set(CONTENT.flows[flow].ending_by_id)
