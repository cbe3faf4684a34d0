"""PostgreSQL's errors as `LedgerError`s that say what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from smm_rules.ledger.port import LedgerError

_SERVER = "see that the server runs and lets this machine in (pg_hba.conf), then try again"
_MEANINGS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (errors.InvalidPassword, "the password is wrong", "check `ledger_password`"),
    (
        errors.InvalidAuthorizationSpecification,
        "the server doesn't let this user in",
        "check the user's name and pg_hba.conf",
    ),
    (
        errors.InvalidCatalogName,
        "there is no such database",
        "create it, owned by the user (createdb), or check its name",
    ),
    (
        errors.InsufficientPrivilege,
        "the user may not do this",
        "make the database the user's own (ALTER DATABASE … OWNER TO …)",
    ),
    (errors.TooManyConnections, "the server has no connection left", "raise max_connections"),
    (errors.DiskFull, "the server's disk is full, nothing of the last change was written", "make room on it"),
    (
        errors.ReadOnlySqlTransaction,
        "the ledger can't be written to",
        "check that the server is the primary, not a standby",
    ),
    (
        errors.LockNotAvailable,
        "another process has kept the ledger locked for too long",
        "look for a hanging process in pg_stat_activity, and try again",
    ),
    (
        errors.QueryCanceled,
        "the server took too long",
        "look at its load, and for long transactions in pg_stat_activity, then try again",
    ),
    (errors.DeadlockDetected, "others kept getting in the way", "try again"),
    (errors.DataCorrupted, "the ledger is damaged", "stop every daemon and restore a backup"),
    (errors.IndexCorrupted, "an index of the ledger is damaged", "stop every daemon, then REINDEX DATABASE"),
    (errors.AdminShutdown, "the server was shut down", _SERVER),
    (errors.CrashShutdown, "the server has crashed", _SERVER),
    (errors.CannotConnectNow, "the server is starting or stopping", _SERVER),
)


class CommitInDoubt(LedgerError):
    """The connection was lost while a change was being committed, and whether it was can't be found out."""


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into `LedgerError`s; `address` has no password in it."""
    try:
        yield
    except psycopg.Error as error:
        what, remedy = _meaning(error)
        raise LedgerError(f"{address}: {what} ({_first_line(error)}); {remedy}") from error


def _meaning(error: psycopg.Error) -> tuple[str, str]:
    for kind, what, remedy in _MEANINGS:
        if isinstance(error, kind):
            return what, remedy
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return _by_words(str(error))
    return "the ledger refused a change", "report this as a defect"


def _by_words(text: str) -> tuple[str, str]:
    """While a connection is being made the client library has words only, no codes."""
    if "password authentication failed" in text or "no password supplied" in text:
        return "the server wants another password", "check `ledger_password`"
    if "does not exist" in text and "database" in text:
        return "there is no such database", "create it, owned by the user (createdb), or check its name"
    return "the server can't be reached", _SERVER


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
