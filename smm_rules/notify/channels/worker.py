"""Blocking calls of a channel, one at a time, that can't keep the daemon from going on or from ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from smm_rules.notify.channel import DeliveryFailed

Answer = TypeVar("Answer")


class Worker:
    """Runs one blocking call at a time in a daemon thread.

    A thread can't be stopped from outside. A call that outlives its time is left to itself, and until it
    has ended the worker refuses another: hung calls can't pile up. asyncio's own pool would make the
    program wait for them at exit.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: Future[Any] | None = None

    async def run(self, call: Callable[[], Answer], timeout: timedelta) -> Answer:
        """The answer of `call`, or what it raised; `DeliveryFailed` when it takes longer than `timeout`."""
        # Not whether the thread lives: it does so a moment longer than its call.
        if self._under_way is not None and not self._under_way.done():
            raise DeliveryFailed("the attempt before this one is still running")
        answer: Future[Answer] = Future()
        answer.set_running_or_notify_cancel()
        self._under_way = answer

        def work() -> None:
            try:
                answer.set_result(call())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=work, name=f"channel {self._name}", daemon=True).start()
        try:
            async with asyncio.timeout(timeout.total_seconds()) as limit:
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            if not limit.expired():
                raise
            seconds = timeout.total_seconds()
            raise DeliveryFailed(f"no answer within {seconds:g} s; it may have been delivered") from None
