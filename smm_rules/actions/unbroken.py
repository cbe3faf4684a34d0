"""Awaiting what must run to its end even when the task that awaits it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """Run `work` to its end, however often the waiting task is cancelled meanwhile.

    Gives its result, and whether the waiting task was asked to stop: the caller passes that on when it has
    done what it must. An error of `work` is raised.
    """
    task = asyncio.ensure_future(work)
    stopped = False
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            stopped = True
    return task.result(), stopped
