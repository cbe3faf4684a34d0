"""The ledger: its file, its SQLite, whether it is sound, and who works on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.facts import format_duration
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.migrations import MIGRATIONS, check_ours, schema_version
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Heartbeat
from smm_rules.ledger.sql.holds import FIRST_STAMPED, compare, open_hold
from smm_rules.ledger.sql.housekeeping import heartbeat
from smm_rules.ledger.sqlite.connection import Description, check, describe, translated, wal_is_safe
from smm_rules.ledger.stamp import Stamp, StampFile, StampUnreadable
from smm_rules.standing.overview import DaemonState, daemon_standing

_SCARCE, _LOW = 100 * 1024**2, 1024**3
#: A clock may be this far behind what the ledger has seen before it is called wrong.
_CLOCK_SLACK = timedelta(minutes=1)


def examine_ledger(path: Path, now: datetime) -> Iterator[Finding]:
    """Everything about the ledger at `path`, read-only: it is neither made nor upgraded."""
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
    stamp = _stamp(path)
    with translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            check_ours(connection)
            description = describe(connection, path)
            yield _file(description)
            yield _journal(description)
            yield _soundness(check(connection))
            yield from _hold(connection, stamp)
            beat = heartbeat(connection) if description.schema else None
        finally:
            connection.close()
    yield _daemon(path, beat, now)
    if beat is not None and now < beat.beat_at - _CLOCK_SLACK:
        behind = format_duration(beat.beat_at - now)
        found = f"it is {behind} behind the daemon's last heartbeat"
        yield problem("clock", found, "Set the clock: holds and limits are counted by it")


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


def _stamp(path: Path) -> Stamp | StampUnreadable | None:
    """Read before the ledger: a daemon at work moves it."""
    try:
        return StampFile(path).read()
    except StampUnreadable as error:
        return error


def _hold(connection: apsw.Connection, stamp: Stamp | StampUnreadable | None) -> Iterator[Finding]:
    """Whether anything is sent at all; nothing to say of a ledger from before there were stamps."""
    if schema_version(connection) < FIRST_STAMPED:
        return
    hold, finding = open_hold(connection), compare(connection, stamp)
    reason = hold.reason if hold is not None else finding.reason if finding is not None else None
    if reason is None:
        yield ok("hold", "none: the ledger is the one worked on last")
    else:
        yield problem("hold", f"nothing is sent. {reason.sentence}", "smm-rules hold show")


def _daemon(path: Path, beat: Heartbeat | None, now: datetime) -> Finding:
    daemon = daemon_standing(DaemonLock(path).holder(), beat, now)
    name = f"process {daemon.process}" if daemon.process else "a process"
    if daemon.state is DaemonState.STUCK and daemon.beat_at is not None:
        silent_for = format_duration(now - daemon.beat_at)
        found = f"{name} is running and hasn't beaten for {silent_for}: it is stuck"
        return problem("daemon", found, "Read its log, then restart it")
    if daemon.state is DaemonState.RUNNING:
        return ok("daemon", f"{name} is running on this ledger")
    if daemon.state is DaemonState.GONE:
        found = "none is running on this ledger, and the last one didn't end in order"
        return warning("daemon", found, "Read its log; the next start shows what is in doubt")
    return ok("daemon", "none is running on this ledger")
