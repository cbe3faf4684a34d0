"""A simulated month with a short retention: what may be forgotten is, and nothing else grows by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
#: Guards add up over calendar months, so what was sent is kept for one: only then is a first month dropped.
DAYS = 34
MEGABYTE = 1024 * 1024
#: What each order ever watched may leave behind for good, in bytes: itself, its facts, what rules remember.
AN_ORDER = 8_000
#: Tables that only the retention bounds.
BOUNDED = ("history", "outbox", "traces", "attempts", "audit")


@pytest.fixture(scope="module")
def soaked() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.soak", "--days", str(DAYS), "--seed", "901"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.timeout(600)
def test_a_month_leaves_no_promise_broken(soaked: dict[str, Any]) -> None:
    assert soaked["wrong"] == []
    assert len(soaked["measured"]) >= DAYS
    assert soaked["effects"] > 50


@pytest.mark.timeout(600)
def test_the_tables_stay_in_bounds(soaked: dict[str, Any]) -> None:
    days = soaked["measured"]
    for table in BOUNDED:
        early = max(day["rows"][table] for day in days[3:15])
        late = max(day["rows"][table] for day in days[-12:])
        assert late <= 2 * early + 20, (table, early, late)
    month = max(day["rows"]["intents"] for day in days)
    assert days[-1]["rows"]["intents"] < month / 2
    assert days[-1]["rows"]["firings"] < month / 2


@pytest.mark.timeout(600)
def test_file_and_memory_stay_in_bounds(soaked: dict[str, Any]) -> None:
    days = soaked["measured"]
    orders = days[-1]["orders"] - days[4]["orders"]
    assert days[-1]["used"] - days[4]["used"] < MEGABYTE + orders * AN_ORDER
    assert max(day["file"] for day in days) < 4 * MEGABYTE
    assert max(day["log"] for day in days) < 8 * MEGABYTE
    # The whole simulated world is in this process, with its panel's ever-growing journal.
    assert days[-1]["process"] - days[4]["process"] < 40 * MEGABYTE
