"""A quantity that a panel's answer came to is held when it is more than the order itself had."""

from __future__ import annotations

import pytest

from smm_rules.actions import approve
from smm_rules.ledger.records import IntentState
from tests.actions.world import World


@pytest.mark.parametrize(
    ("quantity", "remains", "state"),
    [
        ("{{ order.remains }}", 157, IntentState.CONFIRMED),
        ("{{ order.remains }}", 1000, IntentState.CONFIRMED),
        ("{{ order.remains }}", 1001, IntentState.HELD),
        ("{{ order.remains }}", 9999, IntentState.HELD),
        ("2000", 157, IntentState.CONFIRMED),  # the rule's own word
    ],
)
async def test_more_than_was_ordered_needs_the_operator(
    world: World, quantity: str, remains: int, state: IntentState
) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder({"quantity": quantity}, facts={"remains": remains})

    await world.run()

    assert await world.state(intent_id) is state


async def test_an_approval_lets_it_go_ahead(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder({"quantity": "{{ order.remains }}"}, facts={"remains": 1001})
    await world.run()
    told = await world.messages()
    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()

    assert told == [f"operator:held:{intent_id}:0:more_than_ordered:"]
    assert [parameters["quantity"] for _, parameters in world.panel.calls] == ["1001"]


async def test_an_order_whose_quantity_is_not_known_is_no_measure(world: World) -> None:
    await world.know()
    await world.track(link="https://example.com/a")
    intent_id = await world.reorder({"quantity": "{{ order.remains }}"}, facts={"remains": 1001})

    await world.run()

    assert await world.state(intent_id) is IntentState.CONFIRMED
