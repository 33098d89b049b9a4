"""Who may start what: whoever may not is told what they can do instead, and nothing is sent."""

import re

import pytest

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.priority import prioritise
from content.schema import Level
from tests.small import Talk
from tests.test_every_path import CONTENT, reply, script

NOT_IN_CARE = ("left-care", "was-in-care", "kinship", "social-worker")
CARERS = ("foster-carer", "home-staff", "guardian", "professional")
WITH_A_CHILD = ("support-for-a-child", "pupil-premium-plus", "pupil-premium-plus-impact",
                "pep-help", "pep-quality-check", "reduced-timetable",
                "suspension-notice")  # fmt: skip
WITHOUT = ("support-for-my-team", "ask-for-training")
INSTEAD = {
    "pupil-premium-plus-impact": "designated teacher",
    "pep-quality-check": "Get help with an education plan",
    "reduced-timetable": "Raise a concern",
    "suspension-notice": "Raise a concern",
}


def answered(flow: str, choosing: dict[str, str]) -> Talk:
    """Answer as told, and in the plainest way besides, until there is nothing left to ask."""
    talk = Talk(script(flow))
    talk.hears(ev.Start())
    while talk.turn.asking is not None:
        question = talk.turn.asking.question
        options = talk.turn.asking.options
        told = choosing.get(question.id)
        plain = "not-now" if question.id == "danger" else None
        safe = [o.value for o in options if not (o.ends or o.disclosure)]
        typed = str(question.min) if question.type.counts else "given"
        value = told or plain or (safe[0] if safe else typed)
        talk.hears(reply(talk, frozenset({value})))
        assert talk.turn.problem is None, (question.id, value)
    return talk


def ended(talk: Talk) -> str:
    """Everything that is said at an ending; none of it was sent."""
    (message,) = talk.says(say.Ended)
    assert talk.turn.submission is None
    assert "Nothing has been sent" in message.ending.text
    return " ".join([message.ending.title, message.ending.text, *message.ending.next])


def level(flow: str, choosing: dict[str, str]) -> tuple[Level, tuple[str, ...]]:
    talk = answered(flow, choosing)
    (review,) = talk.says(say.Review)
    known = {name: answer.known for name, answer in talk.conversation.answers.items()}
    assert talk.hears(ev.Submit(review.revision)).submission is not None
    found = prioritise(CONTENT.flows[flow], known)
    return found.level, found.reasons


@pytest.mark.parametrize("flow", INSTEAD)
@pytest.mark.parametrize("role", CARERS)
def test_what_schools_and_social_workers_send_points_others_to_what_is_theirs(flow, role):
    assert INSTEAD[flow] in ended(answered(flow, {"role": role}))


@pytest.mark.parametrize("flow", INSTEAD)
@pytest.mark.parametrize("role", ["designated-teacher", "social-worker"])
def test_the_designated_teacher_and_the_social_worker_can_send_each(flow, role):
    assert answered(flow, {"role": role, "status": "in-care"}).says(say.Review)


@pytest.mark.parametrize("role", ["foster-carer", "home-staff"])
def test_a_carer_who_would_like_money_learns_who_asks_and_how_to_be_heard(role):
    wish = {"role": role, "status": "in-care", "premium-what": "through-school"}
    said = ended(answered("pupil-premium-plus", wish))
    for way in ("designated teacher", "Raise a concern", "Ask for support for a child"):
        assert way in said
    asks = {"role": role, "status": "in-care", "premium-what": "question"}
    assert answered("pupil-premium-plus", asks).says(say.Review)


@pytest.mark.parametrize(
    ("status", "choice", "says"),
    [("was-in-care", "school-has-it", "straight to the school"),
     ("kinship", "other-money", "children in care now"),
     ("left-care", "other-money", "16 to 19 bursary")],
)  # fmt: skip
def test_a_child_who_is_not_in_care_is_not_promised_this_money(status, choice, says):
    wish = {"role": "designated-teacher", "status": status, "premium-what": choice}
    assert says in ended(answered("pupil-premium-plus", wish))


@pytest.mark.parametrize("status", NOT_IN_CARE)
@pytest.mark.parametrize("flow", ["pep-help", "pep-quality-check", "pupil-premium-plus-impact",
                                  "reduced-timetable", "suspension-notice"])  # fmt: skip
def test_what_only_children_in_care_have_is_asked_of_no_other(flow, status):
    said = ended(answered(flow, {"role": "designated-teacher", "status": status}))
    assert "Ask for advice" in said


@pytest.mark.parametrize("flow", [*WITH_A_CHILD, *WITHOUT])
@pytest.mark.parametrize("role", ["parent", "public"])
def test_family_and_the_public_are_never_told_whether_a_child_is_known(flow, role):
    assert "don't say whether we know a child" in ended(answered(flow, {"role": role}))


@pytest.mark.parametrize("flow", [*WITH_A_CHILD, *WITHOUT])
def test_a_young_person_is_shown_a_place_of_their_own(flow):
    assert "My views" in ended(answered(flow, {"role": "young-person"}))


@pytest.mark.parametrize("flow", WITHOUT)
def test_what_is_about_one_child_goes_where_the_child_can_be_found(flow):
    assert "Ask for support for a child" in ended(answered(flow, {"one-child": "yes"}))


@pytest.mark.parametrize("flow", [*WITH_A_CHILD, *WITHOUT])
def test_danger_comes_before_everything_else(flow):
    assert "999" in ended(answered(flow, {"danger": "in-danger"}))


def test_an_ending_names_only_what_can_be_chosen():
    titles = [flow.title for flow in CONTENT.flows.values()]
    for flow in CONTENT.flows.values():
        for ending in flow.endings:
            for name in re.findall(r"[Cc]hoose “([^”]+)”", " ".join([ending.text, *ending.next])):
                assert any(title.startswith(name) for title in titles), (flow.id, ending.id, name)


@pytest.mark.parametrize("flow", ["pupil-premium-plus", "pupil-premium-plus-impact"])
def test_no_amount_is_stated_or_promised(flow):
    shown = CONTENT.flows[flow]
    assert "£" not in shown.model_dump_json()
    assert "promise" in CONTENT.flows["pupil-premium-plus"].intro


@pytest.mark.parametrize("ending", ["sent", "not-from-you"])
@pytest.mark.parametrize("flow", ["reduced-timetable", "suspension-notice"])
def test_the_child_hears_of_it_from_an_adult_they_trust(flow, ending):
    assert "adult they trust" in " ".join(CONTENT.flows[flow].ending_by_id[ending].next)


@pytest.mark.parametrize(
    ("flow", "told", "expected", "reason"),
    [("suspension-notice", {"excl-now": "suspended"}, Level.URGENT, "Suspended now"),
     ("suspension-notice", {"excl-now": "excluded"}, Level.URGENT, "Permanently excluded"),
     ("suspension-notice", {"excl-now": "thinking"}, Level.HIGH, "Exclusion risk"),
     ("suspension-notice", {"excl-now": "back", "excl-times": "3"}, Level.HIGH,
      "3 or more suspensions"),
     ("suspension-notice", {"excl-now": "back", "excl-times": "1"}, Level.STANDARD,
      "Suspension or exclusion"),
     ("reduced-timetable", {"pt-end": "no"}, Level.HIGH, "Part-time, no end date"),
     ("reduced-timetable", {"pt-long": "six-plus"}, Level.HIGH, "Part-time 6 weeks or more"),
     ("reduced-timetable", {"pt-notice": "ended"}, Level.LOW, "Back full time"),
     ("pep-help", {"pep-trouble": "late", "pep-late": "over-20"}, Level.HIGH,
      "PEP 20+ days late"),
     ("pep-help", {"pep-trouble": "voice", "dates": "none"}, Level.STANDARD,
      "Child's voice missing"),
     ("pupil-premium-plus", {"premium-what": "question"}, Level.LOW, "Question"),
     ("pupil-premium-plus", {"premium-what": "request"}, Level.STANDARD, "Asks for money"),
     ("support-for-a-child", {"in-school": "no-place"}, Level.URGENT, "No place, out now"),
     ("support-for-a-child", {"in-school": "part", "attendance": "49"}, Level.HIGH,
      "Under 50% attendance"),
     ("ask-for-training", {"prompted": "plan"}, Level.LOW, "Training"),
     ("support-for-my-team", {"urgency": "any", "about": "role"}, Level.LOW, "Support for a team"),
     ("support-for-my-team", {"harm": "adult-in-role"}, Level.URGENT, "About an adult in a role"),
     ],
)  # fmt: skip
def test_how_soon_it_must_be_looked_at(flow, told, expected, reason):
    found, reasons = level(flow, {"role": "designated-teacher", "status": "in-care", **told})
    assert found is expected
    assert reason in reasons
