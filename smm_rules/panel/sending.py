"""How late a request that changes something may leave, where another process may take this one for dead.

Whoever claims an action under a lease sends within `sent_before(instant)`. The instant is on the machine's
own time since boot, which no setting of the clock changes and which goes on while machine or process sleep.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_before: ContextVar[float | None] = ContextVar("sent_before", default=None)


class TooLate(Exception):
    """The request's time to leave has passed; it was stopped before any more of it was written."""


def machine_time() -> float:
    """Seconds since boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextmanager
def sent_before(instant: float | None) -> Iterator[None]:
    """Within the block no part of a paid call is written at or after `instant`; None sets no bound."""
    token = _before.set(instant)
    try:
        yield
    finally:
        _before.reset(token)


def seconds_left() -> float | None:
    """How long a request may still take to leave, 0 or less when it is too late; None without a bound."""
    instant = _before.get()
    return None if instant is None else instant - machine_time()


def check_in_time() -> None:
    """`TooLate` once nothing may leave any more."""
    left = seconds_left()
    if left is not None and left <= 0:
        raise TooLate("the time in which it might be sent has passed")
