"""Whether the daemon is getting on: what feeds systemd's watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """When each job last came to an end, by the machine's monotonic clock in seconds.

    The watchdog is fed while every job has ended within `patience`; a stuck one starves it, so systemd
    restarts the daemon. A timer alone would go on beating over a dead engine.
    """

    def __init__(self, patience: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._last: dict[str, float] = {}

    def expect(self, job: str) -> None:
        """Begin to watch a job."""
        self._last[job] = self._monotonic()

    def made(self, job: str) -> None:
        """A run of the job has ended, well or not: it isn't stuck."""
        self._last[job] = self._monotonic()

    def stuck(self) -> tuple[str, ...]:
        """Jobs that haven't ended a run for longer than `patience`."""
        oldest = self._monotonic() - self._patience
        return tuple(job for job, last in self._last.items() if last < oldest)
