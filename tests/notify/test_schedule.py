"""Quiet hours and maintenance in named zones, also on the days the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.config.alerts import Maintenance, QuietHours
from smm_rules.notify.schedule import maintenance_end, maintenance_until, quiet_end, quiet_until

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(begins: str = "22:00", ends: str = "07:00", **more: object) -> QuietHours:
    return QuietHours.model_validate({"from": begins, "to": ends, "time_zone": BERLIN, **more})


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-15T20:59", None),  # 21:59 in Berlin
        ("2026-01-15T21:00", "2026-01-16T06:00"),
        ("2026-01-16T05:59", "2026-01-16T06:00"),
        ("2026-01-16T06:00", None),
        ("2026-07-15T20:00", "2026-07-16T05:00"),  # summer time
    ],
)
def test_quiet_hours_pass_midnight_in_their_own_zone(now: str, end: str | None) -> None:
    assert quiet_end(hours(), utc(now)) == (None if end is None else utc(end))


def test_the_night_the_clocks_go_forward_is_an_hour_shorter() -> None:
    begins = utc("2026-03-28T21:00")
    assert quiet_end(hours(), begins) == utc("2026-03-29T05:00")  # 07:00 is +02:00 by then


def test_the_night_the_clocks_go_back_is_an_hour_longer() -> None:
    begins = utc("2026-10-24T20:00")
    assert quiet_end(hours(), begins) == utc("2026-10-25T06:00")


def test_hours_that_end_at_a_time_there_is_twice_end_the_second_time() -> None:
    once = hours("22:00", "02:30")
    assert quiet_end(once, utc("2026-10-25T00:30")) == utc("2026-10-25T01:30")


def test_hours_that_begin_at_a_time_that_is_skipped_begin_when_the_clocks_change() -> None:
    skipped = hours("02:30", "05:00")
    change = utc("2026-03-29T01:00")
    assert quiet_end(skipped, change - timedelta(seconds=1)) is None
    assert quiet_end(skipped, change) == utc("2026-03-29T03:00")


def test_hours_that_end_at_a_time_that_is_skipped_end_when_the_clocks_change() -> None:
    assert quiet_end(hours("22:00", "02:30"), utc("2026-03-29T00:30")) == utc("2026-03-29T01:00")


def test_days_are_those_on_which_they_begin() -> None:
    week = hours(days="mon-fri")
    assert quiet_end(week, utc("2026-01-17T03:00")) == utc("2026-01-17T06:00")  # the night after Friday
    assert quiet_end(week, utc("2026-01-17T22:00")) is None  # Saturday's
    assert quiet_end(week, utc("2026-01-19T03:00")) is None  # Sunday's
    assert quiet_end(week, utc("2026-01-19T22:00")) == utc("2026-01-20T06:00")


@given(st.integers(0, 2 * 365 * 24 * 60))
def test_it_is_quiet_just_when_the_clocks_of_the_zone_say_so(minutes: int) -> None:
    now = utc("2025-01-01") + timedelta(minutes=minutes)
    one = hours("22:00", "07:00")
    local = now.astimezone(one.time_zone).time()
    end = quiet_end(one, now)
    assert (end is not None) == (local >= one.begins or local < one.ends)
    if end is not None:
        assert now < end <= now + timedelta(hours=10)
        assert end.astimezone(one.time_zone).time() == one.ends


def test_the_longest_of_several_counts_and_other_channels_and_levels_do_not() -> None:
    now = utc("2026-01-15T22:00")
    both = [
        hours(channels=["ops"]),
        hours("20:00", "08:00", channels=["ops", "boss"], except_level="warning"),
    ]
    assert quiet_until(both, "ops", "info", now) == utc("2026-01-16T07:00")
    assert quiet_until(both, "ops", "warning", now) == utc("2026-01-16T06:00")
    assert quiet_until(both, "ops", "error", now) is None
    assert quiet_until(both, "boss", "warning", now) is None
    assert quiet_until(both, "other", "info", now) is None
    everything = [hours(except_level=None)]
    assert quiet_until(everything, "other", "error", now) == utc("2026-01-16T06:00")


def window(schedule: str = "0 3 * * sun", lasting: str = "2h", **more: object) -> Maintenance:
    return Maintenance.model_validate({"schedule": schedule, "for": lasting, "time_zone": BERLIN, **more})


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-18T01:59", None),
        ("2026-01-18T02:00", "2026-01-18T04:00"),
        ("2026-01-18T03:59:59", "2026-01-18T04:00"),
        ("2026-01-18T04:00", None),
        ("2026-01-19T02:30", None),  # a Monday
        ("2026-07-19T01:00", "2026-07-19T03:00"),
    ],
)
def test_a_window_is_open_for_as_long_as_it_says(now: str, end: str | None) -> None:
    assert maintenance_end(window(), utc(now)) == (None if end is None else utc(end))


def test_a_window_at_a_skipped_time_opens_when_the_clocks_change() -> None:
    daily = window("30 2 * * *")
    assert maintenance_end(daily, utc("2026-03-29T00:59")) is None
    assert maintenance_end(daily, utc("2026-03-29T01:00")) == utc("2026-03-29T03:00")


def test_a_window_at_a_time_there_is_twice_opens_once() -> None:
    daily = window("30 2 * * *", "30m")
    assert maintenance_end(daily, utc("2026-10-25T00:30")) == utc("2026-10-25T01:00")
    assert maintenance_end(daily, utc("2026-10-25T01:30")) is None


def test_a_window_is_for_its_panel_or_for_all() -> None:
    now = utc("2026-01-18T02:30")
    windows = [window(panel="north"), window(lasting="3h")]
    assert maintenance_until(windows[:1], "south", now) is None
    assert maintenance_until(windows, "south", now) == utc("2026-01-18T05:00")
    assert maintenance_until(windows, "north", now) == utc("2026-01-18T05:00")
