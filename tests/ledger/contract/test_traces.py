"""Kept traces: the last few evaluations of a rule and an entity that changed something."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Entity
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import TRACES_KEPT, KeptTrace, Sweep
from smm_rules.rules.model import Limits
from tests.ledger.builders import BALANCE, DAY, MINUTE, T0, firing, new_order, observed, order, planned

HOLDING = Memory(true_since=T0)


def trace(
    entity: Entity | None = None,
    at: datetime = T0,
    rule: str = "top-up",
    reason: Reason = Reason.HOLDING,
    memory: Memory = HOLDING,
) -> KeptTrace:
    return KeptTrace(
        rule=rule,
        rule_version="v1",
        entity=entity or order(),
        at=at,
        reason=reason,
        facts={"remains": 157, "charge": Decimal("0.50"), "placed_at": T0},
        missing=("service.refill",),
        memory=memory,
    )


@pytest.fixture
async def watching(ledger: Ledger) -> Ledger:
    await ledger.track([new_order(1), new_order(2)], T0)
    return ledger


def sweep(*traced: KeptTrace, at: datetime = T0) -> Sweep:
    entities = dict.fromkeys(one.entity for one in traced)
    return Sweep(at, tuple(observed(entity, {}) for entity in entities), traced=traced)


async def test_a_trace_comes_back_as_it_was_written(watching: Ledger) -> None:
    await watching.record(sweep(trace()))
    assert await watching.traces(order(), "top-up", 10) == (trace(),)


async def test_the_newest_comes_first_and_the_limit_cuts_the_oldest(watching: Ledger) -> None:
    for minute in range(3):
        await watching.record(sweep(trace(at=T0 + minute * MINUTE)))
    found = await watching.traces(order(), "top-up", 2)
    assert [one.at for one in found] == [T0 + 2 * MINUTE, T0 + MINUTE]


async def test_one_rule_or_all(watching: Ledger) -> None:
    await watching.record(sweep(trace(), trace(rule="other"), trace(order(2))))
    assert {one.rule for one in await watching.traces(order(), None, 10)} == {"top-up", "other"}
    assert [one.rule for one in await watching.traces(order(), "other", 10)] == ["other"]
    assert await watching.traces(order(), "none", 10) == ()


async def test_only_the_last_few_of_each_rule_and_entity_are_kept(watching: Ledger) -> None:
    for minute in range(TRACES_KEPT + 5):
        await watching.record(sweep(trace(at=T0 + minute * MINUTE)))
    await watching.record(sweep(trace(order(2)), trace(rule="other")))
    found = await watching.traces(order(), "top-up", 1000)
    assert [one.at for one in found] == [T0 + minute * MINUTE for minute in range(TRACES_KEPT + 4, 4, -1)]
    assert len(await watching.traces(order(2), None, 1000)) == 1
    assert len(await watching.traces(order(), "other", 1000)) == 1


async def test_what_is_not_an_order_is_traced_too(ledger: Ledger) -> None:
    await ledger.record(sweep(trace(BALANCE, rule="low")))
    assert [one.rule for one in await ledger.traces(BALANCE, None, 10)] == ["low"]


async def test_what_was_forgotten_in_the_meantime_is_not_traced(watching: Ledger) -> None:
    await watching.forget(order(), T0)
    await watching.record(sweep(trace(), trace(order(2))))
    assert await watching.traces(order(), None, 10) == ()
    assert len(await watching.traces(order(2), None, 10)) == 1


async def test_a_firing_stopped_by_the_chain_is_traced_as_stopped_and_only_once(watching: Ledger) -> None:
    limits = Limits(per_chain=0)
    stopped = replace(HOLDING, stopped_by=Reason.LIMIT_PER_CHAIN)
    for minute in range(3):
        at = T0 + minute * MINUTE
        fired = trace(at=at, reason=Reason.FIRED, memory=replace(HOLDING, fired_at=at))
        asked = planned(firing(limits=limits), memory_if_stopped=stopped)
        await watching.record(Sweep(at, (observed(order(), {}),), firings=(asked,), traced=(fired,)))
    expected = trace(reason=Reason.LIMIT_PER_CHAIN, memory=stopped)
    assert await watching.traces(order(), None, 10) == (expected,)


async def test_a_trace_that_is_no_news_keeps_none_of_the_others_from_being_kept(watching: Ledger) -> None:
    asked = planned(firing(limits=Limits(per_chain=0)), memory_if_stopped=HOLDING)
    for minute in range(2):
        at = T0 + minute * MINUTE
        traced = (trace(at=at, reason=Reason.FIRED), trace(order(2), at=at), trace(at=at, rule="other"))
        looks = tuple(observed(order(number), {}) for number in (1, 2))
        await watching.record(Sweep(at, looks, firings=(asked,), traced=traced))
    assert len(await watching.traces(order(1), "top-up", 10)) == 1
    assert len(await watching.traces(order(1), "other", 10)) == 2
    assert len(await watching.traces(order(2), "top-up", 10)) == 2


async def test_pruning_drops_old_traces(watching: Ledger) -> None:
    await watching.record(sweep(trace(at=T0)))
    await watching.record(sweep(trace(at=T0 + DAY)))
    assert (await watching.prune(T0 + DAY))["traces"] == 1
    assert [one.at for one in await watching.traces(order(), None, 10)] == [T0 + DAY]


async def test_a_sweep_that_fails_keeps_no_trace(watching: Ledger) -> None:
    broken = replace(trace(order(2)), facts={"remains": object()})  # type: ignore[dict-item]  # on purpose
    with pytest.raises(TypeError):
        await watching.record(sweep(trace(), broken))
    assert await watching.traces(order(), None, 10) == ()
