"""Looks keep a trace of what changed something, and of nothing else."""

from __future__ import annotations

from smm_rules.engine.memory import Reason
from tests.polling.world import HOUR, MINUTE, REFILL, TELL, World, order, state


async def reasons(world: World, rule: str, name: str = "1") -> list[str]:
    """What the rule came to, oldest first."""
    return [trace.reason.value for trace in reversed(await world.ledger.traces(order(name), rule, 100))]


async def test_an_episode_leaves_a_trace_of_each_turn_and_none_in_between(world: World) -> None:
    world.use(TELL)
    await world.track("1")
    watch = await world.acquainted()
    for status in ("Pending", "Pending", "Partial", "Partial", "Partial", "Completed", "Completed"):
        world.panel.orders["1"] = state(status)
        await world.later(watch, 5 * MINUTE)
    assert await reasons(world, "tell") == ["fired", "resolved"]


async def test_a_trace_has_the_facts_the_rule_read_and_what_was_missing(world: World) -> None:
    world.use(REFILL.replace("remains > 0", "remains > 0 or start_count > 5"))
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 157)
    watch = await world.acquainted()
    await world.later(watch, MINUTE)
    (trace,) = await world.ledger.traces(order("1"), "top-up", 10)
    assert (trace.reason, trace.at) == (Reason.HOLDING, world.clock.now())
    assert (trace.facts, trace.missing) == ({"status": "Partial", "remains": 157}, ("start_count",))
    assert trace.rule_version == world.rules.rules[0].version
    assert trace.memory.true_since == world.clock.now()


async def test_a_gap_that_restarts_a_hold_is_traced(world: World) -> None:
    world.use(REFILL)
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 157)
    watch = await world.acquainted()
    await world.later(watch, MINUTE)
    await world.later(watch, HOUR)
    assert await reasons(world, "top-up") == ["holding", "gap_restarted"]


async def test_a_rule_left_out_by_the_sweep_limit_is_traced_as_such_and_only_once(world: World) -> None:
    world.use(TELL + "    limit: {per_sweep: 1}\n")
    await world.track("1", "2")
    watch = await world.acquainted()
    for name in ("1", "2"):
        world.panel.orders[name] = state("Partial")
    for _ in range(3):
        await world.later(watch, 5 * MINUTE)
    assert await reasons(world, "tell") == ["limit_per_sweep"]
