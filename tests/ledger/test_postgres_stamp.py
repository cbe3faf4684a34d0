"""A database that was put back from a copy is noticed by whoever has worked on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.stamp import StampFile
from tests.ledger.builders import DAY, MINUTE, T0, new_order, order, plan
from tests.postgres.fixtures import create_database, drop_database
from tests.postgres.server import Server

LATER = T0 + DAY


class Restorable:
    """A database that can be copied and put back under the same name, as pg_dump and pg_restore would."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self.url = server.url("restorable")
        create_database(server, "restorable", template)

    def copy(self) -> None:
        self._alone("restorable")
        create_database(self._server, "copy", "restorable")

    def put_back(self) -> None:
        self._alone("restorable")
        drop_database(self._server, "restorable")
        create_database(self._server, "restorable", "copy")

    def remove(self) -> None:
        for name in ("restorable", "copy"):
            drop_database(self._server, name)

    def _alone(self, name: str) -> None:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )


@pytest.fixture
def database_(postgres: Server, ledger_template: str) -> Iterator[Restorable]:
    made = Restorable(postgres, ledger_template)
    yield made
    made.remove()


async def test_a_claim_that_was_forgotten_puts_the_ledger_on_hold(
    database_: Restorable, tmp_path: Path
) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        intent_id = await plan(ledger)
    database_.copy()
    async with await PostgresLedger.open(access, stamp) as ledger:
        assert await ledger.claim(intent_id, "d1", LATER, {})
    database_.put_back()
    async with await PostgresLedger.open(access, stamp) as ledger:
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert hold.reason is HoldReason.OLDER
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert (intent.state, intent.reason) == (IntentState.HELD, "restored")
        await ledger.confirm_hold(LATER, "ann", LATER)
    async with await PostgresLedger.open(access, stamp) as ledger:
        assert await ledger.hold_if_doubtful("daemon", LATER) is None


async def test_a_dump_that_was_put_back_goes_on_whole_and_on_hold(
    database_: Restorable, postgres: Server, tmp_path: Path
) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        first = await plan(ledger)
        assert await ledger.claim(first, "d1", T0 + MINUTE, {})
    postgres.run("pg_dump", "--format=custom", "--schema=smm_rules", "--file=dump", database_.url)
    async with await PostgresLedger.open(access, stamp) as ledger:
        second = await plan(ledger, episode=LATER, number=2)
        assert await ledger.claim(second, "d1", LATER, {})
    postgres.run("pg_restore", "--clean", "--if-exists", f"--dbname={database_.url}", "dump")
    async with await PostgresLedger.open(access, stamp) as ledger:
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert (hold.reason, hold.gap.intents) == (HoldReason.OLDER, (second, second))
        await ledger.confirm_hold(LATER, "ann", LATER)
        third = await plan(ledger, episode=LATER + MINUTE, number=3)
        assert third == second + 1
        assert await ledger.claim(third, "d1", LATER + DAY, {})
        assert (await ledger.verify_audit()).fault is None


async def test_a_copy_that_was_worked_on_elsewhere_is_noticed(database_: Restorable, tmp_path: Path) -> None:
    access = Access(database_.url)
    async with await PostgresLedger.open(access, tmp_path / "here") as ledger:
        await ledger.track([new_order(1)], T0)
    database_.copy()
    async with await PostgresLedger.open(access, tmp_path / "here") as ledger:
        await ledger.track([new_order(2)], T0)
    database_.put_back()
    async with await PostgresLedger.open(access, tmp_path / "there") as ledger:
        await ledger.track([new_order(3)], T0)
        await ledger.track([new_order(4)], T0)
        assert await ledger.hold_if_doubtful("daemon", LATER) is None
    async with await PostgresLedger.open(access, tmp_path / "here") as ledger:
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert hold.reason is HoldReason.DIVERGED


async def test_a_new_machine_begins_a_stamp_of_its_own(database_: Restorable, tmp_path: Path) -> None:
    access = Access(database_.url)
    async with await PostgresLedger.open(access, tmp_path / "here") as ledger:
        intent_id = await plan(ledger)
    async with await PostgresLedger.open(access, tmp_path / "there") as ledger:
        assert ledger.finding is None
        assert await ledger.claim(intent_id, "d1", LATER, {})
        head = await ledger.audit_head()
    stamp = StampFile(tmp_path / "there").read()
    assert stamp is not None
    assert (stamp.head, stamp.claims) == (head, 1)


async def test_a_database_put_back_under_a_running_process_is_noticed_before_it_claims(
    database_: Restorable, tmp_path: Path
) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        intent_id = await plan(ledger)
    database_.copy()
    async with await PostgresLedger.open(access, stamp) as ledger:
        await ledger.track([new_order(2)], T0)
        database_.put_back()
        with pytest.raises(StateConflict, match="on hold"):
            await ledger.claim(intent_id, "d1", LATER, {})
        assert ledger.finding is not None
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert hold.reason is HoldReason.OLDER
        assert await ledger.claimable(LATER, 10) == ()


async def test_a_database_put_back_in_the_middle_of_a_claim_sends_nothing(
    database_: Restorable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        intent_id = await plan(ledger)
    database_.copy()
    async with await PostgresLedger.open(access, stamp) as ledger:
        await ledger.track([new_order(2)], T0)
        stamping = ledger.parts[2]
        assert stamping is not None
        whole = stamping.transact

        def restored_meanwhile(*given: object) -> object:
            monkeypatch.undo()
            database_.put_back()
            return whole(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(stamping, "transact", restored_meanwhile)
        with pytest.raises(StateConflict, match="so nothing is sent"):
            await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
        # It wasn't even claimed there.
        assert [change.after for change in await ledger.transitions(intent_id)] == [IntentState.PLANNED]


async def test_an_order_that_the_copy_forgot_is_named(database_: Restorable, tmp_path: Path) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        intent_id = await plan(ledger)
    database_.copy()
    async with await PostgresLedger.open(access, stamp) as ledger:
        assert await ledger.claim(intent_id, "d1", LATER, {})
        from smm_rules.engine.firing import Continuation
        from smm_rules.ledger.records import NewOrder, Outcome

        made = Outcome(IntentState.CONFIRMED, "ok", result="77", tracked=NewOrder(order(77)))
        await ledger.settle(intent_id, made, Continuation(), LATER, "d1")
    database_.put_back()
    async with await PostgresLedger.open(access, stamp) as ledger:
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert hold.gap.orders == {"north": "77"}


async def test_nothing_is_claimed_where_no_stamp_can_be_written(
    database_: Restorable, tmp_path: Path
) -> None:
    access, stamp = Access(database_.url), tmp_path / "ledger"
    async with await PostgresLedger.open(access, stamp) as ledger:
        intent_id = await plan(ledger)
        StampFile(stamp).path.unlink()
        StampFile(stamp).path.mkdir()
        with pytest.raises(LedgerError, match="nothing is sent without it"):
            await ledger.claim(intent_id, "d1", LATER, {})
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert (intent.state, intent.attempts) == (IntentState.PLANNED, 0)
