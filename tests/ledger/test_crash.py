"""A process that is killed at any statement leaves a ledger in which a change is whole or not there."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest

from smm_rules.engine.firing import Continuation
from smm_rules.engine.memory import Memory
from smm_rules.ledger.records import IntentState, NewOrder, Remembered, Sweep
from smm_rules.ledger.sql import changes, entities, housekeeping, intents, orders, sweeps
from smm_rules.ledger.sqlite.connection import check, open_connection, writing
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    firing,
    message,
    new_order,
    observed,
    order,
    planned,
    refill,
)
from tests.ledger.processes import die, start, wait

Change = Callable[[apsw.Connection], object]


@dataclass(frozen=True)
class Crash:
    """A change, and what must have been written before it."""

    name: str
    change: Change
    before: tuple[Change, ...] = ()


def _record(connection: apsw.Connection) -> object:
    return sweeps.record(
        connection,
        Sweep(
            T0,
            (observed(order(1), {"remains": 3}), observed(BALANCE, {"amount": Decimal(5)})),
            (Remembered("top-up", order(1), Memory(fired_at=T0, firings=1)),),
            (planned(firing(), draft(estimate="1"), [message("a")]), planned(firing(order(2)), draft())),
        ),
    )


def _track(connection: apsw.Connection) -> object:
    return orders.track(connection, [new_order(1), new_order(2, order(1)), new_order(3)], T0)


def _claim(connection: apsw.Connection) -> object:
    return changes.claim(connection, 1, "d1", T0, {"balance": "4"})


def _settle_refill(connection: apsw.Connection) -> object:
    outcome = ended(IntentState.CONFIRMED, result="9", refill=refill(9), evidence={"balance_after": "3"})
    then = Continuation((message("b"),), draft("do.1"))
    return changes.settle(connection, 1, outcome, then, T0 + MINUTE, "d1")


def _settle_reorder(connection: apsw.Connection) -> object:
    outcome = ended(IntentState.CONFIRMED, result="8", tracked=NewOrder(order(8), parent=order(2)))
    return changes.settle(connection, 1, outcome, NOTHING, T0 + MINUTE, "d1")


def _retry(connection: apsw.Connection) -> object:
    outcome = ended(IntentState.NOT_SENT, retry_at=T0 + DAY)
    return changes.settle(connection, 1, outcome, NOTHING, T0 + MINUTE, "d1")


CRASHES = [
    Crash("track", _track),
    Crash("record", _record, (_track,)),
    Crash("claim", _claim, (_track, _record)),
    Crash("settle a refill", _settle_refill, (_track, _record, _claim)),
    Crash("settle a reorder", _settle_reorder, (_track, _record, _claim)),
    Crash("try again later", _retry, (_track, _record, _claim)),
    Crash("recover", lambda c: changes.recover(c, T0, "d1", T0), (_track, _record, _claim)),
    Crash("hold", lambda c: changes.hold(c, 1, "approval", "", T0), (_track, _record)),
    Crash("ask", lambda c: intents.ask(c, draft(), order(1), T0 + DAY, "ann")),
    Crash("forget", lambda c: entities.forget(c, order(1), T0), (_track, _record)),
    Crash("prune", lambda c: housekeeping.prune(c, T0 + DAY), (_track, _record, _claim, _settle_reorder)),
]


def _content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, after the file has been found sound."""
    with closing(open_connection(path)) as connection:
        assert check(connection) == ()
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for (name,) in tables.fetchall()
        }


def _write(path: Path, change: Change) -> None:
    with closing(open_connection(path)) as connection, writing(connection):
        change(connection)


def _dies_at(path: Path, change: Change, statement: int) -> Callable[[], None]:
    """A process that makes the change and is killed before the `statement`th statement of it."""

    def job() -> None:
        connection = open_connection(path)
        count = 0

        def trace(*_: object) -> bool:
            nonlocal count
            count += 1
            if count == statement:
                die()
            return True

        connection.exec_trace = trace
        with writing(connection):
            change(connection)

    return job


def _copies(path: Path) -> Iterator[Path]:
    """The ledger again and again, as it was before the change."""
    content = path.read_bytes()
    number = 0
    while True:
        number += 1
        copy = path.with_name(f"copy-{number}.db")
        copy.write_bytes(content)
        yield copy


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.name)
def test_a_killed_change_is_whole_or_not_there(tmp_path: Path, crash: Crash) -> None:
    path = tmp_path / "ledger.db"
    for earlier in crash.before:
        _write(path, earlier)
    before = _content(path)
    killed = 0
    for number, copy in enumerate(_copies(path), 1):
        code = wait(start(_dies_at(copy, crash.change, number)))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert _content(copy) == before
        killed += 1
    # The last process was never killed before a statement: it ended without closing, after COMMIT.
    assert killed >= 3
    after = _content(copy)
    assert after != before
    _write(path, crash.change)
    assert _content(path) == after


def test_a_claim_that_returned_survives_and_is_in_doubt_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for earlier in (_track, _record):
        _write(path, earlier)

    def claims_and_dies() -> None:
        connection = open_connection(path)
        with writing(connection):
            assert _claim(connection)
        die()

    assert wait(start(claims_and_dies)) == -signal.SIGKILL
    with closing(open_connection(path)) as connection:
        intent = intents.must_have(connection, 1)
        assert (intent.state, intent.evidence) == (IntentState.SENDING, {"balance": "4"})
        with writing(connection):
            [found] = changes.recover(connection, T0 + DAY, "d1", T0)
        assert (found.id, found.state) == (1, IntentState.UNKNOWN)
        with writing(connection):
            assert not changes.claim(connection, 1, "d1", T0 + DAY, {})
