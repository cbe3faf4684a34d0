"""The time of the ledger's server, so that the clocks of the machines may say what they like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from smm_rules.panel.sending import machine_time

#: A reading that took longer than this, in seconds, is too vague to correct a better one.
VAGUE = 0.5
#: How long a precise reading is kept against vaguer ones: quartz drifts by less than a millisecond in it.
KEPT_SECONDS = 60.0


class ServerClock:
    """Counts on from what the server's clock last said, by the machine's time since boot.

    All workers of a ledger so have one clock: what one puts off by an hour is due in an hour for all.
    """

    def __init__(self, machine: Callable[[], float] = machine_time) -> None:
        self._machine = machine
        self._server: datetime | None = None
        self._read_at = 0.0
        self._took = 0.0

    def note(self, said: datetime, asked_at: float, answered_at: float) -> None:
        """The server said `said` at some moment between two of the machine's."""
        took = answered_at - asked_at
        fresh = self._server is not None and answered_at - self._read_at < KEPT_SECONDS
        if fresh and took > max(VAGUE, self._took) and abs(self._ahead(said, asked_at, took)) < took:
            return
        self._server, self._read_at, self._took = said.astimezone(UTC), asked_at + took / 2, took

    def _ahead(self, said: datetime, asked_at: float, took: float) -> float:
        """By how many seconds the reading differs from what was expected."""
        assert self._server is not None
        expected = self._server + timedelta(seconds=asked_at + took / 2 - self._read_at)
        return (said - expected).total_seconds()

    def now(self) -> datetime:
        """The server's time. `RuntimeError` before it was ever asked."""
        if self._server is None:
            raise RuntimeError("the server's clock hasn't been read yet")
        return self._server + timedelta(seconds=self._machine() - self._read_at)

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()
