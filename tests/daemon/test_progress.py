"""Which jobs count as stuck."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smm_rules.daemon.progress import Progress
from smm_rules.daemon.work import note_call
from smm_rules.observe.counters import Counters
from smm_rules.panel.client import CallReport


class Watch:
    """A progress whose time is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.progress = Progress(600.0, lambda: self.now)

    def stuck_after(self, seconds: float) -> tuple[str, ...]:
        self.now += seconds
        return self.progress.stuck()


def test_a_job_at_rest_has_its_interval_and_the_patience() -> None:
    watch = Watch()
    watch.progress.expect("housekeeping", 6 * 3600.0)
    watch.progress.expect("orders:north", 5.0)
    assert watch.stuck_after(605.0) == ()
    assert watch.stuck_after(1.0) == ("orders:north",)
    assert watch.stuck_after(6 * 3600.0 - 6.0) == ("orders:north",)
    assert watch.stuck_after(1.0) == ("housekeeping", "orders:north")


def test_a_run_has_the_patience_alone() -> None:
    watch = Watch()
    watch.progress.expect("housekeeping", 6 * 3600.0)
    watch.progress.begun("housekeeping")
    assert watch.stuck_after(600.0) == ()
    assert watch.stuck_after(1.0) == ("housekeeping",)
    watch.progress.ended("housekeeping")
    assert watch.progress.stuck() == ()
    assert watch.stuck_after(6 * 3600.0) == ()


def test_a_long_run_that_gets_on_is_not_stuck() -> None:
    watch = Watch()
    watch.progress.expect("orders:north", 5.0)
    watch.progress.begun("orders:north")
    for _ in range(100):
        assert watch.stuck_after(599.0) == ()
        watch.progress.step("orders:north")


def test_a_step_of_a_job_nobody_watches_is_nothing() -> None:
    watch = Watch()
    watch.progress.step("actions")
    assert watch.progress.stuck() == ()


@pytest.mark.parametrize(
    ("action", "job"),
    [
        ("status", "orders:north"),
        ("refill_status", "refills:north"),
        ("balance", "balance:north"),
        ("services", "catalogue:north"),
        ("add", "actions"),
        ("refill", "actions"),
        ("cancel", "actions"),
    ],
)
def test_a_request_is_a_step_of_the_job_that_made_it(action: str, job: str) -> None:
    watch = Watch()
    jobs = {"orders:north", "refills:north", "balance:north", "catalogue:north", "actions"}
    for name in sorted(jobs):
        watch.progress.expect(name, 0.0)
    watch.now = 601.0
    counters = Counters()
    report = CallReport("north", action, 1, "ambiguous", timedelta(seconds=1))
    note_call(report, watch.progress, counters)
    assert set(watch.progress.stuck()) == jobs - {job}
    assert counters.value("requests", panel="north", action=action, outcome="ambiguous") == 1
