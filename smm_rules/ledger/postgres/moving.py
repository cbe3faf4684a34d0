"""Moving a ledger from its SQLite file into a PostgreSQL database: all of it or nothing, compared row by row.

1. The file is taken for oneself: a daemon or a command that has it open is an error.
2. It is marked as being moved. From here on nobody opens it, also after a crash.
3. All rows are copied and compared in one transaction of the database, the record of decisions is verified
   there, and the move is written down in it.
4. Once that is committed the file is marked as moved.

A crash before the commit leaves an empty database, one after it a whole ledger: a second run tells which, and
does what is left. Where to is kept in `<ledger>.moved-to`, so that it can't be moved twice. Not a row of the
file is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any

import apsw
import psycopg
from psycopg import sql

from smm_rules.ledger.audit import AuditKind, Head
from smm_rules.ledger.migrations import (
    APPLICATION_ID,
    MIGRATIONS,
    MOVED_ID,
    MOVING_ID,
    check_ours,
    schema_version,
)
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import schema
from smm_rules.ledger.postgres.daemon_lock import process_name
from smm_rules.ledger.postgres.errors import translated
from smm_rules.ledger.postgres.locks import Lock, call
from smm_rules.ledger.postgres.session import SCHEMA, Access, Session, connect
from smm_rules.ledger.sql import audit, holds
from smm_rules.ledger.sql.query import Row, cell, rows
from smm_rules.ledger.sqlite import connection as sqlite

#: Rows that the database hands over at a time.
_AT_ONCE = 2_000
_IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that was copied and found equal; `digest` is the SHA-256 of its rows."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A ledger that was moved. `tables` is empty when an earlier run had copied them all."""

    source: Path
    target: str
    tables: tuple[Copied, ...]
    entries: int


Tell = Callable[[Copied], None]


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def read(self) -> str:
        """All rows, in the order of their keys: as bytes, in both back ends."""
        columns, key = ", ".join(self.columns), ", ".join(self.key)
        return f"SELECT {columns} FROM {self.name} ORDER BY {key}"  # noqa: S608 - names of our own schema


def move(source: Path, access: Access, by: str, now: datetime, tell: Tell = lambda _: None) -> Moved:
    """Move the ledger at `source`; the caller has its daemon's lock. `tell` hears of each table copied.

    `LedgerError` says what stood in the way; unless it says otherwise the file is then as it was.
    """
    if not source.is_file():
        raise LedgerError(f"there is no file {source}; give the path of the ledger to be moved")
    with (
        sqlite.translated(source),
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)) as file,
        translated(access.url),
        closing(connect(access, process_name("move"))) as session,
    ):
        _take(file, source)
        going = _begin(file, source, access)
        try:
            moved = _into(file, session, going, source, access, by, now, tell)
        except _CommitUnanswered as error:
            raise LedgerError(
                f"the connection was lost while the copy was being committed ({error}); the file stays marked"
                " as being moved: run the same command again, which finds out and brings it to its end"
            ) from error
        except BaseException:
            if going.known_absent:
                _mark(file, APPLICATION_ID)
                _note_of(source).unlink(missing_ok=True)
            raise
        _mark(file, MOVED_ID)
        session.own("ANALYZE")
        return moved


# -- the file -----------------------------------------------------------------------------------------------
def _take(file: apsw.Connection, source: Path) -> None:
    """Have it for oneself: leaving write-ahead logging needs that."""
    file.set_busy_timeout(0)
    try:
        file.pragma("journal_mode", "delete")
    except apsw.BusyError as error:
        raise LedgerError(
            f"another command is at work on {source}; wait until it has ended, then try again"
        ) from error


@dataclass(slots=True)
class _Going:
    """A move under way. `known_absent` says that no run has committed the copy: the file is still the one."""

    known_absent: bool


def _note_of(source: Path) -> Path:
    """Where it is written down to where a ledger is moved."""
    resolved = source.resolve()
    return resolved.with_name(f"{resolved.name}.moved-to")


def _begin(file: apsw.Connection, source: Path, access: Access) -> _Going:
    """Mark it as being moved, and keep it locked."""
    file.pragma("synchronous", "extra")
    again = file.pragma("application_id") == MOVING_ID
    if not again:
        check_ours(file)
    note = _note_of(source)
    before = note.read_text(encoding="utf-8").strip() if again and note.exists() else access.url
    if before != access.url:
        raise LedgerError(f"{source} is being moved to {before} already; give that address")
    version, newest = schema_version(file), MIGRATIONS[-1].version
    if version != newest:
        raise LedgerError(
            f"{source} has the schema of an older smm-rules ({version}, not {newest}); let this one upgrade "
            "it first: smm-rules status"
        )
    faults = sqlite.check(file)
    if faults:
        raise LedgerError(f"{source} is damaged: {faults[0]}; restore a backup")
    if not again:
        note.write_text(f"{access.url}\n", encoding="utf-8")
        file.execute("BEGIN EXCLUSIVE")
        file.pragma("application_id", MOVING_ID)
        file.execute("COMMIT")
    file.execute("BEGIN EXCLUSIVE")
    return _Going(known_absent=not again)


def _mark(file: apsw.Connection, mark: int) -> None:
    """End the transaction that kept the file locked, with a mark."""
    file.pragma("application_id", mark)
    file.execute("COMMIT")


def _tables(file: apsw.Connection) -> tuple[_Table, ...]:
    """Those that others refer to first."""
    names = [
        str(name)
        for (name,) in file.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        ).fetchall()
    ]
    wants = {name: _referred_to(file, name) for name in names}
    found: list[_Table] = []
    while wants:
        free = [name for name, wanted in wants.items() if not wanted & wants.keys()]
        assert free, "tables refer to each other in a circle"
        found += [_table(file, name) for name in free]
        wants = {name: wanted for name, wanted in wants.items() if name not in free}
    return tuple(found)


def _referred_to(file: apsw.Connection, name: str) -> set[str]:
    found = file.execute('SELECT "table" FROM pragma_foreign_key_list(?)', (name,)).fetchall()
    return {str(other) for (other,) in found} - {name}


def _table(file: apsw.Connection, name: str) -> _Table:
    info = file.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
    key = sorted((place, str(column)) for column, place in info if place)
    return _Table(name, tuple(str(column) for column, _ in info), tuple(column for _, column in key))


# -- the database -------------------------------------------------------------------------------------------
class _CommitUnanswered(Exception):
    """Whether the copy was committed isn't known."""


def _into(
    file: apsw.Connection,
    session: Session,
    going: _Going,
    source: Path,
    access: Access,
    by: str,
    now: datetime,
    tell: Tell,
) -> Moved:
    schema.enter(session, access.url)
    session.own("SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0")
    with _transaction(session, going):
        _refuse_beside_daemon(session, access)
        if _is_there(file, session):
            return Moved(source, access.url, (), audit.head(session).id)
        going.known_absent = True
        _refuse_unless_empty(file, session, access)
        tables = _tables(file)
        with _without_triggers(session):
            copied = tuple(_copy(file, session, table, tell) for table in tables)
            _hand_out_later(file, session)
        _continue_sequences(session)
        _verify(file, session)
        about = {"from": str(source), "to": access.url, "rows": {one.table: one.rows for one in copied}}
        audit.append(session, now, AuditKind.MOVE, by, "", about)
        return Moved(source, access.url, copied, audit.head(session).id)


@contextmanager
def _transaction(session: Session, going: _Going) -> Iterator[None]:
    """Once COMMIT is on its way nothing but the server's refusal says that the copy isn't there."""
    session.own(f"BEGIN; SELECT {call('pg_advisory_xact_lock', Lock.DECIDING)}")
    try:
        yield
    except BaseException:
        if not session.is_lost:
            session.own("ROLLBACK")
        raise
    was_absent, going.known_absent = going.known_absent, False
    try:
        session.own("COMMIT")
    except psycopg.OperationalError as error:
        raise _CommitUnanswered(str(error).strip()) from error
    except psycopg.DatabaseError:
        going.known_absent = was_absent
        raise


def _is_there(file: apsw.Connection, session: Session) -> bool:
    """Whether an earlier run has committed the copy: the same ledger, with the file's last entry in it."""
    last = audit.head(file)
    known = cell(session, "SELECT hash FROM audit WHERE id = ?", (last.id,))
    begun: bool = last == Head() or known == last.hash
    moved = rows(session, "SELECT 1 FROM audit WHERE kind = 'move' AND id > ?", (last.id,))
    return holds.identity(session) == holds.identity(file) and begun and bool(moved)


def _refuse_beside_daemon(session: Session, access: Access) -> None:
    row = session.own(f"SELECT {call('pg_try_advisory_lock', Lock.DAEMON)}")
    if row is None or row[0] is not True:
        raise LedgerError(f"a daemon is running on {access.url}; give an empty database that nobody works on")


def _refuse_unless_empty(file: apsw.Connection, session: Session, access: Access) -> None:
    for table in _tables(file):
        if table.name != _IDENTITY and rows(session, f"SELECT 1 FROM {table.name} LIMIT 1"):  # noqa: S608
            raise LedgerError(
                f"{access.url} has a ledger in it already ({table.name} has rows); give an empty database"
            )


@contextmanager
def _without_triggers(session: Session) -> Iterator[None]:
    """They keep count of IDs given, one row at a time; that is set once, at the end."""
    names = ("intents", "outbox", "audit", "stops")
    session.own("; ".join(f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in names))
    yield
    session.own("; ".join(f"ALTER TABLE {name} ENABLE TRIGGER USER" for name in names))


def _copy(file: apsw.Connection, session: Session, table: _Table, tell: Tell) -> Copied:
    if table.name == _IDENTITY:
        session.execute("DELETE FROM identity")
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    number = 0
    try:
        with session.raw.cursor() as cursor, cursor.copy(into) as copy:
            for row in _rows(file, table):
                number += 1
                copy.write_row(row)
    except psycopg.DataError as error:
        raise LedgerError(
            f"row {number} of {table.name} can't be kept by PostgreSQL ({str(error).strip()}); "
            "report this with the row"
        ) from error
    copied = _compare(table, _rows(file, table), _rows_in(session, table))
    tell(copied)
    return copied


def _rows(file: apsw.Connection, table: _Table) -> Iterator[Row]:
    yield from file.execute(table.read)


def _rows_in(session: Session, table: _Table) -> Iterator[Row]:
    with session.raw.cursor(name="copied") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(table.read.encode())
        yield from cursor


def _compare(table: _Table, given: Iterator[Row], kept: Iterator[Row]) -> Copied:
    digest, count = sha256(), 0
    for there, here in zip_longest(given, kept):
        if there is None or here is None or tuple(there) != tuple(here):
            raise LedgerError(
                f"row {count + 1} of {table.name} isn't in the database as it is in the file; nothing was "
                "moved: report this as a defect"
            )
        digest.update(repr(tuple(there)).encode())
        count += 1
    return Copied(table.name, count, digest.hexdigest())


def _hand_out_later(file: apsw.Connection, session: Session) -> None:
    """IDs that were given are never given again, also those of rows that are no longer there."""
    for name, seq in file.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
        session.execute("UPDATE handed_out SET seq = ? WHERE name = ?", (seq, name))


def _continue_sequences(session: Session) -> None:
    found = rows(
        session,
        """
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = ? AND is_identity = 'YES' AND column_name = 'id'
        """,
        (SCHEMA,),
    )
    for (name,) in found:
        session.execute(
            f"SELECT setval(pg_get_serial_sequence(?, 'id'), coalesce(max(id), 0) + 1, false) FROM {name}",  # noqa: S608
            (f"{SCHEMA}.{name}",),
        )


def _verify(file: apsw.Connection, session: Session) -> None:
    """The record in the database: unbroken, and the one of the file."""
    head: Sequence[Head] = [audit.head(file)] if audit.head(file).id else []
    found: Any = audit.verify(session, head).fault
    if found is not None:
        raise LedgerError(
            f"the record of decisions is broken at entry {found.entry}: {found.what}; nothing was moved, see "
            "`smm-rules audit verify`"
        )
