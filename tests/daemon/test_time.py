"""Local time changes, and the daemon neither skips nor doubles anything: it knows UTC alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time
from structlog.testing import capture_logs

from smm_rules.clock import SystemClock
from smm_rules.daemon.jobs import Jobs
from smm_rules.daemon.progress import Progress
from smm_rules.facts import Entity, EntityKind
from smm_rules.observe.counters import Counters
from tests.daemon.household import Household, eventually

#: Istanbul's clocks went back at 01:00 UTC on 8 November 2015 and forward at 01:00 UTC on 27 March 2016.
CHANGES = {
    "back": datetime(2015, 11, 8, 1, 0, tzinfo=UTC),
    "forward": datetime(2016, 3, 27, 1, 0, tzinfo=UTC),
}
HALF_AN_HOUR = timedelta(minutes=30)
REMIND = """
rules:
  - name: low
    watch: balance
    when: amount < 200
    remind: 30m
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
"""


@pytest.mark.parametrize(("change", "hours"), [("back", (3, 2)), ("forward", (2, 3))])
def test_the_changes_are_real(change: str, hours: tuple[int, int]) -> None:
    istanbul = ZoneInfo("Europe/Istanbul")
    second = timedelta(seconds=1)
    offsets = [(CHANGES[change] + step).astimezone(istanbul).utcoffset() for step in (-second, second)]
    assert offsets == [timedelta(hours=hour) for hour in hours]


@pytest.fixture(params=["Europe/Istanbul", "UTC"])
def local_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", list(CHANGES))
async def test_reminders_come_at_their_time_when_local_clocks_change(
    household: Household, local_zone: str, change: str
) -> None:
    start = CHANGES[change] - timedelta(hours=1)
    household.write_rules(REMIND)
    household.clock = SystemClock()  # type: ignore[assignment]  # the wall clock is what is in question
    household.mended = lambda text: text.replace("balance: 25m", "balance: 10s")
    told: list[datetime] = []
    with freeze_time(start, real_asyncio=True) as frozen:
        async with household.living() as daemon:
            for step in range(5):
                frozen.move_to(start + step * HALF_AN_HOUR)
                daemon.reload()  # a reload asks for the balance at once, whatever the ticker's pace
                await eventually(lambda: _balance_read_now(household))
                told = await _instants(household)
    # The first reminder after half an hour, the second an hour after it.
    assert [instant - start for instant in told] == [0 * HALF_AN_HOUR, HALF_AN_HOUR, 3 * HALF_AN_HOUR]


async def _instants(household: Household) -> list[datetime]:
    messages = await household.ledger.messages((), 100)
    return sorted(message.created_at for message in messages if message.dedup_key.startswith("low:"))


async def _balance_read_now(household: Household) -> bool:
    """Whether the balance has been read in this step and what it leads to is in the ledger."""
    known = await household.ledger.watched(Entity(EntityKind.BALANCE, "north"))
    return known is not None and known.last_seen_at == datetime.now(UTC)


async def test_a_clock_that_is_set_back_does_not_stop_the_ticker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.daemon.jobs.CLOCK_COMPARED_EVERY", 0.05)
    runs: list[datetime] = []

    async def look() -> None:
        runs.append(datetime.now(UTC))

    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with freeze_time(start, tick=True, real_asyncio=True) as frozen, capture_logs() as logs:
        jobs = Jobs(Counters(), Progress(600.0))
        jobs.every(0.05, "look", look)
        jobs.start()
        await eventually(lambda: runs)
        frozen.move_to(start - timedelta(hours=1))
        await eventually(lambda: runs[-1] < start)
        jobs.stop()
        await jobs.drained(1.0)
        jobs.shut()
    (line,) = [line for line in logs if line["event"] == "job.clock_set_back"]
    assert timedelta(minutes=59) < line["by"] < timedelta(minutes=61)


@pytest.mark.parametrize("change", list(CHANGES))
async def test_the_ticker_ticks_on_when_local_clocks_change(local_zone: str, change: str) -> None:
    runs: list[datetime] = []

    async def look() -> None:
        runs.append(datetime.now(UTC))

    shortly_before = CHANGES[change] - timedelta(seconds=0.1)
    with freeze_time(shortly_before, tick=True, real_asyncio=True), capture_logs() as logs:
        jobs = Jobs(Counters(), Progress(600.0))
        jobs.every(0.05, "look", look)
        jobs.start()
        await eventually(lambda: runs and runs[-1] > CHANGES[change] + timedelta(seconds=0.1))
        jobs.stop()
        await jobs.drained(1.0)
        jobs.shut()
    assert len(runs) >= 3
    assert all(later - earlier < timedelta(minutes=1) for earlier, later in pairwise(runs))
    assert [line["event"] for line in logs if line["event"].startswith("job.")] == []
