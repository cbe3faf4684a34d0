"""The daemon and other commands on one ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from tests.ledger.builders import DAY, T0, draft, fired, firing, new_order, order, planned
from tests.ledger.processes import die, start, wait

INTENTS = 25
PROCESSES = 4


async def _plan_many(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        firings = (planned(firing(order(number)), draft()) for number in range(INTENTS))
        await ledger.record(fired(*firings))


async def _claim_all(path: Path, owner: str) -> None:
    async with await SqliteLedger.open(path) as ledger:
        for intent_id in range(1, INTENTS + 1):
            await ledger.claim(intent_id, owner, T0 + DAY, {})


async def _owners(path: Path) -> tuple[set[int], set[str], int]:
    async with await SqliteLedger.open(path) as ledger:
        found = await ledger.intents([IntentState.SENDING], 1000)
        moves = [len(await ledger.transitions(intent.id)) for intent in found]
        return {intent.attempts for intent in found}, {intent.owner for intent in found}, sum(moves)


def test_each_intent_is_claimed_by_one_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    asyncio.run(_plan_many(path))
    processes = [
        start(lambda number=number: asyncio.run(_claim_all(path, f"p{number}")))  # type: ignore[misc]
        for number in range(PROCESSES)
    ]
    assert [wait(process) for process in processes] == [0] * PROCESSES
    attempts, owners, transitions = asyncio.run(_owners(path))
    assert attempts == {1}
    assert transitions == 2 * INTENTS
    assert owners <= {f"p{number}" for number in range(PROCESSES)}


async def _track_some(path: Path, number: int) -> None:
    async with await SqliteLedger.open(path) as ledger:
        for batch in range(5):
            first = number * 1000 + batch * 10
            assert await ledger.track([new_order(first + i) for i in range(10)], T0) == 10


async def _count(path: Path) -> int:
    async with await SqliteLedger.open(path) as ledger:
        return (await ledger.totals(T0)).orders


def test_several_processes_make_and_fill_a_new_ledger_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    processes = [
        start(lambda number=number: asyncio.run(_track_some(path, number)))  # type: ignore[misc]
        for number in range(PROCESSES)
    ]
    assert [wait(process) for process in processes] == [0] * PROCESSES
    assert asyncio.run(_count(path)) == PROCESSES * 50


# -- one daemon a ledger ------------------------------------------------------------------------------------
def test_a_second_daemon_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    def refused() -> None:
        with pytest.raises(LedgerError, match=r"another daemon \(process \d+\) is running on this ledger"):
            DaemonLock(path).acquire()

    with DaemonLock(path):
        assert wait(start(refused)) == 0
    with DaemonLock(path) as lock:
        lock.acquire()  # holding it already is no fault


def test_a_link_to_the_ledger_is_the_same_ledger(tmp_path: Path) -> None:
    path, link = tmp_path / "ledger.db", tmp_path / "link.db"
    path.touch()
    link.symlink_to(path)
    with DaemonLock(path), pytest.raises(LedgerError, match="another daemon"):
        DaemonLock(link).acquire()


def test_the_lock_of_a_killed_daemon_is_free(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    def locks_and_dies() -> None:
        DaemonLock(path).acquire()
        die()

    assert wait(start(locks_and_dies)) == -9
    with DaemonLock(path) as lock:
        assert lock.path.stat().st_mode & 0o777 == 0o600


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="can't be opened: No such file or directory"):
        DaemonLock(tmp_path / "missing" / "ledger.db").acquire()


def test_releasing_a_lock_that_is_not_held_does_nothing(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    lock.release()
    assert not lock.path.exists()
