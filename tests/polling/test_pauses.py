"""A rule on pause is looked at and doesn't fire; what it remembers goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.polling.orders import sweep_orders
from tests.polling.world import MINUTE, REFILL, TELL, World, order, state

REMIND = TELL.replace("    do:", "    remind: 30m\n    do:", 1)
SWEEP = """
rules:
  - name: top-up
    watch: order
    when: status == "Partial" and remains > 0
    first_seen: act
    do: [refill]
    limit: {per_order: 3, every: 1m, per_sweep: 1}
"""


async def pause(world: World, name: str, until: timedelta | None = None) -> Stop:
    now = world.clock.now()
    ends = None if until is None else now + until
    return await world.ledger.stop(StopKind.PAUSE, StopScope.RULE, name, "a look", "ann", now, ends)


async def reason(world: World, rule: str, name: str = "1") -> str:
    """What the rule last came to."""
    return str((await world.ledger.traces(order(name), rule, 1))[0].reason)


async def test_a_hold_goes_on_and_fires_once_the_pause_is_over(world: World) -> None:
    world.use(REFILL)
    watch = await world.acquainted()
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 5)
    await sweep_orders(watch)
    stop = await pause(world, "top-up")
    for _ in range(4):
        await world.later(watch, 5 * MINUTE)
    assert await world.intents() == []
    assert await reason(world, "top-up") == "paused"
    [trace] = [one for one in await world.ledger.traces(order("1"), "top-up", 20) if one.reason == "paused"]
    assert trace.memory.stopped_by == "paused"  # said once, not at every look

    await world.ledger.end_stop(stop.id, world.clock.now(), "ann")
    await world.later(watch, 5 * MINUTE)
    assert await world.intents() == [("top-up", "1", "planned", "")]


async def test_what_was_not_so_meanwhile_does_not_fire(world: World) -> None:
    """The condition broke off during the pause: its hold begins anew."""
    world.use(REFILL)
    watch = await world.acquainted()
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 5)
    await sweep_orders(watch)
    stop = await pause(world, "top-up")
    world.panel.orders["1"] = state("In progress", 5)
    await world.later(watch, 5 * MINUTE)
    world.panel.orders["1"] = state("Partial", 5)
    await world.later(watch, 5 * MINUTE)
    await world.ledger.end_stop(stop.id, world.clock.now(), "ann")
    await world.later(watch, 5 * MINUTE)
    assert await world.intents() == []
    await world.later(watch, 5 * MINUTE)
    assert await world.intents() == [("top-up", "1", "planned", "")]


async def test_reminders_wait_and_the_end_is_told(world: World) -> None:
    world.use(REMIND)
    watch = await world.acquainted()
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 5)
    await sweep_orders(watch)
    await pause(world, "tell", until=timedelta(hours=1))
    await world.later(watch, 45 * MINUTE)
    assert await world.told() == ["1 is partial"]
    await world.later(watch, 16 * MINUTE)
    assert await world.told() == ["1 is partial"] * 2
    await pause(world, "tell")
    world.panel.orders["1"] = state("Completed", 0)
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is partial", "1 is partial", "1 is Completed"]


async def test_a_paused_rule_is_over_no_limit(world: World) -> None:
    world.use(SWEEP)
    watch = await world.acquainted()
    await world.track("1", "2", "3")
    world.panel.orders |= {name: state("Partial", 5) for name in ("1", "2", "3")}
    await pause(world, "top-up")
    await sweep_orders(watch)
    assert await world.intents() == []
    assert "sweep" not in await world.operator_told()


async def test_other_rules_and_a_paused_panel_go_on_deciding(world: World) -> None:
    world.use(REFILL)
    watch = await world.acquainted()
    await world.track("1")
    world.panel.orders["1"] = state("Partial", 5)
    await pause(world, "other")
    await world.ledger.stop(StopKind.PAUSE, StopScope.PANEL, "north", "a look", "ann", world.clock.now())
    await sweep_orders(watch)
    await world.later(watch, 5 * MINUTE)
    await world.later(watch, 5 * MINUTE)
    assert await world.intents() == [("top-up", "1", "planned", "")]


async def test_over_the_sweep_limit_the_rule_rests_until_it_is_resumed(world: World) -> None:
    world.use(SWEEP)
    watch = await world.acquainted()
    await world.track("1", "2")
    world.panel.orders |= {name: state("Partial", 5) for name in ("1", "2")}
    await sweep_orders(watch)
    assert {entry[2:] for entry in await world.intents()} == {("held", "limit_per_sweep")}
    await world.track("3")
    world.panel.orders["3"] = state("Partial", 5)
    await world.later(watch, timedelta(hours=1))
    assert (await world.intents())[-1] == ("top-up", "3", "held", "breaker")
    [stop] = await world.ledger.stops()
    await world.ledger.end_stop(stop.id, world.clock.now(), "ann")
    await world.track("4")
    world.panel.orders["4"] = state("Partial", 5)
    await world.later(watch, timedelta(hours=1))
    assert (await world.intents())[-1] == ("top-up", "4", "planned", "")


async def test_in_the_shadow_everything_is_decided_and_nothing_told(world: World) -> None:
    world.use(TELL + SWEEP.replace("rules:\n", ""))
    watch = await world.acquainted()
    watch.belts = replace(watch.belts, live=False, shadow=True)
    await world.track("1", "2")
    world.panel.orders |= {name: state("Partial", 5) for name in ("1", "2")}
    await sweep_orders(watch)
    assert {entry[2:] for entry in await world.intents()} == {("denied", "shadow")}
    assert (await world.told(), await world.operator_told()) == ([], [])
    assert await world.ledger.stops() == ()
