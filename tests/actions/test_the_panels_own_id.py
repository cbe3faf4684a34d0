"""An order is placed when the panel gave its ID: no other word of a panel, and none of ours, makes one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from smm_rules.facts import EntityKind
from smm_rules.ledger.records import IntentState
from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from tests.actions.world import PANEL, T0, World
from tests.panel import fault_server as faults
from tests.panel.fault_server import FaultServer

LINK = "https://example.com/a"


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


@pytest.fixture
async def client(server: FaultServer) -> AsyncIterator[PanelClient]:
    async with PanelClient(Endpoint(PANEL, server.url, "key", 6000, timeout=timedelta(seconds=5))) as opened:
        yield opened


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "success"}, IntentState.UNKNOWN),
        ({"success": True, "message": "Order received"}, IntentState.UNKNOWN),
        ({"status": "success", "order": None}, IntentState.UNKNOWN),
        ({"status": "success", "order": 0}, IntentState.UNKNOWN),
        ({"error": "Not enough funds on balance"}, IntentState.REJECTED),
    ],
    ids=str,
)
async def test_success_without_an_order_is_no_order(
    world: World, client: PanelClient, server: FaultServer, answer: object, state: IntentState
) -> None:
    await world.know()
    await world.track(link=LINK, quantity="100")
    intent_id = await world.reorder()
    server.script(faults.answer(answer))
    executor = world.executor(panels={PANEL: client})

    await executor.run_due(T0)
    await executor.run_due(T0)

    assert await world.state(intent_id) == state
    assert server.asked("add") == 1
    watched = await world.ledger.watched_page(EntityKind.ORDER, PANEL, None, 10)
    assert [item.entity.id for item in watched] == ["1"]


async def test_the_id_of_the_panel_makes_it_one(
    world: World, client: PanelClient, server: FaultServer
) -> None:
    await world.know()
    await world.track(link=LINK, quantity="100")
    intent_id = await world.reorder()
    server.script(faults.answer({"order": 23501}))

    await world.executor(panels={PANEL: client}).run_due(T0)

    assert (await world.intent(intent_id)).result == "23501"
    watched = await world.ledger.watched_page(EntityKind.ORDER, PANEL, None, 10)
    assert [item.entity.id for item in watched] == ["1", "23501"]
