"""A desk in a thread of its own, for callers that block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from smm_rules.config.web import ListenAddress
from tests.receiving.desk import Desk, opened

R = TypeVar("R")


class ThreadedDesk:
    """A served desk, and a way to ask what lies behind it."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self.desk = desk
        self.url = f"http://{desk.address}"
        self._loop = loop

    def run(self, asked: Coroutine[Any, Any, R]) -> R:
        """What a coroutine of the desk comes to."""
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60)


@contextmanager
def threaded(directory: Path, **how: Any) -> Iterator[ThreadedDesk]:
    """A desk on a port until the end of the block."""
    ready: Future[ThreadedDesk] = Future()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    async def serve() -> None:
        try:
            async with opened(directory, listen=ListenAddress("127.0.0.1", 0), **how) as desk:
                await desk.read_catalogue()
                ready.set_result(ThreadedDesk(desk, loop))
                await ending.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(60)
        loop.close()
