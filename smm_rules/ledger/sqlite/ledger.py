"""`SqliteLedger`: the port over SQLite."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sql.stamping import Stamping
from smm_rules.ledger.sqlite import copies
from smm_rules.ledger.sqlite.connection import BUSY_TIMEOUT, Description, check, describe
from smm_rules.ledger.sqlite.copies import Backup
from smm_rules.ledger.sqlite.writer import Writer
from smm_rules.ledger.stamp import StampFile


class SqliteLedger(SqlLedger):
    """A ledger in one SQLite file. Made by `open`; several processes may have it open at once."""

    def __init__(self, writer: Writer, guards: Guards = NO_GUARDS, stamping: Stamping | None = None) -> None:
        super().__init__(writer, guards, stamping)
        self._writer = writer

    @classmethod
    async def open(
        cls, path: Path, busy_timeout: timedelta = BUSY_TIMEOUT, guards: Guards = NO_GUARDS
    ) -> SqliteLedger:
        """Open the ledger at `path`, made when there is none (its directory must exist), and upgrade it.

        `busy_timeout` is how long to wait for another process's transaction. `LedgerError` says what is
        wrong with the file.
        """
        writer = Writer(path)
        await writer.open(busy_timeout)
        stamping = Stamping(StampFile(path), writer.transact)
        try:
            await writer.alone(stamping.open)
        except BaseException:
            await writer.close()
            raise
        writer.after_write = stamping.follow
        return cls(writer, guards, stamping)

    @classmethod
    async def in_memory(cls, guards: Guards = NO_GUARDS) -> SqliteLedger:
        """An empty ledger that no file holds and that is gone once it is closed: for rehearsals."""
        writer = Writer(Path(":memory:"))
        await writer.open_in_memory()
        return cls(writer, guards)

    @property
    def path(self) -> Path:
        return self._writer.path

    async def daemon(self) -> str | None:
        return DaemonLock(self.path).holder()

    async def describe(self) -> Description:
        """What is in the file, for `doctor`."""
        return await self._writer.read(describe, self.path)

    async def backup(self, target: Path, by: str, now: datetime) -> Backup:
        """Copy the ledger to a file or into a directory, beside whoever works on it; see `copies.backup`."""
        return await self._writer.alone(partial(copies.backup, target=target, by=by, now=now))

    async def integrity(self) -> tuple[str, ...]:
        """What is wrong inside the file; empty when it is sound. Reads all of it."""
        return await self._writer.read(check)
