"""The server's clock: whatever a machine's own says, all workers have one time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.cluster.clock import ServerClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Machine:
    """A machine's time since boot, set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_there_is_no_time_before_the_server_was_asked() -> None:
    with pytest.raises(RuntimeError):
        ServerClock().now()


@given(
    asked=st.floats(0, 1e6),
    there=st.floats(0, 0.4),
    back=st.floats(0, 0.4),
    later=st.floats(0, 1e5),
)
def test_it_is_off_by_half_the_way_at_most(asked: float, there: float, back: float, later: float) -> None:
    machine = Machine()
    clock = ServerClock(machine)
    clock.note(NOON, asked, asked + there + back)  # the server spoke when the question had arrived
    machine.seconds = asked + there + later
    error = abs((clock.now() - (NOON + timedelta(seconds=later))).total_seconds())
    assert error <= (there + back) / 2 + 1e-3


def test_a_reading_that_took_long_doesnt_spoil_a_good_one() -> None:
    machine = Machine()
    clock = ServerClock(machine)
    clock.note(NOON, 1000.0, 1000.01)
    clock.note(NOON + timedelta(seconds=1), 1001.0, 1004.0)  # asked at 1001, answered after 3 s
    machine.seconds = 1004.0
    assert abs((clock.now() - (NOON + timedelta(seconds=4))).total_seconds()) < 0.02


def test_a_server_whose_clock_was_set_is_believed() -> None:
    machine = Machine()
    clock = ServerClock(machine)
    clock.note(NOON, 1000.0, 1000.01)
    clock.note(NOON + timedelta(hours=1), 1001.0, 1001.01)
    machine.seconds = 1001.01
    assert abs((clock.now() - (NOON + timedelta(hours=1))).total_seconds()) < 0.02


def test_durations_are_the_machines_own() -> None:
    assert ServerClock().real_seconds(timedelta(minutes=2)) == 120.0
