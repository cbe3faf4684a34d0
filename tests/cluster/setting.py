"""What tests of workers stand on: a ledger's database with the workers' tables, and a clock set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from smm_rules.cluster.clock import ServerClock
from smm_rules.cluster.database import Database, pool
from smm_rules.cluster.lease import Lease
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.queue import Queue
from smm_rules.cluster.schema import prepare
from smm_rules.ledger.postgres import Access
from smm_rules.observe.counters import Counters

PANEL = "north"
LEASE = timedelta(seconds=10)


@dataclass
class Site:
    """One ledger's database, as any number of workers see it."""

    access: Access
    database: Database
    turns: Database
    stack: AsyncExitStack
    clock: ServerClock = field(default_factory=ServerClock)

    async def lease(self, worker: str = "one", length: timedelta = LEASE) -> Lease:
        """A lease that has begun."""
        lease = Lease(self.access, worker, length, "settings", self.clock)
        self.stack.push_async_callback(lease.aclose)
        await lease.begin()
        return lease

    async def ledger(self) -> WorkerLedger:
        """The ledger, opened once more."""
        ledger = await WorkerLedger.open(self.access)
        self.stack.push_async_callback(ledger.aclose)
        return ledger

    async def end_lease_now(self, epoch: int) -> None:
        """Time passes for one lease alone."""
        statement = "UPDATE leases SET lease_until = clock_timestamp() - interval '1 second' WHERE epoch = %s"
        await self.database.rows(statement, (epoch,))


@asynccontextmanager
async def site(url: str) -> AsyncIterator[Site]:
    """The database at `url`, which has an empty ledger, made fit for workers."""
    access = Access(url)
    async with AsyncExitStack() as stack:
        pools = [pool(access, "tests", 6), pool(access, "turns", 6)]
        for opened in pools:
            await opened.open()
            stack.push_async_callback(opened.close)
        database = Database(pools[0])
        queue = Queue(pools[0], {}, _nothing, Counters(), 10.0)
        await queue.open()
        await prepare(database, queue.app)
        yield Site(access, database, Database(pools[1]), stack)


async def _nothing() -> None:
    """There is nothing to hand out."""
