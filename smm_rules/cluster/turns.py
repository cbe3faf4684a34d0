"""Whose turn it is: to judge a panel's looks, to check and claim on it, to put rules into force.

A turn is an advisory lock of the server, taken within a transaction that is held open for the turn. When the
worker dies the server ends the transaction, when it is stopped the server does so after a while, and whoever
takes it for dead ends it sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any
from zlib import crc32

import psycopg

from smm_rules.cluster.database import Database
from smm_rules.cluster.runs import judging_by
from smm_rules.ledger.port import LedgerError

#: Held shared by everybody who judges or claims, alone by who puts rules into force.
RULES = 0x736D6D02
#: What the kinds of turns are told apart by: about a panel's looks, its actions, a drop folder
#: (3 is of those who take due things, see `cluster.ledger`).
DECIDING, CLAIMING, FOLDER = 1, 2, 4
#: A session that holds a turn and does nothing, in milliseconds, belongs to a worker that has stopped.
IDLE_MILLISECONDS = 10_000
#: How long to wait for a turn, in milliseconds.
WAIT_MILLISECONDS = 15_000

#: Who puts rules into force may have to end the holds of a million orders meanwhile.
IDLE_RULES_MILLISECONDS = 300_000
_TAKE = "SELECT pg_advisory_xact_lock_shared({rules}), pg_advisory_xact_lock({kind}, {panel})"
#: What is in force must survive the server; who had a turn needn't.
_TAKE_RULES = "SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock({rules})"
#: One round trip. Which rules are in force is read once the locks are had, by a statement of its own.
_BEGIN = """
  BEGIN; SET LOCAL idle_in_transaction_session_timeout = {idle}; SET LOCAL lock_timeout = {wait};
  {take}; SELECT max(generation) FROM rules
"""


class RulesOutdated(LedgerError):
    """Other rules are in force by now than those this worker read: it decides nothing."""


class Turn:
    """The turn of all workers about one panel, for one kind of thing. Tasks of this worker wait in line, too.

    `generation` gives the rules that this worker goes by; `RulesOutdated` when others are in force.
    """

    def __init__(
        self, database: Database, kind: int, panel: str, generation: Callable[[], int | None]
    ) -> None:
        self._database = database
        # A number for the name: two panels of one number only wait for each other.
        self._take = _TAKE.format(rules=RULES, kind=kind, panel=crc32(panel.encode()) - 2**31)
        self._generation = generation
        self._mutex = asyncio.Lock()
        self._held: AsyncExitStack | None = None

    async def __aenter__(self) -> None:
        await self._mutex.acquire()
        try:
            self._held = await self._taken()
        except BaseException:
            self._mutex.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        assert held is not None
        try:
            await held.aclose()
        except LedgerError:
            pass  # the server has ended the turn by itself; what was recorded in it was recorded
        finally:
            self._mutex.release()

    async def _taken(self) -> AsyncExitStack:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._database.connection())
            newest = await stack.enter_async_context(_begun(connection, IDLE_MILLISECONDS, self._take))
            if newest != self._generation():
                raise RulesOutdated("other rules are in force by now; nothing was decided by the old ones")
            judging_by(newest)
            return stack.pop_all()


class RulesTurn:
    """Held by who puts rules into force: nobody judges or claims meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> psycopg.AsyncConnection[Any]:
        """The connection whose transaction ends with the turn."""
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._database.connection())
            take = _TAKE_RULES.format(rules=RULES)
            await stack.enter_async_context(_begun(connection, IDLE_RULES_MILLISECONDS, take))
            self._stack = stack.pop_all()
            return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)


@asynccontextmanager
async def _begun(connection: psycopg.AsyncConnection[Any], idle: int, take: str) -> AsyncIterator[int | None]:
    """A transaction with these locks; gives which rules are in force as of after the locks."""
    try:
        cursor = await connection.execute(
            _BEGIN.format(idle=idle, wait=WAIT_MILLISECONDS, take=take).encode()
        )
        while cursor.nextset():
            pass
        row = await cursor.fetchone()
        yield None if row is None else row[0]
    except BaseException:
        if not connection.closed:
            with suppress(psycopg.OperationalError):
                await connection.execute(b"ROLLBACK")
        raise
    await connection.execute(b"COMMIT")
