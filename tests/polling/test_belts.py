"""What bounds a sweep: its limit, dry runs, chains, and rules that break."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from smm_rules.facts import EntityKind, Value
from smm_rules.ledger.records import NewOrder, OrderSource
from smm_rules.ledger.stops import StopKind
from smm_rules.polling.orders import sweep_orders
from smm_rules.rules.model import RuleSet
from tests.polling.world import MINUTE, REFILL, TELL, World, order, state

PARTIAL = state("Partial", 157)
ACT = REFILL.replace("    for: 10m\n", "")


class Breaking:
    """A condition that raises what nobody foresaw, for one order or for all."""

    source = "broken"

    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def holds(self, facts: Mapping[str, Value], now: datetime) -> bool | None:
        if self.name in (None, facts["id"]):
            raise RecursionError("too deep")
        return facts["status"] == "Partial"


def break_rule(world: World, name: str, condition: Breaking) -> None:
    rules = tuple(replace(rule, when=condition) if rule.name == name else rule for rule in world.rules.rules)
    world.rules = RuleSet(rules)


async def partial_orders(world: World, count: int) -> list[str]:
    names = [str(number) for number in range(1, count + 1)]
    world.panel.orders |= dict.fromkeys(names, PARTIAL)
    await world.track(*names)
    return names


async def test_over_the_limit_of_a_sweep_all_actions_are_held_and_the_rule_is_stopped(world: World) -> None:
    """The stop is what the operator is told of, once, by whoever minds the brakes."""
    world.use(ACT.replace("per_order: 1", "per_order: 1, per_sweep: 2"))
    names = await partial_orders(world, 3)
    watch = await world.acquainted()
    with capture_logs() as logs:
        await sweep_orders(watch)
    assert sorted(await world.intents()) == [("top-up", name, "held", "limit_per_sweep") for name in names]
    assert [line["count"] for line in logs if line["event"] == "rule.over_sweep_limit"] == [3]
    [stop] = await world.ledger.stops()
    assert (stop.kind, stop.name) == (StopKind.SWEEP, "top-up")
    await world.later(watch, 5 * MINUTE)
    assert await world.operator_told() == []
    assert len(await world.intents()) == 3  # each has fired; the operator has the word


async def test_as_many_as_the_limit_act(world: World) -> None:
    world.use(ACT.replace("per_order: 1", "per_order: 1, per_sweep: 2"))
    await partial_orders(world, 2)
    await sweep_orders(await world.acquainted())
    assert [intent[2] for intent in await world.intents()] == ["planned", "planned"]
    assert await world.operator_told() == []


async def test_messages_over_the_limit_wait_until_there_are_fewer(world: World) -> None:
    world.use(TELL + "    limit: {per_sweep: 2}\n")
    await partial_orders(world, 3)
    watch = await world.acquainted()
    with capture_logs() as logs:
        await sweep_orders(watch)
    assert await world.told() == []
    assert await world.operator_told() == ["sweep"]
    assert [line["event"] for line in logs if line["event"].startswith("rule.")] == ["rule.over_sweep_limit"]
    world.panel.orders["3"] = state("Completed")
    await world.later(watch, 5 * MINUTE)
    assert sorted(await world.told()) == ["1 is partial", "2 is partial"]


async def test_an_order_that_waits_for_the_limit_is_looked_at_though_it_has_settled(world: World) -> None:
    world.use(TELL)
    names = await partial_orders(world, 2)
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.use(TELL.replace("name: tell", "name: tell-anew") + "    limit: {per_sweep: 1}\n")
    await world.later(watch, timedelta(days=2))
    assert len(await world.told()) == 2
    assert [await world.due_at(order(name)) for name in names] == [world.clock.now() + 5 * MINUTE] * 2


async def test_a_rule_over_its_limit_does_not_silence_what_it_ends(world: World) -> None:
    world.use(TELL + "    limit: {per_sweep: 1}\n")
    world.panel.orders |= {"1": PARTIAL, "2": state("Pending"), "3": state("Pending")}
    await world.track("1", "2", "3")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.orders |= {"1": state("Completed"), "2": PARTIAL, "3": PARTIAL}
    with capture_logs() as logs:
        await world.later(watch, 5 * MINUTE)
    spoken = [(line["event"], line["entity"]) for line in logs if "entity" in line]
    assert spoken == [("rule.resolved", "order/north/1")]
    assert await world.told() == ["1 is partial", "1 is Completed"]


async def test_a_dry_run_holds_every_action(world: World) -> None:
    world.use(ACT)
    await partial_orders(world, 2)
    await sweep_orders(await world.acquainted(live=False))
    assert sorted(await world.intents()) == [("top-up", name, "held", "dry_run") for name in "12"]


async def test_the_limit_of_a_chain_counts_over_reorders_and_is_told_when_it_begins(world: World) -> None:
    world.use(ACT.replace("per_order: 1", "per_chain: 1"))
    await partial_orders(world, 1)
    watch = await world.acquainted()
    await sweep_orders(watch)
    child = NewOrder(order("9"), "1", {}, source=OrderSource.REORDERED, parent=order("1"))
    await world.ledger.track([child], world.clock.now())
    world.panel.orders["9"] = PARTIAL
    with capture_logs() as logs:
        await sweep_orders(watch)
        await world.later(watch, 5 * MINUTE)
    assert [intent[1] for intent in await world.intents()] == ["1"]
    stopped = [(line["entity"], line["reason"]) for line in logs if line["event"] == "rule.stopped"]
    assert stopped == [("order/north/9", "limit_per_chain")]


async def test_two_of_one_chain_in_one_sweep_count_both(world: World) -> None:
    world.use(ACT.replace("per_order: 1", "per_chain: 1"))
    names = await partial_orders(world, 1)
    child = NewOrder(order("9"), "1", {}, source=OrderSource.REORDERED, parent=order(names[0]))
    await world.ledger.track([child], world.clock.now())
    world.panel.orders["9"] = PARTIAL
    await sweep_orders(await world.acquainted())
    assert len(await world.intents()) == 1


async def test_a_rule_that_breaks_spoils_no_other(world: World) -> None:
    world.use(TELL + ACT.replace("rules:\n", ""))
    names = await partial_orders(world, 2)
    break_rule(world, "tell", Breaking())
    watch = await world.acquainted()
    with capture_logs() as logs:
        assert await sweep_orders(watch) == 2
        assert await world.later(watch, 5 * MINUTE) == 2
    lines = [line for line in logs if line["event"] == "rule.evaluation_failed"]
    assert [(line["rule"], line["count"], line["entity"]) for line in lines] == [
        ("tell", 2, "order/north/1"),
        ("tell", 2, "order/north/1"),
    ]
    assert sorted(intent[1] for intent in await world.intents()) == names
    assert await world.operator_told() == ["evaluation"]  # once a day
    assert world.counters.value("evaluations_failed", rule="tell") == 4


async def test_a_rule_that_breaks_for_one_order_keeps_its_state_for_it(world: World) -> None:
    world.use(TELL)
    await partial_orders(world, 2)
    watch = await world.acquainted()
    await sweep_orders(watch)
    whole = world.rules
    break_rule(world, "tell", Breaking("1"))
    world.panel.orders |= dict.fromkeys("12", state("Completed"))
    await world.later(watch, 5 * MINUTE)
    assert sorted(await world.told()) == ["1 is partial", "2 is Completed", "2 is partial"]
    world.rules = whole
    await world.later(watch, timedelta(days=2))  # long settled, but looked at while a rule has no answer
    assert "1 is Completed" in await world.told()


async def test_steps_that_can_not_begin_leave_the_episode_unfired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.use(TELL)
    await partial_orders(world, 1)
    watch = await world.acquainted()

    def broken(firing: object) -> object:
        raise RuntimeError("no steps today")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("smm_rules.polling.decisions.begin", broken)
        await sweep_orders(watch)
    assert [line["event"] for line in logs if line["event"].startswith("rule.")] == ["rule.evaluation_failed"]
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is partial"]


async def test_a_look_decides_by_the_rules_in_force_when_it_is_recorded(world: World) -> None:
    # Whoever changes the rules holds `deciding`: a look in between must not remember by the old ones.
    world.use(REFILL)
    await partial_orders(world, 1)
    watch = await world.acquainted()
    async with watch.deciding:
        sweeping = asyncio.create_task(sweep_orders(watch))
        await world.panel.orders_asked.wait()
        world.rules = RuleSet()
        await world.ledger.end_holds(["top-up"])
    await sweeping
    assert await world.ledger.memories([order("1")]) == {}
    assert await world.status("1") == "Partial"


async def test_a_template_that_fails_is_told_and_plain_text_goes_out(world: World) -> None:
    world.use(TELL.replace("{{ order.id }} is partial", "{{ order.start_count + 1 }}"))
    await partial_orders(world, 1)
    with capture_logs() as logs:
        await sweep_orders(await world.acquainted())
    assert [line["step"] for line in logs if line["event"] == "rule.template_failed"] == ["do.0"]
    assert await world.operator_told() == ["template"]
    assert len(await world.told()) == 1


async def test_rules_of_another_panel_or_kind_look_away(world: World) -> None:
    world.use(TELL.replace("    watch: order\n", "    watch: order\n    panels: [south]\n"))
    await partial_orders(world, 1)
    watch = await world.acquainted()
    await sweep_orders(watch)
    assert await world.told() == []
    assert watch.watched_by_rules(EntityKind.ORDER) is False
