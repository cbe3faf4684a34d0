"""The schema's versions: old files are upgraded, newer and foreign ones refused."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from smm_rules.facts import EntityKind
from smm_rules.ledger.migrations import APPLICATION_ID, MIGRATIONS, Migration, migrate, schema_version
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.connection import open_connection
from tests.ledger.builders import DAY, MINUTE, T0, order, refill

#: Ledgers as earlier versions wrote them: `version-N.sql` is a dump that is never changed again.
OLD = Path(__file__).parent / "old"
SECOND = Migration(
    2, "notes", "ALTER TABLE orders ADD COLUMN note TEXT; CREATE TABLE notes (id INTEGER) STRICT;"
)


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    assert MIGRATIONS[0].name == "initial"


def _load(path: Path, version: int) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute((OLD / f"version-{version}.sql").read_text(encoding="utf-8"))
        assert schema_version(connection) == version


def _schema(connection: apsw.Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1, 2")
    return [(str(kind), str(name), " ".join(str(sql).split())) for kind, name, sql in rows.fetchall()]


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_an_old_file_is_upgraded_to_the_schema_of_a_new_one(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    _load(old, version)
    with closing(open_connection(old)) as upgraded, closing(open_connection(new)) as fresh:
        assert schema_version(upgraded) == MIGRATIONS[-1].version
        assert _schema(upgraded) == _schema(fresh)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_an_old_file_keeps_all_it_knew(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    _load(path, version)
    async with await SqliteLedger.open(path) as ledger:
        [first] = await ledger.due(EntityKind.ORDER, "north", T0 + DAY, 1)
        assert first.entity == order(1)
        assert first.facts == {"remains": 157, "status": "Partial"}
        [asked] = await ledger.due(EntityKind.REFILL, "north", T0 + DAY, 1)
        assert asked.entity == refill(9)
        assert asked.order is not None
        assert asked.order.refills == 1
        found = await ledger.intents([], 10)
        assert [(intent.id, intent.state, intent.result) for intent in found] == [
            (2, IntentState.PLANNED, ""),
            (1, IntentState.CONFIRMED, "9"),
        ]
        assert [change.after for change in await ledger.transitions(1)] == ["planned", "sending", "confirmed"]
        firing = await ledger.firing(1)
        assert firing is not None
        assert firing.at == T0 + MINUTE
        assert [message.dedup_key for message in await ledger.deliverable(T0 + DAY, 10)] == ["told"]
        assert await ledger.remembered_rules() == {"top-up": 1}
        assert len(await ledger.history(None, T0, T0 + DAY, 10)) == 1
        assert await ledger.integrity() == ()


def test_pending_steps_are_applied_in_order(tmp_path: Path) -> None:
    with closing(apsw.Connection(str(tmp_path / "ledger.db"))) as connection:
        assert migrate(connection, MIGRATIONS[:1]) == (0, 1)
        assert migrate(connection, [MIGRATIONS[0], SECOND]) == (1, 2)
        assert migrate(connection, [MIGRATIONS[0], SECOND]) == (2, 2)
        assert connection.execute("SELECT count(note) FROM orders").get == 0
        assert connection.pragma("application_id") == APPLICATION_ID


def test_a_failing_step_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    with closing(apsw.Connection(str(tmp_path / "ledger.db"))) as connection:
        migrate(connection, MIGRATIONS[:1])
        before = _schema(connection)
        broken = replace(SECOND, script=SECOND.script + "INSERT INTO nowhere VALUES (1);")
        with pytest.raises(apsw.SQLError, match="no such table: nowhere"):
            migrate(connection, [MIGRATIONS[0], broken])
        assert _schema(connection) == before
        assert schema_version(connection) == 1
        assert not connection.in_transaction


def test_a_step_that_leaves_dangling_references_is_undone(tmp_path: Path) -> None:
    with closing(apsw.Connection(str(tmp_path / "ledger.db"))) as connection:
        migrate(connection, MIGRATIONS[:1])
        dangling = replace(SECOND, script="INSERT INTO facts VALUES (7, '{}')")
        with pytest.raises(LedgerError, match="dangling references"):
            migrate(connection, [MIGRATIONS[0], dangling])
        assert connection.execute("SELECT count(*) FROM facts").get == 0


async def test_a_newer_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(open_connection(path)) as connection:
        connection.pragma("user_version", 99)
    content = path.read_bytes()
    with pytest.raises(
        LedgerError, match=r"written by a newer smm-rules .*version 99, .*; upgrade smm-rules"
    ):
        await SqliteLedger.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [0, 1, 7])
async def test_the_database_of_another_program_is_refused(tmp_path: Path, version: int) -> None:
    path = tmp_path / "other.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("CREATE TABLE theirs (a)")
        connection.pragma("user_version", version)
    content = path.read_bytes()
    with pytest.raises(LedgerError, match="database of another program"):
        await SqliteLedger.open(path)
    assert path.read_bytes() == content
