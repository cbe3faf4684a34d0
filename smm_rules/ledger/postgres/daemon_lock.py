"""One daemon per ledger in PostgreSQL, whatever machine it runs on: a lock that ends with its session.

It isn't what keeps an order from being paid for twice: that is the claim, which only one can make. It keeps
two daemons from asking the same panels, and the second from taking the first's attempts for a dead one's.
"""

from __future__ import annotations

import os
import socket
from types import TracebackType

import psycopg

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres.errors import translated
from smm_rules.ledger.postgres.locks import HOLDERS, Lock, call
from smm_rules.ledger.postgres.session import Access, Session, connect
from smm_rules.ledger.sql.query import Connection, rows

_TAKE = f"SELECT {call('pg_try_advisory_lock', Lock.DAEMON)}"


class PostgresDaemonLock:
    """Held while a daemon, or workers, run on a ledger. Other commands don't need it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: Session | None = None

    def acquire(self) -> None:
        """Take the lock; `LedgerError` when another process has it or the server can't be reached."""
        if self._session is not None:
            return
        other = self._take()
        if other is not None:
            raise LedgerError(
                f"another daemon or worker{_in_brackets(other)} is running on this ledger "
                f"({self._access.url}); stop it first, or give this one another ledger"
            )

    def keep(self) -> bool:
        """Take it again if its session was lost, as when the server was restarted; False when another
        process was faster. `LedgerError` while the server can't be reached."""
        session = self._session
        if session is not None:
            try:
                session.own("SELECT 1")
                return True
            except psycopg.OperationalError:
                self.release()
        return self._take() is None

    def _take(self) -> str | None:
        """Take the lock; the process that has it already, None when it is ours now."""
        with translated(self._access.url):
            session = connect(self._access, process_name("daemon"))
            try:
                row = session.own(_TAKE)
                if row is None or row[0] is not True:
                    other = holder(session) or ""
                    session.close()
                    return other
            except BaseException:
                session.close()
                raise
        self._session = session
        return None

    def holder(self) -> str | None:
        """The process that has the lock; None when none has it. `LedgerError` when that can't be seen."""
        with translated(self._access.url):
            session = connect(self._access, process_name("command"))
            try:
                return holder(session)
            finally:
                session.close()

    def release(self) -> None:
        """Let the lock go. Releasing what isn't held does nothing."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> PostgresDaemonLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def process_name(what: str) -> str:
    """What this process's session is called on the server: at most 63 bytes are kept of it."""
    return f"smm-rules {what}, process {os.getpid()} on {socket.gethostname()}"[:63]


def holder(connection: Connection) -> str | None:
    """The process that has the daemon's lock, as its session is called; None when none has it."""
    found = rows(connection, HOLDERS, (Lock.DAEMON.value,))
    return None if not found else _process(found[0][0])


def workers(connection: Connection) -> tuple[str, ...]:
    """The processes that share the daemon's lock, as `holder` names them, the oldest first."""
    found = rows(connection, HOLDERS, (Lock.DAEMON.value,))
    return tuple(_process(name) for name, mode in found if mode == "ShareLock")


def _process(session: object) -> str:
    return str(session).rpartition("process ")[2]


def _in_brackets(process: str | None) -> str:
    return f" (process {process})" if process else ""
