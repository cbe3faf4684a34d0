"""The executor with the real client against the simulator, judged by the simulator's own journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.actions import place_order
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import IntentState, Observed, Sweep
from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.order_types import order_type
from smm_rules.simulator import RunningSimulator
from tests.actions.test_reorder import VALUES
from tests.actions.world import PANEL, T0, World, order


@pytest.fixture
async def client(smm_panel: RunningSimulator) -> AsyncIterator[PanelClient]:
    endpoint = Endpoint(PANEL, smm_panel.url, smm_panel.key, 6000, timeout=timedelta(seconds=2))
    async with PanelClient(endpoint) as opened:
        yield opened


async def read_market(world: World, client: PanelClient) -> dict[str, str]:
    """Catalogue and balance as a sweep keeps them; the type of each service."""
    rows = await client.services()
    balance = await client.balance()
    observed = [
        Observed(Entity(EntityKind.BALANCE, PANEL), {"amount": balance.amount}, True, None),
    ]
    for row in rows:
        facts: Facts = {"id": row.id, "type": row.type, "gone": False}
        facts |= {
            name: value
            for name, value in (("rate", row.rate), ("min", row.min), ("max", row.max))
            if value is not None
        }
        observed.append(Observed(Entity(EntityKind.SERVICE, PANEL, row.id), facts, True, None))
    await world.ledger.record(Sweep(T0, tuple(observed)))
    return {row.id: row.type for row in rows}


async def test_an_order_of_every_service_is_placed_once_and_watched(
    world: World, client: PanelClient, smm_panel: RunningSimulator
) -> None:
    types = await read_market(world, client)
    for service, type_name in types.items():
        known = order_type(type_name)
        names = known.required if known else ("link", "quantity")
        asked = {name: VALUES[name] for name in names} | {"service": service}
        await place_order(world.ledger, PANEL, asked, T0, "ann")

    report = await world.executor(panels={PANEL: client}).run_due(T0)

    assert report.ended == {IntentState.CONFIRMED: len(types)}
    watched = await world.ledger.watched_page(EntityKind.ORDER, PANEL, None, 1000)
    made = smm_panel.journal.orders_made()
    assert sorted(item.entity.id for item in watched) == sorted(entry.order for entry in made)
    confirmed = await world.ledger.intents((IntentState.CONFIRMED,), 1000)
    expected = {intent.result: Decimal(intent.evidence.get("cost", "0")) for intent in confirmed}
    assert {entry.order: entry.amount for entry in made} == expected


@pytest.mark.parametrize(
    ("fault", "state", "made"),
    [
        ("close_before_effect", IntentState.UNKNOWN, 0),
        ("close_after_effect", IntentState.UNKNOWN, 1),
        ("error_before_effect", IntentState.UNKNOWN, 0),
        ("error_after_effect", IntentState.UNKNOWN, 1),
        ("html_before_effect", IntentState.UNKNOWN, 0),
        ("html_after_effect", IntentState.UNKNOWN, 1),
        ("truncated_json", IntentState.UNKNOWN, 1),
        ("half_body", IntentState.UNKNOWN, 1),
        ("rate_limited", IntentState.PLANNED, 0),
    ],
)
async def test_a_fault_on_the_way_never_makes_two_orders(
    world: World, client: PanelClient, smm_panel: RunningSimulator, fault: str, state: IntentState, made: int
) -> None:
    await read_market(world, client)
    await world.track(link=VALUES["link"], quantity="100")
    intent_id = await world.reorder({"service": "1", "quantity": "100"})
    smm_panel.faults.next("add", fault)
    executor = world.executor(panels={PANEL: client})

    await executor.run_due(T0)
    assert await world.state(intent_id) == state
    await executor.run_due(T0)

    assert len(smm_panel.journal.orders_made()) == made
    assert len(smm_panel.journal.requests("add")) == 1
    assert smm_panel.journal.duplicates() == ()


async def test_a_panel_that_is_not_there_is_tried_again(world: World) -> None:
    endpoint = Endpoint(PANEL, "http://127.0.0.1:9/api/v2", "key", timeout=timedelta(seconds=2))
    await world.track()
    intent_id = await world.refill()
    async with PanelClient(endpoint) as client:
        await world.executor(panels={PANEL: client}).run_due(T0)

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason, intent.entity) == (IntentState.PLANNED, "not_reached", order())
