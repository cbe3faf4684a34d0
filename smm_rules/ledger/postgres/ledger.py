"""`PostgresLedger`: the port over PostgreSQL, for any number of processes on any number of machines."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.postgres import schema
from smm_rules.ledger.postgres.describing import Description, describe
from smm_rules.ledger.postgres.lane import PATIENCE, Lane
from smm_rules.ledger.postgres.session import Access, Session, connect
from smm_rules.ledger.postgres.transactions import PostgresTransactions
from smm_rules.ledger.records import Intent
from smm_rules.ledger.sql import holding
from smm_rules.ledger.sql.holds import identity
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sql.stamping import Stamping
from smm_rules.ledger.stamp import StampFile

#: Why a claim was taken back: its process can't tell whether it was written, and sent nothing.
CLAIM_IN_DOUBT = "claim_in_doubt"


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
        self._doubtful: list[tuple[int, str, datetime]] = []

    @classmethod
    async def open(
        cls,
        access: Access,
        stamp: Path | None = None,
        guards: Guards = NO_GUARDS,
        patience: timedelta = PATIENCE,
    ) -> PostgresLedger:
        """Open the ledger, made in an empty database and upgraded where that is allowed.

        `stamp` is where this machine keeps its stamp (without `.stamp`); without one nothing tells a database
        that was put back from a copy. `patience` is how long a server that was there may stay away.
        `LedgerError` says what is wrong.
        """
        opening = _Opening(access)
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

    async def claimable(self, now: datetime, limit: int) -> tuple[Intent, ...]:
        await self._take_back_doubtful()
        return await super().claimable(now, limit)

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool:
        """An error leaves it open whether the claim was written. Whoever gets one sends nothing, so the claim
        is taken back as soon as the ledger can be reached."""
        try:
            return await super().claim(intent_id, owner, now, evidence, cost, currency)
        except StateConflict:
            raise
        except LedgerError:
            self._doubtful.append((intent_id, owner, now))
            raise

    async def _take_back_doubtful(self) -> None:
        while self._doubtful:
            await self._write(holding.take_back, *self._doubtful[-1], CLAIM_IN_DOUBT)
            self._doubtful.pop()


class _Opening:
    """Makes the sessions of one opened ledger: all of them must be on the same one."""

    def __init__(self, access: Access) -> None:
        self._access = access
        command = Path(sys.argv[0]).name or "smm-rules"
        self._name = f"{command} {socket.gethostname()} {os.getpid()}"[:63]
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
