"""Several processes on one PostgreSQL ledger: what is decided is decided one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import (
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    fired,
    firing,
    new_order,
    observed,
    order,
    planned,
)
from tests.ledger.processes import die, start, wait

PROCESSES = 8
INTENTS = 20
BUDGET = Guards(Bounds(spend=(Allowance(Decimal("10.00"), Per.DAY),)))

Job = Callable[[PostgresLedger, int], Awaitable[object]]


def together(url: str, job: Job, guards: Guards | None = None) -> None:
    """Run `job` in several processes at once, each with the ledger opened for itself."""

    async def alone(number: int) -> None:
        async with await PostgresLedger.open(Access(url), guards=guards or Guards()) as ledger:
            await job(ledger, number)

    def begin(number: int) -> int:
        return start(lambda: asyncio.run(alone(number)))

    processes = [begin(number) for number in range(PROCESSES)]
    assert [wait(process) for process in processes] == [0] * PROCESSES


async def test_each_intent_is_claimed_by_one_process(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        firings = (planned(firing(order(number)), draft()) for number in range(INTENTS))
        recorded = await ledger.record(fired(*firings))

        async def claim_all(own: PostgresLedger, number: int) -> None:
            for intent_id in recorded.intents:
                if await own.claim(intent_id, f"p{number}", T0 + MINUTE, {"by": str(number)}):
                    await own.settle(intent_id, ended(IntentState.CONFIRMED), NOTHING, T0 + MINUTE, "p")

        together(ledger_database, claim_all)
        found = await ledger.intents([IntentState.CONFIRMED], 1000)
        assert {(intent.attempts, intent.owner) == (1, f"p{intent.evidence['by']}") for intent in found} == {
            True
        }
        moves = [[change.after for change in await ledger.transitions(one.id)] for one in found]
        assert moves == [["planned", "sending", "confirmed"]] * INTENTS
        assert (await ledger.verify_audit()).fault is None


async def test_a_budget_holds_over_processes_that_plan_at_once(ledger_database: str) -> None:
    async def plan_some(own: PostgresLedger, number: int) -> None:
        for turn in range(4):
            about = order(number * 100 + turn)
            reorder = IntentDraft("do.0", StepKind.REORDER, "north", {}, Decimal("1.00"), "USD")
            await own.record(fired(planned(firing(about), reorder)))

    together(ledger_database, plan_some, BUDGET)
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        totals = await ledger.totals(T0)
        assert totals.intents == {"planned": 10, "held": 4 * PROCESSES - 10}
        ids = sorted(intent.id for intent in await ledger.intents([], 1000))
        assert ids == list(range(1, 4 * PROCESSES + 1))
        record = await ledger.verify_audit()
        assert (record.fault, record.entries) == (None, 2 * 4 * PROCESSES)


async def test_a_budget_holds_over_processes_that_claim_what_became_dearer(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        cheap = IntentDraft("do.0", StepKind.REORDER, "north", {}, Decimal("0.10"), "USD")
        firings = (planned(firing(order(number)), cheap) for number in range(INTENTS))
        recorded = await ledger.record(fired(*firings))

        async def claim_all(own: PostgresLedger, number: int) -> None:
            for intent_id in recorded.intents[number:] + recorded.intents[:number]:
                await own.claim(intent_id, f"p{number}", T0 + MINUTE, {}, Decimal("2.50"), "USD")

        together(ledger_database, claim_all, BUDGET)
        assert (await ledger.totals(T0)).intents == {"sending": 4, "held": INTENTS - 4}


async def test_one_firing_is_planned_once_whoever_sees_it(ledger_database: str) -> None:
    async def see(own: PostgresLedger, number: int) -> None:
        for turn in range(3):
            await own.record(fired(planned(firing(order(turn)), draft(), [])))

    together(ledger_database, see)
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        assert (await ledger.totals(T0)).intents == {"planned": 3}


async def test_a_stop_counts_for_claims_made_after_it_in_any_process(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        firings = (planned(firing(order(number)), draft()) for number in range(INTENTS))
        recorded = await ledger.record(fired(*firings))

        async def claim_or_resolve(own: PostgresLedger, number: int) -> None:
            for intent_id in recorded.intents:
                try:
                    await own.hold(intent_id, "approval", "", T0)
                except StateConflict:
                    continue

        together(ledger_database, claim_or_resolve)
        assert (await ledger.totals(T0)).intents == {"held": INTENTS}
        assert [len(await ledger.transitions(one)) for one in recorded.intents] == [2] * INTENTS


async def test_looks_at_the_same_orders_in_any_order_all_end(ledger_database: str) -> None:
    """Rows are locked in the order of the sweep: those that wait for each other are done again."""
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        await ledger.track([new_order(number) for number in range(INTENTS)], T0)

        async def look(own: PostgresLedger, number: int) -> None:
            turn = range(INTENTS) if number % 2 else reversed(range(INTENTS))
            looks = tuple(observed(order(one), {"remains": number}) for one in turn)
            for again in range(3):
                await own.record(Sweep(T0 + timedelta(seconds=again), looks))

        together(ledger_database, look)
        assert len(await ledger.history(None, T0, T0 + MINUTE, 1000)) == 3 * INTENTS


# -- one daemon a ledger ------------------------------------------------------------------------------------
def test_a_second_daemon_is_refused_and_told_who_the_first_is(ledger_database: str) -> None:
    access = Access(ledger_database)

    def refused() -> None:
        with pytest.raises(
            LedgerError, match=r"another daemon .*\(process \d+ on .+\) is running on this ledger"
        ):
            PostgresDaemonLock(access).acquire()

    with PostgresDaemonLock(access) as lock:
        lock.acquire()  # holding it already is no fault
        assert wait(start(refused)) == 0
        holder = PostgresDaemonLock(access).holder()
        assert holder is not None
        assert holder.split()[0].isdecimal()
    assert PostgresDaemonLock(access).holder() is None


def test_the_lock_of_a_killed_daemon_is_free(ledger_database: str) -> None:
    access = Access(ledger_database)

    def locks_and_dies() -> None:
        PostgresDaemonLock(access).acquire()
        die()

    assert wait(start(locks_and_dies)) == -9
    with PostgresDaemonLock(access):
        pass


async def test_an_opened_ledger_knows_the_daemon(ledger_database: str) -> None:
    access = Access(ledger_database)
    async with await PostgresLedger.open(access) as ledger:
        assert await ledger.daemon() is None
        with PostgresDaemonLock(access):
            assert str(await ledger.daemon()).split()[1] == "on"
