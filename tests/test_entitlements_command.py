"""`waymark entitlements`: statuses from dated facts, each scheme by its own test, and the pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.signposting.history import Order
from bot.signposting.schemes import TESTS
from bot.signposting.status import Story
from content.loader import read
from content.schema import Scheme, Standing
from web.commands.entitlements import answer, answers, covered

CONTENT = read()
TODAY = date(2026, 11, 21)
NOTHING_ELSE: dict[str, Any] = {
    "orders": [],
    "returned_home": [],
    "detained_or_hospital_at_16": False,
    "flags": [],
}


def asked(**facts: Any) -> dict[str, Any]:
    told = answer(json.dumps(facts).encode(), 1, CONTENT, TODAY)
    assert "error" not in told, told
    return told


def care(start: str, end: str | None = None, basis: str = "s20", **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "legal_basis": basis, **more}


def ids(told: dict[str, Any], *groups: str) -> set[str]:
    return {row["id"] for group in groups for row in told[group]}


# --- The golden cases, from dates (entitlements.md 1.5); today is 21 November 2026 ------------

HOSTEL = [care("2024-05-01", "2025-06-01")]  # born 1 May 2009: from 15y0m to 16y1m
GUARDIAN = {
    "episodes": [care("2012-01-01", "2015-06-01", "care_order")],
    "orders": [{"kind": "SGO", "made_on": "2015-06-01", "in_force_at_18": True}],
}
WEEKENDS = [
    care(f"2025-{month:02}-{day:02}", f"2025-{month:02}-{day + 2:02}", short_break=True)
    for month in range(7, 13)
    for day in (1, 5, 8, 12, 15, 19, 22, 26)
]

GOLDEN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "G1": (
        {"dob": "2009-05-01", "episodes": [care("2022-05-10", None, "care_order")]},
        {"LAC", "EL"},
    ),
    "G2": ({"dob": "2009-05-01", "episodes": HOSTEL}, {"REL"}),
    "G3": (
        {
            "dob": "2009-05-01",
            "episodes": HOSTEL,
            "returned_home": [{"start": "2026-04-20", "to": "parent"}],
        },
        {"QC"},
    ),
    "G3, broken down": (
        {
            "dob": "2009-05-01",
            "episodes": HOSTEL,
            "returned_home": [{"start": "2026-04-01", "end": "2026-11-10", "to": "parent"}],
        },
        {"REL"},
    ),
    "G4": (
        {
            "dob": "2009-05-01",
            "episodes": HOSTEL,
            "returned_home": [{"start": "2026-06-20", "to": "parent"}],
        },
        {"REL"},
    ),
    "G5": ({"dob": "2007-05-01", "episodes": [care("2019-05-01", "2025-05-01")]}, {"FR"}),
    "G6": ({"dob": "2007-05-01", "episodes": [care("2025-04-01", "2025-05-01")]}, {"QC"}),
    "G7": ({"dob": "2010-05-01", "episodes": WEEKENDS}, set()),
    "G8": ({"dob": "2006-06-01", **GUARDIAN}, {"QC", "PLA"}),
    "G9": ({"dob": "2004-06-01", "stage": "HE", **GUARDIAN}, {"QC-edu", "PLA"}),
    "G10": (
        {
            "dob": "2008-05-01",
            "episodes": [care("2010-05-01", "2012-05-01", "care_order")],
            "orders": [{"kind": "adoption", "made_on": "2012-05-01"}],
        },
        {"PLA"},
    ),
    "G11": (
        {"dob": "2008-05-01", "episodes": [care("2025-07-01", "2026-05-01")], "flags": ["UASC"]},
        {"FR"},
    ),
    "G12": (
        {"dob": "2008-05-01", "episodes": [care("2026-03-01", "2026-05-01")], "flags": ["UASC"]},
        {"QC"},
    ),
    "G13": (
        {"dob": "2003-05-01", "episodes": [care("2015-05-01", "2021-05-01")], "stage": "WORK"},
        {"FR"},
    ),
    "G14": (
        {"dob": "2001-12-15", "episodes": [care("2015-05-01", "2019-12-15")], "stage": "FE19"},
        {"FR"},
    ),
    "G15": (
        {"dob": "2000-05-01", "episodes": [care("2014-05-01", "2018-05-01")], "stage": "WORK"},
        {"CE"},
    ),
    "G16": (
        {
            "dob": "2010-05-01",
            "episodes": [care("2025-12-01", "2026-04-20")],
            "detained_or_hospital_at_16": True,
        },
        {"REL"},
    ),
    "G17": ({"dob": "2009-05-01", "episodes": [care("2026-05-20", None, "s17_only")]}, set()),
    "G18": (
        {"dob": "2009-05-01", "episodes": [care("2026-07-01", None, "laspo_remand")]},
        {"LAC", "EL"},
    ),
    "G19": ({"dob": "2011-05-01", "episodes": [care("2026-10-17")]}, {"LAC"}),
    "G20": ({"dob": "2006-05-01", "episodes": [care("2019-04-01", "2022-04-01")]}, {"CE"}),
    # The rows of the table that no golden case exercises.
    "row 3, not yet 13 weeks": ({"dob": "2009-05-01", "episodes": [care("2026-10-01")]}, {"LAC"}),
    "row 9, a course agreed before 25": (
        {
            "dob": "2001-05-01",
            "episodes": [care("2014-05-01", "2019-05-01")],
            "programme_agreed_before_25": True,
        },
        {"FR"},
    ),
    "row 10, privately fostered at 16": (
        {
            "dob": "2008-05-01",
            "episodes": [care("2024-01-01", "2025-01-01", "private_fostering")],
        },
        {"QC"},
    ),
    "row 13, child arrangements order": (
        {
            "dob": "2006-05-01",
            "episodes": [care("2012-05-01", "2014-05-01")],
            "orders": [{"kind": "CAO", "made_on": "2014-05-01"}],
        },
        {"PLA"},
    ),
    "row 13, guardianship that ended before 18": (
        {
            "dob": "2006-05-01",
            "episodes": [care("2012-05-01", "2014-05-01")],
            "orders": [{"kind": "SGO", "made_on": "2014-05-01", "in_force_at_18": False}],
        },
        {"PLA"},
    ),
    "row 14, raised by grandparents": (
        {"dob": "2009-05-01", "episodes": [], "care": "relatives"},
        {"KIN"},
    ),
    "row 16, estranged": (
        {"dob": "2007-05-01", "episodes": [], "care": "never", "flags": ["no-contact-parents"]},
        {"EST"},
    ),
    # Days are counted, not episodes.
    "added together, 45 and 46 days": (
        {
            "dob": "2008-05-01",
            "episodes": [care("2023-01-01", "2023-02-15"), care("2025-01-01", "2025-02-16")],
        },
        {"FR"},
    ),
    "added together, one day short": (
        {
            "dob": "2008-05-01",
            "episodes": [care("2023-01-01", "2023-02-15"), care("2025-01-01", "2025-02-15")],
        },
        {"QC"},
    ),
    "overlapping episodes count once": (
        {
            "dob": "2008-05-01",
            "episodes": [care("2025-01-01", "2025-02-16"), care("2025-01-01", "2025-02-16")],
        },
        {"QC"},
    ),
    "on a care order but at home with mum": (
        {
            "dob": "2009-05-01",
            "episodes": [care("2020-01-01", None, "care_order")],
            "returned_home": [{"start": "2025-01-01", "to": "parent"}],
        },
        {"LAC", "EL"},
    ),
    "born on 29 February": (
        {"dob": "2008-02-29", "episodes": [care("2020-01-01", "2026-03-01")]},
        {"FR"},
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_status_from_dates(case: str) -> None:
    facts, expected = GOLDEN[case]
    told = asked(**{**NOTHING_ELSE, **facts})
    assert (set(told["status"]), told["status_may"]) == (expected, [])


def test_what_the_golden_cases_are_owed() -> None:
    found = {case: asked(**{**NOTHING_ELSE, **facts}) for case, (facts, _) in GOLDEN.items()}
    assert "holiday-home" in ids(found["G9"], "told")
    assert not ids(found["G9"], "told", "may") & {"personal-adviser-to-25", "university-bursary"}
    assert {"personal-adviser-to-25"} <= ids(found["G13"], "told")
    assert {"before-25", "personal-adviser-to-25"} <= ids(found["G14"], "told")
    assert "after-25" in ids(found["G15"], "told")
    assert "course-agreed-before-25" in ids(found["row 9, a course agreed before 25"], "told")
    assert "housed-but-not-in-care" in ids(found["G17"], "told")
    starts = {row["id"]: row["from"] for row in found["G19"]["not_yet"]}
    assert starts["personal-adviser"] == starts["pathway-plan"] == "2027-05-01"
    assert "personal-adviser" not in ids(found["G19"], "told", "may")
    assert found["G11"]["flags"] == ["UASC"]


def test_the_status_moves_with_the_day() -> None:
    facts = {"dob": "2009-05-01", "episodes": [care("2022-05-10", "2027-05-01")], **NOTHING_ELSE}
    days = {
        "2025-04-30": ["LAC"],
        "2025-05-01": ["LAC", "EL"],
        "2027-05-01": ["FR"],
        "2034-04-30": ["FR"],
        "2034-05-01": ["CE"],
    }
    for day, status in days.items():
        assert asked(today=day, stage="WORK", **facts)["status"] == status, day


# --- Seven definitions that disagree (1.6), each by itself ------------------------------------

TO_18 = Story(19, True, thirteen_weeks=True, touched_16=True, to_18=True, spans_16=True)
THIRTY_DAYS = Story(19, True, touched_16=True, to_18=True)
HOME_SEVEN_MONTHS = Story(
    17, True, thirteen_weeks=True, touched_16=True, settled=True, went_home=True
)
HOME_FIVE_MONTHS = Story(17, True, thirteen_weeks=True, touched_16=True, went_home=True)
ARRIVED_AT_17 = Story(18, True, thirteen_weeks=True, touched_16=True, to_18=True)
IN_CARE = Story(17, True, True, thirteen_weeks=True, touched_16=True)
FIVE_WEEKS_IN = Story(17, True, True, touched_16=True)
LEFT_AT_15 = Story(20, True, thirteen_weeks=True)
GUARDIAN_AT_9 = Story(20, True, order=Order.GUARDIANSHIP, from_care=True, guardian_at_18=True)
ADOPTED_AT_4 = Story(18, True, order=Order.ADOPTION, from_care=True)
AT_25 = Story(25, True, thirteen_weeks=True, touched_16=True, to_18=True, spans_16=True)
ESTRANGED = Story(19, estranged=True)
KINSHIP = Story(17, relatives=True)
PRIVATE = Story(18, qualified_otherwise=True, privately_fostered=True)
SCOTLAND = Story(18, elsewhere=True)

WHO_COUNTS: dict[Scheme, list[tuple[Story, bool | None]]] = {
    Scheme.LEAVING_CARE: [
        (IN_CARE, False),
        (TO_18, True),
        (THIRTY_DAYS, False),
        (LEFT_AT_15, False),
        (GUARDIAN_AT_9, False),
        (AT_25, True),
    ],
    Scheme.STUDENT_FINANCE: [
        (IN_CARE, True),
        (TO_18, True),
        (THIRTY_DAYS, False),
        (HOME_FIVE_MONTHS, False),
        (LEFT_AT_15, False),
        (GUARDIAN_AT_9, False),
        (AT_25, True),
    ],
    Scheme.COLLEGE_BURSARY: [
        (FIVE_WEEKS_IN, True),
        (HOME_SEVEN_MONTHS, True),
        (THIRTY_DAYS, False),
        (GUARDIAN_AT_9, False),
    ],
    Scheme.APPRENTICESHIP_BURSARY: [
        (TO_18, True),
        (FIVE_WEEKS_IN, False),
        (HOME_SEVEN_MONTHS, False),
        (THIRTY_DAYS, False),
        (SCOTLAND, None),
    ],
    Scheme.UCAS_QUESTION: [
        (LEFT_AT_15, True),
        (ADOPTED_AT_4, True),
        (FIVE_WEEKS_IN, True),
        (ESTRANGED, False),
        (KINSHIP, False),
    ],
    Scheme.HUDDERSFIELD: [
        (TO_18, True),
        (ARRIVED_AT_17, None),
        (THIRTY_DAYS, False),
        (LEFT_AT_15, False),
    ],
    Scheme.KEELE: [
        (ARRIVED_AT_17, True),
        (GUARDIAN_AT_9, True),
        (PRIVATE, None),
        (ADOPTED_AT_4, False),
    ],
    Scheme.CAPSTONE: [(TO_18, True), (AT_25, True), (THIRTY_DAYS, False), (LEFT_AT_15, False)],
    Scheme.SPARK: [
        (FIVE_WEEKS_IN, True),
        (AT_25, True),
        (GUARDIAN_AT_9, False),
        (KINSHIP, False),
        (THIRTY_DAYS, False),
    ],
    Scheme.BUTTLE: [
        (ESTRANGED, True),
        (KINSHIP, True),
        (THIRTY_DAYS, True),
        (FIVE_WEEKS_IN, False),
        (TO_18, False),
    ],
    Scheme.UNITE: [(THIRTY_DAYS, True), (AT_25, True), (ESTRANGED, True), (LEFT_AT_15, False)],
    Scheme.ONE_BEDROOM: [(TO_18, True), (LEFT_AT_15, None), (ESTRANGED, False)],
    Scheme.HOUSING_PRIORITY: [(THIRTY_DAYS, True), (GUARDIAN_AT_9, False), (LEFT_AT_15, False)],
    Scheme.NHS_SOCIAL_WORK: [(TO_18, True), (THIRTY_DAYS, True), (HOME_FIVE_MONTHS, False)],
}


@pytest.mark.parametrize("scheme", Scheme)
def test_a_scheme_counts_whom_it_says_it_does(scheme: Scheme) -> None:
    for story, expected in WHO_COUNTS[scheme]:
        assert TESTS[scheme](story) is expected, story


def test_no_two_of_the_seven_agree() -> None:
    everyone = {story for told in WHO_COUNTS.values() for story, _ in told}
    seven = (
        Scheme.LEAVING_CARE,
        Scheme.STUDENT_FINANCE,
        Scheme.COLLEGE_BURSARY,
        Scheme.APPRENTICESHIP_BURSARY,
        Scheme.UCAS_QUESTION,
        Scheme.KEELE,
        Scheme.SPARK,
    )
    answered = {tuple(TESTS[scheme](story) for story in everyone) for scheme in seven}
    assert len(answered) == len(seven)


# --- What is not known --------------------------------------------------------------------------

FACTS = {
    "dob": st.sampled_from(["2001-12-15", "2003-05-01", "2007-05-01", "2009-05-01", "2011-05-01"]),
    "episodes": st.sampled_from(
        [
            [],
            HOSTEL,
            WEEKENDS,
            [care("2014-01-01", "2019-01-01")],
            [care("2022-05-10")],
            [care("2024-07-01", None, "s17_only")],
            [{"start": "2023-01-01"}],
        ]
    ),
    "orders": st.sampled_from(
        [[], [{"kind": "SGO"}], [{"kind": "adoption", "made_on": "2019-01-01"}]]
    ),
    "returned_home": st.sampled_from([[], [{"start": "2025-06-01", "to": "parent"}]]),
    "detained_or_hospital_at_16": st.booleans(),
    "programme_agreed_before_25": st.booleans(),
    "stage": st.sampled_from(["Y9-11", "FE16", "FE19", "APP", ["HEX", "HE"], "WORK", "NEET"]),
    "flags": st.sampled_from([[], ["parent", "ehcp"], ["no-contact-parents"], ["needs-home"]]),
    "living": st.sampled_from(["foster-carer", "with-parents", "own-place"]),
    "level": st.sampled_from([0, 2, 3]),
    "birthday_soon": st.booleans(),
    "responsible_authority": st.sampled_from(["Staffordshire", "Kirklees Council", "Leeds"]),
    "home_authority": st.sampled_from(["Staffordshire County Council", "Kirklees", "Leeds"]),
}


@settings(deadline=None, max_examples=25)
@given(st.fixed_dictionaries({}, optional=FACTS).filter(bool), st.data())
def test_a_fact_less_never_takes_a_row_away(facts: dict[str, Any], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(sorted(facts)))
    whole, less = asked(**facts), asked(**{k: v for k, v in facts.items() if k != lost})
    assert ids(whole, "told", "may") <= ids(less, "told", "may"), lost
    assert ids(less, "told") <= ids(whole, "told"), f"sure without knowing {lost}"
    assert {*whole["status"], *whole["status_may"]} <= {*less["status"], *less["status_may"]}


def test_every_statement_says_why_in_words() -> None:
    for facts, _ in GOLDEN.values():
        told = asked(**{**facts, "stage": ["FE16", "HEX", "WORK"]})
        for row in (*told["told"], *told["may"], *told["not_yet"]):
            assert row["because"].strip(), row
            assert "{" not in row["because"]


# --- The table ------------------------------------------------------------------------------------


def test_every_row_of_the_reference_is_there() -> None:
    many = {"A": 19, "B": 17, "C": 11, "D": 23, "E": 22, "F": 28, "G": 11}
    wanted = {f"2{part}.{at}" for part, last in many.items() for at in range(1, last + 1)}
    assert len(wanted) == 131
    assert {place for row in CONTENT.entitlements.values() for place in row.rows} == wanted
    table = covered(CONTENT.entitlements.values(), CONTENT.entitlements)
    assert all(f"| {place} |" in table for place in wanted)


def test_what_is_unsure_or_over_is_told_to_nobody() -> None:
    everything = asked()
    for row in CONTENT.entitlements.values():
        if not row.confidence.publishable or row.standing is Standing.ENDED:
            assert row.id not in ids(everything, "told", "may", "not_yet"), row.id


def test_what_has_not_started_is_not_yet() -> None:
    found = asked()
    starts = {row["id"]: row["from"] for row in found["not_yet"]}
    assert starts["not-intentionally-homeless"] == "no day is set yet"
    assert starts["v-level"] == "September 2027"


# --- The command ----------------------------------------------------------------------------------

ODD = [
    b"not json",
    b"[]",
    b"7",
    b'{"id": "a", "dob": "yesterday"}',
    b'{"id": "a", "dob": 20}',
    b'{"id": "a", "dob": "2030-01-01"}',
    b'{"id": "a", "dob": "2009-05-01", "age": 30}',
    b'{"id": "a", "age": -1}',
    b'{"id": "a", "age": 1e400}',
    b'{"id": "a", "age": "17"}',
    b'{"id": "a", "bursery": true}',
    b'{"id": "a", "episodes": [{"start": "2020-01-01", "end": "2019-01-01"}]}',
    b'{"id": "a", "episodes": [{"end": "2019-01-01"}]}',
    b'{"id": "a", "episodes": {"start": "2019-01-01"}}',
    b'{"id": "a", "stage": "FE99"}',
    b'{"id": "a", "today": "0001-01-01"}',
    b'{"id": ["a"]}',
    b'{"id": "a", "thirteen_weeks": "maybe"}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"age": ' + b"9" * 5000 + b"}",
]


def test_an_odd_line_is_an_error_and_the_next_is_answered() -> None:
    lines = [line + b"\n" for odd in ODD for line in (odd, b'{"id": "well", "age": 17}')]
    found = list(answers(lines, CONTENT, TODAY))
    assert len(found) == 2 * len(ODD)
    for odd, bad, good in zip(ODD, found[::2], found[1::2], strict=True):
        assert set(bad) == {"id", "error"}, odd
        assert bad["error"], odd
        assert good["id"] == "well"
        assert "error" not in good


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_line_brings_it_down(raw: bytes) -> None:
    for told in answers([raw], CONTENT, TODAY):
        json.dumps(told)


def test_over_a_pipe() -> None:
    lines = '{"id": "one", "age": 17, "care": "now", "thirteen_weeks": true}\n\nodd\n{"id": 2}\n'
    run = subprocess.run(
        [sys.executable, "-c", "from web.cli import main; main()", "entitlements"],
        input=lines,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=True,
    )
    one, odd, two = map(json.loads, run.stdout.splitlines())
    assert one["id"] == "one"
    assert one["status"] == ["LAC", "EL"]
    assert {"id", "title", "because"} == set(one["told"][0])
    assert {"id", "title", "because", "from"} == set(one["not_yet"][0])
    assert odd["id"] == 3
    assert odd["error"]
    assert two["id"] == 2
    assert run.stderr == ""


def test_every_fact_it_takes_is_documented() -> None:
    from web.commands.entitlements import HELP, PersonLine

    page = (Path(__file__).parent.parent / "docs/entitlements-facts.md").read_text()
    for fact in PersonLine.model_fields:
        assert f"`{fact}`" in page
        assert fact in HELP
