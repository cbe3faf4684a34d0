"""APScheduler as the ticker: it says when to look, the ledger says what is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from smm_rules.daemon.progress import Progress
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters

log = get_logger(__name__)
# The ticker's own lines would say a second time, at another level, what the listeners below say.
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


class Jobs:
    """Periodic jobs that never pile up. One that overlaps, is missed or raises is logged and counted."""

    def __init__(self, counters: Counters, progress: Progress) -> None:
        self._counters = counters
        self._progress = progress
        self._overlapping: set[str] = set()
        # misfire_grace_time None: a late run is still a run; the default of one second skips it silently.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._overlapped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._raised, EVENT_JOB_ERROR)
        self._at_work: dict[str, asyncio.Task[object]] = {}
        self._again: set[str] = set()
        self._stopped = False

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work` every so many seconds of the machine's time, the first time at once."""
        self._progress.expect(name)

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._at_work[name] = task
            try:
                await work()
                while name in self._again and not self._stopped:
                    self._again.discard(name)
                    await work()
            finally:
                self._again.discard(name)
                self._at_work.pop(name, None)
                self._overlapping.discard(name)
                self._progress.made(name)

        self._scheduler.add_job(
            run, "interval", seconds=seconds, id=name, name=name, next_run_time=datetime.now(UTC)
        )

    def soon(self, name: str) -> None:
        """Run the job called `name` now instead of at its next time; once more if it is running already."""
        if name in self._at_work:
            self._again.add(name)
        elif self._scheduler.running and self._scheduler.get_job(name) is not None:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Begin to tick. Needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        self._stopped = True
        if self._scheduler.running:
            self._scheduler.pause()

    def shut(self) -> None:
        """End the scheduler itself."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def running(self) -> int:
        """How many jobs are at work now."""
        return len(self._at_work)

    async def drained(self, seconds: float) -> bool:
        """Wait for running jobs, cancel those that take longer; whether all ended by themselves."""
        under_way = set(self._at_work.values())
        if not under_way:
            return True
        _, late = await asyncio.wait(under_way, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return not late

    def _missed(self, event: JobExecutionEvent) -> None:
        late = datetime.now(UTC) - event.scheduled_run_time
        self._counters.increment("jobs_missed", job=event.job_id)
        log.warning("job.missed", job=event.job_id, late=late)

    def _overlapped(self, event: JobSubmissionEvent) -> None:
        """A look longer than its interval is ordinary under load: said once a run, always counted."""
        self._counters.increment("jobs_overlapped", job=event.job_id)
        if event.job_id not in self._overlapping:
            self._overlapping.add(event.job_id)
            log.info("job.overlapped", job=event.job_id)

    def _raised(self, event: JobExecutionEvent) -> None:
        self._counters.increment("jobs_raised", job=event.job_id)
        log.error("job.raised", job=event.job_id, error=repr(event.exception), traceback=event.traceback)
