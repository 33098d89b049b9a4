"""The conversation itself: what is asked next, what is kept, and what is never an error."""

import pytest

from bot.conversation import events as ev
from bot.conversation import messages as say
from bot.conversation.path import path
from bot.conversation.state import Status
from content.schema import Question, Skip
from tests.small import Talk, script

BRANCHING = """
questions:
  - id: role
    type: choice
    text: Who are you?
    options:
      - {value: carer, label: Foster carer}
      - {value: teacher, label: Teacher}
  - id: school
    type: text
    text: Which school?
    when: {question: role, is: teacher}
  - id: helps
    type: choices
    text: What helps?
    max: 2
    options:
      - {value: quiet, label: Quiet space}
      - {value: breaks, label: Breaks}
      - {value: time, label: Extra time}
      - {value: none, label: None of these, alone: true}
    skips: [skipped, dont-know]
  - id: age
    type: number
    text: How old?
    min: 2
    max: 25
"""


@pytest.fixture
def talk():
    talk = Talk(script(BRANCHING))
    talk.hears(ev.Start())
    return talk


OTHERWISE = BRANCHING.replace(
    "text: What helps?\n", "text: What helps?\n    another_way: When is it easier to learn?\n"
)


@pytest.fixture
def otherwise():
    """At a question that has other words, with something ticked."""
    talk = Talk(script(OTHERWISE))
    talk.hears(ev.Start())
    talk.hears(ev.Answered("role", ("carer",)))
    talk.hears(ev.Toggled("helps", "time"))
    return talk


@pytest.mark.parametrize("event", [ev.AnotherWay("helps"), ev.Typed("Another way?")])
def test_a_question_is_asked_another_way_and_nothing_is_answered_or_lost(otherwise, event):
    before = otherwise.conversation
    otherwise.hears(event)
    (said,) = otherwise.says(say.Say)
    assert said == say.Say("another-way", {"words": "When is it easier to learn?"})
    assert otherwise.conversation == before
    assert otherwise.asked == "helps"
    assert otherwise.turn.asking.picked == ("time",)


def test_an_earlier_question_asked_another_way_is_answered_there_and_then_they_go_on(otherwise):
    otherwise.hears(ev.Picked("helps"))
    assert otherwise.asked == "age"
    otherwise.hears(ev.AnotherWay("helps"))
    assert otherwise.asked == "helps"
    otherwise.hears(ev.Typed("Quiet space"))
    assert otherwise.conversation.answers["helps"].values == ("quiet",)
    assert otherwise.asked == "age"


def test_a_question_without_other_words_takes_those_words_as_an_answer(otherwise):
    otherwise.hears(ev.Picked("helps"))
    otherwise.hears(ev.AnotherWay("age"))
    assert otherwise.says(say.Say) == [say.Say("no-longer-asked")]
    otherwise.hears(ev.Answered("role", ("teacher",)))
    otherwise.hears(ev.Typed("another way"))
    assert otherwise.conversation.answers["school"].values == ("another way",)


def test_it_begins_with_what_this_is_and_the_first_question(talk):
    assert talk.says(say.Welcome)
    assert talk.asked == "role"


def test_a_branch_is_asked_only_of_those_it_concerns(talk):
    talk.hears(ev.Answered("role", ("carer",)))
    assert talk.asked == "helps"
    talk.hears(ev.Answered("role", ("teacher",)))
    assert talk.asked == "school"


def test_answers_off_the_path_come_back_when_the_branch_does_and_are_never_sent(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed("Hill Top"))
    talk.hears(ev.Answered("role", ("carer",)))
    assert "school" not in path(talk.script, talk.conversation.answers).known
    talk.hears(ev.Skipped(Skip.SKIPPED))
    talk.hears(ev.Typed("9"))
    review = talk.says(say.Review)[0]
    assert [step.question.id for step in review.steps] == ["role", "helps", "age"]
    talk.hears(ev.Answered("role", ("teacher",)))
    assert path(talk.script, talk.conversation.answers).step("school").answer.values == (
        "Hill Top",
    )


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("Foster carer", "carer"),
        ("foster carer.", "carer"),
        ("2", "teacher"),
        ("te", "teacher"),
        ("3", None),
        ("er", None),
        ("me", None),
    ],
)
def test_words_choose_only_what_they_name(talk, typed, means):
    talk.hears(ev.Typed(typed))
    answer = talk.conversation.answers.get("role")
    assert (answer.values[0] if answer else None) == means
    if means is None:
        assert talk.turn.problem.key == "choice"
        assert talk.asked == "role"


def test_the_third_answer_not_understood_brings_a_way_round(talk):
    for _ in range(2):
        assert not talk.hears(ev.Typed("hm")).asking.stuck
    assert talk.hears(ev.Typed("hm")).asking.stuck


def test_several_choices_are_kept_in_the_order_shown(talk):
    talk.hears(ev.Answered("role", ("carer",)))
    talk.hears(ev.Toggled("helps", "time"))
    talk.hears(ev.Toggled("helps", "quiet"))
    assert talk.turn.asking.picked == ("quiet", "time")
    talk.hears(ev.Toggled("helps", "none"))
    assert talk.turn.asking.picked == ("none",)
    talk.hears(ev.Toggled("helps", "breaks"))
    talk.hears(ev.Toggled("helps", "quiet"))
    talk.hears(ev.Picked("helps"))
    assert talk.conversation.answers["helps"].values == ("quiet", "breaks")


@pytest.mark.parametrize(
    ("values", "key"),
    [((), "choose-some"), (("quiet", "breaks", "time"), "choose-fewer"), (("x",), "choice"),
     (("none", "quiet"), "alone")],
)  # fmt: skip
def test_choices_that_do_not_fit_are_asked_again(talk, values, key):
    talk.hears(ev.Answered("role", ("carer",)))
    assert talk.hears(ev.Answered("helps", values)).problem.key == key


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("9", "9"), (" about 9 ", "9"), ("9 years", "9"), ("0", None), ("26", None), ("8-9", None),
     ("9.5", None), ("nine", None), ("-9", None), ("٩", "9"), ("9" * 400, None)],
)  # fmt: skip
def test_numbers_are_read_as_typed_and_never_guessed(talk, typed, kept):
    talk.hears(ev.Answered("role", ("carer",)))
    talk.hears(ev.Skipped(Skip.DONT_KNOW))
    talk.hears(ev.Typed(typed))
    answer = talk.conversation.answers.get("age")
    assert (answer.values[0] if answer else None) == kept


def test_a_skip_is_a_value_and_only_where_it_is_offered(talk):
    talk.hears(ev.Typed("skip"))
    assert talk.turn.problem.key == "cannot-skip"
    talk.hears(ev.Answered("role", ("carer",)))
    talk.hears(ev.Typed("idk"))
    assert talk.conversation.answers["helps"].skip is Skip.DONT_KNOW
    assert talk.asked == "age"


def test_back_goes_back_without_losing_anything_and_stops_at_the_first(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed("Hill Top"))
    talk.hears(ev.Typed("back"))
    assert talk.asked == "school"
    assert talk.turn.asking.answer.values == ("Hill Top",)
    talk.hears(ev.Back())
    assert talk.asked == "role"
    talk.hears(ev.Back())
    assert talk.asked == "role"
    assert [m.key for m in talk.says(say.Say)] == ["at-the-start"]
    talk.hears(ev.Answered("role", ("teacher",)))
    assert talk.asked == "helps"


def finish(talk):
    talk.hears(ev.Answered("role", ("carer",)))
    talk.hears(ev.Answered("helps", ("quiet",)))
    talk.hears(ev.Typed("9"))


def test_back_from_the_review_is_the_last_question(talk):
    finish(talk)
    assert talk.says(say.Review)
    talk.hears(ev.Typed("back"))
    assert talk.asked == "age"


def test_an_old_button_changes_that_answer_and_returns(talk):
    finish(talk)
    talk.hears(ev.Answered("helps", ("breaks",)))
    assert talk.conversation.answers["helps"].values == ("breaks",)
    assert talk.says(say.Review)


def test_a_button_of_a_question_that_no_longer_applies_changes_nothing(talk):
    finish(talk)
    before = talk.conversation
    talk.hears(ev.Answered("school", text="Hill Top"))
    assert talk.conversation == before
    assert [m.key for m in talk.says(say.Say)] == ["no-longer-asked"]


def test_what_was_reviewed_is_what_is_sent(talk):
    finish(talk)
    reviewed = talk.says(say.Review)[0].revision
    talk.hears(ev.Answered("helps", ("breaks",)))
    talk.hears(ev.Submit(reviewed))
    assert talk.turn.submission is None
    assert [m.key for m in talk.says(say.Say)] == ["changed-since"]
    talk.hears(ev.Submit(talk.says(say.Review)[0].revision))
    assert talk.turn.submission is not None


def test_sending_twice_sends_once(talk):
    finish(talk)
    reviewed = talk.says(say.Review)[0].revision
    first = talk.hears(ev.Submit(reviewed))
    again = talk.hears(ev.Submit(reviewed))
    assert again.submission is None
    assert talk.says(say.Submitted)[0].reference == first.submission.reference
    assert talk.says(say.Submitted)[0].again


def test_nothing_after_sending_changes_what_was_sent(talk):
    finish(talk)
    talk.hears(ev.Submit(talk.says(say.Review)[0].revision))
    sealed = talk.conversation
    for event in (
        ev.Answered("role", ("teacher",)),
        ev.Typed("more"),
        ev.Back(),
        ev.Start(),
        ev.Edited("m1", "other words"),
        ev.Delete(sure=True),
        ev.Toggled("helps", "time"),
        ev.HelpNow(),
    ):
        turn = talk.hears(event)
        assert talk.conversation == sealed
        assert turn.messages
        assert not turn.forget


def test_coming_back_offers_to_carry_on_and_wipes_nothing(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Start())
    assert talk.says(say.OfferResume)
    talk.hears(ev.Resume())
    assert talk.asked == "school"


def test_stopping_keeps_everything(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed("stop"))
    assert talk.conversation.status is Status.STOPPED
    talk.hears(ev.Typed("hello again"))
    assert talk.says(say.OfferResume)
    assert "school" not in talk.conversation.answers
    talk.hears(ev.Resume())
    assert talk.asked == "school"


def test_help_now_is_answered_and_the_same_question_comes_again(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    before = talk.conversation
    talk.hears(ev.Typed("help me"))
    assert talk.says(say.SafetyNotice)
    assert talk.asked == "school"
    assert talk.conversation.answers == before.answers


def test_deleting_is_asked_twice(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    assert not talk.hears(ev.Typed("delete")).forget
    assert talk.says(say.ConfirmDelete)
    assert talk.hears(ev.Delete(sure=True)).forget


def test_an_edited_message_edits_its_answer(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed("Hil Top", source="m7"))
    talk.hears(ev.Edited("m7", "Hill Top"))
    assert talk.conversation.answers["school"].values == ("Hill Top",)
    assert talk.asked == "helps"


def test_editing_a_message_that_was_not_understood_tries_it_again(talk):
    talk.hears(ev.Typed("tecaher", source="m7"))
    talk.hears(ev.Edited("m7", "teacher"))
    assert talk.conversation.answers["role"].values == ("teacher",)


def test_words_that_come_late_are_not_taken_for_another_answer(talk):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed("Hill Top", late=True))
    assert "school" not in talk.conversation.answers
    assert [m.key for m in talk.says(say.Say)] == ["late"]


@pytest.mark.parametrize(
    "hostile",
    ["😀", "\u200b", "a\x00b", "\ud800", "<b>x</b>", "_*[", "'; DROP TABLE x", "שלום", "x" * 5000],
)
def test_no_words_are_an_error(talk, hostile):
    talk.hears(ev.Answered("role", ("teacher",)))
    talk.hears(ev.Typed(hostile))
    kept = talk.conversation.answers.get("school")
    assert kept is None or "\x00" not in kept.values[0]
    assert talk.turn.messages


OFF = """
questions:
  - id: role
    type: choice
    text: Who?
    options:
      - {value: carer, label: Carer, ends: elsewhere}
      - {value: me, label: Me, disclosure: {urgency: urgent, category: unsafe, notice: help}}
"""
OFF_ENDINGS = """
endings:
  - {id: sent, kind: submission, title: Sent, text: Sent.}
  - {id: elsewhere, kind: signpost, title: Elsewhere, text: Go there.}
"""


def test_an_option_may_end_the_flow_with_somewhere_to_go():
    talk = Talk(script(OFF, OFF_ENDINGS))
    talk.hears(ev.Answered("role", ("carer",)))
    assert talk.says(say.Ended)[0].ending.id == "elsewhere"
    talk.hears(ev.Submit(talk.conversation.revision))
    assert talk.turn.submission is None
    talk.hears(ev.Back())
    assert talk.asked == "role"


def test_a_disclosing_choice_is_answered_at_once_before_anything_else():
    talk = Talk(script(OFF, OFF_ENDINGS))
    talk.hears(ev.Answered("role", ("me",)))
    assert isinstance(talk.turn.messages[0], say.SafetyNotice)


REPEATING = """
questions:
  - id: role
    type: choice
    text: Who?
    options: [{value: a, label: A}, {value: b, label: B}]
  - repeat: tried
    times: 3
    questions:
      - {id: tried, type: text, text: "What was tried?"}
    again:
      id: tried-more
      type: choice
      text: Anything else?
      options: [{value: "yes", label: "Yes"}, {value: "no", label: "No"}]
"""


def test_a_repeat_asks_again_until_told_no_or_full():
    talk = Talk(script(REPEATING))
    talk.hears(ev.Answered("role", ("a",)))
    asked = []
    while talk.asked:
        asked.append(talk.asked)
        more = talk.asked.startswith("tried-more")
        talk.hears(ev.Typed("yes" if more else "talked"))
    assert asked == ["tried", "tried-more", "tried-2", "tried-more-2", "tried-3"]
    assert talk.says(say.Review)


DATES = """
questions:
  - id: role
    type: date
    text: When?
    time: past
"""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("3 March", "2026-03-03"),
        ("3/3/26", "2026-03-03"),
        ("03.03.2026", "2026-03-03"),
        ("5 December", "2025-12-05"),
        ("yesterday", "2026-11-22"),
        ("3rd of March 2026", "2026-03-03"),
        ("1/2/2026", "2026-02-01"),
        ("24/11/2026", None),
        ("March", None),
        ("banana", None),
        ("31/2/2026", None),
    ],
)
def test_dates_are_read_as_people_here_type_them(typed, kept):
    talk = Talk(script(DATES))
    talk.hears(ev.Typed(typed))
    answer = talk.conversation.answers.get("role")
    assert (answer.values[0] if answer else None) == kept


AMOUNTS = """
questions:
  - {id: days, type: number, halves: true, min: 0, max: 45, text: "How many days?"}
  - id: why
    type: text
    text: Why so long?
    when: {question: days, at_least: 5}
  - {id: cost, type: money, min: 1, max: 5000, text: "What does it cost?"}
"""


@pytest.fixture
def amounts():
    talk = Talk(script(AMOUNTS))
    talk.hears(ev.Start())
    return talk


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("4", "4"), ("4.5 days", "4.5"), ("4½", "4.5"), ("½", "0.5"), ("4 and a half", "4.5"),
     ("4.0", "4"), ("4.3", None), ("4-5", None), ("45.5", None), ("-4", None), ("4, then 2", None)],
)  # fmt: skip
def test_halves_are_read_where_they_are_counted(amounts, typed, kept):
    turn = amounts.hears(ev.Typed(typed))
    answer = amounts.conversation.answers.get("days")
    assert (answer.values[0] if answer else None) == kept
    assert (turn.problem.key if turn.problem else None) == (None if kept else "halves")


def test_a_half_counts_in_what_is_asked_next(amounts):
    amounts.hears(ev.Typed("4.5"))
    assert amounts.asked == "cost"
    amounts.hears(ev.Answered("days", text="5.5"))
    assert amounts.asked == "why"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("120", "£120"), ("£1,250", "£1,250"), ("1250.50", "£1,250.50"), ("about £5000", "£5,000"),
     ("£120.00", "£120"), ("0.50", None), ("5001", None), ("12.5", None), ("£1k", None),
     ("50p", None), ("100-200", None), ("1,25", None), ("a lot", None)],
)  # fmt: skip
def test_a_sum_is_read_as_typed_and_never_guessed(amounts, typed, said):
    amounts.hears(ev.Typed("3"))
    turn = amounts.hears(ev.Typed(typed))
    if said is None:
        assert turn.problem.key == "money"
        return
    (review,) = amounts.says(say.Review)
    sent = amounts.hears(ev.Submit(review.revision)).submission
    assert sent.payload["answers"][-1]["words"] == [said]


def test_a_sum_needs_bounds_and_only_a_typed_number_has_halves():
    with pytest.raises(ValueError, match="a money question needs min and max"):
        Question(id="cost", type="money", text="How much?")
    with pytest.raises(ValueError, match="only a number that is typed"):
        Question(id="cost", type="money", text="How much?", min=0, max=9, halves=True)
