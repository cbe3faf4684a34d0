"""A worker's lease: while it lasts nobody takes the worker for dead, and once it has ended nothing leaves it.

The lease lasts by the server's clock, and the worker believes in less of it than the server does: it
counts, by its own machine's time since boot, from before it asked. Neither clock is ever compared with
another machine's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg

from smm_rules.cluster.database import away, connection_settings
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access
from smm_rules.ledger.postgres.locks import Lock, call
from smm_rules.observe import get_logger
from smm_rules.panel.sending import machine_time

log = get_logger(__name__)

#: How often a lease is renewed within its length, and how much of its end is left unused: room for a request
#: on its way, a turn of the event loop, and clocks that don't run equally fast.
RENEWALS, MARGIN_SHARE = 6, 1 / 6

_BEGIN = """
  INSERT INTO leases (worker, lease_until, settings)
  VALUES (%s, clock_timestamp() + %s, %s) RETURNING epoch, clock_timestamp()
"""
_RENEW = """
  UPDATE leases SET lease_until = clock_timestamp() + %s, rules = %s
  WHERE epoch = %s AND ended_at IS NULL
  RETURNING clock_timestamp(), (SELECT max(generation) FROM rules)
"""
_NOW = "SELECT clock_timestamp()"
_NO_DAEMON = f"SELECT {call('pg_try_advisory_lock_shared', Lock.DAEMON)}"
_END = "UPDATE leases SET ended_at = clock_timestamp() WHERE epoch = %s AND ended_at IS NULL"


class DaemonAtWork(LedgerError):
    """A daemon works on this ledger alone."""


class Readings(Protocol):
    """Who learns what the server's clock says."""

    def note(self, said: datetime, asked_at: float, answered_at: float) -> None: ...


@dataclass(slots=True)
class Lease:
    """One worker's lease. `worker` is its name among all, `settings` names its configuration.

    The connection is the lease's own: a renewal never waits for another statement.
    """

    access: Access
    worker: str
    length: timedelta
    settings: str
    clock: Readings
    machine: Callable[[], float] = machine_time
    epoch: int = 0
    rules: int | None = None
    newest_rules: int | None = None
    _until: float = 0.0
    _connection: psycopg.AsyncConnection[Any] | None = None

    async def begin(self) -> int:
        """Take a lease with an epoch that nobody ever had; the epoch. `ServerAway` when it can't be had."""
        values = (self.worker, self.length, self.settings)
        asked_at = self.machine()
        row = await self._ask(_BEGIN, values)
        assert row is not None
        self.epoch = int(row[0])
        self._renewed(asked_at, row[1])
        log.info("worker.lease_begun", epoch=self.epoch, seconds=self.length.total_seconds())
        return self.epoch

    async def renew(self) -> bool:
        """Lengthen the lease; False when somebody has ended it. `ServerAway` leaves what was left of it."""
        asked_at = self.machine()
        row = await self._ask(_RENEW, (self.length, self.rules, self.epoch))
        if row is None:
            self._until = 0.0
            log.error("worker.lease_lost", epoch=self.epoch)
            return False
        self._renewed(asked_at, row[0])
        self.newest_rules = row[1]
        return True

    async def read_clock(self) -> None:
        """Ask for the server's time alone."""
        asked_at = self.machine()
        row = await self._ask(_NOW, ())
        assert row is not None
        self.clock.note(row[0], asked_at, self.machine())

    async def end(self) -> None:
        """Give the lease back: nothing is under way any more."""
        self._until = 0.0
        await self._ask(_END, (self.epoch,))
        log.info("worker.lease_ended", epoch=self.epoch)

    async def aclose(self) -> None:
        """Let go of the connection; the lease goes on for what is left of it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    # -- what the lease allows ---------------------------------------------------------------------------
    @property
    def renew_every(self) -> float:
        """Seconds between two renewals."""
        return self.length.total_seconds() / RENEWALS

    def left(self) -> float:
        """Seconds that the worker may still count on, 0 or less when none are left."""
        return self._until - self.machine()

    def send_before(self) -> float | None:
        """The instant before which what is claimed now must have left (`actions.port.Fence`)."""
        return self._until

    def _renewed(self, asked_at: float, said: datetime) -> None:
        # From before the question: whatever time it took, the server's lease lasts at least as long.
        self._until = asked_at + self.length.total_seconds() * (1 - MARGIN_SHARE)
        self.clock.note(said, asked_at, self.machine())

    async def _ask(self, statement: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = await self._connected()
            cursor = await self._connection.execute(statement.encode(), values)
            return await cursor.fetchone() if cursor.description is not None else None
        except (psycopg.Error, OSError) as error:
            await self._drop()
            raise away(error) from error

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        """A new connection, which keeps a daemon from starting on this ledger while it lasts."""
        settings = connection_settings(self.access, self.worker, durable=True)
        connection = await psycopg.AsyncConnection.connect(self.access.url, autocommit=True, **settings)
        try:
            row = await (await connection.execute(_NO_DAEMON.encode())).fetchone()
            if row is None or not row[0]:
                raise DaemonAtWork(
                    f"a daemon (`smm-rules run`) is working on {self.access.url}; a ledger is worked on by "
                    "one daemon or by workers, never by both: stop the daemon first"
                )
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _drop(self) -> None:
        """A connection that failed once is no longer trusted."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
