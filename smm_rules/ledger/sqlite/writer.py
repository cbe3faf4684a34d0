"""The one thread that touches a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql.query import Connection
from smm_rules.ledger.sqlite.connection import open_connection, open_in_memory, translated, writing

P = ParamSpec("P")
R = TypeVar("R")


class Writer:
    """Runs plain functions over a connection, one after another, off the event loop.

    A call that was cancelled while it ran is still carried out whole: its transaction commits or not, never
    half.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._connection: apsw.Connection | None = None
        self._closed = False
        #: Called after each write transaction, once it is durable.
        self.after_write: Callable[[apsw.Connection], None] = lambda _: None
        self._at_once = False

    async def open(self, busy_timeout: timedelta) -> None:
        """Open the connection; the thread ends again when that fails."""
        try:
            self._connection = await self._run(lambda: open_connection(self.path, busy_timeout))
        except BaseException:
            self._closed = True
            self._thread.shutdown(wait=False)
            raise

    async def open_in_memory(self) -> None:
        """Open a ledger of its own that no file holds; the path only names it in errors.

        What is in memory is never waited for, so it is worked on at once, without the thread.
        """
        self._connection = open_in_memory()
        self._at_once = True

    async def write(
        self, function: Callable[Concatenate[apsw.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`function(connection, …)` in a write transaction, durable on return."""

        def transaction() -> R:
            connection = self._opened()
            with translated(self.path), writing(connection):
                answer = function(connection, *args, **kwargs)
            with translated(self.path):
                self.after_write(connection)
            return answer

        return await self._run(transaction)

    #: Others never write meanwhile: SQLite has one writer.
    write_beside = write

    def transact(self, _: Connection, function: Callable[[Connection], R]) -> R:
        """`function` in a write transaction, for what runs `alone`."""
        connection = self._opened()
        with writing(connection):
            return function(connection)

    async def alone(self, function: Callable[[apsw.Connection], R], /) -> R:
        """`function(connection)` outside a transaction: it makes its own."""

        def job() -> R:
            with translated(self.path):
                return function(self._opened())

        return await self._run(job)

    async def read(
        self, function: Callable[Concatenate[apsw.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`function(connection, …)` in a read transaction: all it reads is of one moment."""

        def transaction() -> R:
            connection = self._opened()
            with translated(self.path):
                connection.execute("BEGIN")
                try:
                    return function(connection, *args, **kwargs)
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

        return await self._run(transaction)

    async def close(self) -> None:
        """Finish what was begun, then close. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._submit(self._close_connection)
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self, job: Callable[[], R]) -> R:
        if self._closed:
            raise LedgerError(f"the ledger {self.path} has been closed")
        return await self._submit(job)

    async def _submit(self, job: Callable[[], R]) -> R:
        if self._at_once:
            return job()
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _opened(self) -> apsw.Connection:
        if self._connection is None:
            raise LedgerError(f"the ledger {self.path} has been closed")
        return self._connection

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with translated(self.path):
                connection.close()
