"""Two actions about one order keep their order, also where the first is stopped; and that is told."""

from __future__ import annotations

import pytest

from smm_rules.actions import approve, deny
from smm_rules.actions.queueing import waiting_behind_stopped, waits_behind_stopped
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import PANEL, T0, World, order
from tests.ledger.builders import draft


async def two(world: World) -> tuple[int, int]:
    """A cancel and, of another rule, a refill of the same order; their IDs."""
    await world.track()
    first = await world.fire(Step(StepKind.CANCEL), rule="first")
    second = await world.fire(Step(StepKind.REFILL), rule="second")
    return first, second


async def pause(world: World, rule: str = "first") -> int:
    stop = await world.ledger.stop(StopKind.PAUSE, StopScope.RULE, rule, "a look", "ann", T0)
    return stop.id


async def test_what_is_stopped_is_not_overtaken_and_that_is_told_once(world: World) -> None:
    first, second = await two(world)
    stop = await pause(world)
    for _ in range(3):
        await world.run()
    await world.run(owner="another process")
    assert world.panel.calls == []
    assert await world.messages() == [f"operator:behind:{stop}:second"]
    [message] = await world.ledger.messages((), 10)
    assert f"smm-rules intents deny {first}" in message.body
    assert "smm-rules resume rule first" in message.body
    [behind] = await waiting_behind_stopped(world.ledger, T0)
    assert (behind.intent.id, behind.other.id, behind.stop.id) == (second, first, stop)

    await world.ledger.end_stop(stop, T0, "ann")
    assert await waiting_behind_stopped(world.ledger, T0) == ()
    await world.run()
    await world.run()
    assert [action for action, _ in world.panel.calls] == ["cancel", "refill"]


async def test_once_the_first_is_given_up_the_second_goes(world: World) -> None:
    first, second = await two(world)
    await pause(world)
    await world.run()
    await deny(world.ledger, first, T0, "ann")
    await world.run()
    assert [await world.state(each) for each in (first, second)] == [
        IntentState.DENIED,
        IntentState.CONFIRMED,
    ]
    assert [(change.before, change.after) for change in await world.ledger.transitions(first)][1:] == [
        ("planned", "held"),
        ("held", "denied"),
    ]


async def test_many_orders_are_told_of_once_a_rule(world: World) -> None:
    for number in (1, 2, 3):
        await world.track(number)
        await world.fire(Step(StepKind.CANCEL), rule="first", entity=order(number))
        await world.fire(Step(StepKind.REFILL), rule="second", entity=order(number))
    await world.fire(Step(StepKind.REFILL), rule="third")
    stop = await pause(world)
    await world.run()
    assert await world.messages() == [f"operator:behind:{stop}:second", f"operator:behind:{stop}:third"]
    assert len(await waiting_behind_stopped(world.ledger, T0)) == 4


async def test_who_only_waits_for_a_turn_is_not_told_of(world: World) -> None:
    """The first is due later, by the panel's own word."""
    first, second = await two(world)
    await pause(world, "of another")
    await world.ledger.claim(first, "d", T0, {})
    await world.run()
    found = await world.intent(second)
    assert (found.state, await world.messages()) == (IntentState.PLANNED, [])
    assert await waits_behind_stopped(world.ledger, found, T0) is None


@pytest.mark.parametrize("approved", [True, False])
async def test_an_approved_one_passes_a_breaker_and_stops_nobody(world: World, approved: bool) -> None:
    await world.track()
    stop = await world.ledger.stop(StopKind.BREAKER, StopScope.RULE, "first", "errors", "smm-rules", T0)
    first = await world.fire(Step(StepKind.CANCEL), rule="first")
    second = await world.fire(Step(StepKind.REFILL), rule="second")
    assert await world.state(first) is IntentState.HELD
    if approved:
        await approve(world.ledger, first, T0, "ann")
    assert await waiting_behind_stopped(world.ledger, T0) == ()
    await world.ledger.end_stop(stop.id, T0, "ann")
    await world.run()
    await world.run()
    assert await world.state(second) is IntentState.CONFIRMED


async def test_actions_that_are_about_no_order_stand_in_no_line(world: World) -> None:
    await pause(world, "operator")
    for number in range(2):
        await world.ledger.ask(draft(f"place.{number}"), Entity(EntityKind.PANEL, PANEL), T0, "ann")
    assert await waiting_behind_stopped(world.ledger, T0) == ()
