"""Whether the daemon is getting on: what feeds systemd's watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Pace:
    """A job's interval in seconds, when it last got on, and whether it is at work."""

    every: float
    last: float
    at_work: bool = False


class Progress:
    """How each job gets on, by the machine's monotonic clock in seconds.

    A job at work gets on with every step it makes (an answered request, a round done), one at rest by being
    started in time. The watchdog is fed while no job has stood still for longer than `patience`; a stuck one
    starves it, so systemd restarts the daemon. A timer alone would go on beating over a dead engine.
    """

    def __init__(self, patience: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._jobs: dict[str, _Pace] = {}

    def expect(self, job: str, every: float) -> None:
        """Begin to watch a job that is to be started every so many seconds."""
        self._jobs[job] = _Pace(every, self._monotonic())

    def begun(self, job: str) -> None:
        """A run of the job has begun."""
        self._note(job, at_work=True)

    def step(self, job: str) -> None:
        """A run of the job got a step on. At rest it is only noted; jobs not watched are nobody's concern."""
        pace = self._jobs.get(job)
        if pace is not None:
            pace.last = self._monotonic()

    def ended(self, job: str) -> None:
        """A run of the job has ended, well or not: it isn't stuck."""
        self._note(job, at_work=False)

    def stuck(self) -> tuple[str, ...]:
        """Jobs that have stood still for longer than `patience`."""
        now = self._monotonic()
        return tuple(
            job
            for job, pace in self._jobs.items()
            if now - pace.last > self._patience + (0 if pace.at_work else pace.every)
        )

    def at_rest(self) -> dict[str, float]:
        """Seconds since each job last got on."""
        now = self._monotonic()
        return {job: now - pace.last for job, pace in self._jobs.items()}

    def _note(self, job: str, at_work: bool) -> None:
        pace = self._jobs[job]
        pace.last, pace.at_work = self._monotonic(), at_work
