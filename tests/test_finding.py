"""What a question finds: measured, the 27 misconceptions put right, help before all, and the
command that does it over a pipe."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot import finding
from bot.finding import meaning
from content import checks
from content.loader import ContentError, read
from content.schema import Confidence, Findable
from tests.drivers.waymark import CONTENT
from tests.finding import measure

ROOT = Path(__file__).parent.parent
SAID = {
    "bursary-not-automatic": "All care leavers get £1,200 at college",
    "care-leaver-in-law": "Care leaver = anyone ever in care",
    "support-after-18": "Support stops at 18 or 21",
    "support-without-studying": "Support to 25 is only for students",
    "university-money-once": "The university bursary is £2,000 a year everywhere",
    "adoption-and-leaving-care": "Adopted children get leaving-care support",
    "special-guardianship": "SGO young people get nothing",
    "moved-council": "I moved, so my new council is responsible",
    "college-meals": "Everyone in care gets free college meals",
    "council-tax": "Council tax is free for care leavers by law",
    "prescriptions": "Prescriptions are free to 25",
    "homeless-on-purpose": "I can't be made intentionally homeless",
    "staying-close-now": "Staying close is a right to 25 now",
    "bursary-and-benefits": "The apprenticeship bursary reduces UC",
    "telling-my-boss": "My boss must know I'm a care leaver",
    "ucas-box": "Ticking the UCAS box harms my chances",
    "carers-income": "Student finance looks at my foster carers' income",
    "thirteen-weeks": "13 weeks must be in one go",
    "home-on-care-order": "Placed with parents on a care order means I left care",
    "flat-from-council": "A section 17 flat counts as care",
    "asylum-and-college": "Asylum seekers can't go to college",
    "ehcp-at-18": "My EHCP ends at 18",
    "ended-schemes": "Can I get EMA or a traineeship",
    "junior-isa-for-all": "A JISA for everyone in care",
    "rent-at-22": "At 22 my housing money drops to a room",
    "virtual-school-ages": "The Virtual School only covers school age",
    "stoke-is-different": "Staffordshire includes Stoke",
}
"""As section 5.5 of the reference says them, or nearly."""


@pytest.fixture(scope="module", params=sorted(CONTENT.authorities))
def index(request):
    return finding.indexed(CONTENT.served_by(request.param), request.param)


def found(index, text):
    return [(r.document.kind.value, r.document.id) for r in index.find(text)]


# --- How well -----------------------------------------------------------------------------

FLOORS = {
    # part: right first, right in three, honestly nothing. A little under what docs/finding.md says.
    False: (0.88, 0.96, 0.89),
    True: (0.88, 0.96, 0.79),
}


@pytest.mark.parametrize("unseen", FLOORS)
def test_the_figures_do_not_drop(unseen):
    asked = [q for q in measure.questions() if q.unseen is unseen]
    f = measure.figures(measure.hybrid, asked, 0.0)
    shares = (f.first / f.fitting, f.in_three / f.fitting, f.honest / f.strangers)
    assert all(share >= floor for share, floor in zip(shares, FLOORS[unseen], strict=True)), shares


def test_there_is_enough_to_measure_with_and_it_is_not_in_the_content():
    asked = measure.questions()
    unseen = [q for q in asked if q.unseen]
    assert sum(bool(q.right) for q in unseen) >= 150
    assert sum(not q.right for q in unseen) >= 50
    assert not {q.text.casefold() for q in unseen} & {
        q.text.casefold() for q in asked if not q.unseen
    }
    known = {measure.name(d) for a in CONTENT.authorities for d in measure.index(a).documents}
    assert {name for q in asked for name in q.right} <= known
    phrases = {" ".join(finding.plain(way)) for way in ways()}
    copied = [q.text for q in asked if " ".join(finding.plain(q.text)) in phrases]
    assert len(copied) <= len(asked) * 0.06, copied  # "who is the designated teacher" is just said


def ways():
    for kind in CONTENT.asked_as.values():
        yield from (way for listed in kind.values() for way in listed)
    for row in CONTENT.misconceptions.values():
        yield from row.said


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (
            "where do i live in summer when uni shuts",
            [0.04351, -0.05038, 0.0944, 0.06849, 0.05833, -0.04574],
        ),
        ("Zażółć gęślą jaźń ☹️", [-0.09986, 0.15238, -0.04866, 0.0487, -0.08215, -0.01689]),
        ("a", [-0.03643, 0.0347, -0.04596, 0.03433, -0.08082, 0.03284]),
    ],
)
def test_a_meaning_is_what_the_models_own_library_gives(text, begins):
    """The numbers were made by sentence-transformers 6.2.0 with the same weights."""
    assert meaning.installed().of(text)[:6] == pytest.approx(begins, abs=0.002)


def test_a_question_takes_milliseconds():
    usual, _ = measure.milliseconds()
    assert usual < 60, "milliseconds; about 10 on a quiet machine"


# --- What ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAID)
def test_each_misconception_is_put_right(index, name):
    assert ("correction", name) in found(index, SAID[name])[:2]
    assert found(index, CONTENT.misconceptions[name].said[0])[0] == ("correction", name)


def test_there_are_27_and_each_is_sure_enough_to_be_shown():
    assert set(CONTENT.misconceptions) == set(SAID)
    assert len(SAID) == 27
    assert all(row.published for row in CONTENT.misconceptions.values())


@pytest.mark.parametrize(
    "text",
    [
        "i want to kill myself",
        "I dont want to live any more",
        "my stepdad hits me",
        "someone is hurting me at home",
        "i was raped",
        "he touches me when i dont want him to",
        "im not safe",
        "i keep cutting myself",
        "I ran away last night",
    ],
)
def test_whoever_may_be_unsafe_is_shown_help_first(index, text):
    assert found(index, text)[0] == ("help", "help-now")


@pytest.mark.parametrize(
    "text", ["", " ", "?", "\0", "🙂", "ⱥ" * 5000, "a " * 5000, "\ud800", "💩?!"]
)
def test_odd_words_find_nothing_and_break_nothing(index, text):
    assert found(index, text) == []


def test_spelling_and_text_speak_do_not_matter(index):
    right = ("entitlement", "staying-put")
    for text in (
        "staying put",
        "stayin put with my foser carer",
        "STAYING  PUT!!",
        "can i stay put",
    ):
        assert right in found(index, text)[:3], text


def test_only_what_is_published_here_is_found():
    for authority, other in (("kirklees", "staffordshire"), ("staffordshire", "kirklees")):
        for document in measure.index(authority).documents:
            assert other not in (document.id.split("-")[-1])
            if document.kind is Findable.ENTITLEMENT:
                assert document.thing.published
    names = {measure.name(d) for d in measure.index("kirklees").documents}
    assert "entitlement council-tax" not in names  # unsure
    assert "entitlement staying-close" not in names  # not in force


def test_an_unsure_correction_is_not_shown():

    row = CONTENT.misconceptions["council-tax"]
    unsure = row.model_copy(update={"confidence": Confidence.LOW})
    content = replace(CONTENT, misconceptions={"council-tax": unsure})
    shown = finding.indexed(content, "kirklees").documents
    assert not any(d.kind is Findable.CORRECTION for d in shown)


# --- The content --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "written", "fault"),
    [
        ("asked-as/entitlement", "a-mistake: [one way, another]\n", "no entitlement a-mistake"),
        ("asked-as/correction", "a-mistake: [one way, another]\n", "no correction a-mistake"),
        ("asked-as/answer", "pep: [only one]\n", "at least 2"),
        ("asked-as/nothing", "theirs: [one, two]\n", "no nothing theirs"),
        (
            "misconceptions",
            "- {id: x, said: [A., B.], truth: C., entitlements: [gone], checked: 2026-11-21,\n"
            "   confidence: high, sources: [{title: T, publisher: P}]}\n",
            "no entitlement gone",
        ),
    ],
)
def test_faults_are_named(tmp_path, file, written, fault):
    folder = tmp_path / "content"
    subprocess.run(["cp", "-r", ROOT / "content", folder], check=True)
    (folder / "directory" / f"{file}.yaml").write_text(written)
    try:
        faults = checks.check(read(folder))
    except ContentError as error:
        faults = error.faults
    told = [str(each) for each in faults]
    assert any(f"directory/{file}.yaml:" in each and fault in each for each in told), told


# --- The command --------------------------------------------------------------------------


def test_the_command_answers_line_by_line_over_a_pipe(tmp_path):
    lines = [
        b'{"id": 1, "text": "can i stay with my foster carer after 18"}',
        b'{"id": "b", "text": "when are the bins collected in leeds"}',
        b"not json",
        b"[1, 2]",
        b'{"id": 5}',
        b'{"text": "no id"}',
        b'{"id": 7, "text": 8}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
        b'{"id": 9, "text": "council tax"}',
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from web.cli import main; main()",
            "find",
            "--authority",
            "kirklees",
        ],
        input=b"\n".join(lines),
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 10, "an empty line is no question"
    first, none, *odd, last = answers
    assert first["id"] == 1
    assert first["results"][0]["id"] == "staying-put"
    assert set(first["results"][0]) == {"id", "kind", "title", "summary", "score"}
    assert len(first["results"]) <= 5
    scores = [result["score"] for result in first["results"]]
    assert scores == sorted(scores, reverse=True)
    assert none == {"id": "b", "results": []}
    assert all(each["error"] for each in odd)
    assert [each["id"] for each in odd] == [None, None, 5, None, 7, None, None]
    assert last["results"][0] | {"score": 0, "summary": "", "title": ""} == {
        "id": "council-tax", "kind": "correction", "title": "", "summary": "", "score": 0,
    }  # fmt: skip
    assert not list(tmp_path.iterdir()), "nothing is kept"
