"""The ledger: its file, its SQLite, whether it is sound, and who works on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import apsw

from smm_rules.cli.examination.beside import ownership_findings, read_stamp, stamp_finding
from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.cli.examination.in_database import examine_database
from smm_rules.cli.examination.waiting import backup_finding, waiting_findings
from smm_rules.cli.examination.worked_on import clock_findings, daemon_finding, hold_finding
from smm_rules.config.model import Configuration
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.migrations import MIGRATIONS, check_ours
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql.holds import FIRST_STAMPED, compare, open_hold
from smm_rules.ledger.sql.housekeeping import heartbeat
from smm_rules.ledger.sqlite.connection import Description, check, describe, translated, wal_is_safe
from smm_rules.ledger.stamp import Stamp, StampUnreadable

_SCARCE, _LOW = 100 * 1024**2, 1024**3


def examine_ledger(
    configuration: Configuration, environment: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """Everything about the ledger, read-only: it is neither made nor upgraded."""
    if isinstance(configuration.ledger, Path):
        yield from _examine_path(configuration.ledger, now)
    else:
        yield from examine_database(configuration, environment, now)


def _examine_path(path: Path, now: datetime) -> Iterator[Finding]:
    yield _library()
    if not path.parent.is_dir():
        found = f"its directory {path.parent} doesn't exist"
        yield problem("ledger", found, f"mkdir -p {path.parent}, owned by the daemon's user")
        return
    yield _room(path.parent)
    if not path.exists():
        yield _not_yet(path)
        return
    try:
        yield from _examine_file(path, now)
    except LedgerError as error:
        found, _, remedy = str(error).rpartition("; ")
        yield problem("ledger", found or str(error), remedy or "Look at the file")


def _library() -> Finding:
    version = apsw.sqlite_lib_version()
    if wal_is_safe(version):
        return ok("SQLite", version)
    found = f"{version} can corrupt a file in WAL mode, so the ledger uses a slower rollback journal"
    return warning("SQLite", found, "pip install --upgrade apsw")


def _room(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    found = f"{free / 1024**3:.1f} GiB free for the ledger in {directory}"
    if free < _SCARCE:
        return problem("disk", found, "Make room: without it the daemon can write nothing and does nothing")
    return warning("disk", found, "Make room before it runs out") if free < _LOW else ok("disk", found)


def _not_yet(path: Path) -> Finding:
    if os.access(path.parent, os.W_OK | os.X_OK):
        return ok("ledger", f"{path} is not there yet; the daemon makes it")
    found = f"{path} is not there yet, and you can't write to its directory"
    return warning("ledger", found, "See that the daemon's user can, or run doctor as that user")


def _examine_file(path: Path, now: datetime) -> Iterator[Finding]:
    stamp = read_stamp(path)  # before the ledger: a daemon at work moves it
    with translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            check_ours(connection)
            description = describe(connection, path)
            yield _file(description)
            yield _journal(description)
            yield _soundness(check(connection))
            if description.schema >= FIRST_STAMPED:
                yield hold_finding(_doubt(connection, stamp))
            if description.schema == MIGRATIONS[-1].version:
                yield from waiting_findings(connection, now)
                yield backup_finding(connection, now)
            beat = heartbeat(connection) if description.schema else None
        finally:
            connection.close()
    holder = DaemonLock(path).holder()
    if description.schema >= FIRST_STAMPED:
        yield stamp_finding(path, stamp, holder is not None, beat)
    yield from ownership_findings(path)
    yield daemon_finding(holder, beat, now)
    yield from clock_findings(beat, now)


def _file(description: Description) -> Finding:
    size = f"{description.size / 1024**2:.1f} MiB"
    found = f"{description.path}, {size}, schema {description.schema}, mode {description.mode:04o}"
    if description.mode & 0o077:
        remedy = f"chmod 600 {description.path}"
        return warning("ledger", f"{found}: other users can read what you order", remedy)
    newest = MIGRATIONS[-1].version
    if description.schema < newest:
        found += f"; the next start upgrades it to schema {newest}"
    return ok("ledger", found)


def _journal(description: Description) -> Finding:
    if description.journal == "wal" and not wal_is_safe(description.library):
        remedy = "Stop every smm-rules process, then start one: it changes the mode"
        return problem("journal", f"wal, which SQLite {description.library} can corrupt", remedy)
    return ok("journal", description.journal)


def _soundness(faults: tuple[str, ...]) -> Finding:
    if faults:
        found = f"{len(faults)} faults, the first: {faults[0]}"
        return problem("integrity", found, "Stop the daemon, keep a copy of the file, restore a backup")
    return ok("integrity", "sound")


def _doubt(
    connection: apsw.Connection, stamp: Stamp | StampUnreadable | LedgerError | None
) -> HoldReason | None:
    """Why nothing is sent, or None. A stamp that can't be looked at may be in order."""
    hold = open_hold(connection)
    if hold is not None:
        return hold.reason
    if isinstance(stamp, LedgerError) and not isinstance(stamp, StampUnreadable):
        return None
    finding = compare(connection, stamp)
    return None if finding is None else finding.reason
