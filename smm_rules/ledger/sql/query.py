"""Statements run whole. Rows come back as plain tuples, read to the end, so no statement is left open.

The statements are SQL that every back end understands, as SQLite writes it: placeholders are `?` and `?1`,
a list is the text of a JSON array in `(SELECT value FROM json_each(?))`, of numbers where it is compared with
an `id`, of texts everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Cursor(Protocol):
    """What a statement returned."""

    def fetchall(self) -> list[Row]: ...


class Connection(Protocol):
    """A connection to a ledger, as `apsw.Connection` is one. It is used by one thread at a time."""

    def execute(self, statement: str, values: tuple[Any, ...], /) -> Cursor: ...

    def executemany(self, statement: str, many: Iterable[Sequence[Any]], /) -> Cursor: ...

    def changes(self) -> int:
        """How many rows the last statement changed."""
        ...


def list_of(numbers: Iterable[int]) -> str:
    """Numbers as a JSON array, for statements that take a list."""
    return str(list(numbers))


def rows(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Every row the statement returns."""
    return connection.execute(statement, tuple(values)).fetchall()


def first(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row, or None."""
    found = rows(connection, statement, values)
    return found[0] if found else None


def cell(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """The first value of the first row, or None."""
    row = first(connection, statement, values)
    return None if row is None else row[0]


def rows_of_all(connection: Connection, *asked: tuple[str, Sequence[Any]]) -> list[list[Row]]:
    """The rows of several statements, none of which depends on what another returns: a server is asked for
    all of them in one round trip."""
    together = getattr(connection, "execute_together", None)
    if together is None:
        return [rows(connection, statement, values) for statement, values in asked]
    found: list[list[Row]] = together([(statement, tuple(values)) for statement, values in asked])
    return found


def rows_of_each(connection: Connection, statement: str, many: Iterable[Sequence[Any]]) -> list[Row]:
    """Run the statement once for each of `many`; all rows they return."""
    return connection.executemany(statement, many).fetchall()


def run(connection: Connection, statement: str, values: Sequence[Any] = ()) -> None:
    """Run a statement of which nothing is wanted, not even how many rows it changed.

    A server gets it together with what it is asked next, at the latest before the commit: a round trip less.
    """
    later = getattr(connection, "execute_later", None)
    if later is None:
        connection.execute(statement, tuple(values))
    else:
        later(statement, tuple(values))


def changed(connection: Connection, statement: str, values: Sequence[Any] = ()) -> int:
    """Run the statement; how many rows it changed."""
    connection.execute(statement, tuple(values))
    return connection.changes()
