"""One SQLite connection as the ledger needs it: durable, private, and with errors that say what to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import apsw

from smm_rules.ledger.migrations import check_ours, migrate, schema_version
from smm_rules.ledger.port import LedgerError
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: The first SQLite without the WAL-reset bug: two connections that write or checkpoint at once could corrupt
#: the file (https://www.sqlite.org/wal.html#walresetbug). 3.52.0, since withdrawn, has the fix too.
FIRST_SAFE_WAL = (3, 51, 3)
#: How long a transaction waits for another process's. Every transaction of the program is far shorter.
BUSY_TIMEOUT = timedelta(seconds=15)
#: Seconds between tries to switch the journal while another process is at work on a new file.
_SWITCH_PAUSE = 0.01
_PAGE_CACHE_KIB = 32 * 1024
_WAL_SIZE_LIMIT = 64 * 1024 * 1024


def wal_is_safe(version: str) -> bool:
    """Whether write-ahead logging of this SQLite version can't corrupt a file two processes write to."""
    try:
        numbers = tuple(int(part) for part in version.split("."))
    except ValueError:
        return False
    return numbers >= FIRST_SAFE_WAL


@dataclass(frozen=True, slots=True)
class Description:
    """What `doctor` prints of a ledger. `size` is the file's, in bytes."""

    path: Path
    library: str
    journal: str
    schema: int
    size: int
    mode: int


def open_connection(path: Path, busy_timeout: timedelta = BUSY_TIMEOUT) -> apsw.Connection:
    """Open the ledger at `path`, made private (0600) when it is new, and bring its schema up to date."""
    _create(path)
    with translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            _configure(connection, busy_timeout)
            check_ours(connection)  # before the journal's mode, which is kept in the file, is changed
            _choose_journal(connection, path, busy_timeout)
            before, after = migrate(connection)
            connection.pragma("foreign_keys", True)
        except BaseException:
            connection.close()
            raise
    if before != after:
        log.info("ledger.migrated", path=str(path), before=before, after=after)
    return connection


def open_in_memory() -> apsw.Connection:
    """A new ledger that lives as long as its connection: for rehearsals, which leave nothing behind."""
    connection = apsw.Connection(":memory:")
    _configure(connection, BUSY_TIMEOUT)
    connection.pragma("synchronous", "off")
    migrate(connection)
    connection.pragma("foreign_keys", True)
    return connection


def describe(connection: apsw.Connection, path: Path) -> Description:
    """What is at `path`, for a human."""
    status = path.stat()
    return Description(
        path=path,
        library=apsw.sqlite_lib_version(),
        journal=str(connection.pragma("journal_mode")),
        schema=schema_version(connection),
        size=status.st_size,
        mode=status.st_mode & 0o777,
    )


def check(connection: apsw.Connection) -> tuple[str, ...]:
    """What is wrong with the file, in SQLite's own words; empty when it is sound."""
    faults: list[str] = []
    try:
        faults += [str(row[0]) for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]
    except apsw.CorruptError as error:  # so damaged that the check itself can't go on
        faults.append(str(error))
    if faults:
        return tuple(faults)
    dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    return tuple(f"row {row[1]} of {row[0]} refers to a row missing from {row[2]}" for row in dangling)


@contextmanager
def writing(connection: apsw.Connection) -> Iterator[None]:
    """One write transaction: durable when the block is left, undone when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself; a second ROLLBACK would be an error.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `LedgerError`s that say what is wrong, where, and what to do."""
    try:
        yield
    except apsw.Error as error:
        what, remedy = _meaning(error)
        raise LedgerError(f"{path}: {what} ({error}); {remedy}") from error


_MEANINGS: tuple[tuple[type[apsw.Error], str, str], ...] = (
    (apsw.FullError, "the disk is full, nothing of the last change was written", "make room and try again"),
    (
        apsw.ReadOnlyError,
        "the ledger can't be written to",
        "check who owns the file and its directory, and that the file system isn't mounted read-only",
    ),
    (
        apsw.BusyError,
        "another process has kept the ledger locked for too long",
        "look for a hanging smm-rules or sqlite3 process, and try again",
    ),
    (apsw.LockedError, "the ledger is locked by this very process", "report this as a defect"),
    (
        apsw.CorruptError,
        "the ledger is damaged",
        "stop the daemon, keep a copy of the file, and restore a backup",
    ),
    (apsw.NotADBError, "the file is not a ledger", "check the path; a ledger is an SQLite database"),
    (apsw.CantOpenError, "the ledger can't be opened", "check the path, and that its directory is writable"),
    (apsw.PermissionsError, "access to the ledger was denied", "check who owns the file and its directory"),
    (apsw.IOError, "the disk reported an error", "check the disk and the system's log, then restart"),
)


def _meaning(error: apsw.Error) -> tuple[str, str]:
    for kind, what, remedy in _MEANINGS:
        if isinstance(error, kind):
            return what, remedy
    return "the ledger refused a change", "report this as a defect"


def _create(path: Path) -> None:
    """Make an empty private file unless there is one; `LedgerError` says what stands in the way."""
    directory = path.parent
    if not directory.is_dir():
        raise LedgerError(
            f"the directory {directory} of the ledger doesn't exist; create it, owned by the daemon"
        )
    if path.is_dir():
        raise LedgerError(f"{path} is a directory; the ledger needs a file")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(
            f"the ledger {path} can't be opened for writing: {error.strerror}; "
            "check who owns the file and its directory"
        ) from error
    os.close(descriptor)


def _configure(connection: apsw.Connection, busy_timeout: timedelta) -> None:
    connection.set_busy_timeout(round(busy_timeout.total_seconds() * 1000))
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.pragma("trusted_schema", False)
    connection.pragma("temp_store", "memory")
    connection.pragma("cache_size", -_PAGE_CACHE_KIB)
    if connection.readonly("main"):
        raise apsw.ReadOnlyError("opened read-only")


def _choose_journal(connection: apsw.Connection, path: Path, busy_timeout: timedelta) -> None:
    """WAL with FULL sync where it is safe, else a rollback journal with EXTRA.

    With a rollback journal a commit is the unlinking of the journal, which only EXTRA makes survive a loss
    of power: FULL could undo a claim whose request has already left.
    """
    library = apsw.sqlite_lib_version()
    safe = wal_is_safe(library)
    wanted = "wal" if safe else "delete"
    if not safe:
        log.warning("ledger.wal_unsafe", path=str(path), library=library)
    if connection.pragma("journal_mode") != wanted:
        got = _switch_journal(connection, wanted, busy_timeout)
        if got != wanted and not safe:
            raise LedgerError(
                f"{path} is in {got} mode, which SQLite {library} can corrupt; stop the other processes first"
            )
    journal = connection.pragma("journal_mode")
    connection.pragma("synchronous", "full" if journal == "wal" else "extra")
    connection.pragma("journal_size_limit", _WAL_SIZE_LIMIT)


def _switch_journal(connection: apsw.Connection, wanted: str, busy_timeout: timedelta) -> object:
    """The mode after the switch. SQLite doesn't wait for others here, as it does everywhere else."""
    deadline = time.monotonic() + busy_timeout.total_seconds()
    while True:
        try:
            return connection.pragma("journal_mode", wanted)
        except apsw.BusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_SWITCH_PAUSE)
