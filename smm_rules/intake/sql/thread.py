"""One thread for one database: its drivers block, and some want to be called by one thread alone.

A process that ends doesn't wait for it: a database that doesn't answer must not keep it from stopping.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")
_Job = Callable[[], None]


class OneThread:
    """Runs plain functions one after the other on a thread of its own, until it is closed."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, function: Callable[[], Result]) -> Result:
        """What `function` returns or raises. Cancelled, the caller goes on and the function is let be."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def job() -> None:
            try:
                result = function()
            except BaseException as error:
                _tell(loop, done, error=error)
            else:
                _tell(loop, done, result=result)

        self._jobs.put(job)
        return await done

    def close(self, last: Callable[[], None] = lambda: None) -> None:
        """Run `last` when all before has ended, then end the thread. Doesn't wait for that."""
        self._jobs.put(last)
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _tell(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[Result],
    *,
    result: Result | None = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # it is the function's own

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended meanwhile
