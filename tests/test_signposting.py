"""Who is entitled to what: the golden cases, the things people believe, and what must never be."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.engine import Turn
from bot.conversation.messages import Ask
from bot.conversation.path import Progress
from bot.conversation.speech import Bubble, Voice, speak
from bot.signposting import Signpost, Told, entitled, possible_statuses
from bot.signposting.entitled import TOPICS, fit
from bot.signposting.facts import At16, Care, Doing, Facts, Left, Want, facts
from bot.signposting.status import AGES, stories
from content.loader import read
from content.schema import CareStatus, Confidence, Eligibility, Entitlement, Fact, Skip, Standing
from content.walk import ways

CONTENT = read()
FLOW = CONTENT.flows["next-steps"]
ROWS = CONTENT.entitlements
TODAY = date(2026, 11, 21)
QUESTION = {question.fact: question.id for question in FLOW.questions if question.fact}
USUAL = {
    "safe-now": "safe",
    "who": "myself",
    "council": "another-council",
    "doing-now": "something-else",
    "want-next": "rights",
    "circumstances": "none-of-these",
}

LAC, EL, REL, FR, QC, QCE, PLA, KIN, CE, EST, OUT = (
    CareStatus.LOOKED_AFTER,
    CareStatus.ELIGIBLE,
    CareStatus.RELEVANT,
    CareStatus.FORMER_RELEVANT,
    CareStatus.QUALIFYING,
    CareStatus.QUALIFYING_EDUCATION,
    CareStatus.PREVIOUSLY_LOOKED_AFTER,
    CareStatus.KINSHIP,
    CareStatus.CARE_EXPERIENCED,
    CareStatus.ESTRANGED,
    CareStatus.NOT_IN_CARE,
)

# One person's care, as they would answer it.
STAYED_TO_18 = {"care": "before", "left-by": "at-18", "thirteen-weeks": "yes"}
UNDER_13_WEEKS = {"care": "before", "left-by": "at-18", "thirteen-weeks": "no"}
SPECIAL_GUARDIAN = {"care": "before", "left-by": "special-guardian", "at-16": "no"}
ADOPTED = {"care": "before", "left-by": "adopted", "at-16": "no"}
HOSTEL_AT_16 = {"care": "before", "left-by": "own-place", "at-16": "yes", "thirteen-weeks": "yes"}
LEFT_AT_15 = {"care": "before", "left-by": "home", "at-16": "no"}


def told(age: int, **answers: object) -> dict[str, frozenset[str]]:
    """Answers as the flow would take them: only what it asks, and only what it offers."""
    said = {name.replace("_", "-"): value for name, value in answers.items()}
    said["age"] = str(age)
    known = walk({name: _set(value) for name, value in said.items()})
    assert set(said) <= set(known), f"never asked: {set(said) - set(known)}"
    return known


def walk(said: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Up to the list: their answer where one is given and offered, or else the usual one."""
    known: dict[str, frozenset[str]] = {}
    for question in FLOW.questions:
        if question.id == "what-you-may-get":
            break
        if question.when is None or question.when.truth(known):
            usual = USUAL.get(question.id, "read" if question.id == "for-someone" else "dont-know")
            known[question.id] = said.get(question.id, frozenset({usual}))
            offered = {o.value for o in question.options if not o.when or o.when.truth(known)}
            plain = known[question.id] - {skip.value for skip in Skip}
            assert not question.options or plain <= offered, f"{question.id} offers no {plain}"
    return known


def _set(value: object) -> frozenset[str]:
    return frozenset(value) if isinstance(value, set) else frozenset({str(value)})


def posts(known: dict[str, frozenset[str]], today: date = TODAY) -> tuple[Signpost, ...]:
    return tuple(post for post in entitled(ROWS.values(), FLOW, known, today) if post.now)


def why(post: Signpost) -> str:
    return " ".join(reason.said(CONTENT.wording["en"]) for reason in post.because)


def shown(known: dict[str, frozenset[str]]) -> set[str]:
    return {post.entitlement.id for post in posts(known)}


def certain(known: dict[str, frozenset[str]]) -> set[str]:
    return {post.entitlement.id for post in posts(known) if post.certain}


# --- The golden cases of entitlements.md 1.5 -----------------------------------------------

GOLDEN = {
    "G1 in care at 17 since 13": (told(17, care="now", **{"thirteen-weeks": "yes"}), {LAC, EL}),
    "G2 left at 16y1m for a hostel": (told(17, **HOSTEL_AT_16), {REL}),
    "G3 home seven months": (told(17, **{**HOSTEL_AT_16, "left-by": "home-six-months"}), {QC}),
    "G4 home five months": (told(17, **{**HOSTEL_AT_16, "left-by": "home"}), {REL}),
    "G5 in care from 12 to 18": (told(19, **STAYED_TO_18), {FR}),
    "G6 thirty days before 18": (told(19, **UNDER_13_WEEKS), {QC}),
    # G7: the answers can't add up respite stays. The question says that they are not care.
    "G7 weekend respite only": (told(16, care="never"), {OUT}),
    "G8 special guardian, 20": (told(20, **SPECIAL_GUARDIAN), {QC, PLA}),
    "G9 special guardian, 22": (told(22, **SPECIAL_GUARDIAN, doing_now="university"), {QCE, PLA}),
    "G10 adopted at 4": (told(18, **ADOPTED), {PLA}),
    # G11, G12: seeking asylum is a circumstance, not a status, so the set holds one thing less.
    "G11 alone to the UK at 17y2m": (
        told(18, **STAYED_TO_18, circumstances="seeking-asylum"),
        {FR},
    ),
    "G12 alone to the UK at 17y10m": (
        told(18, **UNDER_13_WEEKS, circumstances="seeking-asylum"),
        {QC},
    ),
    # G13, G14: "on request" is not a status here; the rows' ages tell 21 to 25 apart.
    "G13 out of touch at 23": (told(23, **STAYED_TO_18, doing_now="work"), {FR}),
    "G14 24 and wants a course": (told(24, **STAYED_TO_18, want_next="college"), {FR}),
    "G15 finished at 22, now 26": (told(26, **STAYED_TO_18, doing_now="work"), {CE}),
    "G16 in custody on the 16th birthday": (
        told(
            16,
            care="before",
            left_by="another-way",
            at_16="custody-or-hospital",
            thirteen_weeks="yes",
        ),
        {REL},
    ),
    "G18 on remand for 20 weeks": (told(17, care="now", thirteen_weeks="yes"), {LAC, EL}),
    "G19 five weeks in care at 15": (told(15, care="now"), {LAC}),
    "G20 left at 15y11m": (told(20, **LEFT_AT_15), {CE}),
    # The rows of the table that no golden case exercises.
    "row 13, child arrangements order": (
        told(20, care="before", left_by="relatives-by-order", at_16="no"),
        {PLA},
    ),
    "row 14, raised by grandparents": (told(17, care="relatives"), {KIN}),
    "row 16, never in care": (told(19, care="never", circumstances="no-contact-parents"), {EST}),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_case(case: str) -> None:
    known, expected = GOLDEN[case]
    assert possible_statuses(FLOW, known, TODAY) == (frozenset(expected),)


def test_g17_housed_under_section_17_is_offered_an_advocate_and_promised_nothing() -> None:
    # G17 can't be told from real care by these answers: the question says "I don't know" then.
    known = told(17, care="dont-know")
    assert "advocate" in shown(known)
    owed = {id_ for id_ in certain(known) if ROWS[id_].who.care}
    assert owed == set()


def test_a_course_agreed_before_25_may_keep_the_status_after_25() -> None:
    known = told(26, **STAYED_TO_18, doing_now="university")
    assert set(possible_statuses(FLOW, known, TODAY)) == {frozenset({FR}), frozenset({CE})}


def test_an_order_at_16_hangs_on_the_six_months() -> None:
    known = told(17, **{**HOSTEL_AT_16, "left-by": "relatives-by-order"})
    assert set(possible_statuses(FLOW, known, TODAY)) == {frozenset({REL}), frozenset({QC, PLA})}


def test_not_knowing_the_weeks_leaves_two_statuses() -> None:
    known = told(19, care="before", left_by="at-18")
    assert set(possible_statuses(FLOW, known, TODAY)) == {frozenset({FR}), frozenset({QC})}
    assert "personal-adviser" in shown(known) - certain(known)
    assert "care-status-letter" in certain(known)


def test_answers_that_cannot_all_be_true_widen() -> None:
    impossible = Facts(age=15, care=Care.BEFORE, at_16=At16.YES)
    assert stories(impossible, TODAY) == stories(Facts(age=15), TODAY)


# --- What each is owed ---------------------------------------------------------------------


def test_g9_gets_a_holiday_home_but_no_adviser_and_no_university_bursary() -> None:
    known, _ = GOLDEN["G9 special guardian, 22"]
    assert "holiday-home" in certain(known)
    assert shown(known).isdisjoint(
        {"personal-adviser", "personal-adviser-to-25", "university-bursary"}
    )


def test_g13_can_have_an_adviser_again_without_studying() -> None:
    known, _ = GOLDEN["G13 out of touch at 23"]
    assert "personal-adviser-to-25" in certain(known)
    assert "personal-adviser" not in shown(known)


def test_g14_is_told_of_help_with_study_while_still_under_25() -> None:
    known, _ = GOLDEN["G14 24 and wants a course"]
    assert {"council-study-costs", "personal-adviser-to-25"} <= certain(known)


def test_g15_can_still_write_to_staffordshire_after_25() -> None:
    known = told(26, **STAYED_TO_18, doing_now="work", council="staffordshire")
    assert "leaving-care-staffordshire" in certain(known)
    assert "personal-adviser-to-25" not in shown(known)


def test_g6_and_g12_qualifying_can_ask_for_advice_and_help() -> None:
    known, _ = GOLDEN["G6 thirty days before 18"]
    assert "advice-and-help" in certain(known)


def test_g19_has_the_education_plan_but_no_leaving_care_right_yet() -> None:
    known = told(15, care="now", doing_now="school")
    assert {"education-plan", "advocate"} <= certain(known)
    assert "from-16" in shown(known) - certain(known), "told, and not promised"
    assert shown(known).isdisjoint({"personal-adviser", "pathway-plan", "setting-up-home"})


def test_someone_in_kinship_care_is_pointed_to_advice_for_those_who_raise_them() -> None:
    assert "kinship-advice" in certain(told(16, care="relatives"))


def test_someone_estranged_who_was_never_in_care_gets_what_is_for_them() -> None:
    known = told(19, care="never", want_next="university", circumstances="no-contact-parents")
    assert "student-finance-estranged" in certain(known)
    assert "unite-scholarship" in shown(known) - certain(known), "there are few places"


# --- What people believe (entitlements.md 5.5) -----------------------------------------------


def test_m1_the_college_bursary_is_up_to_a_sum_and_only_under_19() -> None:
    assert (ROWS["bursary-16-19"].amount or "").startswith("Up to £1,200")
    known = told(18, **STAYED_TO_18, doing_now="college")
    (post,) = (p for p in posts(known) if p.entitlement.id == "bursary-16-19")
    assert not post.certain
    assert "it can be less, or nothing" in why(post)
    assert "bursary-16-19" not in shown(told(20, **STAYED_TO_18, doing_now="college"))


def test_m2_any_time_in_care_is_not_leaving_care_status() -> None:
    known = told(20, **LEFT_AT_15, want_next={"apprenticeship", "university"})
    narrow = {"personal-adviser", "apprenticeship-bursary", "university-bursary", "setting-up-home"}
    assert shown(known).isdisjoint(narrow)
    assert "ucas-question" in certain(known)


@pytest.mark.parametrize("age", [18, 20])
def test_qualifying_gets_neither_university_nor_apprenticeship_bursary(age: int) -> None:
    known = told(age, **UNDER_13_WEEKS, want_next={"apprenticeship", "university"})
    assert possible_statuses(FLOW, known, TODAY) == (frozenset({QC}),)
    assert shown(known).isdisjoint({"university-bursary", "apprenticeship-bursary"})
    assert "holiday-home" in certain(known)
    assert "council-study-costs-may" in shown(known) - certain(known)
    assert "council-study-costs" not in shown(known)


def test_m5_the_university_bursary_is_one_sum() -> None:
    row = ROWS["university-bursary"]
    assert row.amount == "£2,000 in total"
    assert "not for each year" in row.what


def test_m6_adoption_brings_no_leaving_care_support() -> None:
    known = told(18, **ADOPTED, want_next={"apprenticeship", "university", "home", "money"})
    leaving_care = {id_ for id_ in shown(known) if set(ROWS[id_].who.care) & {EL, REL, FR, QC}}
    assert all(PLA in ROWS[id_].who.care for id_ in leaving_care)
    assert "ucas-question" in certain(known)


def test_m7_special_guardianship_from_care_is_not_nothing() -> None:
    known = told(20, **SPECIAL_GUARDIAN, want_next="university")
    assert {"holiday-home", "local-offer"} <= certain(known)
    assert "council-study-costs-may" in shown(known)


def test_m8_the_council_that_looked_after_you_is_the_one_that_counts() -> None:
    here = told(19, **STAYED_TO_18, council="kirklees")
    assert "leaving-care-kirklees" in certain(here)
    assert "leaving-care-kirklees" not in shown(told(19, **STAYED_TO_18, council="staffordshire"))
    unsure = told(19, **STAYED_TO_18, council="dont-know")
    assert {"leaving-care-kirklees", "leaving-care-staffordshire"} <= shown(unsure) - certain(
        unsure
    )


def test_m9_being_in_care_alone_gives_no_free_college_meals() -> None:
    in_care = {"care": "now", "thirteen_weeks": "yes", "doing_now": "college"}
    assert "free-meals" not in shown(told(17, **in_care))
    assert "free-meals" in certain(told(17, **in_care, circumstances="universal-credit"))


def test_m10_to_m13_nothing_is_promised_that_is_local_announced_or_not_started() -> None:
    not_yet = {
        "council-tax",
        "free-prescriptions-25",
        "not-intentionally-homeless",
        "staying-close",
    }
    assert not_yet <= set(ROWS)
    known = told(20, **STAYED_TO_18, circumstances="needs-home", want_next={"home", "health"})
    assert shown(known).isdisjoint(not_yet)


def test_m23_what_has_ended_is_kept_for_staff_and_never_shown() -> None:
    ended = {id_ for id_, row in ROWS.items() if row.standing is Standing.ENDED}
    assert {"ema", "stand-alone", "buttle-quality-mark"} <= ended
    known = told(17, care="dont-know", want_next="dont-know", circumstances="dont-know")
    assert shown(known).isdisjoint(ended)


def test_m25_the_one_bedroom_rate_lasts_to_25() -> None:
    rents = {**STAYED_TO_18, "circumstances": "needs-home"}
    assert "one-bedroom-rate" in certain(told(24, **rents))
    assert "one-bedroom-rate" not in shown(told(25, **rents, doing_now="work"))


# --- Ages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "today", "expected"),
    [
        (18, TODAY, True),
        (19, TODAY, None),  # a birthday in September, October or November
        (19, date(2027, 8, 30), None),
        (19, date(2027, 8, 31), False),  # 19 on the day itself
        (20, TODAY, False),
    ],
)
def test_an_age_counted_on_31_august(age: int, today: date, expected: bool | None) -> None:
    who = Eligibility(age_from=16, age_below=19, age_on_31_august=True)
    assert fit(who, Facts(age=age), today) is expected


def test_other_upper_ages_are_exact() -> None:
    who = Eligibility(age_from=18, age_below=25)
    assert [fit(who, Facts(age=age), TODAY) for age in (17, 18, 24, 25)] == [
        False,
        True,
        True,
        False,
    ]


def test_no_row_tells_apart_ages_that_are_not_tried() -> None:
    """An unknown age is tried as 15 to 30, so no row may begin or end outside that."""
    bounds = {
        bound
        for row in ROWS.values()
        for bound in (row.who.age_from, row.who.age_below)
        if bound is not None
    }
    assert bounds <= set(AGES[:-1])


# --- What must never be --------------------------------------------------------------------


def _row(confidence: Confidence, standing: Standing) -> Entitlement:
    like = ROWS["mental-health"]
    return like.model_copy(update={"confidence": confidence, "standing": standing})


@pytest.mark.parametrize("confidence", list(Confidence))
@pytest.mark.parametrize("standing", list(Standing))
def test_only_sure_rows_in_force_are_shown(confidence: Confidence, standing: Standing) -> None:
    row = _row(confidence, standing)
    found = entitled([row], FLOW, told(20, care="dont-know"), TODAY)
    if confidence not in (Confidence.HIGH, Confidence.MEDIUM) or standing is Standing.ENDED:
        assert found == ()
    else:
        in_force = standing is Standing.IN_FORCE
        assert [post.told for post in found] == [Told.SHOULD if in_force else Told.NOT_YET]


@st.composite
def conversations(draw: st.DrawFn) -> dict[str, frozenset[str]]:
    """The answers of some way to the list, every fact open to every answer it offers."""
    known: dict[str, frozenset[str]] = {}
    for question in FLOW.questions:
        if question.id == "what-you-may-get":
            return known
        if question.when is not None and not question.when.truth(known):
            continue
        skips = [frozenset({skip.value}) for skip in FLOW.skips_of(question)]
        offered = [o.value for o in question.options if o.when is None or o.when.truth(known)]
        if question.id == "age":
            ages = st.integers(15, 45).map(lambda age: frozenset({str(age)}))
            known["age"] = draw(st.one_of(ages, st.sampled_from(skips)))
        elif question.type == "choices":
            several = st.frozensets(st.sampled_from(offered), min_size=1)
            known[question.id] = draw(st.one_of(several, st.sampled_from(skips)))
        else:
            single = [frozenset({value}) for value in offered or ["read"]]
            known[question.id] = draw(st.sampled_from(single + skips))
    return known


@settings(deadline=None, max_examples=20)  # fifteen lists an example
@given(conversations())
def test_not_knowing_never_takes_a_row_away(known: dict[str, frozenset[str]]) -> None:
    for question in QUESTION.values():
        unsure = walk({**known, question: frozenset({"dont-know"})})
        assert shown(known) <= shown(unsure), question


@settings(deadline=None, max_examples=20)  # fifteen lists an example
@given(conversations())
def test_certain_holds_whatever_the_unknown_answer_turns_out_to_be(
    known: dict[str, frozenset[str]],
) -> None:
    for question in QUESTION.values():
        unsure = walk({**known, question: frozenset({"dont-know"})})
        assert certain(unsure) <= certain(known), question


def test_not_saying_your_circumstances_keeps_what_needs_one_as_a_maybe() -> None:
    known = told(17, care="now", doing_now="college", circumstances="rather-not-say")
    assert {"free-meals", "care-to-learn", "ehcp-to-25"} <= shown(known) - certain(known)


@settings(deadline=None, max_examples=40)
@given(conversations())
def test_nothing_unpublished_is_ever_shown(known: dict[str, frozenset[str]]) -> None:
    assert all(post.entitlement.published for post in posts(known))


@settings(deadline=None, max_examples=40)
@given(conversations())
def test_certain_comes_first_then_what_they_asked_for(known: dict[str, frozenset[str]]) -> None:
    found = posts(known)
    assert [p.certain for p in found] == sorted((p.certain for p in found), reverse=True)
    assert len(set(shown(known))) == len(found)
    assert found == posts(known)


def test_every_way_to_the_list_finds_something() -> None:
    reaching = [way for way in ways(FLOW) if "what-you-may-get" in way.answers]
    assert len(reaching) > 50
    assert all(posts(way.answers) for way in reaching)


def test_what_they_want_comes_before_what_they_did_not_ask_for() -> None:
    found = posts(told(19, **STAYED_TO_18, want_next="home", circumstances="needs-home"))
    topics = [post.entitlement.topic for post in found if post.certain]
    assert topics[: topics.count("home")] == ["home"] * topics.count("home")
    rest = [TOPICS.index(topic) for topic in topics[topics.count("home") :]]
    assert all(before <= after for before, after in pairwise(rest))


# --- The flow and the code speak the same words ----------------------------------------------


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        (Fact.IN_CARE_NOW, Care),
        (Fact.IN_CARE_AT_16, At16),
        (Fact.LEFT_CARE_BY, Left),
        (Fact.DOING_NOW, Doing),
        (Fact.WANT_NEXT, Want),
    ],
)
def test_every_answer_of_a_fact_is_one_that_the_rules_know(fact: Fact, kind: type) -> None:
    offered = {option.value for option in FLOW.by_id[QUESTION[fact]].options}
    assert offered == {member.value for member in kind}


def test_every_fact_is_asked_once() -> None:
    asked = [question.fact for question in FLOW.questions if question.fact]
    assert sorted(asked) == sorted(Fact)


@pytest.mark.parametrize("skip", list(Skip))
def test_a_skip_is_not_known(skip: Skip) -> None:
    said = {question: frozenset({skip.value}) for question in QUESTION.values()}
    assert facts(FLOW, said) == Facts()
    assert facts(FLOW, {}) == Facts()


def test_an_answer_without_a_rule_counts_as_unknown() -> None:
    odd = {question: frozenset({"gap-year"}) for question in QUESTION.values()}
    person = facts(FLOW, {**odd, QUESTION[Fact.WANT_NEXT]: frozenset({"home"})})
    unread = {"council", "home_council", "circumstances", "wants"}  # taken as they stand
    assert all(
        getattr(person, field.name) is None for field in fields(Facts) if field.name not in unread
    )


# --- As it is told ---------------------------------------------------------------------------


def asked_for_the_list(known: dict[str, frozenset[str]]) -> list[Bubble]:
    found = entitled(ROWS.values(), FLOW, known, TODAY)
    question = FLOW.by_id["what-you-may-get"]
    ask = Ask(question, (), (), Progress(1, 2), None, (), found, False, False, False)
    return speak(
        Turn(None, (ask,)),  # type: ignore[arg-type]  # nothing is read from the conversation
        Voice(CONTENT.wording["en"], CONTENT.notices, {}, "https://site"),
    )


def test_each_group_is_told_with_its_reason() -> None:
    known = told(17, care="now", thirteen_weeks="yes", doing_now="college", living_with="own-place")
    said = "\n".join(bubble.text for bubble in asked_for_the_list(known))
    assert "You should get this. You are in care, and have been for 13 weeks or more" in said
    assert "You may get this. The college looks at what your course really costs you" in said
    assert "Not yet. It starts when you turn 18" in said
    assert "Not yet. It has been promised, but it has not started: September 2027." in said


def test_a_list_never_has_more_buttons_than_telegram_carries() -> None:
    bubbles = asked_for_the_list({})
    assert len(entitled(ROWS.values(), FLOW, {}, TODAY)) > 100
    assert all(sum(map(len, bubble.rows)) <= 100 for bubble in bubbles)


# --- Words ---------------------------------------------------------------------------------

SHOWN = sorted(id_ for id_, row in ROWS.items() if row.published)


def test_there_are_enough_rows() -> None:
    assert len(SHOWN) >= 40


@pytest.mark.parametrize("id_", SHOWN)
def test_every_sum_stands_beside_its_year(id_: str) -> None:
    row = ROWS[id_]
    said = " ".join((row.what, row.condition or "", row.how, row.amount or ""))
    assert "£" not in said or row.year


@pytest.mark.parametrize("id_", SHOWN)
def test_rows_speak_plainly(id_: str) -> None:
    row = ROWS[id_]
    said = ". ".join((row.title, row.what, row.condition or "", row.decides, row.how))
    for jargon in ("former relevant", "s.23", "section 24", "NEET", "LAC", "UASC", "SGO", "FE "):
        assert jargon not in said
    longest = max(len(sentence.split()) for sentence in re.split(r"[.?:;] ", said))
    assert longest <= 30
