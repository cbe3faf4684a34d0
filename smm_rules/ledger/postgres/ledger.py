"""`PostgresLedger`: the port over PostgreSQL, for any number of processes on any number of machines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import schema
from smm_rules.ledger.postgres.daemon_lock import holder, process_name, workers
from smm_rules.ledger.postgres.describing import Description, describe
from smm_rules.ledger.postgres.lane import PATIENCE, Lane
from smm_rules.ledger.postgres.session import Access, Session, connect
from smm_rules.ledger.postgres.transactions import PostgresTransactions
from smm_rules.ledger.sql.holds import identity
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sql.stamping import Stamping
from smm_rules.ledger.stamp import StampFile


class PostgresLedger(SqlLedger):
    """A ledger in the schema `smm_rules` of a PostgreSQL database. Made by `open`."""

    def __init__(
        self,
        transactions: PostgresTransactions,
        guards: Guards = NO_GUARDS,
        stamping: Stamping | None = None,
    ) -> None:
        super().__init__(transactions, guards, stamping)
        self._lanes = transactions

    @classmethod
    async def open(
        cls,
        access: Access,
        stamp: Path | None = None,
        guards: Guards = NO_GUARDS,
        patience: timedelta = PATIENCE,
        name: str = "",
    ) -> Self:
        """Open the ledger, made in an empty database and upgraded where that is allowed.

        `stamp` is where this machine keeps its stamp (without `.stamp`); without one nothing tells a database
        that was put back from a copy. `patience` is how long a server that was there may stay away. `name`
        is what its sessions are called at the server, where not by the process. `LedgerError` says what is
        wrong.
        """
        opening = _Opening(access, name or process_name("ledger"))
        deciding = Lane(opening.first, patience)
        transactions = PostgresTransactions(
            access.url, deciding, Lane(opening.further, patience), Lane(opening.further, patience)
        )
        await transactions.open()
        if stamp is None:
            return cls(transactions, guards)
        stamping = Stamping(StampFile(stamp), deciding.transact, shared=True)
        deciding.after_deciding = stamping.follow
        deciding.reconnected = stamping.doubt
        await transactions.alone(stamping.open)
        return cls(transactions, guards, stamping)

    @property
    def address(self) -> str:
        """Where the ledger is, without a password."""
        return self._lanes.address

    async def describe(self) -> Description:
        """What is in the database, for `doctor`."""
        return await self._read(describe, self.address)

    async def daemon(self) -> str | None:
        return await self._read(holder)

    async def workers(self) -> tuple[str, ...]:
        return await self._read(workers)


class _Opening:
    """Makes the sessions of one opened ledger: all of them must be on the same one."""

    def __init__(self, access: Access, name: str) -> None:
        self._access = access
        self._name = name
        self._identity: str | None = None

    def first(self) -> Session:
        """A session that keeps the schema from being upgraded while it lasts. The very first upgrades it."""
        session = connect(self._access, self._name)
        try:
            schema.enter(session, self._access.url, upgrade=self._identity is None)
            self._check(session)
        except BaseException:
            session.close()
            raise
        return session

    def further(self) -> Session:
        session = connect(self._access, self._name)
        try:
            self._check(session)
        except BaseException:
            session.close()
            raise
        return session

    def _check(self, session: Session) -> None:
        found = identity(session)
        if self._identity is not None and found != self._identity:
            raise LedgerError(
                f"{self._access.url} has become another ledger while this one was open; restart smm-rules"
            )
        self._identity = found
