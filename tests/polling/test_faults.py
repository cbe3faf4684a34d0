"""What a panel that fails, in whole or in part, does to sweeps: nothing fires, nothing resolves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import Ambiguous, NotSent, RateLimited
from smm_rules.panel.retrying import RetryPolicy
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.health import look_at_health
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.standing import FIRST_PAUSE, LONGEST_ASKED_PAUSE, LONGEST_PAUSE
from smm_rules.simulator import Fault, RunningSimulator, SimulatorSettings
from tests.polling.world import MINUTE, REFILL, T0, TELL, World, order, state

PARTIAL = state("Partial", 157)
SECOND = timedelta(seconds=1)
DEAD = NotSent("connection refused")
AT_ONCE = RetryPolicy(attempts=1)
SERVICE_GONE = """
rules:
  - name: service-gone
    watch: service
    when: gone
    do: [{notify: {channel: ops, message: "{{ service.id }} is gone"}}]
"""
PANEL_DOWN = """
rules:
  - name: panel-down
    watch: panel
    when: not reachable and failures >= 3 and failing_for > 15m
    until: reachable
    do: [{notify: {channel: ops, message: "{{ panel.name }} is down"}}]
    done: [{notify: {channel: ops, message: "{{ panel.name }} is back"}}]
"""


async def test_a_dead_panel_changes_nothing_and_is_told_once(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.orders["1"] = state("Completed")
    world.panel.failing["orders"] = DEAD
    world.clock.move(5 * MINUTE)
    told_after = []
    for _ in range(12):
        await world.later(watch, LONGEST_PAUSE)
        told_after.append(await world.operator_told())
    assert told_after[:3] == [[], [], ["poll_failing"]]
    assert told_after[-1] == ["poll_failing"]
    assert await world.told() == ["1 is partial"]
    assert await world.status("1") == "Partial"
    assert world.counters.value("polls_failed", what="orders") == 12
    world.panel.failing.clear()
    with capture_logs() as logs:
        await world.later(watch, LONGEST_PAUSE)
        await world.later(watch, LONGEST_PAUSE)
    assert [line["failures"] for line in logs if line["event"] == "panel.poll_recovered"] == [12]
    assert await world.operator_told() == ["poll_failing", "poll_recovered"]
    assert await world.told() == ["1 is partial", "1 is Completed"]


async def test_a_failing_look_is_let_be_for_longer_each_time(world: World) -> None:
    await world.track("1")
    watch = await world.acquainted()
    world.panel.failing["orders"] = DEAD
    pauses = []
    for _ in range(8):
        await sweep_orders(watch)
        pauses.append(watch.standing.outages["orders"].paused_until - world.clock.now())
        await world.later(watch, pauses[-1] - SECOND)
        asked = world.panel.times_asked("orders")
        assert asked == len(pauses)  # it was let be
        world.clock.move(SECOND)
    expected = [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(8)]
    assert pauses == expected


async def test_one_look_in_trouble_leaves_the_others_alone(world: World) -> None:
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    world.panel.failing["catalogue"] = DEAD
    watch = await world.acquainted()
    assert await sweep_orders(watch) == 1
    assert sorted(watch.standing.outages) == ["catalogue"]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (timedelta(seconds=40), timedelta(seconds=40)),
        (timedelta(0), FIRST_PAUSE),
        (None, FIRST_PAUSE),
        (timedelta(days=30), LONGEST_ASKED_PAUSE),
    ],
)
async def test_a_rate_limit_is_let_be_as_long_as_it_asks_within_reason(
    world: World, asked: timedelta | None, pause: timedelta
) -> None:
    world.panel.failing["balance"] = RateLimited("too many requests", asked)
    watch = await world.watch()
    await look_at_balance(watch)
    assert watch.standing.outages["balance"].paused_until == T0 + pause


async def test_what_was_answered_counts_when_some_requests_failed(world: World) -> None:
    world.use(TELL)
    world.panel.orders |= dict.fromkeys("123", PARTIAL)
    await world.track("1", "2", "3")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.orders |= dict.fromkeys("123", state("Completed"))
    world.panel.failed = dict.fromkeys("12", Ambiguous("time-out"))
    with capture_logs() as logs:
        assert await world.later(watch, 5 * MINUTE) == 1
    (line,) = [line for line in logs if line["event"] == "panel.poll_failed_in_part"]
    assert (line["unanswered"], line["failures"], line["kind"]) == (2, 1, "Ambiguous")
    assert [line["event"] for line in logs if line["event"] == "order.missing"] == []
    assert [await world.status(name) for name in "123"] == ["Partial", "Partial", "Completed"]
    assert (await world.told())[3:] == ["3 is Completed"]
    assert watch.standing.health_facts["reachable"] is True

    world.clock.move(FIRST_PAUSE - SECOND)
    await sweep_orders(watch)
    assert world.panel.times_asked("orders") == 2  # let be
    world.panel.failed = {}
    await world.later(watch, SECOND)
    assert world.panel.asked[-1] == ("orders", ("1", "2"))  # the failed ones are still due
    assert watch.standing.outages == {}
    assert sorted((await world.told())[3:]) == ["1 is Completed", "2 is Completed", "3 is Completed"]


async def test_a_lasting_partial_failure_is_told_and_holds_up_nobody_for_longer_than_an_interval(
    world: World,
) -> None:
    world.panel.orders |= dict.fromkeys("12", PARTIAL)
    await world.track("1", "2")
    watch = await world.acquainted()
    world.panel.failed = {"1": Ambiguous("time-out")}
    for _ in range(10):
        assert await world.later(watch, 5 * MINUTE) == 1
    assert await world.operator_told() == ["poll_failing"]
    world.panel.failed = {}
    await world.later(watch, 5 * MINUTE)
    assert await world.operator_told() == ["poll_failing", "poll_recovered"]


async def test_some_batches_of_a_real_panel_fail(world: World) -> None:
    async with RunningSimulator(SimulatorSettings(speed=0, scenario="steady:250")) as panel:
        await world.track(*panel.orders)
        panel.faults.next("status", Fault.ERROR_BEFORE_EFFECT)
        endpoint = Endpoint("north", panel.url, panel.key, 6000, connections=1)
        async with PanelClient(endpoint, retries=AT_ONCE) as client:
            watch = await world.acquainted(client=client)
            assert await sweep_orders(watch) == 150
            assert watch.standing.outages["orders"].failures == 1
            assert await world.later(watch, FIRST_PAUSE) == 100
            assert watch.standing.outages == {}


async def test_a_panel_down_rule_fires_on_a_real_outage_and_resolves(world: World) -> None:
    world.use(PANEL_DOWN)
    with RunningSimulator(SimulatorSettings(speed=0)) as panel:
        await world.track(panel.add_order(status="Partial", remains=5))
        async with PanelClient(Endpoint("north", panel.url, panel.key, 6000), retries=AT_ONCE) as client:
            watch = await world.acquainted(client=client)
            panel.faults.always("*", Fault.ERROR_BEFORE_EFFECT)
            told = []
            for _ in range(20):
                world.clock.move(2 * MINUTE)
                await look_at_balance(watch)
                await sweep_orders(watch)
                await look_at_health(watch)
                told.append(await world.told())
            first = told.index(["north is down"])
            failing_since = watch.standing.health_facts["failing_since"]
            assert T0 + 2 * MINUTE * (first + 1) - failing_since > 15 * MINUTE  # type: ignore[operator]
            assert T0 + 2 * MINUTE * first - failing_since <= 15 * MINUTE  # type: ignore[operator]
            assert told[-1] == ["north is down"]
            panel.faults.clear()
            world.clock.move(LONGEST_PAUSE)
            await look_at_balance(watch)
            await look_at_health(watch)
    assert await world.told() == ["north is down", "north is back"]


async def test_health_from_before_a_restart_fires_nothing(world: World) -> None:
    world.use(PANEL_DOWN)
    watch = await world.acquainted()
    world.panel.failing |= {"balance": DEAD}
    for _ in range(3):
        world.clock.move(5 * MINUTE)
        await look_at_balance(watch)
        await look_at_health(watch)
    world.clock.move(timedelta(hours=5))
    world.panel.failing.clear()
    restarted = await world.watch()
    await look_at_health(restarted)
    assert await world.told() == []  # it was last seen dead hours ago; that says nothing of now
    await look_at_balance(restarted)
    await look_at_health(restarted)
    assert await world.told() == []


async def test_health_is_written_without_rules_once_a_minute_and_at_each_change(world: World) -> None:
    watch = await world.acquainted()
    await look_at_health(watch)
    at_first = watch.standing.health
    world.clock.move(30 * SECOND)
    await look_at_health(watch)
    assert watch.standing.health is at_first
    world.panel.failing["orders"] = DEAD
    await world.track("1")
    await sweep_orders(watch)
    await look_at_health(watch)
    assert watch.standing.health is not None
    assert watch.standing.health.facts["reachable"] is False


async def test_a_failed_catalogue_is_no_delisting(world: World) -> None:
    world.use(SERVICE_GONE)
    with RunningSimulator(SimulatorSettings(speed=0)) as panel:
        async with PanelClient(Endpoint("north", panel.url, panel.key, 6000), retries=AT_ONCE) as client:
            watch = await world.acquainted(client=client)
            count = len(panel.services())
            panel.faults.next("services", Fault.EMPTY_CATALOGUE)
            world.clock.move(timedelta(hours=6))
            assert await look_at_catalogue(watch) == 0
            panel.remove_service(2)
            world.clock.move(FIRST_PAUSE)
            assert await look_at_catalogue(watch) == count - 1
    assert await world.told() == ["2 is gone"]


async def test_the_balance_as_evidence_is_asked_for_until_it_is_read(world: World) -> None:
    watch = await world.acquainted()
    watch.standing.balance_wanted = True
    world.panel.failing["balance"] = DEAD
    assert await look_at_balance(watch) is None
    assert watch.standing.balance_wanted is True
    world.panel.failing.clear()
    world.clock.move(FIRST_PAUSE)
    assert await look_at_balance(watch) == world.panel.money
    assert watch.standing.balance_wanted is False


async def test_an_action_that_falls_into_doubt_while_the_balance_is_read_wants_a_later_reading(
    world: World,
) -> None:
    watch = await world.watch()

    class Doubtful(type(world.panel)):  # type: ignore[misc]
        async def balance(self):  # type: ignore[no-untyped-def]
            watch.standing.balance_wanted = True
            return await super().balance()

    watch.client = Doubtful()
    await look_at_balance(watch)
    assert watch.standing.balance_wanted is True


async def test_an_answer_that_can_not_be_looked_at_freezes_its_order_alone(world: World) -> None:
    world.use(TELL)
    world.panel.orders |= {"1": state("Partial", runs=1, suborders=None), "2": PARTIAL}  # None has no length
    await world.track("1", "2")
    watch = await world.acquainted()
    with capture_logs() as logs:
        await sweep_orders(watch)
    assert [line["entity"] for line in logs if line["event"] == "panel.look_failed"] == ["order/north/1"]
    assert await world.told() == ["2 is partial"]
    assert await world.due_at(order("1")) == T0 + 5 * MINUTE
    world.panel.orders["1"] = PARTIAL
    await world.later(watch, 5 * MINUTE)
    assert "1 is partial" in await world.told()


async def test_a_hold_outlives_an_outage_shorter_than_the_gap(world: World) -> None:
    world.use(REFILL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.failing["orders"] = DEAD
    for _ in range(4):
        await world.later(watch, 5 * MINUTE)
    assert await world.intents() == []
    world.panel.failing.clear()
    await world.later(watch, 5 * MINUTE)
    assert len(await world.intents()) == 1
