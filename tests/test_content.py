"""Content: what we ship has no fault, and holds what it should."""

import re
import shutil

import pytest

from content import checks, loader
from content.loader import ContentError


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


def test_words_that_look_like_something_else_stay_words(copy):
    plant(copy, "wording/en/conversation.yaml", "  back: Back\n", "  back: no\n")
    assert loader.read(copy).wording["en"]["conversation.button.back"] == "no"


def test_a_part_is_put_in_without_what_is_left_out(copy):
    plant(copy, CONCERN, "- part: contact", "- {part: contact, without: [organisation]}")
    whole, less = (c.flows["raise-a-concern"].by_id for c in (loader.read(), loader.read(copy)))
    assert set(whole) - set(less) == {"organisation"}


KS2 = "flows/my-views-years-3-to-6.yaml"


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
    assert next(q.id for q in flow.questions if not q.upon_harm) == "privacy"
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
