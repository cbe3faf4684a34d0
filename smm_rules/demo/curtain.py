"""The panel's time in the demonstration: it stands still until the curtain goes up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class CurtainClock:
    """Stands at `start` until `begin` is called, then runs `speed` times as fast as the machine.

    However long the daemon takes to start, and however fast the demonstration runs: what befalls the orders
    does so after it has seen them. What had befallen them before would be old news, on which no rule acts.
    """

    def __init__(
        self, speed: float, start: datetime, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._base = start.timestamp()
        self._begun: float | None = None

    @property
    def speed(self) -> float:
        return self._speed

    def begin(self) -> None:
        """Let time run; nothing when it does already."""
        if self._begun is None:
            self._begun = self._monotonic()

    def seconds(self) -> float:
        begun = self._begun
        return self._base if begun is None else self._base + (self._monotonic() - begun) * self._speed

    def advance(self, duration: timedelta) -> None:
        if duration < timedelta(0):
            raise ValueError(f"a clock only goes forward, not by {duration}")
        self._base += duration.total_seconds()
