"""A ledger alone on a disk that fails: the changes of its life one by one, and what must be left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

from smm_rules.engine.memory import Memory
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState, NewOrder, Remembered, Sweep
from smm_rules.ledger.sql import changes, entities, housekeeping, intents, orders, outbox, sweeps
from smm_rules.ledger.sqlite.connection import check, open_connection, writing
from tests.ledger.builders import (
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
from tests.proof.disk import Disk, DiskFault

Change = Callable[[apsw.Connection], object]
Content = dict[str, list[tuple[Any, ...]]]


def _record(connection: apsw.Connection) -> object:
    return sweeps.record(
        connection,
        Sweep(
            T0,
            (observed(order(1), {"remains": 3}),),
            (Remembered("top-up", order(1), Memory(fired_at=T0, firings=1)),),
            (planned(firing(), draft(estimate="1"), [message("a")]), planned(firing(order(2)), draft())),
        ),
    )


def _confirm(connection: apsw.Connection) -> object:
    outcome = ended(IntentState.CONFIRMED, result="9", refill=refill(9), evidence={"balance_after": "3"})
    return changes.settle(connection, 1, outcome, NOTHING, T0 + MINUTE, "daemon")


def _resolve(connection: apsw.Connection) -> object:
    outcome = ended(IntentState.CONFIRMED, result="8", tracked=NewOrder(order(8), parent=order(2)))
    return changes.resolve(connection, 2, outcome, NOTHING, T0 + MINUTE, "operator")


def _reopen(_: apsw.Connection) -> object:
    """Closing copies the log into the file: another kind of write."""
    raise Reopen


class Reopen(Exception):
    """The connection is to be closed and opened anew."""


#: A life of the ledger. Each is one transaction, acknowledged when it returns.
LIFE: tuple[tuple[str, Change], ...] = (
    ("track", lambda c: orders.track(c, [new_order(1), new_order(2), new_order(3)], T0)),
    ("record", _record),
    ("claim", lambda c: changes.claim(c, 1, "daemon", T0, {"balance": "4"})),
    ("confirm", _confirm),
    ("reopen", _reopen),
    ("claim again", lambda c: changes.claim(c, 2, "daemon", T0 + MINUTE, {"balance": "3"})),
    ("recover", lambda c: changes.recover(c, T0 + MINUTE, "daemon", T0)),
    ("note", lambda c: intents.note(c, 2, {"balance_after": "2"})),
    ("resolve", _resolve),
    ("tell", lambda c: outbox.delivered(c, 1, T0 + MINUTE)),
    ("reopen again", _reopen),
    ("forget", lambda c: entities.forget(c, order(3), T0 + MINUTE)),
    ("prune", lambda c: housekeeping.prune(c, T0 + DAY)),
)


@dataclass
class Storm:
    """One life on one disk. `acknowledged` counts the changes that returned."""

    path: Path
    disk: Disk
    synchronous: str = ""
    acknowledged: int = 0
    errors: list[apsw.Error] = field(default_factory=list)
    connection: apsw.Connection | None = None

    def live(self, *, again: bool = False) -> None:
        """Make every change; with `again` one that failed is made once more, else the failure is raised."""
        for _, change in LIFE[self.acknowledged :]:
            for attempt in range(3):
                try:
                    self._make(change)
                    break
                except (apsw.Error, LedgerError) as error:
                    failure = error if isinstance(error, apsw.Error) else error.__cause__
                    assert isinstance(failure, apsw.Error)
                    self.errors.append(failure)
                    if not again or attempt == 2:
                        raise failure from None
            self.acknowledged += 1
        try:
            self.close()
        except apsw.Error as error:  # what the log holds is copied at the next opening
            self.errors.append(error)

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def _make(self, change: Change) -> None:
        if self.connection is None:
            self.connection = open_connection(self.path)
            if self.synchronous:
                self.connection.pragma("synchronous", self.synchronous)
        try:
            with writing(self.connection):
                change(self.connection)
        except Reopen:
            self.close()


@contextmanager
def on_disk(seed: int) -> Iterator[Disk]:
    """A fresh disk as SQLite's default one, for the block."""
    disk = Disk(Random(seed))
    apsw.connection_hooks.append(disk.connections.add)
    try:
        yield disk
    finally:
        apsw.connection_hooks.remove(disk.connections.add)
        disk.drop_process()
        disk.unregister()


def content(path: Path) -> Content:
    """Every row of every table of a sound file, but for the name that each ledger draws for itself."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        assert check(connection) == ()
        tables = [
            str(name)
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'identity' ORDER BY name"
            ).fetchall()
        ]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables}


def new_ledger(path: Path) -> Path:
    """An empty ledger, made in calm."""
    open_connection(path).close()
    return path


def snapshots(directory: Path) -> list[Content]:
    """What the ledger holds after each change of an undisturbed life; first of all, before the first."""
    path = new_ledger(directory / "undisturbed.db")
    found = [content(path)]
    for _, change in LIFE:
        if change is not _reopen:
            with closing(open_connection(path)) as connection, writing(connection):
                change(connection)
        found.append(content(path))
    return found


@dataclass
class Strike:
    """Lets the `number`-th writing call meet `fault`, and `times` - 1 more. `only` names one kind of call."""

    number: int
    fault: DiskFault
    times: int = 1
    only: str = ""
    seen: int = 0
    struck: int = 0

    def __call__(self, call: str, _: str) -> DiskFault | None:
        if self.only and call != self.only:
            return None
        self.seen += 1
        if self.number <= self.seen < self.number + self.times:
            self.struck += 1
            return self.fault
        return None
