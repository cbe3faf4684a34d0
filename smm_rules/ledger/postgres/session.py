"""One connection to PostgreSQL as the ledger needs it: durable, and never waiting without end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.conninfo import make_conninfo
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres.dialect import translate
from smm_rules.ledger.sql.query import Row

#: Where the ledger's tables are, apart from whatever else the database holds.
SCHEMA = "smm_rules"
#: The oldest server that the tests know.
_OLDEST = 15_00_00
_STATEMENTS_KEPT = 500
_CONNECT_SECONDS = 10
#: Seconds of silence after which a connection is taken for lost.
_SILENCE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
#: Who stops in the middle of a transaction must not keep the others waiting: the server ends it. No
#: transaction of the program is idle for nearly so long.
_SETTINGS = f"""
SET search_path TO {SCHEMA};
SET client_encoding TO 'UTF8';
SET lock_timeout TO '15s';
SET statement_timeout TO '5min';
SET idle_in_transaction_session_timeout TO '5s';
SET default_transaction_isolation TO 'read committed';
SET jit TO off;
SET client_min_messages TO warning;
"""
_STANDING = """
  SELECT current_setting('server_version_num')::int, current_setting('server_version'),
    current_setting('synchronous_commit'), current_setting('fsync'), pg_is_in_recovery(),
    current_setting('transaction_read_only'), current_setting('server_encoding')
"""
_DURABLE = ("on", "remote_apply")


class Fetched:
    """Rows that were read to the end."""

    def __init__(self, found: list[Row]) -> None:
        self._found = found

    def fetchall(self) -> list[Row]:
        return self._found


@dataclass(frozen=True, slots=True)
class Access:
    """How to get at a database. `url` has no password in it; it may be shown."""

    url: str
    password: str | None = None

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


class Session:
    """A connection. Statements are the common ones (`ledger.sql`); each is its own transaction unless one was
    begun."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw
        self._cursor = RawCursor(raw)
        self._changes = 0

    @property
    def is_lost(self) -> bool:
        return self.raw.closed or self.raw.broken

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Fetched:
        written = translate(statement, values)
        self._cursor.execute(written.text, values)
        self._changes = max(self._cursor.rowcount, 0)
        return Fetched(self._cursor.fetchall() if written.returns else [])

    def execute_all(self, asked: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Fetched]:
        """Several statements, one after the other, in one round trip. After one that fails none is done."""
        sent: list[tuple[RawCursor[Row], bool]] = []
        with self.raw.pipeline():
            for statement, values in asked:
                written, cursor = translate(statement, values), RawCursor(self.raw)
                cursor.execute(written.text, values)
                sent.append((cursor, written.returns))
        self._changes = max(sent[-1][0].rowcount, 0) if sent else 0
        return [Fetched(cursor.fetchall() if returns else []) for cursor, returns in sent]

    def executemany(self, statement: str, many: Iterable[Sequence[Any]]) -> Fetched:
        """One round trip for all of them. No value is tested for NULL in such a statement."""
        given = [tuple(values) for values in many]
        if not given:
            return Fetched([])
        written, found = translate(statement, given[0]), list[Row]()
        self._cursor.executemany(written.text, given, returning=written.returns)
        self._changes = max(self._cursor.rowcount, 0)
        while written.returns:
            found += self._cursor.fetchall()
            if not self._cursor.nextset():
                break
        return Fetched(found)

    def changes(self) -> int:
        return self._changes

    def own(self, statements: str) -> Row | None:
        """Run PostgreSQL's own statements, several at once; the last row that the last of them returned."""
        cursor = self.raw.execute(statements.encode())
        while cursor.nextset():
            pass
        return cursor.fetchone() if cursor.description else None

    def close(self) -> None:
        self.raw.close()


def connect(access: Access, name: str) -> Session:
    """A new connection, found fit. `name` is what it is called in pg_stat_activity.

    `psycopg.OperationalError` when the server can't be reached, `LedgerError` when it isn't fit.
    """
    raw = psycopg.connect(
        make_conninfo(
            access.url,
            password=access.password,
            connect_timeout=_CONNECT_SECONDS,
            application_name=name,
            **_SILENCE,
        ),
        autocommit=True,
    )
    try:
        _configure(raw)
        _check(raw, access)
    except BaseException:
        raw.close()
        raise
    return Session(raw)


def _configure(raw: psycopg.Connection[Row]) -> None:
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.adapters.register_dumper(str, StrDumper)
    raw.prepared_max = _STATEMENTS_KEPT
    raw.execute(_SETTINGS.encode())


def _check(raw: psycopg.Connection[Row], access: Access) -> None:
    row = raw.execute(_STANDING.encode()).fetchone()
    assert row is not None
    number, version, synchronous, fsync, standby, read_only, encoding = row
    if number < _OLDEST:
        raise LedgerError(f"{access.url}: the server is PostgreSQL {version}; the ledger needs 15 or newer")
    if standby or read_only == "on":
        raise LedgerError(
            f"{access.url} can't be written to: it is a standby or read-only; give the primary's address"
        )
    if encoding != "UTF8":
        raise LedgerError(
            f"{access.url}: the database's encoding is {encoding}; create it anew with ENCODING 'UTF8'"
        )
    if synchronous not in _DURABLE or fsync != "on":
        setting = f"synchronous_commit = {synchronous}" if synchronous not in _DURABLE else f"fsync = {fsync}"
        raise LedgerError(
            f"{access.url}: with {setting} a crash undoes what was committed, so an order could be paid for "
            "twice; set synchronous_commit = on (ALTER ROLE … SET synchronous_commit = on) and fsync = on"
        )
