"""Limits of rules that watch refills count for the order, and a panel may give a refill's ID twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Entity
from smm_rules.ledger.records import IntentState, Observed, Recorded, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import Limits, StepKind
from tests.ledger.builders import (
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    fired,
    firing,
    new_order,
    order,
    planned,
    refill,
)

ONCE = Limits(per_order=1)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        await opened.track([new_order(1), new_order(2)], T0)
        yield opened


async def make_refill(ledger: SqliteLedger, number: int, of: Entity, episode: timedelta) -> None:
    """Let the panel have accepted a refill of an order."""
    asked = await ledger.record(fired(planned(firing(of, "ask", T0 + episode), draft())))
    (intent_id,) = asked.intents
    await ledger.claim(intent_id, "d", T0 + episode + MINUTE, {})
    accepted = ended(IntentState.CONFIRMED, result=str(number), refill=refill(number))
    await ledger.settle(intent_id, accepted, NOTHING, T0 + episode + MINUTE, "d")


async def reject(ledger: SqliteLedger, number: int, limits: Limits = ONCE) -> Recorded:
    """Let a rule that orders again what a rejected refill lacks fire for a refill."""
    what = firing(refill(number), "reorder-rejected", T0 + number * MINUTE, limits=limits)
    stopped = Memory(true_since=what.episode, stopped_by=Reason.LIMIT_PER_CHAIN)
    asked = planned(what, draft(kind=StepKind.REORDER), memory_if_stopped=stopped)
    return await ledger.record(fired(asked))


async def test_per_order_counts_over_all_refills_of_an_order(ledger: SqliteLedger) -> None:
    """Each refill is a thing of its own: were it counted by itself, an order could be bought any number of
    times."""
    await make_refill(ledger, 10, order(1), MINUTE)
    await make_refill(ledger, 11, order(1), 2 * MINUTE)
    await make_refill(ledger, 20, order(2), 3 * MINUTE)

    first, second, others = [await reject(ledger, number) for number in (10, 11, 20)]

    assert (len(first.intents), len(second.intents), len(others.intents)) == (1, 0, 1)
    assert [one.reason for one in second.stopped] == [Reason.LIMIT_PER_ORDER]
    kept = (await ledger.memories([refill(11)]))["reorder-rejected", refill(11)]
    assert kept == Memory(true_since=T0 + 11 * MINUTE, stopped_by=Reason.LIMIT_PER_ORDER)


async def test_without_a_limit_every_refill_counts_by_itself(ledger: SqliteLedger) -> None:
    await make_refill(ledger, 10, order(1), MINUTE)
    await make_refill(ledger, 11, order(1), 2 * MINUTE)

    both = [await reject(ledger, number, Limits()) for number in (10, 11)]

    assert [len(one.intents) for one in both] == [1, 1]


TOLD = Memory(true_since=T0, fired_at=T0, last_fired=T0, firings=1)


async def tell(ledger: SqliteLedger) -> None:
    """Let a rule have told of refill 10."""
    seen = Observed(refill(10), {"id": "10", "status": "Rejected"}, True, None)
    remembered = Remembered("tell-rejected", refill(10), TOLD)
    await ledger.record(Sweep(T0 + 5 * MINUTE, (seen,), (remembered,)))


async def test_a_refill_that_gets_the_id_of_another_orders_is_looked_at_with_fresh_eyes(
    ledger: SqliteLedger,
) -> None:
    """Some panels number refills by order, or answer every refill with 1."""
    await make_refill(ledger, 10, order(1), MINUTE)
    await tell(ledger)

    await make_refill(ledger, 10, order(2), 10 * MINUTE)

    watched = await ledger.watched(refill(10))
    assert watched is not None
    assert await ledger.memories([refill(10)]) == {}
    assert (watched.order and watched.order.entity, watched.first_seen_at, watched.last_seen_at) == (
        order(2),
        None,
        None,
    )


async def test_a_second_refill_of_an_order_under_the_same_id_is_another_episode(ledger: SqliteLedger) -> None:
    await make_refill(ledger, 10, order(1), MINUTE)
    await tell(ledger)

    await make_refill(ledger, 10, order(1), 10 * MINUTE)

    over = replace(TOLD, true_since=None, fired_at=None)
    assert await ledger.memories([refill(10)]) == {("tell-rejected", refill(10)): over}
