"""The fixtures: `postgres`, a running server, `database`, the address of an empty database on it, and
`ledger_database`, that of one with an empty ledger.

A test that stops or kills the server uses `postgres_of_its_own` instead, so that no other test suffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.postgres.server import Server, binaries

_numbers = count(1)


def _start() -> Server:
    programs = binaries()
    if programs is None:
        pytest.skip("there is no PostgreSQL server on this machine (Debian: apt-get install postgresql-15)")
    server = Server(programs)
    try:
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of a session."""
    server = _start()
    yield server
    server.remove()


@pytest.fixture
def postgres_of_its_own() -> Iterator[Server]:
    """A server for one test alone, to be stopped, killed and started again."""
    server = _start()
    yield server
    server.remove()


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The address of an empty database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    create_database(postgres, name)
    yield postgres.url(name)
    drop_database(postgres, name)


@pytest.fixture(scope="session")
def ledger_template(postgres: Server) -> str:
    """The name of a database with an empty ledger in it."""
    from smm_rules.ledger.postgres.schema import enter
    from smm_rules.ledger.postgres.session import Access, connect

    name = "ledger_template"
    create_database(postgres, name)
    session = connect(Access(postgres.url(name)), "template")
    enter(session, name)
    session.close()
    return name


@pytest.fixture
def ledger_database(postgres: Server, ledger_template: str) -> Iterator[str]:
    """The address of a database with an empty ledger in it, dropped after the test."""
    name = f"test_{next(_numbers)}"
    create_database(postgres, name, ledger_template)
    yield postgres.url(name)
    drop_database(postgres, name)


def create_database(server: Server, name: str, template: str = "template1") -> None:
    """A new database, as a copy of `template`, which nobody may be connected to."""
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


def drop_database(server: Server, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    _administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(server: Server, statement: str) -> None:
    import psycopg

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
