"""What goes to PostgreSQL at once: statements that wait for the next one, and how few answers it awaits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.postgres.session import Session
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sql.query import Connection, cell, rows, rows_of_all, rows_of_each, run
from tests.ledger.builders import MINUTE, NOTHING, T0, draft, ended, fired, firing, plan, planned

_ADD = "INSERT INTO counts (name, amount) VALUES (?, ?)"
_NAMES = "SELECT name FROM counts ORDER BY name"


@pytest.fixture
async def ledger(ledger_database: str, tmp_path: Path) -> AsyncIterator[PostgresLedger]:
    async with await PostgresLedger.open(Access(ledger_database), tmp_path / "ledger") as opened:
        yield opened


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent and waited for since it was last cleared, but for commits, and for `executemany`, which
    has nothing to send here."""
    sent: list[str] = []

    def noting(name: str) -> None:
        whole: Callable[..., Any] = getattr(Session, name)

        def noted(self: Session, *given: Any) -> Any:
            sent.append(f"{name} {given[0]}")
            return whole(self, *given)

        monkeypatch.setattr(Session, name, noted)

    for name in ("execute", "execute_all", "own"):
        noting(name)
    return sent


async def test_what_waits_is_done_before_whatever_is_asked_next(ledger: PostgresLedger) -> None:
    def look(connection: Connection) -> list[object]:
        run(connection, _ADD, ("a", 1))
        run(connection, _ADD, ("b", 2))
        by_rows = rows(connection, _NAMES)
        run(connection, _ADD, ("c", 3))
        rows_of_each(connection, _ADD, [("d", 4)])
        run(connection, _ADD, ("e", 5))
        [amounts, names] = rows_of_all(
            connection, ("SELECT sum(amount)::bigint FROM counts", ()), (_NAMES, ())
        )
        return [by_rows, amounts, names]

    found = await ledger.parts[0].write(look)
    assert found == [[("a",), ("b",)], [(15,)], [("a",), ("b",), ("c",), ("d",), ("e",)]]


@pytest.mark.parametrize("decides", [True, False])
async def test_what_waits_is_committed_though_nothing_is_asked_any_more(
    ledger: PostgresLedger, decides: bool
) -> None:
    transactions = ledger.parts[0]
    write = transactions.write if decides else transactions.write_beside
    await write(run, _ADD, ("a", 1))
    assert await transactions.read(rows, _NAMES) == [("a",)]


async def test_outside_of_a_transaction_nothing_waits(ledger: PostgresLedger) -> None:
    def alone(connection: Connection) -> list[list[object]]:
        run(connection, _ADD, ("a", 1))
        return [list(row) for found in rows_of_all(connection, (_NAMES, ()), (_NAMES, ())) for row in found]

    assert await ledger.parts[0].alone(alone) == [["a"], ["a"]]


@pytest.mark.parametrize("asks", [True, False])
async def test_what_waits_and_fails_undoes_the_whole_and_the_next_is_as_if_it_had_not_been(
    ledger: PostgresLedger, asks: bool
) -> None:
    def twice(connection: Connection) -> None:
        run(connection, _ADD, ("a", 1))
        run(connection, _ADD, ("a", 2))
        run(connection, _ADD, ("b", 1))
        if asks:
            rows(connection, _NAMES)

    transactions = ledger.parts[0]
    with pytest.raises(LedgerError) as caught:
        await transactions.write(twice)
    assert isinstance(caught.value.__cause__, psycopg.errors.UniqueViolation)
    assert await transactions.write(cell, "SELECT count(*) FROM counts") == 0
    await transactions.write(run, _ADD, ("c", 1))
    assert await transactions.read(rows, _NAMES) == [("c",)]


async def test_a_planned_action_and_a_claim_wait_for_few_answers(
    ledger: PostgresLedger, trips: list[str]
) -> None:
    """Each is a round trip; a commit is one more. The last is the stamp's question."""
    await plan(ledger)
    trips.clear()
    recorded = await ledger.record(fired(planned(firing(episode=T0 + MINUTE), draft())))
    assert len(trips) <= 10, trips
    [intent] = recorded.intents
    trips.clear()
    assert await ledger.claim(intent, "d1", T0 + MINUTE, {})
    assert len(trips) <= 9, trips
    trips.clear()
    await ledger.settle(intent, ended(IntentState.CONFIRMED), NOTHING, T0 + MINUTE, "d1")
    assert len(trips) <= 7, trips


async def test_the_record_goes_on_where_each_transaction_left_it(ledger: PostgresLedger) -> None:
    for minute in range(3):
        intent = await plan(ledger, episode=T0 + minute * MINUTE)
        assert await ledger.claim(intent, "d1", T0 + minute * MINUTE, {})
        await ledger.settle(intent, ended(IntentState.UNKNOWN), NOTHING, T0 + minute * MINUTE, "d1")
    checked = await ledger.verify_audit()
    assert checked.fault is None
    assert checked.entries >= 9
