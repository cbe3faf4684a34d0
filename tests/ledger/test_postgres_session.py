"""What a connection to PostgreSQL must be like, and what is said when it isn't."""

from __future__ import annotations

import psycopg
import pytest

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from tests.postgres.server import Server


def _set(url: str, name: str, value: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        database = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{database}" SET {name} = {value}'.encode())


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
async def test_a_server_that_may_forget_a_commit_is_refused(database: str, value: str) -> None:
    _set(database, "synchronous_commit", value)
    with pytest.raises(LedgerError, match=f"with synchronous_commit = {value} a crash undoes what was"):
        await PostgresLedger.open(Access(database))


async def test_a_server_without_fsync_is_refused(postgres_of_its_own: Server) -> None:
    with psycopg.connect(postgres_of_its_own.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
    postgres_of_its_own.stop()
    postgres_of_its_own.start()
    with pytest.raises(LedgerError, match="with fsync = off a crash undoes what was"):
        await PostgresLedger.open(Access(postgres_of_its_own.url()))


async def test_a_read_only_database_is_refused(database: str) -> None:
    _set(database, "default_transaction_read_only", "on")
    with pytest.raises(LedgerError, match="can't be written to: it is a standby or read-only"):
        await PostgresLedger.open(Access(database))


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres: Server) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
        )
    with pytest.raises(LedgerError, match="the database's encoding is SQL_ASCII"):
        await PostgresLedger.open(Access(postgres.url("ascii")))


async def test_a_database_that_is_not_there_is_named(postgres: Server) -> None:
    with pytest.raises(LedgerError, match=r"/nowhere: there is no such database .*; create it"):
        await PostgresLedger.open(Access(postgres.url("nowhere")))


async def test_a_server_that_is_not_there_is_told_of_without_the_password() -> None:
    access = Access("postgresql://smm-rules@127.0.0.1:1/ledger", "verysecret")
    with pytest.raises(LedgerError, match="the server can't be reached") as caught:
        await PostgresLedger.open(access)
    assert "verysecret" not in str(caught.value)
    assert "verysecret" not in repr(access)
    error: BaseException | None = caught.value
    while error is not None:
        assert "verysecret" not in str(error)
        error = error.__cause__


async def test_a_user_who_may_not_make_the_ledger_is_told_what_to_do(database: str, postgres: Server) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(LedgerError, match=r"the user may not do this .*; make the database the user's own"):
        await PostgresLedger.open(Access(database.replace("postgres@", "guest@")))


async def test_a_closed_ledger_says_so(ledger_database: str) -> None:
    ledger = await PostgresLedger.open(Access(ledger_database))
    await ledger.aclose()
    await ledger.aclose()
    with pytest.raises(LedgerError, match="has been closed"):
        await ledger.open_hold()


async def test_neither_a_stopped_process_nor_a_lock_is_waited_for_without_end(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        settings = await ledger._transactions.read(
            lambda connection: connection.execute(
                "SELECT current_setting('idle_in_transaction_session_timeout'), "
                "current_setting('lock_timeout')",
                (),
            ).fetchall()
        )
    assert settings == [("5s", "15s")]


async def test_doctor_is_told_what_is_there(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        described = await ledger.describe()
    assert described.address == ledger_database
    assert described.size > 100_000
    assert described.server.split(".")[0].isdecimal()
