"""How often and how widely one panel is asked: requests a minute and requests at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

from aiolimiter import AsyncLimiter

#: How many requests may go out at once after a quiet time, at most.
LARGEST_BURST = 5


class Turns(Protocol):
    """Who says when a panel may be asked."""

    def turn(self, *, urgent: bool) -> AbstractAsyncContextManager[None]:
        """Wait for a turn and hold a place among the requests under way for the block."""
        ...

    async def ready(self) -> None:
        """Wait until an urgent turn would most likely be had at once."""
        ...

    def pause(self, duration: timedelta) -> None:
        """Begin no turn for `duration`."""
        ...


def shape(requests_per_minute: int) -> tuple[int, float]:
    """How many requests may go out at once, and how many a second after that.

    A full bucket and a minute of its leak together are what the panel allows in any minute.
    """
    burst = min(LARGEST_BURST, max(1, requests_per_minute // 10))
    steady = requests_per_minute - burst if burst > 1 else requests_per_minute
    return burst, steady / 60.0


class Budget:
    """Turns to ask one panel.

    In no minute do more than `requests_per_minute` turns begin, at most `LARGEST_BURST` of them at once;
    never are more than `connections` under way. Urgent turns (paid calls) go before all that wait.
    """

    def __init__(self, requests_per_minute: int, connections: int) -> None:
        burst, a_second = shape(requests_per_minute)
        self._limiter = AsyncLimiter(burst, burst / a_second)
        self._places = Places(connections)
        self._resume_at = 0.0

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for a turn, and hold a place among the requests under way for the block."""
        await self._places.take(urgent=urgent)
        try:
            await self.resumed()
            await self._limiter.acquire()
            yield
        finally:
            self._places.give_back()

    async def ready(self) -> None:
        """Wait until an urgent turn would most likely be had at once. Takes nothing."""
        await self._places.take(urgent=True)
        try:
            await self.resumed()
            while not self._limiter.has_capacity():  # noqa: ASYNC110 - the limiter has no event to await
                await asyncio.sleep(self._limiter.time_period / self._limiter.max_rate)
        finally:
            self._places.give_back()

    def pause(self, duration: timedelta) -> None:
        """Begin no turn for `duration`: the panel asked for it."""
        until = asyncio.get_running_loop().time() + duration.total_seconds()
        self._resume_at = max(self._resume_at, until)

    async def resumed(self) -> None:
        """Wait until no pause is left."""
        # Not one sleep: another answer may have lengthened the pause meanwhile.
        while (left := self._resume_at - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)


class Places:
    """A semaphore that serves the urgent first, and each kind in the order of coming."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._ordinary: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool) -> None:
        if self._free > 0:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._ordinary).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            # The place may have been handed over in the very moment of the cancelling.
            if waiter.done() and not waiter.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        for queue in (self._urgent, self._ordinary):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._free += 1
