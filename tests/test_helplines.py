"""Two or three lines at a time, and first those that answer at this hour."""

from datetime import datetime

import pytest

from bot.helplines import Lines, surely_shut
from bot.working_days import LONDON
from tests.drivers.waymark import CONTENT

KIRKLEES = CONTENT.authorities["kirklees"]
LINES = CONTENT.helplines("kirklees")
OFFICE = CONTENT.policy.openings.office
MONDAY = datetime(2026, 11, 23, 11, 0, tzinfo=LONDON)
NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=LONDON)
CHRISTMAS = datetime(2026, 12, 25, 11, 0, tzinfo=LONDON)


def shown(names: list[str], now: datetime) -> list[str]:
    return [line.id for line in Lines(LINES, now, KIRKLEES, OFFICE).fitting(names)]


def test_999_stands_first_and_no_more_than_three_are_shown():
    names = ["samaritans", "shout", "nhs-111", "emergency-999", "childline"]
    assert shown(names, MONDAY) == ["emergency-999", "samaritans", "shout"]


@pytest.mark.parametrize(
    ("now", "first"), [(MONDAY, "front-door"), (NIGHT, "out-of-hours"), (CHRISTMAS, "out-of-hours")]
)
def test_the_council_s_line_is_the_one_that_answers_now(now, first):
    assert shown(["front-door", "out-of-hours"], now)[0] == first


def test_a_line_that_is_shut_gives_way_and_is_still_shown_where_there_is_room():
    assert shown(["coram-voice", "become"], MONDAY) == ["coram-voice", "become"]
    assert shown(["coram-voice", "become"], NIGHT) == ["become", "coram-voice"]
    assert "karma-nirvana" not in shown(
        ["karma-nirvana", "samaritans", "shout", "childline"], CHRISTMAS
    )


def test_hours_nobody_is_sure_of_never_hide_a_line():
    unsure = [line for line in LINES.values() if not line.hours_confidence.publishable]
    assert unsure
    assert not any(surely_shut(line, NIGHT, KIRKLEES, OFFICE) for line in unsure)


def test_every_line_says_how_sure_its_number_and_its_hours_are():
    for line in LINES.values():
        assert line.confidence.publishable
        assert line.hours_confidence.publishable or "vary" in line.hours.lower(), line.id
