"""Days of a zone, whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.statement import day_span, latest_due
from smm_rules.statement.span import instant

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia",
     "Australia/Lord_Howe", "Africa/Cairo"]
)  # fmt: skip
DAYS = st.dates(date(2010, 1, 1), date(2030, 12, 31))
TIMES = st.times().map(lambda one: one.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: date, hours: int) -> None:
    span = day_span(day, BERLIN)
    assert span.until - span.since == timedelta(hours=hours)
    assert span.name == day.isoformat()


@given(DAYS, ZONES)
def test_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    following = day_span(day + timedelta(days=1), ZoneInfo(zone))
    assert day_span(day, ZoneInfo(zone)).until == following.since


def test_a_time_that_is_left_out_comes_as_long_after_midnight() -> None:
    assert instant(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    assert instant(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(DAYS, TIMES, ZONES)
def test_a_statement_is_due_from_its_time_on_and_not_before(day: date, at: time, zone: str) -> None:
    place = ZoneInfo(zone)
    due_at = instant(day, at, place)
    assert latest_due(due_at, at, place) >= day - timedelta(days=1)
    assert latest_due(due_at - timedelta(seconds=1), at, place) < day - timedelta(days=1) or (
        instant(day + timedelta(days=1), at, place) <= due_at - timedelta(seconds=1)
    )


@given(DAYS, TIMES, ZONES)
def test_every_day_becomes_due_once_as_time_goes_on(start: date, at: time, zone: str) -> None:
    place = ZoneInfo(zone)
    begin = datetime.combine(start, time(), UTC)
    hours = [begin + timedelta(hours=hour) for hour in range(24 * 4)]
    days = [latest_due(now, at, place) for now in hours]
    assert days == sorted(days)
    assert len(set(days)) >= 4
