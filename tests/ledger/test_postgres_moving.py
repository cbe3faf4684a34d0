"""A ledger moved from its file into a database: all of it or nothing, and never worked on in two places."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import apsw
import psycopg
import pytest

from smm_rules.engine.memory import Memory
from smm_rules.ledger.audit import AuditKind, AuditQuery, RuleText
from smm_rules.ledger.migrations import MOVED_ID, MOVING_ID
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger, moving
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from smm_rules.ledger.postgres.moving import Copied, move
from smm_rules.ledger.postgres.session import Session
from smm_rules.ledger.records import Asked, Heartbeat, IntentState, NewOrder, Outcome, Remembered, Sweep
from smm_rules.ledger.sql.query import Row
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    fired,
    firing,
    message,
    new_order,
    observed,
    order,
    planned,
    refill,
)

LATER = T0 + DAY


async def _lived_in(path: Path) -> None:
    """A ledger with something in every table that has been worked on for a while."""
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1), new_order(2, order(1)), new_order("d\ud83d")], T0, "ann")
        await ledger.track_asked([new_order(4)], Asked("shop", "d", "key"), lambda _: "{}", T0, "http:shop")
        await ledger.rules_in_force([RuleText("top-up", "v1", "rules: [ü\n]")], T0, "daemon")
        await ledger.record(
            Sweep(
                T0,
                (observed(order(1), {"remains": 3}), observed(BALANCE, {"amount": Decimal(5)})),
                (Remembered("top-up", order(1), Memory(fired_at=T0, firings=1)),),
                (planned(firing(), draft(estimate="1"), [message("a", "nul \0 half \ud83d face 😀")]),),
            )
        )
        assert await ledger.claim(1, "d1", T0 + MINUTE, {"balance": "4"})
        outcome = ended(IntentState.CONFIRMED, result="9", refill=refill(9))
        await ledger.settle(1, outcome, NOTHING, T0 + MINUTE, "d1")
        await ledger.record(fired(planned(firing(order(2)), draft(estimate="0.1"))))
        assert await ledger.claim(2, "d1", T0 + MINUTE, {})
        made = Outcome(IntentState.CONFIRMED, "ok", result="8", tracked=NewOrder(order(8), parent=order(2)))
        await ledger.settle(2, made, NOTHING, T0 + MINUTE, "d1")
        await ledger.record(fired(planned(firing(order(3)), draft())))
        await ledger.stop(StopKind.PAUSE, StopScope.RULE, "other", "why", "ann", T0)
        await ledger.forget(order("d\ud83d"), T0, "ann")
        await ledger.beat(Heartbeat("d1", T0, T0, {"mode": "live"}))
        await ledger.prune(T0 + timedelta(minutes=2))


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    await _lived_in(path)
    return path


def _dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {str(name): connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names}


def _mark(path: Path) -> object:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return connection.pragma("application_id")


async def test_everything_is_there_and_goes_on(source: Path, database: str, tmp_path: Path) -> None:
    before = _dump(source)
    told: list[Copied] = []
    moved = move(source, Access(database), "ann", LATER, told.append)
    assert moved.tables == tuple(told)
    rows = {one.table: one.rows for one in moved.tables}
    assert rows == {name: len(found) for name, found in before.items() if not name.startswith("sqlite")}
    assert all(rows[name] for name in ("entities", "orders", "firings", "intents", "audit", "rule_versions"))
    assert _dump(source) == before
    async with await PostgresLedger.open(Access(database), tmp_path / "state") as ledger:
        assert await ledger.hold_if_doubtful("daemon", LATER) is None
        assert (await ledger.verify_audit()).fault is None
        [entry] = await ledger.audit_page(AuditQuery(kinds=(AuditKind.MOVE,)), 0, 10)
        assert (entry.by, entry.data["rows"]) == ("ann", rows)
        [waiting] = await ledger.claimable(LATER, 10)
        assert waiting.entity == order(3)
        assert await ledger.claim(waiting.id, "d1", LATER, {})
        recorded = await ledger.record(fired(planned(firing(order(4), episode=LATER), draft())))
        assert recorded.intents == (4,)
        assert await ledger.track([new_order(5)], LATER) == 1
        [stop] = await ledger.stops()
        assert stop.name == "other"
        assert await ledger.enqueue(message("a"), LATER) is False
        assert (await ledger.verify_audit()).fault is None


async def test_nothing_starts_on_the_file_any_more(source: Path, database: str) -> None:
    move(source, Access(database), "ann", LATER)
    assert _mark(source) == MOVED_ID
    with pytest.raises(LedgerError, match="was moved into a database and goes on there"):
        await SqliteLedger.open(source)
    with pytest.raises(LedgerError, match="was moved into a database"):
        move(source, Access(database), "ann", LATER)


async def test_a_file_that_is_at_work_is_left_alone(source: Path, database: str) -> None:
    async with await SqliteLedger.open(source) as ledger:
        with pytest.raises(LedgerError, match="another command is at work"):
            move(source, Access(database), "ann", LATER)
        assert await ledger.track([new_order(7)], T0) == 1


async def test_a_database_with_a_ledger_in_it_is_left_alone(source: Path, ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        await ledger.track([new_order(1)], T0)
    with pytest.raises(LedgerError, match=r"has a ledger in it already \(.+ has rows\)"):
        move(source, Access(ledger_database), "ann", LATER)
    async with await SqliteLedger.open(source) as ledger:
        assert await ledger.order(order(1)) is not None


async def test_a_database_whose_daemon_runs_is_left_alone(source: Path, ledger_database: str) -> None:
    with (
        PostgresDaemonLock(Access(ledger_database)),
        pytest.raises(LedgerError, match="a daemon is running"),
    ):
        move(source, Access(ledger_database), "ann", LATER)
    async with await SqliteLedger.open(source) as ledger:
        assert await ledger.order(order(1)) is not None


async def test_a_row_that_comes_out_otherwise_undoes_it_all(
    source: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = moving._rows_in

    def one_lost(session: object, table: object) -> object:
        found = list(whole(session, table))  # type: ignore[arg-type]
        return iter(found[:-1] if table.name == "intents" else found)  # type: ignore[attr-defined]

    monkeypatch.setattr(moving, "_rows_in", one_lost)
    with pytest.raises(LedgerError, match="row 1 of intents isn't in the database as it is in the file"):
        move(source, Access(database), "ann", LATER)
    async with await SqliteLedger.open(source) as ledger:
        assert len(await ledger.intents([], 10)) == 1
    monkeypatch.undo()
    assert move(source, Access(database), "ann", LATER).tables


async def test_a_broken_record_is_not_moved(source: Path, database: str) -> None:
    with closing(apsw.Connection(str(source))) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed; UPDATE audit SET by = 'nobody' WHERE id = 2")
    with pytest.raises(LedgerError, match="the record of decisions is broken at entry 2"):
        move(source, Access(database), "ann", LATER)


class Died(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
async def test_a_move_that_broke_off_is_brought_to_its_end(
    source: Path, database: str, monkeypatch: pytest.MonkeyPatch, when: str, tmp_path: Path
) -> None:
    def die(*_: object) -> None:
        raise Died

    if when == "before the commit":
        monkeypatch.setattr(moving, "_verify", die)
        monkeypatch.setattr(moving, "_mark", die)  # a dead process puts nothing back
    else:
        monkeypatch.setattr(moving, "_mark", die)
    with pytest.raises(Died):
        move(source, Access(database), "ann", LATER)
    monkeypatch.undo()
    assert _mark(source) == MOVING_ID
    with pytest.raises(LedgerError, match="is being moved into a database; run `smm-rules ledger migrate`"):
        await SqliteLedger.open(source)
    with pytest.raises(LedgerError, match=r"is being moved to .+ already; give that address"):
        move(source, Access(database.rpartition("/")[0] + "/postgres"), "ann", LATER)
    moved = move(source, Access(database), "ann", LATER)
    assert bool(moved.tables) is (when == "before the commit")
    assert _mark(source) == MOVED_ID
    async with await PostgresLedger.open(Access(database), tmp_path / "state") as ledger:
        assert (await ledger.verify_audit()).fault is None
        assert len(await ledger.audit_page(AuditQuery(kinds=(AuditKind.MOVE,)), 0, 10)) == 1


class _Interrupted(BaseException):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize(
    ("interruption", "seen"), [(_Interrupted, _Interrupted), (psycopg.OperationalError, LedgerError)]
)
async def test_a_commit_that_is_interrupted_leaves_no_two_ledgers(
    source: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    interruption: type[BaseException],
    seen: type[BaseException],
) -> None:
    """The database has taken it, but the command ends before it hears so."""
    own = Session.own

    def interrupted(session: Session, statements: str) -> Row | None:
        found = own(session, statements)
        if statements == "COMMIT" and own(session, "SELECT 1 FROM smm_rules.audit LIMIT 1"):
            raise interruption
        return found

    monkeypatch.setattr(Session, "own", interrupted)
    with pytest.raises(seen):
        move(source, Access(database), "ann", LATER)
    monkeypatch.undo()
    assert _mark(source) == MOVING_ID
    assert move(source, Access(database), "ann", LATER).tables == ()
    assert _mark(source) == MOVED_ID


def _older(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("user_version", 1)


def _damaged(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA foreign_keys = off; DELETE FROM entities")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, "there is no file"),
        (_older, "has the schema of an older smm-rules"),
        (_damaged, "is damaged"),
    ],
    ids=["missing", "older", "damaged"],
)
async def test_what_cannot_be_moved_is_told(
    source: Path, database: str, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(source)
    with pytest.raises(LedgerError, match=words):
        move(source, Access(database), "ann", LATER)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('smm_rules.intents')").fetchone() == (None,)
