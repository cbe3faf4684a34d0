"""The workers' own connections to the ledger's server, beside those of the ledger itself."""

from __future__ import annotations

import logging
import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import ConnStatus
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access
from smm_rules.ledger.postgres.session import SCHEMA as LEDGER_SCHEMA

# A connection that broke is replaced; that the server is away is said once, by the keeper of the lease.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)

#: Where the workers' tables and the queue's are, beside the ledger's own.
SCHEMA = "smm_rules_cluster"
#: A server that has gone without a word is noticed after so many seconds, and not after TCP's minutes.
CONNECT_SECONDS = 5
UNACKNOWLEDGED_MILLISECONDS = 8_000
#: How long to wait for a connection of the pool, in seconds.
POOL_SECONDS = 10.0
#: A statement of the workers' own is short; one that takes longer, in milliseconds, is stuck.
STATEMENT_MILLISECONDS = 15_000

#: What a lost connection, a restart, a lock that isn't had or a statement that takes too long look like.
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)

Row = tuple[Any, ...]


class ServerAway(LedgerError):
    """The ledger's server can't be reached just now: nothing was decided."""


def connection_settings(access: Access, worker: str, *, durable: bool) -> dict[str, Any]:
    """Keyword arguments of a connection. `worker` names it to the server, so that others can end it.

    What isn't `durable` is worth nothing after a crash of the server, such as who may ask a panel next, and
    needn't wait for its disk.
    """
    settings = [
        f"-c search_path={SCHEMA},{LEDGER_SCHEMA}",
        f"-c statement_timeout={STATEMENT_MILLISECONDS}",
    ]
    if not durable:
        settings.append("-c synchronous_commit=off")
    password = {} if access.password is None else {"password": access.password}
    return {
        **password,
        "application_name": worker,
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": UNACKNOWLEDGED_MILLISECONDS,
        "options": " ".join(settings),
    }


def pool(access: Access, worker: str, size: int, *, durable: bool = False) -> AsyncConnectionPool[Any]:
    """A pool of at most `size` connections, to be opened. Broken ones are replaced before they are used."""
    return AsyncConnectionPool(
        access.url,
        kwargs=connection_settings(access, worker, durable=durable),
        min_size=1,
        max_size=size,
        open=False,
        configure=_in_autocommit,
        timeout=POOL_SECONDS,
        reconnect_timeout=3600.0,
        check=_still_there,
        name=worker,
    )


async def _in_autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each statement is its own transaction, and costs one round trip."""
    await connection.set_autocommit(True)


async def _still_there(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raises for a connection that the server has closed; asks the socket, which costs no round trip."""
    pgconn = connection.pgconn
    waiting = select.poll()
    waiting.register(pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    if waiting.poll(0):
        pgconn.consume_input()  # raises where that says that the connection has ended
        if pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError("the server has closed the connection")


class Database:
    """Short statements on a pool. Whatever the server or the network does to them is a `ServerAway`."""

    def __init__(self, connections: AsyncConnectionPool[Any]) -> None:
        self._connections = connections

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection for the block, in autocommit."""
        try:
            async with self._connections.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
            raise away(error) from error

    async def rows(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Every row the statement returns."""
        async with self.connection() as connection:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description is not None else []

    async def row(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row, or None."""
        found = await self.rows(statement, values)
        return found[0] if found else None


def away(error: Exception) -> LedgerError:
    """The error in words; psycopg's never hold a password. What the server refuses is our own defect."""
    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.Error) and not isinstance(error, _AWAY):
        return LedgerError(f"the ledger's server refused a statement ({words}); report this as a defect")
    return ServerAway(f"the ledger's server doesn't answer: {words}")
