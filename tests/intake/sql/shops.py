"""A shop's own table of orders, in each database that can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from smm_rules.config.sql_source import SqlSourceSettings
from tests.mariadb.server import Server

QUERY = (
    "SELECT external_id, provider, service_no, link, quantity, updated_at FROM orders "
    "WHERE updated_at > :since ORDER BY updated_at"
)
COLUMNS = {"order": "external_id", "panel": "provider", "service": "service_no"}
_TABLE = """
  CREATE TABLE orders (
    external_id VARCHAR(64), provider VARCHAR(64), service_no INTEGER, link VARCHAR(200),
    quantity VARCHAR(20),
    updated_at {stamp}, number INTEGER
  )
"""
_INSERT = "INSERT INTO orders VALUES ({0}, {0}, {0}, {0}, {0}, {0}, {0})"
#: The database's own mark of a value, and its type of a stamp.
_MARKS = {"sqlite": ("?", "TEXT"), "postgresql": ("%s", "TIMESTAMP"), "mysql": ("%s", "DATETIME(6)")}


class Shop:
    """The table, and how to reach it as a source. Each change is committed by itself."""

    def __init__(self, kind: str, url: str, connect: Callable[[], Any]) -> None:
        self.kind = kind
        self.url = url
        self.connection = connect()
        self.run(_TABLE.format(stamp=_MARKS[kind][1]))

    def run(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        cursor = self.connection.cursor()
        cursor.execute(statement, tuple(values))
        found = list(cursor.fetchall()) if cursor.description else []
        cursor.close()
        self.connection.commit()
        return found

    def sell(
        self,
        order: object,
        at: str | None = "2026-03-01 10:00:00",
        panel: str | None = "north",
        quantity: str = "100",
        number: int = 0,
    ) -> None:
        """One more row."""
        link = f"https://example.com/{order}"
        values = (None if order is None else str(order), panel, 7, link, quantity, at, number)
        self.run(_INSERT.format(_MARKS[self.kind][0]), values)

    def sell_many(self, rows: Sequence[tuple[str, str]]) -> None:
        """Rows of an order's ID and a stamp."""
        cursor = self.connection.cursor()
        filled = [(order, "north", 7, "https://example.com/a", "100", at, 0) for order, at in rows]
        cursor.executemany(_INSERT.format(_MARKS[self.kind][0]), filled)
        cursor.close()
        self.connection.commit()

    def settings(self, **more: object) -> SqlSourceSettings:
        """The source as the configuration has it."""
        given = {"name": "shop", "query": QUERY, "watermark": "updated_at", "columns": COLUMNS}
        return SqlSourceSettings.model_validate({**given, "url": self.url, **more})


def sqlite_shop(directory: Path) -> Shop:
    path = directory / "shop.db"
    return Shop("sqlite", f"sqlite:///{path}", lambda: sqlite3.connect(path))


def _postgres(request: pytest.FixtureRequest) -> Shop:
    import psycopg

    url: str = request.getfixturevalue("database")
    written = url.replace("postgresql://", "postgresql+psycopg://")
    return Shop("postgresql", written, lambda: psycopg.connect(url))


def _mariadb(request: pytest.FixtureRequest) -> Shop:
    server, name = request.getfixturevalue("mariadb"), request.getfixturevalue("maria_database")
    return maria_shop(server, name)


def maria_shop(server: Server, name: str, user: str = "root") -> Shop:
    """A shop in a MariaDB, to be read as `user`."""
    import pymysql

    def connect() -> object:
        return pymysql.connect(host="127.0.0.1", port=server.port, user="root", database=name)

    return Shop("mysql", f"mysql+pymysql://{user}@127.0.0.1:{server.port}/{name}", connect)


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The same shop in each database."""
    if request.param == "sqlite":
        made = sqlite_shop(tmp_path)
    else:
        made = (_postgres if request.param == "postgres" else _mariadb)(request)
    yield made
    made.connection.close()
