"""A ticker in simulated time in place of APScheduler's: the same few calls, the same meaning.

Like APScheduler it waits for instants of the machine's clock, so a clock that jumps meets it the same way;
jobs due together start in an order drawn from the seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)

from tests.proof.timeline import Timeline


@dataclass
class _Ticking:
    name: str
    work: Callable[[], Awaitable[object]]
    interval: timedelta
    next_run: datetime
    task: asyncio.Task[Any] | None = None


class Ticker:
    """One scheduler; `Jobs` is its only user."""

    def __init__(self, timeline: Timeline, chance: Random) -> None:
        self._timeline = timeline
        self._chance = chance
        self._jobs: dict[str, _Ticking] = {}
        self._listeners: dict[int, Callable[[Any], None]] = {}
        self._waking: asyncio.TimerHandle | None = None
        self._paused = False
        self.running = False

    def add_listener(self, listener: Callable[[Any], None], events: int) -> None:
        self._listeners[events] = listener

    def add_job(
        self,
        work: Callable[[], Awaitable[object]],
        trigger: str,
        *,
        seconds: float,
        id: str,
        name: str,
        next_run_time: datetime,
    ) -> None:
        assert trigger == "interval"
        assert name == id
        self._jobs[id] = _Ticking(id, work, timedelta(seconds=seconds), next_run_time)

    def modify_job(self, name: str, *, next_run_time: datetime) -> None:
        self._jobs[name].next_run = next_run_time
        self._wake_in_time()

    def start(self) -> None:
        self.running = True
        self._wake_in_time()

    def pause(self) -> None:
        self._paused = True
        self._wake_in_time()

    def shutdown(self, wait: bool) -> None:
        self.running = False
        self._wake_in_time()

    def _wake_in_time(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if not self.running or self._paused or not self._jobs:
            return
        first = min(job.next_run for job in self._jobs.values())
        wait = max(0.0, (first - self._timeline.wall()).total_seconds())
        self._waking = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._waking = None
        now = self._timeline.wall()
        due = [job for job in self._jobs.values() if job.next_run <= now]
        self._chance.shuffle(due)
        for job in due:
            behind = (now - job.next_run) // job.interval
            job.next_run += job.interval * (behind + 1)
            if job.task is not None:
                self._tell(EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent(0, job.name, "", [now]))
                continue
            job.task = asyncio.get_running_loop().create_task(self._run(job))
        self._wake_in_time()

    async def _run(self, job: _Ticking) -> None:
        try:
            await job.work()
        except (asyncio.CancelledError, Exception) as error:
            job.task = None
            self._tell(EVENT_JOB_ERROR, JobExecutionEvent(0, job.name, "", None, exception=error))
        finally:
            job.task = None

    def _tell(self, kind: int, event: Any) -> None:
        self._listeners[kind](event)
