from __future__ import annotations

from threading import Thread

import pytest

from smm_rules.observe import Count, Counters
from smm_rules.observe.counters import MOST_SERIES


def test_counts_are_kept_by_name_and_labels() -> None:
    counters = Counters()
    counters.increment("requests", panel="main", action="status")
    counters.increment("requests", 2, action="status", panel="main")
    counters.increment("requests", panel="other", action="status")
    counters.increment("jobs_missed")
    assert counters.snapshot() == (
        Count("jobs_missed", (), 1),
        Count("requests", (("action", "status"), ("panel", "main")), 3),
        Count("requests", (("action", "status"), ("panel", "other")), 1),
    )
    assert counters.value("requests", action="status") == 4
    assert counters.value("requests", panel="other") == 1
    assert counters.value("nothing") == 0


def test_a_count_never_falls() -> None:
    with pytest.raises(ValueError, match="a count only grows"):
        Counters().increment("requests", -1)


def test_too_many_labels_are_counted_together() -> None:
    counters = Counters()
    for number in range(MOST_SERIES + 5):
        counters.increment("requests", order=str(number))
    assert counters.value("requests") == MOST_SERIES + 5
    assert counters.value("requests", overflow="true") == 5


def test_threads_lose_no_count() -> None:
    counters = Counters()

    def work() -> None:
        for _ in range(2000):
            counters.increment("requests", panel="main")

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.value("requests") == 8000
