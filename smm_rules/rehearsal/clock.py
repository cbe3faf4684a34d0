"""Simulated time: it stands still until it is moved, and knows nothing of the machine's."""

from __future__ import annotations

from datetime import datetime, timedelta


class StageClock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def real_seconds(self, duration: timedelta) -> float:  # noqa: ARG002 - the clock's interface
        """Simulated time takes none of the machine's."""
        return 0.0

    def move_to(self, at: datetime) -> None:
        """Go on to `at`; `ValueError` for going back."""
        if at < self._at:
            raise ValueError(f"simulated time can't go back from {self._at} to {at}")
        self._at = at
