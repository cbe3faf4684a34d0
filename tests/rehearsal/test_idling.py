"""The looks that a rehearsal leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from smm_rules.document import Position
from smm_rules.facts import Entity, EntityKind, Value
from smm_rules.rehearsal.agenda import Agenda
from smm_rules.rehearsal.idling import next_worthwhile, on_grid, previous_on_grid
from smm_rules.rules.expression import Turn, compile_condition

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTES = st.integers(0, 600).map(lambda minutes: minutes * MINUTE)
HERE = Position(Path("rules.yaml"), 1, 1)

TELLABLE = (
    "age < 1h",
    "age <= 1h and unchanged > 30m",
    "not (age >= 2h) or in_status > 45m",
    "1h < age < 3h",
    "age in (1h, 2h)",
    'status == "Partial" and tracked_for > 90m',
)


def turns(source: str) -> frozenset[Turn] | None:
    return compile_condition(source, EntityKind.ORDER, HERE).turns()


def test_what_only_news_can_turn_has_no_turns() -> None:
    assert turns('status == "Partial" and remains > 0 and known(age)') == frozenset()


def test_a_written_duration_is_a_turn() -> None:
    assert turns("order.age < 3d and panel.silent_for > 5m") == {
        Turn("placed_at", timedelta(days=3)),
        Turn("panel.last_answer_at", 5 * MINUTE),
    }


def test_durations_that_are_calculated_with_can_not_be_told() -> None:
    assert [turns(source) for source in ("age * 2 > 3d", "age > in_status", "max(age, unchanged) > 1h")] == [
        None,
        None,
        None,
    ]


@given(st.sampled_from(TELLABLE), st.lists(MINUTES, min_size=4, max_size=4), st.lists(MINUTES, min_size=2))
def test_between_two_turns_a_condition_stays_as_it_is(
    source: str, ago: list[timedelta], looks: list[timedelta]
) -> None:
    condition = compile_condition(source, EntityKind.ORDER, HERE)
    names = ("placed_at", "changed_at", "status_since", "tracked_at")
    facts: dict[str, Value] = {name: T0 - each for name, each in zip(names, ago, strict=True)}
    facts["status"] = "Partial"
    instants = [T0 - ago[names.index(turn.since)] + turn.after for turn in condition.turns() or ()]
    for one, other in pairwise(sorted(T0 + each for each in looks)):
        if not any(one <= at <= other for at in instants):
            assert condition.holds(facts, one) == condition.holds(facts, other)


@given(st.integers(1, 90).map(lambda minutes: minutes * MINUTE), MINUTES)
def test_the_grid_counts_on_from_the_last_look(interval: timedelta, later: timedelta) -> None:
    at = on_grid(T0, interval, T0 + later)
    assert at > T0
    assert at >= T0 + later
    assert (at - T0) % interval == timedelta()
    assert at - interval < T0 + later or at == T0 + interval
    assert previous_on_grid(T0, interval, at) == at - interval


def test_a_wake_comes_at_its_instant_and_a_turn_at_the_next_look() -> None:
    turn = T0 + 12 * MINUTE
    assert next_worthwhile(T0, 5 * MINUTE, [T0 + 17 * MINUTE], [turn]) == T0 + 15 * MINUTE
    assert next_worthwhile(T0, 5 * MINUTE, [T0 + 13 * MINUTE], [turn]) == T0 + 13 * MINUTE
    assert next_worthwhile(T0, 5 * MINUTE, [], [T0 - MINUTE]) is None


def order(number: int) -> Entity:
    return Entity(EntityKind.ORDER, "main", str(number))


def test_the_agenda_holds_one_instant_for_each() -> None:
    agenda = Agenda()
    agenda.put(order(1), T0 + 5 * MINUTE)
    agenda.put(order(2), T0 + MINUTE)
    agenda.put(order(1), T0 + 2 * MINUTE)
    agenda.bring_forward(order(2), T0 + 3 * MINUTE)
    agenda.put(order(3), T0)
    agenda.put(order(3), None)
    assert agenda.next_at() == T0 + MINUTE
    assert agenda.take(EntityKind.BALANCE, T0 + MINUTE) == []
    assert agenda.take(EntityKind.ORDER, T0 + 5 * MINUTE) == [order(2), order(1)]
    assert agenda.next_at() is None
