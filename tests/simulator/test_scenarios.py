"""What a panel starts with."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.simulator import RunningSimulator, Simulator, SimulatorSettings, default_services
from smm_rules.simulator.statuses import ENDED
from tests.simulator.conftest import Caller


@pytest.mark.smm_panel(scenario="mission")
def test_the_mission_has_each_thing_happen_within_five_minutes(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    before = ask("status", orders=",".join(smm_panel.orders))
    balance = smm_panel.balance()
    smm_panel.advance(timedelta(minutes=5))
    after = ask("status", orders=",".join(smm_panel.orders))
    assert {answer["status"] for answer in before.values()} == {"In progress"}
    assert [(answer["status"], answer["remains"]) for answer in after.values()][:4] == [
        ("Partial", "157"),
        ("Partial", "400"),
        ("Cancelled", "500"),
        ("Completed", "0"),
    ]
    assert after["1005"]["status"] == "In progress"
    assert ask("refill", order="1001") == {"refill": "1"}
    assert ask("refill", order="1002") == {"error": "Order not eligible for refill."}
    assert smm_panel.balance() < 20 < balance


@pytest.mark.smm_panel(scenario="mission")
def test_what_the_mission_orders_later_goes_well(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.advance(timedelta(minutes=5))
    ask("refill", order="1001")
    order = ask.add(2, 500)
    smm_panel.advance(timedelta(hours=1))
    assert ask("refill_status", refill=1) == {"status": "Completed"}
    assert [smm_panel.orders[number].status for number in ("1001", order)] == ["Completed"] * 2
    assert smm_panel.balance() < 20


@pytest.mark.smm_panel(scenario="all-types")
def test_all_types_has_an_order_of_each(ask: Caller, smm_panel: RunningSimulator) -> None:
    services = {order.service for order in smm_panel.orders.values() if order.parent is None}
    assert services == {str(service.id) for service in default_services()}
    assert smm_panel.balance() == Decimal("100")
    assert smm_panel.journal.effects() == ()
    assert all("error" not in answer for answer in ask("status", orders=",".join(smm_panel.orders)).values())


@pytest.mark.smm_panel(scenario="steady:1000")
def test_steady_orders_hold_still(ask: Caller, smm_panel: RunningSimulator) -> None:
    ids = ",".join(list(smm_panel.orders)[:100])
    before = ask("status", orders=ids)
    smm_panel.advance(timedelta(days=3))
    assert ask("status", orders=ids) == before
    assert {answer["status"] for answer in before.values()} == {"In progress"}


@pytest.mark.smm_panel(scenario="steady:1000", changing_share=0.1)
def test_a_share_of_steady_orders_changes_every_minute(ask: Caller, smm_panel: RunningSimulator) -> None:
    first = [order.remains for order in smm_panel.orders.values()]
    smm_panel.advance(60)
    second = [order.remains for order in smm_panel.orders.values()]
    changed = sum(before != after for before, after in zip(first, second, strict=True))
    assert 70 <= changed <= 130
    assert all(remains is not None and 1 <= remains < 1000 for remains in first + second)


@pytest.mark.smm_panel(scenario="steady:1000")
def test_a_steady_order_can_be_acted_on(ask: Caller, smm_panel: RunningSimulator) -> None:
    before = ask("status", orders="1001,1002")
    assert ask("cancel", orders="1001")[0]["cancel"] == 1
    assert ask("status", orders="1001,1002") == before
    smm_panel.set_status("1002", "Completed")
    smm_panel.advance(timedelta(hours=1))
    after = ask("status", orders="1001,1002")
    assert [answer["status"] for answer in after.values()] == ["Cancelled", "Completed"]
    assert len(smm_panel.orders) == 1000
    assert ask.add() == "2001"
    assert len(smm_panel.orders) == 1001


@pytest.mark.smm_panel(scenario="moving:1000")
def test_moving_orders_follow_their_courses(ask: Caller, smm_panel: RunningSimulator) -> None:
    ids = list(smm_panel.orders)[:100]
    before = ask("status", orders=",".join(ids))
    smm_panel.advance(timedelta(days=1))
    after = ask("status", orders=",".join(ids))
    ended = [order for order in ids if before[order]["status"] in ENDED]
    assert 0 < len(ended) < 100
    assert [after[order] for order in ended] == [before[order] for order in ended]
    assert after != before


@pytest.mark.smm_panel(scenario="moving:50")
def test_looking_and_acting_agree_on_a_moving_order(ask: Caller, smm_panel: RunningSimulator) -> None:
    ids = ",".join(smm_panel.orders)
    looked = ask("status", orders=ids)
    ask("refill", orders=ids)
    assert ask("status", orders=ids) == looked


def test_a_hundred_thousand_orders_take_next_to_no_memory() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    simulator = Simulator(SimulatorSettings(scenario="steady:100000", speed=0))
    form = {"key": simulator.key, "action": "status", "orders": ",".join(map(str, range(90_000, 90_100)))}
    answer = simulator.api.answer(form).body
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert answer.count(b'"status"') == 100
    assert used < 1_000_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("misson", "no scenario 'misson'; there are empty, mission, all-types, steady, moving"),
        ("steady", "write steady:N with N from 1"),
        ("steady:0", "write steady:N"),
        ("steady:many", "write steady:N"),
        ("mission:5", "'mission' takes no number"),
    ],
)
def test_a_scenario_written_wrongly_says_how(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Simulator(SimulatorSettings(scenario=text))


def test_bulk_orders_need_a_default_service() -> None:
    services = tuple(service for service in default_services() if service.id > 100)
    with pytest.raises(ValueError, match="needs a Default service"):
        Simulator(SimulatorSettings(scenario="steady:5", services=services))
