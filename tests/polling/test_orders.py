"""Sweeps over orders: who is asked, who stays frozen, when a rule fires."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from smm_rules.observe import correlation_of
from smm_rules.panel.answers import OrderState, Refused
from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.orders import sweep_orders
from smm_rules.simulator import DialectName, RunningSimulator, SimulatorSettings
from tests.polling.world import MINUTE, PACE, REFILL, T0, TELL, World, order, state

PARTIAL = state("Partial", 157)


@pytest.mark.parametrize("dialect", list(DialectName))
async def test_a_sweep_of_a_real_panel(world: World, dialect: DialectName) -> None:
    async with RunningSimulator(SimulatorSettings(speed=0, dialect=dialect)) as panel:
        partial = panel.add_order(1, 1000, status="Partial", remains=157)
        done = panel.add_order(2, 500, status="Completed")
        world.use(REFILL)
        await world.track(partial, done, "999999")
        async with PanelClient(Endpoint("north", panel.url, panel.key, 6000)) as client:
            watch = await world.acquainted(client=client)
            assert await sweep_orders(watch) == 3
            world.clock.move(10 * MINUTE)
            await sweep_orders(watch)
    facts = await world.facts(partial)
    assert (facts["status"], facts["remains"], facts["delivered"]) == ("Partial", 157, 843)
    assert await world.status(done) == "Completed"
    unheard_of = await world.facts("999999")
    assert unheard_of["error"]
    assert "status" not in unheard_of
    assert await world.intents() == [("top-up", partial, "planned", "")]


async def test_a_hold_ends_at_the_look_it_is_due_for(world: World) -> None:
    world.use(REFILL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    assert await world.due_at(order("1")) == T0 + PACE.orders
    await world.later(watch, 4 * MINUTE)  # not due: nobody is asked
    assert world.panel.times_asked("orders") == 1
    await world.later(watch, 4 * MINUTE)
    # The end of the hold comes before the next interval, so that is when it is due.
    assert await world.due_at(order("1")) == T0 + 10 * MINUTE
    await world.later(watch, 2 * MINUTE - timedelta(seconds=1))
    assert await world.intents() == []
    await world.later(watch, timedelta(seconds=1))
    assert [intent[:3] for intent in await world.intents()] == [("top-up", "1", "planned")]
    assert world.planned == [T0 + 10 * MINUTE]


async def test_an_edited_hold_applies_at_the_next_look(world: World) -> None:
    world.use(REFILL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.use(REFILL.replace("10m", "5m"))
    await world.later(watch, 5 * MINUTE)
    assert len(await world.intents()) == 1


async def test_an_order_left_out_is_frozen_and_asked_again(world: World) -> None:
    world.use(TELL)
    world.panel.orders |= {"1": PARTIAL, "2": PARTIAL}
    await world.track("1", "2")
    watch = await world.acquainted()
    await sweep_orders(watch)
    assert sorted(await world.told()) == ["1 is partial", "2 is partial"]
    del world.panel.orders["2"]
    world.panel.orders["1"] = state("Completed")
    with capture_logs() as logs:
        assert await world.later(watch, 5 * MINUTE) == 1
    assert [(line["count"], line["ids"]) for line in logs if line["event"] == "order.missing"] == [(1, ["2"])]
    assert await world.status("2") == "Partial"
    assert sorted(await world.told())[1:] == ["1 is partial", "2 is partial"]  # 2 has not resolved
    assert await world.due_at(order("2")) == T0 + 10 * MINUTE
    world.panel.orders["2"] = state("Completed")
    assert await world.later(watch, 5 * MINUTE) == 2
    assert "2 is Completed" in await world.told()


async def test_an_order_refused_by_itself_keeps_what_was_last_said(world: World) -> None:
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.orders["1"] = Refused("Incorrect order ID")
    await world.later(watch, 5 * MINUTE)
    facts = await world.facts("1")
    assert (facts["status"], facts["error"]) == ("Partial", "Incorrect order ID")


async def test_orders_wait_until_catalogue_and_balance_have_been_asked_for(world: World) -> None:
    world.use(TELL.replace('status == "Partial"', 'status == "Partial" and service.refill'))
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.watch()
    assert await sweep_orders(watch) == 0
    await look_at_catalogue(watch)
    assert await sweep_orders(watch) == 0
    assert world.panel.times_asked("orders") == 0
    watch = await world.acquainted()
    assert await sweep_orders(watch) == 1
    assert await world.told() == ["1 is partial"]  # the service was known at the first look


async def test_after_a_restart_orders_need_not_wait_for_the_next_catalogue(world: World) -> None:
    await world.acquainted()
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    world.clock.move(MINUTE)  # neither catalogue nor balance is due yet
    watch = await world.acquainted()
    assert (world.panel.times_asked("catalogue"), world.panel.times_asked("balance")) == (1, 1)
    assert await sweep_orders(watch) == 1


async def test_after_a_long_stop_orders_wait_until_what_is_known_is_read_anew(world: World) -> None:
    await world.acquainted()
    await world.track("1")
    world.clock.move(PACE.catalogue)
    watch = await world.watch()
    assert await sweep_orders(watch) == 0
    assert world.panel.times_asked("orders") == 0


async def test_old_news_is_not_acted_on_unless_the_rule_says_so(world: World) -> None:
    world.use(REFILL.replace("    first_seen: act\n", ""))
    world.panel.orders |= {"1": PARTIAL, "2": state("In progress", 500)}
    await world.track("1", "2")
    watch = await world.acquainted()
    await sweep_orders(watch)
    world.panel.orders["2"] = PARTIAL
    for _ in range(4):
        await world.later(watch, 5 * MINUTE)
    assert [intent[1] for intent in await world.intents()] == ["2"]


async def test_a_settled_order_is_asked_no_more(world: World) -> None:
    world.panel.orders["1"] = state("Completed")
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    await world.later(watch, PACE.settle_after)
    assert await world.due_at(order("1")) is None


async def test_a_sweep_takes_the_most_overdue_and_no_more_than_its_size(world: World) -> None:
    names = [str(number) for number in range(5)]
    for name in names:
        world.panel.orders[name] = PARTIAL
        await world.track(name)
        world.clock.move(timedelta(seconds=1))
    watch = await world.acquainted(sweep_size=2)
    assert [await sweep_orders(watch) for _ in range(4)] == [2, 2, 1, 0]
    asked = [ids for what, ids in world.panel.asked if what == "orders"]
    assert asked == [("0", "1"), ("2", "3"), ("4",)]


async def test_a_status_nobody_knows_is_kept_and_ends_nothing(world: World) -> None:
    world.panel.orders["1"] = OrderState("Awaiting moon", False, 5)
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    watched = await world.ledger.watched(order("1"))
    assert watched is not None
    assert (watched.facts["status"], watched.facts["status_known"]) == ("Awaiting moon", False)
    await world.later(watch, PACE.settle_after)
    assert await world.due_at(order("1")) is not None


async def test_an_order_forgotten_while_it_is_asked_about_stays_forgotten(world: World) -> None:
    world.use(TELL)
    await world.track("1", "2")
    watch = await world.acquainted()

    class Forgetful(type(world.panel)):  # type: ignore[misc]  # a panel during whose answer somebody acts
        async def order_states(self, ids, known):  # type: ignore[no-untyped-def]
            await world.ledger.forget(order("1"), world.clock.now())
            return await super().order_states(ids, known)

    watch.client = Forgetful(orders={"1": PARTIAL, "2": PARTIAL})
    await sweep_orders(watch)
    assert await world.ledger.watched(order("1")) is None
    assert await world.told() == ["2 is partial"]


async def test_a_gap_in_watching_starts_a_hold_anew(world: World) -> None:
    world.use(REFILL.replace("10m", "2h"))
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted(gap=30 * MINUTE)
    await sweep_orders(watch)
    with capture_logs() as logs:
        await world.later(watch, 31 * MINUTE)
    assert [line["event"] for line in logs if line["event"].startswith("rule.")] == ["rule.hold_restarted"]
    for _ in range(8):
        await world.later(watch, 15 * MINUTE - timedelta(seconds=1))
    assert await world.intents() == []  # two hours since it was first seen are not enough
    await world.later(watch, 10 * MINUTE)
    assert len(await world.intents()) == 1


async def test_a_short_restart_keeps_the_hold(world: World) -> None:
    world.use(REFILL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    await sweep_orders(await world.acquainted())
    world.clock.move(10 * MINUTE)
    await sweep_orders(await world.acquainted())
    assert len(await world.intents()) == 1


async def test_one_correlation_runs_from_the_condition_to_the_actions_log(world: World) -> None:
    world.use(REFILL)
    world.panel.orders["1"] = PARTIAL
    await world.track("1")
    watch = await world.acquainted()
    with capture_logs() as logs:
        await sweep_orders(watch)
        await world.later(watch, 10 * MINUTE)
    (intent,) = await world.ledger.intents((), 1)
    story = correlation_of(intent.rule, intent.entity, intent.episode)
    assert [(line["event"], line["correlation"]) for line in logs if line["event"].startswith("rule.")] == [
        ("rule.holding", story),
        ("rule.fired", story),
    ]
