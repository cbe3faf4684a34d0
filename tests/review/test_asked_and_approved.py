"""An approval is for what the operator was told, and an order asked for long ago is asked about again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smm_rules.actions import approve, place_order
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.panel.errors import NotSent
from tests.actions.world import MINUTE, PANEL, World

PLACED = {"service": "7", "link": "https://example.com/a", "quantity": "100"}


async def test_a_hold_that_could_not_be_written_down_approves_no_higher_price(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.know({"rate": "2.00"})
    await world.track(link="https://example.com/a", quantity="1000", rate="1.00")
    intent_id = await world.reorder({"max_rate_increase": "0.1"})
    await world.run()
    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.know({"rate": "5.00"})
    hold = world.ledger.hold

    async def full(*_: Any) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(world.ledger, "hold", full)
    with pytest.raises(LedgerError):
        await world.run()
    monkeypatch.setattr(world.ledger, "hold", hold)
    await world.run()

    assert (world.panel.calls, await world.state(intent_id)) == ([], IntentState.HELD)


async def test_an_order_asked_for_long_ago_and_never_tried_is_held(world: World) -> None:
    """The command that asked died before it could send it: its operator may have placed it again since."""
    await world.know()
    asked = await place_order(world.ledger, PANEL, PLACED, world.clock.now(), "ann")
    world.clock.move(timedelta(hours=2))
    await world.know()

    await world.run()

    intent = await world.intent(asked.id)
    assert (world.panel.calls, intent.state, intent.reason) == ([], IntentState.HELD, "asked_long_ago")
    assert await world.messages() == [f"operator:held:{asked.id}:0:asked_long_ago:"]
    await approve(world.ledger, asked.id, world.clock.now(), "ann")
    await world.run()
    assert await world.state(asked.id) is IntentState.CONFIRMED


async def test_an_order_that_waits_for_money_is_not_taken_for_a_forgotten_one(world: World) -> None:
    await world.know(balance="0")
    asked = await place_order(world.ledger, PANEL, PLACED, world.clock.now(), "ann")
    await world.run()
    world.clock.move(timedelta(minutes=90))
    await world.know()

    await world.run()

    assert await world.state(asked.id) is IntentState.CONFIRMED


async def test_an_order_that_was_tried_is_tried_again(world: World) -> None:
    await world.know()
    asked = await place_order(world.ledger, PANEL, PLACED, world.clock.now(), "ann")
    world.panel.script = [NotSent("no route")]
    await world.run()
    world.clock.move(90 * MINUTE)
    await world.know()

    await world.run()

    assert await world.state(asked.id) is IntentState.CONFIRMED
