"""Answers that cost time to find, kept for a moment: many eyes on the page cost the ledger little more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Found = TypeVar("Found")

#: An answer is kept for so many seconds, and for so many times as long as it took to find.
_SHORTEST, _TIMES = 2.0, 50.0


class Kept(Generic[Found]):
    """One answer and until when it will do. Whoever asks meanwhile waits for the same one."""

    def __init__(self, find: Callable[[], Awaitable[Found]], monotonic: Callable[[], float]) -> None:
        self._find = find
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._answer: Found | None = None
        self._until = float("-inf")

    async def __call__(self) -> Found:
        """The answer, no older than it may be."""
        async with self._lock:
            if self._answer is None or self._monotonic() >= self._until:
                began = self._monotonic()
                self._answer = await self._find()
                took = self._monotonic() - began
                self._until = self._monotonic() + max(_SHORTEST, took * _TIMES)
            return self._answer


def kept(
    find: Callable[[], Awaitable[Found]], monotonic: Callable[[], float] = time.monotonic
) -> Kept[Found]:
    """`find`, asked as seldom as its cost suggests."""
    return Kept(find, monotonic)
