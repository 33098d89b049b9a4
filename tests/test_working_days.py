"""When a promise falls due: weekends, bank holidays, closures and the clocks changing."""

from datetime import UTC, date, datetime

import pytest

from bot.working_days import reply_by


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-23 10:00", 0, "2026-11-23"),  # a Monday morning: today
        ("2026-11-23 16:30", 0, "2026-11-24"),  # too late in the day
        ("2026-11-21 10:00", 0, "2026-11-23"),  # a Saturday
        ("2026-11-20 10:00", 1, "2026-11-23"),  # Friday and one day
        ("2026-12-24 10:00", 1, "2026-12-29"),  # Christmas, and Boxing Day's day in lieu
        ("2026-12-24 10:00", 5, "2027-01-05"),
        ("2026-04-02 10:00", 1, "2026-04-07"),  # Good Friday and Easter Monday
        ("2026-10-23 13:30", 1, "2026-10-26"),  # the clocks go back in between
        ("2026-03-27 14:30", 1, "2026-03-30"),  # and forward
    ],
)
def test_promises_fall_on_working_days(received, days, due):
    at = datetime.fromisoformat(received).replace(tzinfo=UTC)
    assert reply_by(at, days, ()).date() == date.fromisoformat(due)


def test_a_day_the_office_is_shut_does_not_count():
    at = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert reply_by(at, 1, (date(2026, 11, 24),)).date() == date(2026, 11, 25)
