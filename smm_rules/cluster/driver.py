"""Hands over what is wanted at once: what a look planned is carried out without waiting for the next
dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from smm_rules.cluster.database import Database
from smm_rules.cluster.dispatch import Dispatch, unit_task
from smm_rules.cluster.queue import Queue
from smm_rules.cluster.standing import BALANCE, CATALOGUE, want
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: How long wishes are gathered before they are handed over together, in seconds.
GATHER_SECONDS = 0.05
#: The unit of the ticker that carries out what is planned: here each intent is a job of its own.
ACTIONS = "actions"


class QueueDriver:
    """`daemon.units.Driver` over the queue. What can't be handed over is found by the next dispatch."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._wanted: set[str] = set()
        self._asked = asyncio.Event()

    def soon(self, name: str) -> None:
        self._wanted.add(name)
        self._asked.set()

    async def run(self, stopping: asyncio.Event, queue: Queue, dispatch: Dispatch) -> None:
        """Hand over wishes until `stopping`."""
        while not stopping.is_set():
            waits = [asyncio.ensure_future(event.wait()) for event in (self._asked, stopping)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if not stopping.is_set():
                await asyncio.sleep(GATHER_SECONDS)
                await self._hand_over(queue, dispatch)

    async def _hand_over(self, queue: Queue, dispatch: Dispatch) -> None:
        wanted, self._wanted = self._wanted, set()
        self._asked.clear()
        try:
            for what in (BALANCE, CATALOGUE):
                panels = [name.partition(":")[2] for name in wanted if name.startswith(f"{what}:")]
                if panels:
                    await want(self._database, panels, what, self._now())
            await queue.defer([unit_task(name) for name in wanted if name != ACTIONS], again=True)
            if ACTIONS in wanted:
                await dispatch.intents(self._now())
        except Exception as error:  # the server's or the queue's: the next dispatch finds the same
            log.debug("worker.not_handed_over", error=repr(error))
