"""Which orders are left alone, one reason at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smm_rules.engine.attention import MOMENT, Attention
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import DueOrder
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.resting import LONGEST_REST, Grounds, resting
from smm_rules.rules.expression import Turn
from tests.polling.world import HOUR, MINUTE, T0, TELL, World, order, state

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
