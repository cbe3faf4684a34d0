"""Orders that rest: due in short, moved on together, and woken by whatever changes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smm_rules.engine.memory import Memory
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import DueOrder, Remembered, Rest, Sweep
from tests.ledger.builders import DAY, MINUTE, T0, new_order, observed, order

PACE = 5 * MINUTE
REST = Rest(answer=-7, context=11, until=T0 + DAY, pace=PACE, changes=0)


async def resting(ledger: Ledger, *numbers: int, rest: Rest | None = REST) -> None:
    """Orders looked at once, at T0, and due again after their pace."""
    await ledger.track([new_order(number) for number in numbers], T0)
    looks = [observed(order(number), {"remains": 5}, due_at=T0 + PACE) for number in numbers]
    await ledger.record(Sweep(T0, tuple(replace(look, rest=rest) for look in looks)))


async def due(ledger: Ledger, now: object = T0 + PACE, limit: int = 10, batch: int = 1) -> list[DueOrder]:
    return list(await ledger.due_orders("north", now, limit, batch))  # type: ignore[arg-type]  # an instant


async def rests(ledger: Ledger) -> dict[str, bool]:
    """Whether each order rests, by its ID."""
    return {one.id: one.answer is not None for one in await due(ledger, T0 + 10 * DAY)}


async def test_a_due_order_comes_in_short_with_its_rest(ledger: Ledger) -> None:
    await resting(ledger, 1)
    [found] = await due(ledger)
    assert found[1:] == (
        "1",
        to_micros(T0),
        -7,
        11,
        to_micros(T0 + DAY),
        PACE // timedelta(microseconds=1),
        to_micros(T0 + PACE),
    )
    watched = await ledger.watched(order(1))
    assert await ledger.watched_rows([found.row]) == {found.row: watched}


async def test_what_was_read_is_written_by_row_as_by_name(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    by_name, by_row = await due(ledger, T0)
    looks = [observed(order(number), {"remains": 5}, due_at=T0 + PACE) for number in (1, 2)]
    looks = [replace(looks[0], rest=REST), replace(looks[1], rest=REST, row=by_row.row)]
    memory = tuple(Remembered("top-up", order(number), Memory(true_since=T0)) for number in (1, 2))
    await ledger.record(Sweep(T0, tuple(looks), memory))
    found = {one.row: one for one in await due(ledger)}
    assert found[by_row.row][2:] == found[by_name.row][2:]
    watched = await ledger.watched_rows([by_name.row, by_row.row])
    assert watched[by_row.row] == replace(
        watched[by_name.row], entity=order(2), order=watched[by_row.row].order
    )
    assert {one.entity for one in await ledger.history(None, T0, T0, 9)} == {order(1), order(2)}
    remembered = await ledger.memories_by_row([by_row.row, by_name.row])
    assert sorted(remembered, key=lambda one: one[0]) == [
        (row, "top-up", Memory(true_since=T0)) for row in sorted((by_row.row, by_name.row))
    ]


async def test_of_an_order_forgotten_meanwhile_nothing_is_written_by_row(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    [found] = await due(ledger, T0)
    await ledger.forget(order(1), T0)
    look = replace(observed(order(1), {"remains": 5}, due_at=T0 + PACE), row=found.row)
    memory = Remembered("top-up", order(1), Memory(true_since=T0))
    await ledger.record(Sweep(T0, (look,), (memory,)))
    assert await ledger.history(None, T0, T0, 9) == ()
    assert await ledger.memories([order(1)]) == {}
    await ledger.track([new_order(1)], T0 + MINUTE)
    [again] = await due(ledger, T0 + DAY)
    assert (again.row, again.last_seen_at, again.due_at) == (found.row, None, to_micros(T0 + MINUTE))


async def test_an_order_never_seen_doesn_t_rest(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    [found] = await due(ledger, T0)
    assert found[1:] == ("1", None, None, None, None, None, to_micros(T0))


async def test_what_is_not_due_is_not_given(ledger: Ledger) -> None:
    await resting(ledger, 1)
    assert await due(ledger, T0 + PACE - MINUTE) == []
    assert await ledger.due_orders("south", T0 + DAY, 10) == ()


async def test_the_last_batch_is_filled_with_those_due_next(ledger: Ledger) -> None:
    await resting(ledger, 1, 2, 3)
    for number, later in ((1, 1), (2, 3), (3, 2)):
        await ledger.postpone([order(number)], T0 + later * DAY)
    assert [one.id for one in await due(ledger, T0 + DAY, batch=2)] == ["1", "3"]
    assert [one.id for one in await due(ledger, T0 + DAY, batch=100)] == ["1", "3", "2"]
    assert [one.id for one in await due(ledger, T0 + DAY, limit=1, batch=100)] == ["1"]
    assert await due(ledger, T0, batch=100) == []


async def test_resting_orders_move_on_together(ledger: Ledger) -> None:
    await resting(ledger, 1, 2)
    now = T0 + PACE + MINUTE
    await ledger.record(Sweep(now, resting=tuple(one.row for one in await due(ledger))))
    for number in (1, 2):
        found = await ledger.watched(order(number))
        assert found is not None
        assert (found.first_seen_at, found.last_seen_at, found.due_at) == (T0, now, now + PACE)
        assert found.facts == {"remains": 5}
    assert await rests(ledger) == {"1": True, "2": True}


async def test_a_look_without_a_rest_ends_it(ledger: Ledger) -> None:
    await resting(ledger, 1)
    await ledger.record(Sweep(T0 + MINUTE, (observed(order(1), {"remains": 4}, due_at=T0 + DAY),)))
    assert await rests(ledger) == {"1": False}


async def test_what_was_woken_meanwhile_does_not_move_on(ledger: Ledger) -> None:
    await resting(ledger, 1)
    found = await due(ledger)
    await ledger.forget(order(1), T0)
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0 + DAY, resting=tuple(one.row for one in found)))
    watched = await ledger.watched(order(1))
    assert watched is not None
    assert (watched.last_seen_at, watched.due_at) == (T0, T0)


async def test_what_was_forgotten_meanwhile_stays_forgotten(ledger: Ledger) -> None:
    await resting(ledger, 1)
    found = await due(ledger)
    await ledger.forget(order(1), T0)
    await ledger.record(Sweep(T0 + DAY, resting=tuple(one.row for one in found)))
    assert await due(ledger, T0 + 10 * DAY) == []
    assert await ledger.watched_rows([one.row for one in found]) == {}


async def test_a_look_begun_before_a_change_gives_no_rest(ledger: Ledger) -> None:
    await resting(ledger, 1)
    await ledger.forget(order(1), T0)
    await ledger.track([new_order(1)], T0)
    late = replace(observed(order(1), {"remains": 5}, due_at=T0 + DAY), rest=REST)
    await ledger.record(Sweep(T0 + MINUTE, (late,)))
    assert await rests(ledger) == {"1": False}
    watched = await ledger.watched(order(1))
    assert watched is not None
    await ledger.record(Sweep(T0 + MINUTE, (replace(late, rest=replace(REST, changes=watched.changes)),)))
    assert await rests(ledger) == {"1": True}


async def test_an_order_tracked_again_while_it_is_watched_goes_on_resting(ledger: Ledger) -> None:
    await resting(ledger, 1)
    await ledger.track([new_order(1)], T0)
    assert await rests(ledger) == {"1": True}


async def test_a_chain_that_finds_its_first_wakes(ledger: Ledger) -> None:
    await resting(ledger, 1, 3)
    await ledger.track([new_order(2, parent=order(1))], T0)
    assert await rests(ledger) == {"1": True, "2": False, "3": True}


async def test_a_hold_that_ends_wakes_its_order(ledger: Ledger) -> None:
    await resting(ledger, 1, 2)
    await ledger.record(Sweep(T0, remembered=(Remembered("top-up", order(1), Memory(true_since=T0)),)))
    await ledger.end_holds(["top-up"])
    assert await rests(ledger) == {"1": False, "2": True}


async def test_a_clock_set_back_wakes_what_was_read_ahead_of_it(ledger: Ledger) -> None:
    await resting(ledger, 1)
    await ledger.clock_set_back(T0 - MINUTE)
    assert [(one.id, one.answer) for one in await due(ledger, T0 - MINUTE)] == [("1", None)]


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 0])
async def test_fingerprints_of_64_bits_are_kept(ledger: Ledger, value: int) -> None:
    await resting(ledger, 1, rest=replace(REST, answer=value, context=value))
    [found] = await due(ledger)
    assert (found.answer, found.context) == (value, value)
