"""A worker's life: take a lease, agree on the rules, do jobs, drain, give the lease back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smm_rules import __version__
from smm_rules.cluster.assembling import Household, assemble
from smm_rules.cluster.clock import ServerClock
from smm_rules.cluster.following import Following
from smm_rules.cluster.local import Local
from smm_rules.cluster.queue import ACTS, LOOKS
from smm_rules.cluster.shown import WorkingEngine
from smm_rules.config.model import Configuration
from smm_rules.daemon.asked import Asked
from smm_rules.daemon.http_intake import HttpIntake, http_intake_of
from smm_rules.daemon.page import StatusPage, status_page_of
from smm_rules.daemon.rule_files import RuleFiles
from smm_rules.daemon.waiting import either, ended
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.observe.sd_notify import Notifier

log = get_logger(__name__)

#: How often files that aren't those in force are read again, in seconds.
FOLLOW_SECONDS = 1.0
#: The pause before something of the worker's that failed is begun again, in seconds.
_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works: the ledger's database, and where this machine keeps its stamp."""

    access: Access
    stamp: Path | None = None


class ClusterWorker(Asked):
    """Runs until `stop` is called, as one of any number on one ledger.

    1. Open the ledger and the queue, take a lease; a daemon (`smm-rules run`) on the same ledger is refused.
    2. Agree on the rules: follow those in force, or put newer ones into force.
    3. Do jobs, and tell systemd READY. A worker whose rule files are older than those in force does none.
    4. Keep the lease, and take over from workers that are gone.
    5. On SIGTERM or SIGINT begin nothing more, let what is under way settle within `stop_timeout`, give the
       lease back.
    """

    def __init__(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        place: Place,
        notifier: Notifier | None = None,
        clock: ServerClock | None = None,
        *,
        adopt_rules: bool = False,
    ) -> None:
        super().__init__()
        self._configuration = configuration
        self._environment = environment
        self._place = place
        self._notifier = notifier or Notifier.from_environment(environment)
        self._clock = clock or ServerClock()
        self._adopt_rules = adopt_rules
        self.started = asyncio.Event()
        self.counters = Counters()
        self.http_intake: HttpIntake | None = None
        self.page: StatusPage | None = None

    async def run(self) -> None:
        """Live. `LedgerError`, `DocumentError` and `SecretUnavailable` say why it couldn't start."""
        files = RuleFiles(self._configuration.rule_sources, lambda: self.reload("files"))
        async with AsyncExitStack() as stack:
            household = await assemble(
                self._configuration,
                self._environment,
                self._place.access,
                self._place.stamp,
                stack,
                self._clock,
                self._notifier,
                self.counters,
                adopt_rules=self._adopt_rules,
            )
            ending = asyncio.Event()
            tasks = self._begin(household, files, ending)
            try:
                self._say_started(household)
                await self._stopping.wait()
            finally:
                files.stop()
                await self._drain(household, ending, tasks)

    # -- at work -----------------------------------------------------------------------------------------
    def _begin(
        self, household: Household, files: RuleFiles, ending: asyncio.Event
    ) -> tuple[list[asyncio.Task[None]], list[asyncio.Task[None]]]:
        """The tasks that end at a stop, and those that go on until all is settled."""
        cluster = self._configuration.cluster
        doing, following = household.doing, household.following
        local = Local(household, self._notifier)
        at_work: list[Coroutine[Any, Any, None]] = [
            self._serve(household, LOOKS, cluster.looks),
            self._serve(household, ACTS, cluster.actions),
            household.driver.run(self._stopping, household.queue, household.dispatch),
            self._follow(following),
            local.take_in(self._stopping),
        ]
        if self._configuration.reload.watch:
            at_work.append(files.run())
        work = household.work
        self.http_intake = http_intake_of(work, self._environment, shared=True)
        if self.http_intake is not None:
            at_work.append(self.http_intake.run(self._stopping))
        engine = WorkingEngine(self.counters, following, work.progress, work.act_soon)
        self.page = status_page_of(work, self._environment, engine)
        if self.page is not None:
            at_work.append(self.page.run(self._stopping))
        to_the_end: list[Coroutine[Any, Any, None]] = [
            household.keeper.run(ending),
            local.settle(ending, doing),
            local.tidy(ending),
            local.feed(ending),
        ]
        return ([self._kept(one) for one in at_work], [self._kept(one) for one in to_the_end])

    def _kept(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose failure ends the worker: half a worker must not look like a whole one."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._failed)
        return task

    def _failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("worker.failed", error=repr(task.exception()))
            self.stop()

    async def _serve(self, household: Household, queue: str, at_once: int) -> None:
        """Do jobs of a queue whenever the rules in force are this worker's."""
        seconds = self._configuration.stop_timeout.total_seconds()
        while not self._stopping.is_set():
            await either(household.following.current, self._stopping)
            if self._stopping.is_set():
                return
            pausing = asyncio.Event()
            watching = asyncio.create_task(_set_after(pausing, household.following.behind, self._stopping))
            try:
                await household.queue.serve(queue, at_once, pausing, seconds)
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def _follow(self, following: Following) -> None:
        """Read the rules again when files changed, when a signal asks, and while others are in force."""
        while not self._stopping.is_set():
            await either(self._reload_wanted, following.behind, self._stopping)
            if self._stopping.is_set():
                return
            try:
                await self._follow_once(following)
            except LedgerError as error:
                log.warning("worker.rules_unknown", error=str(error))
            if following.behind.is_set():
                await either(self._reload_wanted, self._stopping, seconds=FOLLOW_SECONDS)

    async def _follow_once(self, following: Following) -> None:
        if self._reload_wanted.is_set():
            self._reload_wanted.clear()
            self._notifier.reloading()
            await following.reload(self._asked_by)
            self._notifier.ready(self._status(following))
        if following.behind.is_set():
            await following.follow()
            self._notifier.status(self._status(following))

    # -- beginning and end -------------------------------------------------------------------------------
    def _say_started(self, household: Household) -> None:
        log.info(
            "worker.started",
            version=__version__,
            worker=household.lease.worker,
            epoch=household.lease.epoch,
            panels=len(self._configuration.panels),
            rules=len(household.following.rules.current().rules),
            generation=household.following.generation,
            mode=self._configuration.mode,
            ledger=household.address,
        )
        self._notifier.ready(self._status(household.following))
        self.started.set()

    def _status(self, following: Following) -> str:
        if following.generation is None:
            return "Waiting: newer rules are in force than this machine's files have"
        return f"Working by {len(following.rules.current().rules)} rules"

    async def _drain(
        self,
        household: Household,
        ending: asyncio.Event,
        tasks: tuple[list[asyncio.Task[None]], list[asyncio.Task[None]]],
    ) -> None:
        """Let what is under way end within `stop_timeout`, then cancel it: the executor settles even then."""
        at_work, to_the_end = tasks
        running = household.queue.running
        log.info("worker.stopping", under_way=sorted(running.jobs.values()))
        self._notifier.stopping("Finishing what is under way")
        self._stopping.set()
        household.work.executor.stop()
        seconds = self._configuration.stop_timeout.total_seconds()
        drained = await ended(running.tasks, seconds)
        if not drained:
            log.warning("worker.drain_timed_out", under_way=sorted(running.jobs.values()), seconds=seconds)
        await ended(at_work, seconds)
        await household.say_goodbye()
        ending.set()
        await ended(to_the_end, seconds)
        log.info("worker.stopped", drained=drained)


async def _set_after(event: asyncio.Event, *others: asyncio.Event) -> None:
    """Set `event` once one of the others is."""
    await either(*others)
    event.set()
