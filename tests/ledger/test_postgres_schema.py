"""The schema in PostgreSQL: the same as SQLite's, upgraded alone, never another program's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import apsw
import psycopg
import pytest

from smm_rules.ledger.migrations import MIGRATIONS as OF_SQLITE
from smm_rules.ledger.migrations import Migration, migrate
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.postgres.schema import MIGRATIONS, enter, schema_version
from smm_rules.ledger.postgres.session import Session, connect
from smm_rules.ledger.sql.query import rows
from tests.ledger.builders import T0, new_order
from tests.ledger.processes import start, wait

NEWEST = MIGRATIONS[-1].version
NEXT = Migration(NEWEST + 1, "next", "CREATE TABLE notes (id BIGINT)")
BROKEN = Migration(NEWEST + 1, "broken", "CREATE TABLE notes (id BIGINT); SELECT nothing FROM nowhere")
#: What each back end has for itself.
OWN = {"schema_version", "handed_out"}


@contextmanager
def session(url: str) -> Iterator[Session]:
    opened = connect(Access(url), "test")
    try:
        yield opened
    finally:
        opened.close()


def test_there_is_a_step_for_each_of_sqlite(ledger_database: str) -> None:
    first = MIGRATIONS[0].version
    assert [one.version for one in MIGRATIONS] == [one.version for one in OF_SQLITE[first - 1 :]]


def test_both_back_ends_have_the_same_columns(ledger_database: str) -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        migrate(connection)
        of_sqlite = connection.execute(
            "SELECT t.name, c.name, c.pk > 0 FROM sqlite_schema t, pragma_table_info(t.name) c "
            "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'"
        ).fetchall()
    with session(ledger_database) as opened:
        of_postgres = rows(
            opened,
            """
            SELECT c.relname, a.attname, coalesce(a.attnum = ANY (k.conkey), false) FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
            WHERE c.relnamespace = 'smm_rules'::regnamespace AND c.relkind = 'r'
            """,
        )
    shared = {(table, column, bool(key)) for table, column, key in of_sqlite}
    assert {row for row in of_postgres if row[0] not in OWN} == shared


def test_both_back_ends_have_the_same_indexes(ledger_database: str) -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        migrate(connection)
        found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        of_sqlite = {name for (name,) in found.fetchall()}
    with session(ledger_database) as opened:
        names = rows(opened, "SELECT indexname FROM pg_indexes WHERE schemaname = 'smm_rules'")
    assert of_sqlite <= {name for (name,) in names}


def test_a_newer_ledger_is_refused_and_left_alone(ledger_database: str) -> None:
    with session(ledger_database) as opened:
        enter(opened, "x", [*MIGRATIONS, NEXT])
    with (
        session(ledger_database) as opened,
        pytest.raises(LedgerError, match=rf"newer smm-rules .*version {NEWEST + 1}.*; upgrade smm-rules"),
    ):
        enter(opened, "x")


def test_the_schema_of_another_program_is_refused(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE SCHEMA smm_rules")
        connection.execute("CREATE TABLE smm_rules.theirs (a int)")
    with session(database) as opened, pytest.raises(LedgerError, match="another program's"):
        enter(opened, "x")


def test_an_empty_schema_made_beforehand_is_taken(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE SCHEMA smm_rules")
    with session(database) as opened:
        enter(opened, "x")
        assert schema_version(opened) == NEWEST


def test_nothing_is_upgraded_while_others_work_on_it(ledger_database: str) -> None:
    with session(ledger_database) as worker, session(ledger_database) as newer:
        enter(worker, "x")
        with pytest.raises(LedgerError, match=r"must be upgraded, and others are at work on it \(test\)"):
            enter(newer, "x", [*MIGRATIONS, NEXT])
        assert schema_version(newer) == NEWEST
        worker.close()
        _wait_until_alone(newer)
        enter(newer, "x", [*MIGRATIONS, NEXT])
        assert schema_version(newer) == NEWEST + 1


def _wait_until_alone(opened: Session) -> None:
    """The server takes a moment to notice that a session has been closed."""
    others = """
      SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
      WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND datname = current_database()
    """
    until = time.monotonic() + 30
    while rows(opened, others):
        assert time.monotonic() < until, "the closed session never ended"
        time.sleep(0.01)


def test_a_failing_step_leaves_the_ledger_as_it_was(ledger_database: str) -> None:
    with session(ledger_database) as opened:
        with pytest.raises(psycopg.errors.UndefinedTable):
            enter(opened, "x", [*MIGRATIONS, BROKEN])
        assert schema_version(opened) == NEWEST
        assert rows(opened, "SELECT to_regclass('smm_rules.notes')") == [(None,)]
        enter(opened, "x")


async def _track(url: str, number: int) -> None:
    async with await PostgresLedger.open(Access(url)) as ledger:
        assert await ledger.track([new_order(number * 100 + i) for i in range(10)], T0) == 10


async def _count(url: str) -> int:
    async with await PostgresLedger.open(Access(url)) as ledger:
        return (await ledger.totals(T0)).orders


def test_several_processes_make_and_fill_a_new_ledger_at_once(database: str) -> None:
    processes = [
        start(lambda number=number: asyncio.run(_track(database, number)))  # type: ignore[misc]
        for number in range(4)
    ]
    assert [wait(process) for process in processes] == [0] * 4
    assert asyncio.run(_count(database)) == 40


# -- the record of decisions --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET by = 'nobody'", "is never changed"),
        ("DELETE FROM audit", "is never shortened"),
        ("TRUNCATE audit", "is never emptied"),
        ("UPDATE rule_versions SET text = ''", "never changed"),
        ("DELETE FROM rule_versions", "never dropped"),
    ],
)
async def test_the_record_is_guarded_by_the_database_itself(
    ledger_database: str, statement: str, words: str
) -> None:
    from smm_rules.ledger.audit import RuleText

    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        await ledger.rules_in_force([RuleText("top-up", "v1", "rules: []")], T0, "daemon")
    with session(ledger_database) as opened, pytest.raises(psycopg.errors.RaiseException, match=words):
        opened.execute(statement)


def test_a_value_is_found_in_json_that_jsonb_would_refuse(ledger_database: str) -> None:
    text = r'{"nul":"\u0000","half":"\ud83d","other":"\ude00x","face":"\ud83d\ude00","text":"\\u0000"}'
    wanted = {"nul": "\ufffd", "half": "\ufffd", "other": "\ufffdx", "face": "\U0001f600", "text": "\\u0000"}
    with session(ledger_database) as opened:
        found = {
            name: opened.execute("SELECT json_extract(?, ?)", (text, f"$.{name}")).fetchall()[0][0]
            for name in wanted
        }
    assert found == wanted
