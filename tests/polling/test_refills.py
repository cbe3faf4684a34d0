"""Sweeps over refills, with the facts of the order refilled."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from smm_rules.panel.answers import RefillState
from smm_rules.panel.errors import Ambiguous
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.refills import sweep_refills
from tests.polling.world import MINUTE, PACE, World, refill, state

REJECTED = """
rules:
  - name: rejected
    watch: refill
    when: status == "Rejected" and order.remains > 0 and service.refill
    do: [{notify: {channel: ops, message: "{{ refill.id }} of {{ order.id }}: {{ order.remains }} lacking"}}]
"""


@pytest.fixture
async def refilled(world: World) -> World:
    """Orders 1 and 2, both partial, with refills 71 and 72 under way."""
    world.use(REJECTED)
    world.panel.orders |= dict.fromkeys("12", state("Partial", 157))
    world.panel.refills |= {"71": RefillState("Rejected", True), "72": RefillState("Rejected", True)}
    await world.track("1", "2")
    await world.track_refill("71", of="1")
    await world.track_refill("72", of="2")
    return world


async def test_a_refill_is_judged_with_its_order_and_service(refilled: World) -> None:
    watch = await refilled.acquainted()
    await sweep_orders(watch)
    refilled.clock.move(PACE.refills)
    assert await sweep_refills(watch) == 2
    assert sorted(await refilled.told()) == ["71 of 1: 157 lacking", "72 of 2: 157 lacking"]


async def test_a_refill_left_out_is_told_and_asked_again(refilled: World) -> None:
    watch = await refilled.acquainted()
    await sweep_orders(watch)
    del refilled.panel.refills["72"]
    refilled.clock.move(PACE.refills)
    with capture_logs() as logs:
        assert await sweep_refills(watch) == 1
    assert [line["ids"] for line in logs if line["event"] == "refill.missing"] == [["72"]]
    assert await refilled.due_at(refill("72")) == refilled.clock.now() + PACE.refills


async def test_a_refill_whose_request_failed_stays_frozen_and_due(refilled: World) -> None:
    watch = await refilled.acquainted()
    await sweep_orders(watch)
    refilled.panel.failed = {"71": Ambiguous("time-out")}
    refilled.clock.move(PACE.refills)
    assert await sweep_refills(watch) == 1
    refilled.panel.failed = {}
    refilled.clock.move(MINUTE)
    assert await sweep_refills(watch) == 1
    assert refilled.panel.asked[-1] == ("refills", ("71",))


async def test_without_refills_nobody_is_asked(world: World) -> None:
    watch = await world.acquainted()
    assert await sweep_refills(watch) == 0
    assert world.panel.times_asked("refills") == 0
