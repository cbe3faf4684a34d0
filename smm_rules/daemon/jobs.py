"""APScheduler as the ticker: it says when to look, the ledger says what is due."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from smm_rules.daemon.progress import Progress
from smm_rules.daemon.waiting import ended
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters

log = get_logger(__name__)
# The ticker's own lines would say a second time, at another level, what is said here.
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

#: A run that begins later than a whole interval and this many seconds after its time counts as missed.
LATENESS_TOLERATED = 5.0
#: How often the clock is compared with the machine's own time, and by how many seconds it may lag behind it.
CLOCK_COMPARED_EVERY, LAG_TOLERATED = 5.0, 1.0


def seconds_since_boot() -> float:
    """The machine's own time in seconds, which no setting of the clock changes and sleep doesn't stop."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class _Job:
    """One job: what it does and where it stands. `due` is when it should next begin, since boot."""

    name: str
    seconds: float
    work: Callable[[], Awaitable[object]]
    due: float | None = None
    task: asyncio.Task[object] | None = None
    again: bool = False
    overlap_told: bool = False


class Jobs:
    """Periodic jobs that never pile up. One that overlaps, comes late or raises is logged and counted."""

    def __init__(
        self,
        counters: Counters,
        progress: Progress,
        machine_time: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self._counters = counters
        self._progress = progress
        self._machine_time = machine_time
        self._jobs: dict[str, _Job] = {}
        # misfire_grace_time None: a late run is still a run; the default of one second skips it silently.
        # APScheduler then has no word for a late run, so `_tell_if_late` finds it out.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_listener(self._overlapped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._raised, EVENT_JOB_ERROR)
        self._stopped = False
        self._compared_at = (datetime.now(UTC), machine_time())
        self._comparing: asyncio.TimerHandle | None = None

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work` every so many seconds of the machine's time, the first time at once."""
        job = _Job(name, seconds, work)
        self._jobs[name] = job
        self._progress.expect(name, seconds)

        async def run() -> None:
            await self._run(job)

        self._scheduler.add_job(
            run, "interval", seconds=seconds, id=name, name=name, next_run_time=datetime.now(UTC)
        )

    async def _run(self, job: _Job) -> None:
        if self._stopped:  # handed over just before the stop
            return
        self._tell_if_late(job)
        job.task = asyncio.current_task()
        self._progress.begun(job.name)
        try:
            await job.work()
            while job.again and not self._stopped:
                job.again = False
                self._progress.step(job.name)
                await job.work()
        finally:
            job.task, job.again, job.overlap_told = None, False, False
            job.due = self._machine_time() + job.seconds
            self._progress.ended(job.name)

    def _tell_if_late(self, job: _Job) -> None:
        """The machine slept, or was too busy to tick: what should have run meanwhile runs once now."""
        late = 0.0 if job.due is None else self._machine_time() - job.due
        if late > job.seconds + LATENESS_TOLERATED:
            self._counters.increment("jobs_missed", job=job.name)
            log.warning("job.missed", job=job.name, late=timedelta(seconds=late))

    def soon(self, name: str) -> None:
        """Run the job called `name` now instead of at its next time; once more if it is running already."""
        job = self._jobs.get(name)
        if job is None:
            return
        if job.task is not None:
            job.again = True
        elif self._scheduler.running:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Begin to tick. Needs a running event loop."""
        self._compared_at = (datetime.now(UTC), self._machine_time())
        self._scheduler.start()
        self._compare_clock()

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.pause()

    def _compare_clock(self) -> None:
        """The ticker waits for instants of the clock: set back, it would wait for them a second time."""
        clock, machine = datetime.now(UTC), self._machine_time()
        set_back = (machine - self._compared_at[1]) - (clock - self._compared_at[0]).total_seconds()
        self._compared_at = (clock, machine)
        if set_back > LAG_TOLERATED and not self._stopped:
            log.warning("job.clock_set_back", by=timedelta(seconds=set_back))
            for name in self._jobs:
                self._scheduler.modify_job(name, next_run_time=clock)
        loop = asyncio.get_running_loop()
        self._comparing = loop.call_later(CLOCK_COMPARED_EVERY, self._compare_clock)

    def shut(self) -> None:
        """End the scheduler itself."""
        if self._comparing is not None:
            self._comparing.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def running(self) -> tuple[str, ...]:
        """The jobs at work now."""
        return tuple(job.name for job in self._jobs.values() if job.task is not None)

    async def drained(self, seconds: float) -> bool:
        """Wait for running jobs, cancel those that take longer; whether all ended by themselves."""
        return await ended([job.task for job in self._jobs.values() if job.task is not None], seconds)

    def _overlapped(self, event: JobSubmissionEvent) -> None:
        """A look longer than its interval is ordinary under load: said once a run, always counted."""
        self._counters.increment("jobs_overlapped", job=event.job_id)
        job = self._jobs[event.job_id]
        if not job.overlap_told:
            job.overlap_told = True
            log.info("job.overlapped", job=event.job_id)

    def _raised(self, event: JobExecutionEvent) -> None:
        if isinstance(event.exception, asyncio.CancelledError):
            return  # cut off by a drain that timed out, and told there
        self._counters.increment("jobs_raised", job=event.job_id)
        log.error("job.raised", job=event.job_id, error=repr(event.exception), traceback=event.traceback)
