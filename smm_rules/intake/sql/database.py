"""A query's answer, streamed out of MySQL, MariaDB, PostgreSQL or SQLite in a transaction that only reads.

SQLAlchemy is loaded here alone, for only who has such a source needs it. All of it runs on one thread.
"""

from __future__ import annotations

import importlib.util
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from smm_rules.config.secrets import SecretUnavailable
from smm_rules.config.select_statement import SINCE, bindable
from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.intake.sql.watermark import Value

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

#: How many rows are fetched at once.
FETCHED = 500
_CONNECT_SECONDS = 10
#: How long the server may wait for us between two pieces, in seconds: a ledger may be slow.
_PATIENCE_SECONDS = 600
_LONGEST_ERROR = 500
_DRIVERS = {"postgresql": ("psycopg", "sql-postgres"), "mysql": ("pymysql", "sql-mysql")}
_SQLITE_STEPS = 10_000

Row = Sequence[object]


class _Deadline:
    """Bounds how long an SQLite file may be searched for the next row, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """The next row is asked for now."""
        self._over_at = time.monotonic() + self._seconds

    def is_over(self) -> int:
        return int(time.monotonic() > self._over_at)


class SourceFailed(Exception):
    """A database couldn't be read: why, in the database's words, without a secret."""


def missing(settings: SqlSourceSettings) -> str:
    """The extra that has to be installed before the source can be read; empty when nothing is missing."""
    driver, extra = _DRIVERS.get(_family(settings.url), ("sqlite3", "sql"))
    for module, wanted in (("sqlalchemy", extra), (driver, extra)):
        if importlib.util.find_spec(module) is None:
            return wanted
    return ""


def password_of(settings: SqlSourceSettings, environment: Mapping[str, str]) -> str | None:
    """The account's password; `SourceFailed` when it can't be had."""
    if settings.password is None:
        return None
    try:
        return settings.password.read(environment)
    except SecretUnavailable as error:
        raise SourceFailed(str(error)) from None


@contextmanager
def rows_since(
    settings: SqlSourceSettings, password: str | None, since: Value
) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """The names of the answer's columns, and its rows from `since` on as they are wanted.

    `SourceFailed` says why it can't be read, also in the middle.
    """
    wanted = missing(settings)
    if wanted:
        raise SourceFailed(f"reading it needs more to be installed: pip install 'smm-rules[{wanted}]'")
    from sqlalchemy.exc import SQLAlchemyError

    try:
        deadline = _Deadline(settings.timeout.total_seconds())
        engine = _engine(settings, password, deadline)
        try:
            yield from _read(engine, settings, since, deadline)
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, OSError, ValueError) as error:
        raise SourceFailed(_words(error, password)) from None


def _read(
    engine: Engine, settings: SqlSourceSettings, since: Value, deadline: _Deadline
) -> Iterator[tuple[list[str], Iterator[Row]]]:
    from sqlalchemy import text

    family = _family(settings.url)
    with engine.connect() as connection:
        rows: _Rows | None = None
        try:
            for statement in _first_statements(family, settings.timeout.total_seconds()):
                connection.exec_driver_sql(statement)
            query = text(bindable(settings.query))
            streaming = connection.execution_options(stream_results=True, yield_per=FETCHED)
            result = streaming.execute(query, {SINCE: _bound(since, family)})
            rows = _Rows(result, deadline)
            yield list(result.keys()), rows
        finally:
            if rows is None or not rows.over:
                _abandon(connection)


def _first_statements(family: str, seconds: float) -> tuple[str, ...]:
    """What begins the transaction: it may only read, and gives times in UTC.

    PostgreSQL is told for this transaction alone, for a pooler may give the session to others after it.
    """
    if family == "postgresql":
        return (
            "SET TRANSACTION READ ONLY",
            "SET LOCAL TIME ZONE 'UTC'",
            f"SET LOCAL statement_timeout = {int(seconds * 1000)}",
        )
    if family == "mysql":
        return (
            "SET SESSION time_zone = '+00:00'",
            f"SET SESSION net_write_timeout = {_PATIENCE_SECONDS}",
            "START TRANSACTION READ ONLY",
        )
    return ()


def _abandon(connection: Connection) -> None:
    """Cut the connection: the driver would read to the end what nobody wants any more."""
    if connection.invalidated:
        return  # the server has cut it
    unread = getattr(connection.connection.driver_connection, "_result", None)
    if unread is not None:  # PyMySQL reads on even then, unless it takes all for read
        unread.unbuffered_active = False
    connection.invalidate()


class _Rows:
    """The rows of an answer. `over` says that the last one was taken."""

    def __init__(self, result: Iterable[Any], deadline: _Deadline) -> None:
        self._rows = iter(result)
        self._deadline = deadline
        self.over = False

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        self._deadline.begin()
        try:
            return tuple(next(self._rows))
        except StopIteration:
            self.over = True
            raise


def _bound(since: Value, family: str) -> object:
    """The value as the database compares it: SQLite has no times, MySQL's have no zone."""
    if not isinstance(since, datetime) or family == "postgresql":
        return since
    plain = since if since.tzinfo is None else since.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(sep=" ") if family == "sqlite" else plain


def _family(url: str) -> str:
    """sqlite, postgresql or mysql."""
    name = url.partition(":")[0].partition("+")[0]
    return "mysql" if name == "mariadb" else name


def _engine(settings: SqlSourceSettings, password: str | None, deadline: _Deadline) -> Engine:
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.pool import NullPool

    family, seconds = _family(settings.url), settings.timeout.total_seconds()
    if family == "sqlite":
        path = settings.url.partition("sqlite:///")[2]
        return create_engine("sqlite://", creator=lambda: _open_file(path, deadline), poolclass=NullPool)
    url = make_url(settings.url)
    url = url if password is None else url.set(password=password)
    arguments = _of_postgres(seconds) if family == "postgresql" else _of_mysql(seconds)
    return create_engine(url, poolclass=NullPool, connect_args=arguments)


def _open_file(path: str, deadline: _Deadline) -> sqlite3.Connection:
    """An SQLite file that can't be written to, nor made."""
    connection = sqlite3.connect(
        f"file:{quote(path)}?mode=ro", uri=True, timeout=_CONNECT_SECONDS, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.set_progress_handler(deadline.is_over, _SQLITE_STEPS)
    return connection


def _of_postgres(seconds: float) -> dict[str, object]:
    """How psycopg connects."""
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "smm-rules intake",
        "keepalives_idle": 30,
        "tcp_user_timeout": int(seconds * 1000),
    }


def _of_mysql(seconds: float) -> dict[str, object]:
    """How PyMySQL connects. With `ssl_ca` in the address it speaks to a server by TLS or not at all."""
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": seconds,
        "write_timeout": seconds,
        "local_infile": False,
    }


def _words(error: Exception, password: str | None) -> str:
    """What the database said, on one line: SQLAlchemy's own words would repeat the query and its values."""
    said: object = getattr(error, "orig", None) or error
    if isinstance(said, Exception) and len(said.args) > 1 and isinstance(said.args[1], str):
        said = said.args[1]  # PyMySQL puts a number before its words
    words = " ".join(str(said).split()) or type(error).__name__
    if "interrupted" in words and isinstance(said, sqlite3.OperationalError):
        words = "the query took longer than `timeout`"
    if password:
        words = words.replace(password, "[redacted]")
    return words[:_LONGEST_ERROR]
