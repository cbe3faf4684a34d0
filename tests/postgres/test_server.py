"""The tests' own PostgreSQL: what the other tests rely on."""

from __future__ import annotations

import psycopg

from tests.postgres.server import Server


def _value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_it_keeps_what_was_committed_when_it_is_killed(postgres_of_its_own: Server) -> None:
    with psycopg.connect(postgres_of_its_own.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    postgres_of_its_own.kill()
    postgres_of_its_own.start()
    assert _value(postgres_of_its_own.url(), "SELECT number FROM kept") == 7


def test_each_test_has_an_empty_database_that_sorts_as_people_do(database: str) -> None:
    assert _value(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert _value(database, "SELECT 'a' < 'B'") is True
    assert _value(database, "SHOW fsync") == "on"
