"""Every row of the references: where it is asked or told, or why not; and the page that says so."""

from pathlib import Path

import pytest

from content import loader
from web.commands import coverage

CONTENT = loader.read()
PRINTED = Path(__file__).parent.parent / "docs/content-coverage.md"
BANK = {"A": 8, "B": 18, "C": 5, "D": 9, "E": 8, "F": 6}
"""Questions of the bank in section 2.3, by letter."""
CORE = ["overall", "good", "hard", "help", "people", "feelings", "future", "meeting"]
CATEGORIES = 18
FIELDS = 25
ENTITLEMENTS = {"2A": 19, "2B": 17, "2C": 11, "2D": 23, "2E": 22, "2F": 28, "2G": 11}


def ids(section: str) -> list[str]:
    return [name for part, name in map(str.split, CONTENT.coverage) if part == section]


def test_every_question_of_the_bank_is_accounted_for():
    bank = [f"{letter}{n}" for letter, count in BANK.items() for n in range(1, count + 1)]
    core = [f"core-{topic}" for topic in CORE]
    assert ids("2.3") == [*bank, *core, "easy-read", "observation"]


def test_every_field_and_category_of_a_concern_is_accounted_for():
    assert ids("3.3") == [*map(str, range(1, FIELDS + 1)), "system"]
    topics = CONTENT.flows["raise-a-concern"].by_id["topic"].by_value
    assert set(ids("3.4")) == {*topics, "harm"}
    assert len(topics) == CATEGORIES


@pytest.mark.parametrize(
    ("section", "rows"), [("3.5", 15), ("3.6", 13), ("3.7", 12), ("3.8", 13), ("3.9", 15)]
)
def test_every_other_section_is_accounted_for(section, rows):
    assert len(ids(section)) >= rows


def test_every_row_of_the_entitlements_is_ours_too():
    ours = {place for row in CONTENT.entitlements.values() for place in row.rows}
    theirs = {f"{s}.{n}" for s, count in ENTITLEMENTS.items() for n in range(1, count + 1)}
    assert ours == theirs


def test_a_row_that_is_left_out_says_why_in_a_sentence():
    for row in CONTENT.coverage.values():
        assert row.left_out is None or row.left_out.endswith("."), row.id
        assert len(row.left_out or "A sentence of some words.") > 20, row.id


def test_the_printed_page_is_that_of_the_content():
    page = PRINTED.read_text()
    assert page == coverage.page(CONTENT), "run: waymark coverage > docs/content-coverage.md"
    for row in (*CONTENT.coverage.values(), *CONTENT.entitlements.values()):
        assert f"| {row.id} |" in page
    assert all(f"\n| {section}.{count} |" in page for section, count in ENTITLEMENTS.items())
