"""The panel's own time: a wall clock that can run faster, stand still and be pushed forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class PanelClock(Protocol):
    """What the panel needs of a clock; inject your own to share one with the code under test."""

    @property
    def speed(self) -> float:
        """Panel seconds per second of the machine; 0 when time moves by hand only."""
        ...

    def seconds(self) -> float:
        """The current instant in seconds since 1970, UTC."""
        ...

    def advance(self, duration: timedelta) -> None:
        """Move the clock forward by `duration`."""
        ...


class SimulatorClock:
    """Starts at `start` (the machine's time if not given) and runs `speed` times as fast as the machine.

    `speed=0` stands still and moves by `advance` alone, which is what most tests want.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed < 0:
            raise ValueError(f"a clock's speed must be 0 or more, not {speed}")
        self._speed = speed
        self._monotonic = monotonic
        self._started = monotonic()
        self._base = (start or datetime.now(UTC)).timestamp()

    @property
    def speed(self) -> float:
        return self._speed

    def seconds(self) -> float:
        return self._base + (self._monotonic() - self._started) * self._speed

    def advance(self, duration: timedelta) -> None:
        if duration < timedelta(0):
            raise ValueError(f"a clock only goes forward, not by {duration}")
        self._base += duration.total_seconds()


def instant(seconds: float) -> datetime:
    """The aware UTC instant `seconds` after 1970."""
    return datetime.fromtimestamp(seconds, UTC)
