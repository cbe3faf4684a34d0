"""Which orders are left alone, one reason at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.attention import MOMENT, Attention
from smm_rules.engine.urgency import Bounds
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import DueOrder
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.observe.counters import Count
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.resting import LONGEST_REST, Grounds, resting
from smm_rules.polling.watch import PanelWatch
from smm_rules.rules.expression import Turn
from tests.polling.world import FOLLOWERS, HOUR, MINUTE, REFILL, T0, TELL, World, order, state

PACE = 5 * MINUTE // timedelta(microseconds=1)
NOW = T0 + 5 * MINUTE
RESTING = DueOrder(1, "7", to_micros(T0), -3, 11, to_micros(T0 + HOUR), PACE, to_micros(NOW))
SAME = {"7": "{}"}


def at_rest(due: DueOrder, same: dict[str, str] = SAME, valid: int = 11) -> list[int]:
    return resting([due], same, {valid}, NOW, timedelta(minutes=30))


def test_an_order_rests_while_all_is_the_same() -> None:
    assert at_rest(RESTING) == [1]


@pytest.mark.parametrize(
    "change",
    [
        RESTING._replace(answer=None),
        RESTING._replace(last_seen_at=None),
        RESTING._replace(rests_until=None),
        RESTING._replace(pace=None),
        RESTING._replace(last_seen_at=to_micros(NOW + MINUTE)),
        RESTING._replace(last_seen_at=to_micros(NOW - 31 * MINUTE)),
        RESTING._replace(rests_until=to_micros(NOW + 5 * MINUTE)),
        RESTING._replace(rests_until=to_micros(NOW)),
    ],
    ids=str,
)
def test_an_order_does_not_rest_on_anything_else(change: DueOrder) -> None:
    assert at_rest(change) == []


def test_an_order_does_not_rest_on_other_words_or_in_another_context() -> None:
    assert at_rest(RESTING, same={"8": "{}"}) == []
    assert at_rest(RESTING, valid=12) == []


def test_a_gap_is_as_long_as_two_of_its_own_paces() -> None:
    late = RESTING._replace(last_seen_at=to_micros(NOW - 40 * MINUTE), rests_until=to_micros(NOW + 3 * HOUR))
    assert at_rest(late) == []
    assert at_rest(late._replace(pace=4 * PACE)) == [1]


GROUNDS = Grounds(-3, 11, 2, Attention(frozenset({Turn("placed_at", 3 * HOUR)}), frozenset()))


def test_a_rest_ends_at_the_first_instant_that_may_bring_something() -> None:
    rest = GROUNDS.rest({"placed_at": T0}, T0, 5 * MINUTE, (None, T0 + 4 * HOUR))
    assert rest is not None
    assert (rest.answer, rest.context, rest.changes, rest.pace) == (-3, 11, 2, 5 * MINUTE)
    assert rest.until == T0 + 3 * HOUR
    sooner = GROUNDS.rest({"placed_at": T0}, T0, 5 * MINUTE, (T0 + HOUR,))
    assert sooner is not None
    assert sooner.until == T0 + HOUR


def test_no_rest_lasts_longer_than_a_day() -> None:
    rest = GROUNDS.rest({}, T0, 5 * MINUTE, ())
    assert rest is not None
    assert rest.until == T0 + LONGEST_REST


def test_there_is_no_rest_that_spares_no_look() -> None:
    assert GROUNDS.rest({"placed_at": T0}, T0 + 3 * HOUR - 5 * MINUTE, 5 * MINUTE, ()) is None
    assert GROUNDS.rest({"placed_at": T0}, T0 + 3 * HOUR, 5 * MINUTE, ()) is None


def test_what_stands_at_its_length_turns_in_a_moment() -> None:
    attention = GROUNDS.attention
    assert attention.stays_for({"placed_at": T0}, T0 + 3 * HOUR) == MOMENT
    assert attention.stays_for({"placed_at": T0}, T0 + 3 * HOUR + MOMENT) is None
    assert attention.stays_for({"placed_at": T0 + HOUR}, T0) == 4 * HOUR
    assert Attention(None, frozenset()).stays_for({}, T0) == timedelta()


async def test_an_unchanged_order_is_looked_at_once_and_then_left_alone(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = state("In progress", 500)
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    for look in range(1, 4):
        assert await world.later(watch, 5 * MINUTE) == 1
        [due] = await world.ledger.due_orders("north", T0 + HOUR, 10)
        assert due.answer is not None
        assert due.rests_until == to_micros(T0 + LONGEST_REST)  # it is still the rest of the first look
        assert due.last_seen_at == to_micros(T0 + 5 * look * MINUTE)
    assert await world.due_at(order("1")) == T0 + 20 * MINUTE


async def test_a_change_is_seen_at_once(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = state("In progress", 500)
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    await world.later(watch, 5 * MINUTE)
    world.panel.orders["1"] = state("Partial", 500)
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is partial"]


async def test_a_rule_that_is_new_looks_at_those_at_rest(world: World) -> None:
    world.panel.orders["1"] = state("Partial", 500)
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    await world.later(watch, 5 * MINUTE)
    world.use(TELL)
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is partial"]


async def test_a_daemon_that_starts_again_lets_them_rest_on(world: World) -> None:
    world.use(TELL)
    for name in ("1", "2"):
        world.panel.orders[name] = state("In progress", 500)
    await world.track("1", "2")
    await sweep_orders(await world.acquainted())
    world.clock.move(5 * MINUTE)
    watch = await world.acquainted()
    await sweep_orders(watch)  # the first look at an order of the service finds its context anew
    await world.later(watch, 5 * MINUTE)
    found = await world.ledger.due_orders("north", T0 + HOUR, 10)
    assert {one.rests_until for one in found} == {to_micros(T0 + 5 * MINUTE + LONGEST_REST)}


DEAR = """
rules:
  - name: dear
    watch: order
    when: service.rate > 2.5
    do: [{notify: {channel: ops, message: "{{ order.id }} is dear"}}]
"""


async def test_a_change_of_their_service_wakes_all_its_orders(world: World) -> None:
    world.use(DEAR)
    for name in ("1", "2", "3"):
        world.panel.orders[name] = state("In progress", 500)
    await world.track("1", "2", "3")
    watch = await world.acquainted(sweep_size=1)
    for _ in range(6):
        await world.later(watch, 2 * MINUTE)
    world.panel.catalogue = (replace(FOLLOWERS, rate=Decimal("3.00")),)
    watch.standing.catalogue_wanted = True
    await look_at_catalogue(watch)
    for _ in range(4):
        await world.later(watch, 5 * MINUTE)
    assert sorted(await world.told()) == ["1 is dear", "2 is dear", "3 is dear"]


async def test_what_a_pause_kept_from_firing_does_not_rest(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = state("Partial", 500)
    await world.track("1")
    watch = await world.acquainted()
    stop = await world.ledger.stop(StopKind.PAUSE, StopScope.RULE, "tell", "a look", "ann", T0)
    await sweep_orders(watch)
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == []
    await world.ledger.end_stop(stop.id, world.clock.now(), "ann")
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is partial"]


async def test_an_order_that_rests_settles_in_its_time(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = state("Completed", 0)
    await world.track("1")
    watch = await world.acquainted()
    watch.pace = replace(watch.pace, settle_after=30 * MINUTE)
    await sweep_orders(watch)
    for _ in range(5):
        await world.later(watch, 5 * MINUTE)
    assert await world.due_at(order("1")) == T0 + 30 * MINUTE
    await world.later(watch, 5 * MINUTE)
    assert await world.due_at(order("1")) is None


async def test_a_look_that_changed_what_a_rule_remembers_is_followed_by_a_whole_one(world: World) -> None:
    world.use(TELL)
    world.panel.orders["1"] = state("Partial", 500)
    await world.track("1")
    watch = await world.acquainted()
    answers = []
    for _ in range(3):
        await sweep_orders(watch)
        [due] = await world.ledger.due_orders("north", T0 + HOUR, 10)
        answers.append(due.answer is not None)
        world.clock.move(5 * MINUTE)
    assert answers == [False, True, True]


async def test_a_refill_counted_meanwhile_is_seen_at_the_next_look(world: World) -> None:
    world.use(DEAR.replace("service.rate > 2.5", "refills >= 1"))
    world.panel.orders["1"] = state("In progress", 500)
    await world.track("1")
    watch = await world.acquainted()
    await sweep_orders(watch)
    await world.later(watch, 5 * MINUTE)
    await world.track_refill("9", "1")
    await world.later(watch, 5 * MINUTE)
    assert await world.told() == ["1 is dear"]


# -- each order's own pace -------------------------------------------------------------------------------
BOUNDS = Bounds(MINUTE, HOUR)


async def paced(world: World) -> PanelWatch:
    watch = await world.acquainted()
    watch.pace = replace(watch.pace, bounds=BOUNDS)
    return watch


async def test_what_a_rule_waits_for_is_looked_at_as_usual_however_dull(world: World) -> None:
    world.use(REFILL.replace("10m", "2d"))
    world.panel.orders |= {"1": state("Partial", 500), "2": state("Completed", 0)}
    await world.track("1", "2")
    watch = await paced(world)
    world.clock.move(HOUR)
    await sweep_orders(watch)
    for _ in range(12 * 5):
        await world.later(watch, 5 * MINUTE)
    watched = [await world.ledger.watched(order(name)) for name in ("1", "2")]
    paces = [one.due_at - one.last_seen_at for one in watched if one and one.due_at and one.last_seen_at]
    assert paces[0] == 5 * MINUTE
    assert paces[1] > HOUR / 2


async def test_a_duration_that_a_rule_names_is_looked_at_when_it_is_over(world: World) -> None:
    world.use(DEAR.replace("service.rate > 2.5", 'in_status >= 17m and status == "Pending"'))
    world.panel.orders["1"] = state("Pending", 1000)
    await world.track("1")
    watch = await paced(world)
    await sweep_orders(watch)
    while await world.told() == []:
        due_at = await world.due_at(order("1"))
        assert due_at is not None
        await world.later(watch, due_at - world.clock.now())
    assert world.clock.now() == T0 + 17 * MINUTE


async def test_requests_are_filled_with_the_orders_due_next(world: World) -> None:
    world.use(TELL)
    names = [str(number) for number in range(1, 251)]
    world.panel.orders |= dict.fromkeys(names, state("In progress", 500))
    await world.track(*names)
    watch = await paced(world)
    await sweep_orders(watch)
    await world.ledger.postpone([order("7")], world.clock.now() + MINUTE)
    await world.later(watch, MINUTE)
    assert len(world.panel.asked[-1][1]) == 100
    assert world.counters.levels() == (Count("orders_late_seconds", (("panel", "north"),), 0),)


async def test_the_latest_order_s_lateness_is_told(world: World) -> None:
    world.panel.orders["1"] = state("In progress", 500)
    await world.track("1")
    watch = await world.acquainted()
    await world.later(watch, 4 * MINUTE)
    assert world.counters.levels() == (Count("orders_late_seconds", (("panel", "north"),), 240),)
