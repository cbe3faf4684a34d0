"""Statements run whole. Rows come back as plain tuples, read to the end, so no statement is left open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

Row = tuple[Any, ...]


def rows(connection: apsw.Connection, statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Every row the statement returns."""
    found: list[Row] = connection.execute(statement, tuple(values)).fetchall()
    return found


def first(connection: apsw.Connection, statement: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row, or None."""
    found = rows(connection, statement, values)
    return found[0] if found else None


def cell(connection: apsw.Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """The first value of the first row, or None."""
    row = first(connection, statement, values)
    return None if row is None else row[0]


def rows_of_each(connection: apsw.Connection, statement: str, many: Iterable[Sequence[Any]]) -> list[Row]:
    """Run the statement once for each of `many`; all rows they return."""
    found: list[Row] = connection.executemany(statement, many).fetchall()
    return found


def changed(connection: apsw.Connection, statement: str, values: Sequence[Any] = ()) -> int:
    """Run the statement; how many rows it changed."""
    connection.execute(statement, tuple(values))
    return connection.changes()
