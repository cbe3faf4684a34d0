"""How soon an order is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.document.problem import Position
from smm_rules.engine.urgency import Bounds, Interest, expected_wait, pace
from smm_rules.facts import EntityKind, Facts, OrderStatus
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.model import Rule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
USUAL = 5 * MINUTE
BOUNDS = Bounds(MINUTE, HOUR)
ANY = Interest((None,))


def rule(when: str) -> Rule:
    condition = compile_condition(when, EntityKind.ORDER, Position(Path("rules.yaml"), 1, 1))
    return Rule("rule", EntityKind.ORDER, condition, (), "v1")


def facts(status: str, since: timedelta = HOUR, **more: object) -> Facts:
    """An order in a status since then, tracked before."""
    times = {"changed_at": NOW - since, "status_since": NOW - since, "tracked_at": NOW - since - HOUR}
    return {"status": status, "status_known": True, "error": "", **times, **more}  # type: ignore[dict-item]


def moving(delivered: int, remains: int, since: timedelta) -> Facts:
    return facts("In progress", since, delivered=delivered, remains=remains) | {"changed_at": NOW}


def found(given: Facts, interest: Interest = ANY, *, waiting: bool = False) -> timedelta:
    return pace(given, interest, USUAL, BOUNDS, NOW, waiting=waiting)


def test_what_is_expected_soon_is_looked_at_soon() -> None:
    assert expected_wait(moving(900, 100, 90 * MINUTE), USUAL, NOW) == 10 * MINUTE
    assert found(moving(999, 1, HOUR)) == MINUTE
    assert found(moving(500, 500, 30 * MINUTE)) == USUAL
    assert found(moving(10, 990, 10 * MINUTE)) > 4 * USUAL


def test_what_stands_still_is_looked_at_ever_more_rarely() -> None:
    paces = [
        found(facts("In progress", since, delivered=0)) for since in (MINUTE, HOUR, 10 * HOUR, 100 * DAY)
    ]
    assert paces == sorted(paces)
    assert paces[-1] == BOUNDS.slowest
    assert found(facts("In progress", DAY, delivered=990, remains=10)) > 2 * USUAL


def test_what_ended_is_looked_at_as_often_in_its_second_hour_as_in_its_first_half() -> None:
    assert found(facts("Completed", MINUTE)) == USUAL
    assert found(facts("Completed", HOUR)) == 15 * MINUTE
    assert found(facts("Completed", 2 * HOUR)) == 30 * MINUTE
    assert found(facts("Completed", DAY)) == BOUNDS.slowest


def test_what_no_rule_can_act_on_any_more_waits_for_the_slowest_look() -> None:
    pending = Interest.of([rule('status == "Pending" and in_status > 6h')])
    assert found(facts("Pending"), pending) < HOUR
    assert found(facts("In progress"), pending) == BOUNDS.slowest
    assert found(facts("Completed", MINUTE), pending) == BOUNDS.slowest
    assert found(facts("Pending"), Interest.of([])) == BOUNDS.slowest


@pytest.mark.parametrize("status", [*OrderStatus, "Awaiting moon"])
def test_a_rule_that_may_hold_in_any_status_is_never_done(status: str) -> None:
    assert Interest.of([rule("remains > 10")]).lasts_in(status)
    assert Interest.of([rule(f'status == "{OrderStatus.REFUNDED}"')]).lasts_in(status)


def test_what_was_refused_or_is_in_an_unknown_status_is_looked_at_as_usual() -> None:
    assert found(facts("Completed", DAY) | {"error": "Incorrect order ID"}) == USUAL
    assert found(facts("Awaiting moon", DAY) | {"status_known": False}) == USUAL
    assert found({}) == USUAL


def test_what_began_before_it_was_tracked_has_a_rate_only_by_its_placing() -> None:
    seen = moving(500, 500, 30 * MINUTE) | {"tracked_at": NOW - 30 * MINUTE}
    assert expected_wait(seen, USUAL, NOW) == USUAL
    assert expected_wait(seen | {"placed_at": NOW - 2 * HOUR}, USUAL, NOW) == 2 * HOUR


spans = st.timedeltas(-DAY, 400 * DAY)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from([*(status.value for status in OrderStatus), "Awaiting moon"]),
            "error": st.sampled_from(["", "no"]),
            "remains": st.integers(-(10**15), 10**15),
            "delivered": st.integers(-(10**15), 10**15),
            **{name: spans.map(lambda span: NOW - span) for name in ("changed_at", "status_since")},
            **{name: spans.map(lambda span: NOW - span) for name in ("tracked_at", "placed_at")},
        },
    ),
    st.sampled_from([ANY, Interest.of([]), Interest.of([rule('status == "Partial"')])]),
    st.booleans(),
)
def test_every_pace_is_within_its_bounds(given_facts: Facts, interest: Interest, waiting: bool) -> None:
    found_pace = found(given_facts, interest, waiting=waiting)
    assert BOUNDS.fastest <= found_pace <= (USUAL if waiting else BOUNDS.slowest)


# -- more due than can be looked at -----------------------------------------------------------------------
paces = st.timedeltas(timedelta(), 2 * DAY)
latenesses = st.timedeltas(timedelta(), 400 * DAY)
bounds = st.tuples(st.timedeltas(timedelta(seconds=1), HOUR), st.timedeltas(timedelta(), DAY)).map(
    lambda found: Bounds(found[0], found[0] + found[1])
)


@given(bounds, paces)
def test_without_a_backlog_every_order_keeps_its_pace(within: Bounds, own: timedelta) -> None:
    assert within.stretched(own, timedelta()) == within.kept(own)


@given(bounds, paces, latenesses)
def test_who_gives_way_is_never_looked_at_sooner_nor_beyond_the_slowest(
    within: Bounds, own: timedelta, late: timedelta
) -> None:
    assert within.kept(own) <= within.stretched(own, late) <= within.slowest


@given(bounds, latenesses)
def test_the_most_urgent_never_give_way(within: Bounds, late: timedelta) -> None:
    assert within.stretched(within.fastest, late) == within.fastest


@given(bounds, paces, paces, latenesses)
def test_who_is_less_urgent_gives_way_by_as_much_or_more(
    within: Bounds, one: timedelta, other: timedelta, late: timedelta
) -> None:
    sooner, later = sorted((one, other))
    assert within.stretched(sooner, late) <= within.stretched(later, late)
    if within.stretched(later, late) < within.slowest:
        given_way = [within.stretched(own, late) - within.kept(own) for own in (sooner, later)]
        assert given_way[0] <= given_way[1] + timedelta(microseconds=1)  # each is rounded to one


@given(bounds, paces, latenesses, latenesses)
def test_the_later_looks_come_the_more_is_given_way(
    within: Bounds, own: timedelta, one: timedelta, other: timedelta
) -> None:
    less, more = sorted((one, other))
    assert within.stretched(own, less) <= within.stretched(own, more)


@pytest.mark.parametrize("own", [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE])
def test_with_its_lateness_the_time_between_looks_is_as_many_times_as_long_for_all(own: timedelta) -> None:
    late = 2 * MINUTE
    assert BOUNDS.stretched(own, late) + late == 3 * own


def test_an_order_s_pace_gives_way_by_its_urgency_and_by_what_waits_for_it() -> None:
    def under_way(given: Facts, *, waiting: bool = False) -> timedelta:
        return pace(given, ANY, USUAL, BOUNDS, NOW, waiting=waiting, late=2 * MINUTE)

    near_its_end, halfway = moving(999, 1, HOUR), moving(500, 500, 30 * MINUTE)
    assert under_way(near_its_end) == MINUTE
    assert under_way(halfway) == 13 * MINUTE
    assert under_way(halfway, waiting=True) == USUAL
    assert under_way(facts("Completed", DAY)) == BOUNDS.slowest
