"""What each worker does for itself, beside the queue: watchdog, drop folder, tidying, unwritten outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from smm_rules.cluster.assembling import Household
from smm_rules.cluster.doing import Doing
from smm_rules.cluster.queue import TIDY_SECONDS
from smm_rules.observe import get_logger
from smm_rules.observe.sd_notify import Notifier

log = get_logger(__name__)

#: How often outcomes that the ledger wouldn't take are offered again, in seconds.
SETTLE_SECONDS = 0.5
#: How often the watchdog is fed, in seconds, unless systemd asks for more.
FEED_SECONDS = 10.0
#: How often the drop folder is looked at, in seconds.
FOLDER_SECONDS = 2.0


class Local:
    """Small loops, each until its event is set. What fails is tried again at the next round."""

    def __init__(self, household: Household, notifier: Notifier) -> None:
        self._household = household
        self._notifier = notifier

    async def settle(self, ending: asyncio.Event, doing: Doing) -> None:
        """Offer outcomes again that the ledger wouldn't take."""
        await self._every(SETTLE_SECONDS, ending, doing.settle_again)

    async def tidy(self, ending: asyncio.Event) -> None:
        """Drop jobs that nobody does."""
        await self._every(TIDY_SECONDS, ending, self._household.queue.tidy)

    async def take_in(self, stopping: asyncio.Event) -> None:
        """Import what lies in this machine's drop folder, in turn with workers that see the same one."""
        folder = self._household.work.drop_folder
        if folder is None:
            return

        async def scan() -> None:
            async with self._household.folder_turn:
                await self._household.work.take_in()

        await self._every(FOLDER_SECONDS, stopping, scan)

    async def feed(self, ending: asyncio.Event) -> None:
        """Feed systemd's watchdog while the worker gets on."""
        asked = self._notifier.watchdog_interval
        seconds = min(FEED_SECONDS, asked.total_seconds()) if asked else FEED_SECONDS

        async def look() -> None:
            stuck = self._household.work.progress.stuck()
            if stuck:
                self._household.work.counters.increment("watchdog_withheld")
                log.error("daemon.stuck", jobs=list(stuck))
                self._notifier.status(f"Stuck: {', '.join(stuck)}")
                return
            self._notifier.watchdog()

        await self._every(seconds, ending, look)

    async def _every(
        self, seconds: float, ending: asyncio.Event, work: Callable[[], Awaitable[object]]
    ) -> None:
        while not ending.is_set():
            try:
                await work()
            except Exception as error:  # most often the server's: the next round tries again
                log.debug("worker.round_failed", error=repr(error))
            try:
                await asyncio.wait_for(ending.wait(), seconds)
            except TimeoutError:
                continue
