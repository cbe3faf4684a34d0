"""The fixtures: `mariadb`, a running server, and `maria_database`, the name of an empty database on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.mariadb.server import Server, installed

_numbers = count(1)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """One server for all tests of a session."""
    if not installed():
        pytest.skip(
            "there is no MariaDB server on this machine (Debian: apt-get install mariadb-server-core)"
        )
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def maria_database(mariadb: Server) -> Iterator[str]:
    """The name of an empty database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    run(mariadb, f"CREATE DATABASE {name}")
    yield name
    run(mariadb, f"DROP DATABASE {name}")


def run(server: Server, *statements: str, database: str | None = None) -> None:
    """Run statements as the superuser."""
    import pymysql

    connection = pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", database=database, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
