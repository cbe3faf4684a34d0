"""When a read is tried again, and how long after. Paid calls never come here."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from smm_rules.panel.errors import PanelError, RateLimited, Rejected

if TYPE_CHECKING:
    import stamina

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently a read is repeated.

    `attempts` counts the first one too. No attempt begins later than `within` after the first. Waits double
    from `first_wait` up to `longest_wait`, with `jitter` on top. `unnamed_wait` follows a rate limit that
    names no time. A panel that asks for more than `longest_asked_wait` is not waited for: the `RateLimited`
    goes to the caller.
    """

    attempts: int = 4
    within: timedelta = timedelta(seconds=90)
    first_wait: timedelta = timedelta(seconds=0.5)
    longest_wait: timedelta = timedelta(seconds=10)
    jitter: timedelta = timedelta(seconds=1)
    unnamed_wait: timedelta = timedelta(seconds=15)
    longest_asked_wait: timedelta = timedelta(seconds=60)

    def wait_after(self, error: Exception) -> bool | timedelta:
        """Whether to try again, or the wait the panel asked for."""
        if isinstance(error, RateLimited):
            if error.retry_after is None:
                return self.unnamed_wait
            return error.retry_after if error.retry_after <= self.longest_asked_wait else False
        return isinstance(error, PanelError) and not isinstance(error, Rejected)

    def pause_after(self, error: RateLimited) -> timedelta:
        """How long all other requests to the panel are held back."""
        return min(error.retry_after or timedelta(0), self.longest_asked_wait)


async def retried(
    attempt: Callable[[int], Awaitable[Answer]],
    policy: RetryPolicy,
    on_retry: Callable[[int, PanelError], None],
) -> Answer:
    """The answer of `attempt(number)`, repeated as `policy` says; its last error when all failed.

    `on_retry` hears of each repetition as it begins: its number and the error before it.
    """
    begun = time.monotonic()
    try:
        return await attempt(1)  # nearly always all there is, and the rest takes its time even then
    except PanelError as error:
        failure = error
    left = policy.within - timedelta(seconds=time.monotonic() - begun)
    async for turn in _turns(policy, left):
        with turn:
            if turn.num == 1:
                raise failure  # the attempt made above
            on_retry(turn.num, failure)
            try:
                return await attempt(turn.num)
            except PanelError as error:
                failure = error
                raise
    raise AssertionError("stamina gives at least one turn and raises the last error")


def _turns(policy: RetryPolicy, left: timedelta) -> AsyncIterator[stamina.Attempt]:
    """The turns of stamina, which is loaded by the first read that fails: one in peace needs none of it."""
    import stamina.instrumentation

    # It would log every retry under a name of its own; `panel.retry` tells it in the project's words.
    stamina.instrumentation.set_on_retry_hooks([])
    return stamina.retry_context(
        on=policy.wait_after,
        attempts=policy.attempts,
        timeout=max(left, timedelta(microseconds=1)),
        wait_initial=policy.first_wait,
        wait_max=policy.longest_wait,
        wait_jitter=policy.jitter,
    ).__aiter__()
