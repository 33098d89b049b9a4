"""Content: what we ship has no fault, and a planted one is found by file, line and key."""

import re
import shutil

import pytest
import yaml

from content import checks, loader
from content.loader import ContentError
from tests.small import flow as small_flow

CHOICE = "options: [{value: a, label: A}, {value: b, label: B}]"


def test_what_we_ship_has_no_fault():
    assert checks.report(checks.check(loader.read())) == ""


def test_at_least_25_entitlements_are_shown_each_with_source_date_and_year():
    shown = [row for row in loader.read().entitlements.values() if row.published]
    assert len(shown) >= 25
    for row in shown:
        assert row.sources[0].title
        assert row.confidence.publishable
        assert not row.amount or row.year


def test_both_authorities_answer_what_the_seed_pages_answer():
    asked = {
        "what-it-is",
        "who-can-use-it",
        "cost",
        "how-to-refer",
        "what-happens-next",
        "who-will-i-see",
        "when-i-am-an-adult",
        "who-to-contact",
        "what-we-provide",
    }
    authorities = loader.read().authorities
    assert set(authorities) == {"staffordshire", "kirklees"}
    for authority in authorities.values():
        assert asked <= {answer.id for answer in authority.answers}


@pytest.fixture
def copy(tmp_path):
    """Our content in a folder of its own, to plant faults in."""
    to = tmp_path / "content"
    shutil.copytree(loader.HERE, to, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return to


def plant(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def faults(folder):
    with pytest.raises(ContentError) as caught:
        checks.checked(loader.read(folder))
    return str(caught.value)


CONCERN = "flows/raise-a-concern.yaml"
SAFETY = "parts/safety.yaml"


def test_an_unknown_key_names_its_file_line_and_key(copy):
    line = plant(copy, CONCERN, "minutes: ", "minuets: ")
    assert f"content/{CONCERN}:{line}:minuets: " in faults(copy)


def test_a_key_given_twice_is_found(copy):
    plant(copy, CONCERN, "minutes: ", "minutes: 3\nminutes: ")
    assert "key given twice: minutes" in faults(copy)


def test_a_condition_on_a_later_question_is_found(copy):
    line = plant(
        copy, SAFETY, "  - id: harm\n", "  - id: harm\n    when: {question: story, is: x}\n"
    )
    found = faults(copy)
    assert f"content/{SAFETY}:{line}:harm: asks about story, which is not an earlier" in found


def test_a_condition_on_an_answer_there_is_not_is_found(copy):
    plant(
        copy,
        "parts/contact.yaml",
        "when: {question: reply-by, is: email}",
        "when: {question: reply-by, is: emial}",
    )
    assert "reply-by has no answer emial" in faults(copy)


def test_a_missing_ending_is_found(copy):
    plant(copy, SAFETY, "ends: emergency", "ends: emergancy")
    found = faults(copy)
    assert "ends at emergancy, which is no ending" in found


def test_a_line_that_is_nowhere_is_found(copy):
    plant(copy, "safeguarding/notices.yaml", "emergency-999", "emergency-998")
    assert "there is no helpline emergency-998" in faults(copy)


def test_an_amount_without_its_year_is_found(copy):
    plant(copy, "directory/entitlements/money.yaml", "  year: ", "  # year: ")
    assert "an amount needs the year it belongs to" in faults(copy)


def test_a_colour_white_text_cannot_be_read_on_is_found(copy):
    text = (copy / "authorities/kirklees.yaml").read_text()
    colour = yaml.safe_load(text)["colour"]
    plant(copy, "authorities/kirklees.yaml", colour, "#ffcc00")
    assert "too little contrast" in faults(copy)


def test_a_language_with_a_word_missing_is_found(copy):
    shutil.copytree(copy / "wording/en", copy / "wording/pl")
    plant(copy, "wording/pl/conversation.yaml", "  date: ", "  dated: ")
    assert "conversation.problem.date is missing in pl" in faults(copy)


def test_broken_yaml_names_its_line(copy):
    (copy / CONCERN).write_text("id: raise-a-concern\ntitle: [unclosed\n")
    assert f"content/{CONCERN}:3:(file): " in faults(copy)


@pytest.mark.parametrize(
    ("questions", "says"),
    [
        (f"questions:\n  - {{id: role, type: choice, text: Who, {CHOICE}}}\n"
         f"  - {{id: more, type: text, text: More, when: {{all: [{{question: role, is: a}},"
         f" {{question: role, is: b}}]}}}}", "no way through the flow ever asks this"),
        (f"questions:\n  - {{id: role, type: choice, text: 'Tell us about your LAC', {CHOICE}}}",
         "'LAC'"),
    ],
)  # fmt: skip
def test_faults_inside_a_flow_are_found(questions, says, copy):
    tiny = small_flow(questions)
    found = [*checks._kindness_faults(tiny), *checks._way_faults(tiny)]
    assert any(says in message for _, message in found)


def test_words_that_look_like_something_else_stay_words(copy):
    plant(copy, "wording/en/conversation.yaml", "  back: Back\n", "  back: no\n")
    assert loader.read(copy).wording["en"]["conversation.button.back"] == "no"


def test_a_fault_in_a_part_is_found_where_it_is_written(copy):
    line = plant(copy, SAFETY, "type: choice", "type: chioce")
    assert f"content/{SAFETY}:{line}:questions.0" in faults(copy)


def test_a_part_there_is_not_is_found(copy):
    line = plant(copy, CONCERN, "- part: contact", "- part: contakt")
    assert f"content/{CONCERN}:{line}:(file): there is no part contakt" in faults(copy)


def test_what_is_left_out_of_a_part_must_be_in_it(copy):
    plant(copy, CONCERN, "- part: contact", "- {part: contact, without: [emial]}")
    assert "contact has no emial to leave out" in faults(copy)


def test_a_part_is_put_in_without_what_is_left_out(copy):
    plant(copy, CONCERN, "- part: contact", "- {part: contact, without: [organisation]}")
    whole, less = (c.flows["raise-a-concern"].by_id for c in (loader.read(), loader.read(copy)))
    assert set(whole) - set(less) == {"organisation"}


KS2 = "flows/my-views-years-3-to-6.yaml"


def test_a_childs_question_that_has_no_other_words_is_found(copy):
    line = (copy / KS2).read_text().splitlines().index("  - id: name") + 1
    plant(copy, KS2, "    another_way: What should we call you?\n", "")
    says = "a child can't have this asked another way: give it another_way"
    assert faults(copy) == f"content/{KS2}:{line}:name: {says}"


def test_a_childs_own_words_without_what_to_leave_out_are_found(copy):
    part = "parts/views-simple-start.yaml"
    line = (copy / part).read_text().splitlines().index("  - id: name") + 1
    plant(copy, part, "    help: Just your first name.\n", "")
    says = "a child isn't told what to leave out of their own words: give it help"
    assert f"content/{part}:{line}:name: {says}" in faults(copy)


def test_words_no_sender_reads_are_found_where_it_is_asked_another_way(copy):
    plant(copy, KS2, "What should we call you?", "What do they call you in your placement?")
    assert "name: says 'placement' to a sender" in faults(copy)


BANDS = {
    "my-views-early-years": "adult",
    "my-views-years-1-to-2": "child",
    "my-views-years-3-to-6": "child",
    "my-views-years-7-to-9": "child",
    "my-views-years-10-to-11": "child",
    "my-views-post-16": "young-person",
    "my-views-easy-read": "child",
    "my-views-observation": "adult",
}


def test_there_are_views_for_every_band_and_only_the_oldest_are_on_telegram():
    kinds = ("views", "noticed")
    views = {n: f for n, f in loader.read().flows.items() if f.submission.kind in kinds}
    assert {name: flow.audience for name, flow in views.items()} == BANDS
    assert [n for n, flow in views.items() if "telegram" in flow.channels] == ["my-views-post-16"]


OWN = [name for name, audience in BANDS.items() if audience != "adult"]


@pytest.mark.parametrize("band", OWN)
def test_whoever_says_what_they_think_knows_who_reads_it_and_is_asked_if_they_are_safe(band):
    flow = loader.read().flows[band]
    assert flow.questions[0].id == "privacy"
    for asked in ("talk-to", "safe-school", "unkind", "unsafe", "safe-now"):
        assert any(option.disclosure for option in flow.by_id[asked].options), asked
    assert {"share", "keep-back", "hear-back"} <= set(flow.by_id)
    for question in flow.questions:
        assert question.type == "card" or question.another_way, question.id
        assert question.type == "card" or "skipped" in flow.skips_of(question), question.id


@pytest.mark.parametrize("band", ["my-views-years-3-to-6", "my-views-years-1-to-2"])
def test_questions_for_the_young_are_short(band):
    most = {"my-views-years-3-to-6": 12, "my-views-years-1-to-2": 8}[band]
    for question in loader.read().flows[band].questions:
        for sentence in re.split(r"(?<=[.?!])\s", f"{question.text} {question.another_way or ''}"):
            assert len(sentence.split()) <= most, sentence


def test_a_flow_can_end_where_the_part_it_takes_in_goes_on(copy):
    ends = "- {part: who-and-where, ends: {role: {public: emergency, guardian: emergency}}}"
    plant(copy, CONCERN, "- part: who-and-where", ends)
    whole, other = (c.flows["raise-a-concern"].by_id for c in (loader.read(), loader.read(copy)))
    assert other["role"].by_value["public"].ends == "emergency"
    assert other["role"].by_value["guardian"].ends == "emergency"
    assert other["role"].by_value["parent"] == whole["role"].by_value["parent"]


def test_a_flow_can_ask_a_part_it_takes_in_only_of_some(copy):
    when = "- {part: contact, when: {question: harm, is: not-sure}}"
    plant(copy, CONCERN, "- part: contact", when)
    asked = loader.read(copy).flows["raise-a-concern"].by_id
    assert not asked["name"].when.truth({"harm": frozenset({"no"})})
    assert asked["name"].when.truth({"harm": frozenset({"not-sure"})})
    phoned = {"reply-by": frozenset({"phone"})}
    assert not asked["phone"].when.truth({"harm": frozenset({"no"}), **phoned})
    assert not asked["phone"].when.truth({"harm": frozenset({"not-sure"})})
    assert asked["phone"].when.truth({"harm": frozenset({"not-sure"}), **phoned})


@pytest.mark.parametrize(
    ("ends", "says"),
    [("{rule: {public: emergency}}", "who-and-where has no rule to end at"),
     ("{role: {publik: emergency}}", "role has no publik to end at"),
     ("{role: {public: emergancy}}", "public ends at emergancy, which is no ending")],
)  # fmt: skip
def test_where_a_part_is_to_end_must_be_in_it(copy, ends, says):
    plant(copy, CONCERN, "- part: who-and-where", f"- {{part: who-and-where, ends: {ends}}}")
    assert says in faults(copy)
