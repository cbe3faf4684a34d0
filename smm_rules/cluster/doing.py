"""Doing the jobs: a unit of the daemon's work, or one intent, each within a run under the worker's lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from smm_rules.cluster.database import Database
from smm_rules.cluster.dispatch import unit_of
from smm_rules.cluster.lease import Lease
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.runs import Run, running
from smm_rules.cluster.standing import SharedStanding, end_pauses, read_all
from smm_rules.cluster.turns import RulesOutdated
from smm_rules.daemon.units import Unit
from smm_rules.daemon.work import Work
from smm_rules.ledger.records import IntentState
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: A look counts as tried since the start when it was within so many of its intervals.
LATELY_INTERVALS = 2
_FREE_READS = "DELETE FROM reads WHERE epoch = %s AND run = %s"
_OPEN = (IntentState.PLANNED, IntentState.SENDING)
#: The unit that needs to know how panels have been answering, whoever looked.
_BRAKES = "brakes"
#: The unit that needs to know which panels can't be read, whoever looked.
_OUTBOX = "outbox"


@dataclass(slots=True)
class Doing:
    """The handlers of the queue. `outdated` is called when other rules turn out to be in force."""

    work: Work
    ledger: WorkerLedger
    lease: Lease
    database: Database
    outdated: Callable[[], object]
    units: Mapping[str, Unit] = field(default_factory=dict)
    standings: dict[str, SharedStanding] = field(default_factory=dict)
    _settling: asyncio.Lock = field(default_factory=asyncio.Lock)

    def prepare(self) -> None:
        """Take over the units and the standings of the loaded work."""
        self.units = {unit.name: unit for unit in self.work.units()}
        for name, watch in self.work.watches.items():
            pace = watch.pace
            shortest: timedelta = max(pace.balance, pace.catalogue)
            self.standings[name] = SharedStanding(
                self.database, self.work.parts.ledger, watch.standing, shortest * LATELY_INTERVALS
            )

    async def unit(self, name: str) -> None:
        """Do one unit. One that this worker doesn't know is left to those that do."""
        unit = self.units.get(unit_of(name))
        if unit is None:
            log.warning("worker.unit_unknown", unit=name)
            return
        with running(self.lease.epoch) as run:
            if unit.panel is None:
                await self._unless_outdated(lambda: self._beside_looks(unit))
            else:
                await self._unless_outdated(lambda: self._look(unit, unit.panel or "", run))

    async def intent(self, name: str) -> None:
        """Carry out one intent, and have carried out at once what follows from it."""
        number = int(name.partition(":")[2])
        with running(self.lease.epoch):
            await self._unless_outdated(lambda: self._carry_out(number))

    async def settle_again(self) -> None:
        """Write down outcomes that the ledger wouldn't take before, and take back claims that may not be."""
        async with self._settling:
            await self.ledger.take_back_doubtful()
            if self.work.executor.unwritten:
                await self.work.executor.settle_again()

    async def _carry_out(self, number: int) -> None:
        after = await self.work.executor.run_one(number)
        if after is not None and after.state not in _OPEN:
            self.work.counters.increment("actions", state=after.state.value)
            self.work.act_soon()

    async def _beside_looks(self, unit: Unit) -> None:
        if unit.kind == _BRAKES:
            for panel, known in (await read_all(self.database, list(self.standings))).items():
                self.standings[panel].note_health(known)
        if unit.kind == _OUTBOX:
            shared = await read_all(self.database, list(self.standings))
            self.work.known_outages = {panel: known.outages for panel, known in shared.items()}
        before = self.work.beaten_at
        await unit.run()
        after = self.work.beaten_at
        if before is not None and after is not None and after < before:
            # The server's clock was set back: pauses were counted by the one that was ahead.
            await end_pauses(self.database, list(self.standings))

    async def _look(self, unit: Unit, panel: str, run: Run) -> None:
        standing = self.standings[panel]
        await standing.before(unit.kind, self.work.clock.now())
        self.work.progress.begun(unit.name)
        try:
            await unit.run()
        finally:
            self.work.progress.ended(unit.name)
            if run.taken:
                await self.database.rows(_FREE_READS, (run.epoch, run.number))
            await standing.after(unit.kind)

    async def _unless_outdated(self, job: Callable[[], Awaitable[object]]) -> None:
        try:
            await job()
        except RulesOutdated:
            log.info("worker.rules_outdated")
            self.outdated()
