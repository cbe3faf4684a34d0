"""The transactions of one process on a PostgreSQL ledger: three lanes, so that nobody waits for the others.

- **deciding**: what plans, claims, settles, or is otherwise written down as a decision. Such transactions are
  one at a time over all processes, by an advisory lock taken before their first statement: each then sees all
  that those before it have committed, so guards add up everything and the record is one chain.
- **beside**: what decides nothing, such as looks at orders that bring no firing. Rows are locked, no more.
- **reading**: each read is of one moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres.errors import translated
from smm_rules.ledger.postgres.lane import Lane
from smm_rules.ledger.sql.query import Connection

P = ParamSpec("P")
R = TypeVar("R")


class PostgresTransactions:
    """See `ledger.sql.transactions.Transactions`. `address` names the database in errors."""

    def __init__(self, address: str, deciding: Lane, beside: Lane, reading: Lane) -> None:
        self.address = address
        self._deciding = _Thread(address, deciding, "deciding")
        self._beside = _Thread(address, beside, "beside")
        self._reading = _Thread(address, reading, "reading")
        self._closed = False

    async def write(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self._run(self._deciding, lambda lane: lane.decide(function, *args, **kwargs))

    async def write_beside(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self._run(self._beside, lambda lane: lane.beside(function, *args, **kwargs))

    async def read(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        return await self._run(self._reading, lambda lane: lane.read(function, *args, **kwargs))

    async def alone(self, function: Callable[[Connection], R], /) -> R:
        return await self._run(self._deciding, function)

    async def open(self) -> None:
        """Connect. `LedgerError` says what is wrong; nothing is left behind then."""
        try:
            await self._run(self._deciding, Lane.open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.gather(*(thread.close() for thread in (self._deciding, self._beside, self._reading)))

    async def _run(self, thread: _Thread, job: Callable[[Lane], R]) -> R:
        if self._closed:
            raise LedgerError(f"the ledger {self.address} has been closed")
        return await thread.run(job)


class _Thread:
    """The one thread that touches a lane. It begins with its first job."""

    def __init__(self, address: str, lane: Lane, name: str) -> None:
        self._address = address
        self._lane = lane
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"ledger-{name}")

    async def run(self, job: Callable[[Lane], R]) -> R:
        def translating() -> R:
            with translated(self._address):
                return job(self._lane)

        return await asyncio.get_running_loop().run_in_executor(self._thread, translating)

    async def close(self) -> None:
        try:
            await self.run(Lane.close)
        finally:
            self._thread.shutdown(wait=False)
