"""Orders the operator places."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smm_rules.actions import Why, place_order
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake import Unacceptable
from smm_rules.ledger.records import IntentState, OrderSource
from smm_rules.panel.errors import Ambiguous, Rejected
from tests.actions.world import PANEL, T0, World, order

ASKED = {"service": "7", "link": "https://example.com/a", "quantity": "100"}


async def test_a_placed_order_is_sent_and_tracked(world: World) -> None:
    await world.know()
    planned = await place_order(world.ledger, PANEL, ASKED, T0, "ann", label="mine")
    assert (planned.state, planned.reserved, planned.currency) == (
        IntentState.PLANNED,
        Decimal("0.2"),
        "USD",
    )
    world.panel.script = ["1002"]

    await world.run()

    assert world.panel.calls == [("add", ASKED)]
    made = await world.ledger.order(order(1002))
    assert made is not None
    assert (made.source, made.parent, made.label, made.service) == (OrderSource.PLACED, None, "mine", "7")
    assert made.parameters == {"link": "https://example.com/a", "quantity": "100", "rate": "2.00"}


async def test_asking_twice_at_one_instant_places_two_orders(world: World) -> None:
    await world.know()
    for _ in range(2):
        await place_order(world.ledger, PANEL, ASKED, T0, "ann")

    await world.run()

    assert world.panel.calls == [("add", ASKED)] * 2


async def test_one_in_doubt_does_not_stop_another(world: World) -> None:
    await world.know()
    first = await place_order(world.ledger, PANEL, ASKED, T0, "ann")
    world.panel.script = [Ambiguous("timed out")]
    await world.run()
    second = await place_order(world.ledger, PANEL, ASKED, T0, "ann")

    await world.run()

    states = [await world.state(intent.id) for intent in (first, second)]
    assert states == [IntentState.UNKNOWN, IntentState.CONFIRMED]


async def test_a_refusal_is_kept_with_the_panels_words(world: World) -> None:
    await world.know()
    planned = await place_order(world.ledger, PANEL, ASKED, T0, "ann")
    world.panel.script = [Rejected("Incorrect link")]

    await world.run()

    intent = await world.intent(planned.id)
    assert (intent.state, intent.message) == (IntentState.REJECTED, "Incorrect link")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"link": "https://example.com/a"}, "no service"),
        ({"service": "7", "quantity": "100"}, "link is missing"),
        ({**ASKED, "lnik": "x"}, "lnik is no parameter"),
    ],
)
async def test_what_is_known_to_be_wrong_is_refused_at_once(
    world: World, asked: dict[str, str], words: str
) -> None:
    await world.know()
    with pytest.raises(Unacceptable, match=words):
        await place_order(world.ledger, PANEL, asked, T0, "ann")
    assert await world.ledger.intents((), 10) == ()


async def test_a_service_that_is_gone_is_refused_at_once(world: World) -> None:
    await world.know({"gone": True})
    with pytest.raises(Unacceptable, match="no longer in north's catalogue"):
        await place_order(world.ledger, PANEL, ASKED, T0, "ann")


async def test_a_service_nobody_has_seen_is_judged_when_the_catalogue_is_read(world: World) -> None:
    planned = await place_order(world.ledger, PANEL, ASKED, T0, "ann")
    await world.run()
    assert (await world.intent(planned.id)).reason == Why.CATALOGUE_UNREAD
    assert planned.entity == Entity(EntityKind.PANEL, PANEL)


async def test_too_dear_for_the_balance_is_waited_for(world: World) -> None:
    await world.know(balance="0.19")
    planned = await place_order(world.ledger, PANEL, ASKED, T0, "ann")
    await world.run()
    assert (await world.intent(planned.id)).reason == Why.BALANCE_LOW
