"""The ticker: nothing piles up, nothing is skipped in silence, a failure is no end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from structlog.testing import capture_logs

from smm_rules.daemon.jobs import LATENESS_TOLERATED, Jobs
from smm_rules.daemon.progress import Progress
from smm_rules.observe.counters import Counters
from tests.daemon.household import eventually

OFTEN, RARELY = 0.02, 3600.0


class Ticking:
    """Jobs with counters and a machine time that can be moved."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.progress = Progress(600.0)
        self.machine_time = 1000.0
        self.jobs = Jobs(self.counters, self.progress, lambda: self.machine_time)
        self.runs: list[str] = []

    def often(self, name: str, work: Callable[[], Awaitable[object]], seconds: float = OFTEN) -> None:
        async def counted() -> None:
            self.runs.append(name)
            await work()

        self.jobs.every(seconds, name, counted)

    async def ran(self, times: int) -> None:
        await eventually(lambda: len(self.runs) >= times)


@asynccontextmanager
async def ticking() -> AsyncIterator[Ticking]:
    it = Ticking()
    yield it
    it.jobs.stop()
    await it.jobs.drained(1.0)
    it.jobs.shut()


async def nothing() -> None:
    return None


async def test_a_job_runs_at_once_and_again() -> None:
    async with ticking() as it:
        it.often("look", nothing)
        it.jobs.start()
        await it.ran(3)
        assert it.counters.snapshot() == ()


async def test_a_job_that_raises_is_told_counted_and_runs_again() -> None:
    async def fail() -> None:
        raise RuntimeError("no luck")

    with capture_logs() as logs:
        async with ticking() as it:
            it.often("look", fail)
            it.jobs.start()
            await it.ran(2)
            await eventually(lambda: it.counters.value("jobs_raised", job="look") >= 2)
    first = next(line for line in logs if line["event"] == "job.raised")
    assert (first["job"], first["error"]) == ("look", "RuntimeError('no luck')")
    assert "no luck" in first["traceback"]


async def test_a_job_that_overlaps_never_runs_twice_at_once_and_is_told_once_a_run() -> None:
    release = asyncio.Event()
    with capture_logs() as logs:
        async with ticking() as it:
            it.often("look", release.wait)
            it.jobs.start()
            await eventually(lambda: it.counters.value("jobs_overlapped", job="look") >= 3)
            assert it.runs == ["look"]
            told = [line["job"] for line in logs if line["event"] == "job.overlapped"]
            release.set()
            await it.ran(2)
    assert told == ["look"]


async def test_a_slow_job_holds_up_no_other() -> None:
    release = asyncio.Event()
    async with ticking() as it:
        it.often("slow", release.wait)
        it.often("quick", nothing)
        it.jobs.start()
        await eventually(lambda: it.runs.count("quick") >= 3)
        assert it.runs.count("slow") == 1
        release.set()


async def test_a_job_that_comes_late_is_told_counted_and_run_once() -> None:
    with capture_logs() as logs:
        async with ticking() as it:
            it.often("look", nothing)
            it.jobs.start()
            await it.ran(1)
            await eventually(lambda: it.jobs.running == ())
            it.machine_time += LATENESS_TOLERATED + 2 * OFTEN + 60.0  # the machine slept
            runs = len(it.runs)
            await it.ran(runs + 2)
    (line,) = [line for line in logs if line["event"] == "job.missed"]
    assert line["job"] == "look"
    assert line["late"] > timedelta(minutes=1)
    assert it.counters.value("jobs_missed") == 1


async def test_soon_runs_a_job_before_its_time() -> None:
    async with ticking() as it:
        it.often("look", nothing, RARELY)
        it.jobs.start()
        await it.ran(1)
        await eventually(lambda: it.jobs.running == ())
        it.jobs.soon("look")
        await it.ran(2)


async def test_soon_while_running_runs_once_more_however_often_it_is_asked() -> None:
    release = asyncio.Event()
    async with ticking() as it:
        it.often("look", release.wait, RARELY)
        it.jobs.start()
        await it.ran(1)
        for _ in range(5):
            it.jobs.soon("look")
        release.set()
        await it.ran(2)
        await eventually(lambda: it.jobs.running == ())
        assert it.runs == ["look", "look"]


async def test_soon_for_a_job_there_is_not_does_nothing() -> None:
    async with ticking() as it:
        it.often("look", nothing, RARELY)
        it.jobs.start()
        it.jobs.soon("no such job")
        await it.ran(1)
        assert it.runs == ["look"]


async def test_after_a_stop_nothing_starts_and_what_runs_ends() -> None:
    release = asyncio.Event()
    async with ticking() as it:
        it.often("look", release.wait)
        it.often("other", nothing)
        it.jobs.start()
        await eventually(lambda: it.jobs.running == ("look",))
        it.jobs.soon("look")
        it.jobs.stop()
        release.set()
        assert await it.jobs.drained(10.0) is True
        before = list(it.runs)
        it.jobs.soon("other")
        for _ in range(5):
            await asyncio.sleep(OFTEN)
        assert it.runs == before


async def test_a_job_handed_over_just_before_the_stop_does_not_begin() -> None:
    async with ticking() as it:
        it.often("look", nothing)
        it.jobs.start()
        await asyncio.sleep(0)  # the scheduler hands the job to the loop at its first turn
        it.jobs.stop()
        assert await it.jobs.drained(1.0) is True
        assert it.runs == []


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with capture_logs() as logs:
        async with ticking() as it:
            it.often("look", hang)
            it.jobs.start()
            await eventually(lambda: it.jobs.running == ("look",))
            it.jobs.stop()
            assert await it.jobs.drained(0.01) is False
            assert cancelled.is_set()
            assert it.jobs.running == ()
            await asyncio.sleep(0)
    assert [line for line in logs if line["event"] == "job.raised"] == []


async def test_stopping_before_the_start_is_no_error() -> None:
    async with ticking() as it:
        it.often("look", nothing)
    assert it.runs == []
