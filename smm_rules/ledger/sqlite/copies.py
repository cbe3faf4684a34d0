"""Backups of a ledger that is in use, and putting one back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.holds import Hold, HoldReason
from smm_rules.ledger.migrations import check_ours, schema_version
from smm_rules.ledger.ownership import give_to_owner
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql import audit, holding, holds
from smm_rules.ledger.sqlite.connection import check, open_connection, translated, writing
from smm_rules.ledger.stamp import StampFile, StampUnreadable

#: What SQLite keeps beside a database.
_COMPANIONS = ("-wal", "-shm", "-journal")
_SUFFIX = ".db"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and found sound. `size` is in bytes, `entries` how far its record goes."""

    path: Path
    size: int
    entries: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup put back. `kept` is where the ledger before is now, None when there was none."""

    ledger: Path
    kept: Path | None
    hold: Hold


# -- backup ---------------------------------------------------------------------------------------------
def backup(connection: apsw.Connection, target: Path, by: str, now: datetime) -> Backup:
    """Copy the ledger to `target` as of one moment, while others go on writing to it.

    In a directory the copy is named after `now`. It is written beside its place under another name, verified,
    and moved there whole; a file in the way is replaced only if it is a ledger. `LedgerError` says what went
    wrong.
    """
    with _files(target):
        source = Path(connection.filename)
        final = _place(target, source, now)
        _refuse_to_overwrite(final, source)
        with writing(connection):
            audit.append(connection, now, AuditKind.BACKUP, by, "", {"path": str(final)})
        part = final.with_name(f".{final.name}.part")
        try:
            _copy(connection, part)
            entries = _verified(part)
            _sync(part)
            part.replace(final)
            _sync(final.parent)
        finally:
            _remove(part)
        return Backup(final, final.stat().st_size, entries)


def _place(target: Path, source: Path, now: datetime) -> Path:
    if not target.is_dir():
        return target
    return target / f"{source.stem}-{now:%Y%m%dT%H%M%SZ}{source.suffix or _SUFFIX}"


def _refuse_to_overwrite(final: Path, source: Path) -> None:
    if not final.exists():
        return
    if final.samefile(source):
        raise LedgerError(f"{final} is the ledger itself; give the backup another place")
    try:
        _verified(final, whole=False)
    except LedgerError as error:
        raise LedgerError(
            f"{final} is there already and is no ledger, so it is left alone; give the backup another name"
        ) from error


def _copy(connection: apsw.Connection, part: Path) -> None:
    """All pages in one step: a snapshot that no writer has to wait for, and that none makes begin anew."""
    _remove(part)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with translated(part), closing(apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)) as copy:
        with copy.backup("main", connection, "main") as copying:
            while not copying.done:
                copying.step(-1)
        copy.pragma("journal_mode", "delete")  # one file that needs no other


def _verified(path: Path, *, whole: bool = True) -> int:
    """Look whether the file is a sound ledger; how many entries its record has had. `LedgerError` if not.

    Without `whole` only whether it is a ledger.
    """
    with translated(path), closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as copy:
        check_ours(copy)
        if not schema_version(copy):
            raise LedgerError(f"{path} is empty; a backup is a ledger")
        if not whole:
            return 0
        faults = check(copy)
        if faults:
            raise LedgerError(f"{path} is damaged: {faults[0]}")
        has_record = copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").fetchall()
        return audit.head(copy).id if has_record else 0


# -- restore --------------------------------------------------------------------------------------------
def restore(source: Path, ledger: Path, by: str, now: datetime) -> Restored:
    """Put the backup `source` in the place of `ledger`, on hold. The caller has the daemon's lock.

    1. A copy of the backup is made beside the ledger, verified, upgraded and put on hold.
    2. The ledger before is kept under another name, and so is what SQLite kept beside it.
    3. The copy is moved into its place, whole.

    The stamp stays as it is: it knows what the backup doesn't. `LedgerError` says what went wrong; until the
    last step the ledger is the one before.
    """
    with _files(ledger):
        if not source.is_file():
            raise LedgerError(f"there is no file {source}; give the path of a backup")
        if ledger.exists() and source.samefile(ledger):
            raise LedgerError(f"{source} is the ledger itself; give the path of a backup")
        _verified(source)
        part = ledger.with_name(f".{ledger.name}.restoring")
        try:
            hold = _prepared(source, part, ledger, by, now)
            _give_to_owner(part, ledger)
            kept = _put_aside(ledger, now)
            part.replace(ledger)
            _sync(ledger.parent)
        finally:
            _remove(part)
        return Restored(ledger, kept, hold)


def _prepared(source: Path, part: Path, ledger: Path, by: str, now: datetime) -> Hold:
    with (
        translated(source),
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as backup_,
    ):
        _copy(backup_, part)
    with translated(part), closing(open_connection(part)) as connection:
        try:
            stamp = StampFile(ledger).read()
        except StampUnreadable:
            stamp = None
        with writing(connection):
            gap = holds.gap(connection, stamp, str(source))
            audit.append(connection, now, AuditKind.RESTORE, by, "", {"source": str(source)})
            hold = holding.place(connection, HoldReason.RESTORED, gap, by, now)
            holds.note_stamped(connection)
        connection.pragma("journal_mode", "delete")
    _verified(part)
    _sync(part)
    return hold


def _give_to_owner(part: Path, ledger: Path) -> None:
    """What root restores belongs to the owner of the ledger before: the daemon must be able to write it."""
    descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        give_to_owner(descriptor, ledger)
    finally:
        os.close(descriptor)


def _put_aside(ledger: Path, now: datetime) -> Path | None:
    """Keep the ledger before under another name. It stays in its place until the restored one takes it."""
    if not ledger.exists():
        return None
    kept = _free(ledger.with_name(f"{ledger.name}.before-{now:%Y%m%dT%H%M%SZ}"))
    beside = {ledger.with_name(ledger.name + name): kept.with_name(kept.name + name) for name in _COMPANIONS}
    links = {name: link for name, link in beside.items() if name.exists()}
    for name, link in links.items():
        os.link(name, link)  # SQLite drops the log of a damaged file
    try:
        if _close_up(ledger):
            for link in links.values():
                link.unlink()
        os.link(ledger, kept)
    except BaseException:
        for link in links.values():
            link.unlink(missing_ok=True)
        raise
    for name in beside:
        name.unlink(missing_ok=True)
    return kept


def _close_up(ledger: Path) -> bool:
    """Bring all of the ledger into its one file; False for a damaged one, which can't be.

    Leaving write-ahead logging needs the file for oneself, so this also finds commands that are at work.
    """
    try:
        with closing(apsw.Connection(str(ledger), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.pragma("journal_mode", "delete")
        return True
    except apsw.BusyError as error:
        raise LedgerError(
            f"another command is at work on {ledger}; wait until it has ended, then try again"
        ) from error
    except apsw.Error:
        return False


def _free(path: Path) -> Path:
    """`path`, or with a number behind it when there is such a file: nothing is overwritten."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


# -- files ----------------------------------------------------------------------------------------------
@contextmanager
def _files(path: Path) -> Iterator[None]:
    """Errors of the file system as `LedgerError`s."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise LedgerError(
            f"{where}: {error.strerror or error}; check that its directory is there, is yours and has room"
        ) from error


def _remove(path: Path) -> None:
    for name in ("", *_COMPANIONS):
        path.with_name(path.name + name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
