"""Whether a request that changes something may leave, asked right before its first byte is written.

A request may wait long until then: for the panel's budget, for a connection. Whoever claimed an action looks
again within `looked_at_last(look)`, whether it is still to be sent. Who claims under a lease, because another
process may take this one for dead, sends within `sent_before(instant)`. The instant is on the machine's own
time since boot, which no setting of the clock changes and which goes on while machine or process sleep.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Look = Callable[[], Awaitable[None]]

_before: ContextVar[float | None] = ContextVar("sent_before", default=None)
_look: ContextVar[Look | None] = ContextVar("looked_at_last", default=None)


class TooLate(Exception):
    """The request's time to leave has passed; it was stopped before any more of it was written."""


class Withheld(Exception):
    """Whoever asked for the request holds it back; nothing of it was written."""


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


@contextmanager
def looked_at_last(look: Look) -> Iterator[None]:
    """Within the block `look` is awaited before a paid call is written; whatever it raises stops the call."""
    token = _look.set(look)
    try:
        yield
    finally:
        _look.reset(token)


async def look_last() -> None:
    """Take the last look, where one is asked for; `Withheld` when it says no or fails."""
    look = _look.get()
    if look is None:
        return
    try:
        await look()
    except Withheld:
        raise
    except Exception as error:  # who can't tell whether it may leave keeps it
        raise Withheld(f"whether it may leave couldn't be told: {error}") from error
