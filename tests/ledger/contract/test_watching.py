"""What is watched, when it is due, and the chains of orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import Ledger, LedgerError
from smm_rules.ledger.records import NewOrder, OrderSource, Remembered, Sweep, TrackedOrder, Watched
from tests.ledger.builders import BALANCE, DAY, MINUTE, T0, new_order, observed, order, refill
from tests.ledger.conftest import Opener


async def test_a_tracked_order_comes_back_as_it_was_given(ledger: Ledger) -> None:
    new = NewOrder(
        order("A/9"),
        "12",
        {"link": "https://example.com/ä", "quantity": "10"},
        T0 - DAY,
        "mine",
        OrderSource.PLACED,
    )
    assert await ledger.track([new], T0) == 1
    assert await ledger.order(order("A/9")) == TrackedOrder(
        entity=order("A/9"),
        service="12",
        parameters={"link": "https://example.com/ä", "quantity": "10"},
        placed_at=T0 - DAY,
        tracked_at=T0,
        label="mine",
        source=OrderSource.PLACED,
        parent=None,
        root=order("A/9"),
        depth=0,
        refills=0,
    )


async def test_a_tracked_order_is_due_at_once_and_has_no_facts(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    [watched] = await ledger.due(EntityKind.ORDER, "north", T0, 10)
    assert watched == Watched(order(1), {}, None, None, T0, await ledger.order(order(1)))
    assert await ledger.due(EntityKind.ORDER, "north", T0 - timedelta(microseconds=1), 10) == ()


async def test_a_known_order_is_left_as_it_is(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    before = await ledger.watched(order(1))
    again = replace(new_order(1), service="99", label="other")
    assert await ledger.track([again, new_order(2), new_order(2)], T0 + DAY) == 1
    assert await ledger.watched(order(1)) == before


async def test_the_same_id_on_two_panels_is_two_orders(ledger: Ledger) -> None:
    assert await ledger.track([new_order(1), new_order(1, panel="south")], T0) == 2
    [watched] = await ledger.due(EntityKind.ORDER, "south", T0, 10)
    assert watched.entity == order(1, "south")


async def test_only_orders_can_be_tracked(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="not an order"):
        await ledger.track([NewOrder(BALANCE)], T0)
    assert await ledger.watched(BALANCE) is None


async def test_what_nobody_knows_is_none(ledger: Ledger) -> None:
    assert await ledger.order(order(1)) is None
    assert await ledger.order(BALANCE) is None
    assert await ledger.watched(order(1)) is None


# -- chains ---------------------------------------------------------------------------------------------
async def test_a_chain_of_reorders_knows_its_first_order_and_its_depth(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.track([new_order(2, order(1))], T0)
    await ledger.track([new_order(3, order(2))], T0)
    third = await ledger.order(order(3))
    assert third is not None
    assert (third.parent, third.root, third.depth) == (order(2), order(1), 2)


@pytest.mark.parametrize("numbers", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_chain_is_the_same_in_whatever_order_it_becomes_known(
    ledger: Ledger, numbers: tuple[int, ...], at_once: bool
) -> None:
    parents = {1: None, 2: order(1), 3: order(2)}
    news = [new_order(number, parents[number]) for number in numbers]
    for batch in [news] if at_once else [[new] for new in news]:
        await ledger.track(batch, T0)
    found = [await ledger.order(order(number)) for number in (1, 2, 3)]
    assert [(known.root, known.depth) for known in found if known] == [
        (order(1), 0),
        (order(1), 1),
        (order(1), 2),
    ]


async def test_an_unknown_parent_is_taken_for_the_first_of_the_chain(ledger: Ledger) -> None:
    await ledger.track([new_order(2, order(1))], T0)
    second = await ledger.order(order(2))
    assert second is not None
    assert (second.parent, second.root, second.depth) == (order(1), order(1), 1)


async def test_a_circle_of_parents_is_cut(ledger: Ledger) -> None:
    circle = [new_order(1, order(2)), new_order(2, order(1)), new_order(3, order(3))]
    assert await ledger.track(circle, T0) == 3
    found = [await ledger.order(order(number)) for number in (1, 2, 3)]
    assert [known.root for known in found if known] == [order(1), order(2), order(3)]
    # The same, one by one: the second finds itself named as the first's root.
    await ledger.track([new_order(4, order(5))], T0)
    await ledger.track([new_order(5, order(4))], T0)
    found = [await ledger.order(order(number)) for number in (4, 5)]
    assert [(known.root, known.depth) for known in found if known] == [(order(5), 1), (order(5), 0)]


# -- forgetting -------------------------------------------------------------------------------------------
async def test_a_forgotten_order_is_no_longer_watched_and_keeps_its_history(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0, (observed(order(1), {"status": "Pending"}, due_at=T0 + MINUTE),)))
    assert await ledger.forget(order(1), T0) is True
    assert await ledger.forget(order(1), T0) is False
    assert await ledger.watched(order(1)) is None
    assert await ledger.due(EntityKind.ORDER, "north", T0 + DAY, 10) == ()
    assert await ledger.watched_page(EntityKind.ORDER, None, None, 10) == ()
    assert len(await ledger.history(order(1), T0, T0, 10)) == 1
    assert await ledger.order(order(1)) is not None


async def test_an_unknown_order_cannot_be_forgotten(ledger: Ledger) -> None:
    assert await ledger.forget(order(1), T0) is False


async def test_a_balance_cannot_be_forgotten(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="balance/north can't be forgotten"):
        await ledger.forget(BALANCE, T0)


async def test_a_sweep_under_way_does_not_bring_a_forgotten_order_back(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.forget(order(1), T0)
    memory = Memory(true_since=T0)
    await ledger.record(
        Sweep(
            T0,
            (observed(order(1), {"status": "Pending"}, due_at=T0),),
            (Remembered("rule", order(1), memory),),
        )
    )
    assert await ledger.watched(order(1)) is None
    assert await ledger.history(None, T0, T0, 10) == ()
    assert await ledger.memories([order(1)]) == {}


async def test_an_order_tracked_again_keeps_its_chain_and_what_rules_remember(ledger: Ledger) -> None:
    await ledger.track([new_order(1), replace(new_order(2, order(1)), source=OrderSource.REORDERED)], T0)
    memory = Memory(true_since=T0, firings=3)
    await ledger.record(Sweep(T0, remembered=(Remembered("rule", order(2), memory),)))
    await ledger.forget(order(2), T0)
    assert await ledger.track([NewOrder(order(2), label="again")], T0 + DAY) == 1
    known = await ledger.order(order(2))
    assert known == TrackedOrder(
        entity=order(2),
        service="7",
        parameters={"link": "https://example.com/a", "quantity": "10"},
        placed_at=None,
        tracked_at=T0 + DAY,
        label="again",
        source=OrderSource.REORDERED,
        parent=order(1),
        root=order(1),
        depth=1,
    )
    assert await ledger.memories([order(2)]) == {("rule", order(2)): memory}
    [watched] = await ledger.due(EntityKind.ORDER, "north", T0 + DAY, 1)
    assert watched.due_at == T0


# -- due --------------------------------------------------------------------------------------------------
async def test_the_most_overdue_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    await ledger.track([new_order(number) for number in range(4)], T0)
    for number, minutes in ((0, 30), (1, 10), (2, 20), (3, 40)):
        await ledger.postpone([order(number)], T0 + minutes * MINUTE)
    due = await ledger.due(EntityKind.ORDER, "north", T0 + 30 * MINUTE, 10)
    assert [watched.entity for watched in due] == [order(1), order(2), order(0)]
    due = await ledger.due(EntityKind.ORDER, "north", T0 + 30 * MINUTE, 2)
    assert [watched.entity for watched in due] == [order(1), order(2)]


async def test_postponing_changes_nothing_else_and_leaves_the_forgotten_alone(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await ledger.record(Sweep(T0, (observed(order(1), {"remains": 3}, due_at=T0),)))
    await ledger.forget(order(2), T0)
    before = await ledger.watched(order(1))
    assert before is not None
    await ledger.postpone(iter([order(1), order(2), order(3)]), T0 + DAY)
    assert await ledger.watched(order(1)) == replace(before, due_at=T0 + DAY)
    assert await ledger.watched(order(2)) is None
    assert await ledger.watched(order(3)) is None


async def test_what_has_settled_is_not_due(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0, (observed(order(1), {"status": "Completed"}, due_at=None),)))
    assert await ledger.due(EntityKind.ORDER, "north", T0 + DAY, 10) == ()
    watched = await ledger.watched(order(1))
    assert watched is not None
    assert watched.due_at is None


# -- pages ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("panel", [None, "north"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_pages_show_every_entity_once(ledger: Ledger, panel: str | None, size: int) -> None:
    await ledger.track([new_order(number, panel=p) for p in ("north", "south") for number in range(5)], T0)
    await ledger.record(Sweep(T0, (observed(BALANCE, {"amount": Decimal(1)}),)))
    seen: list[Entity] = []
    after = None
    while page := await ledger.watched_page(EntityKind.ORDER, panel, after, size):
        assert len(page) <= size
        seen += [watched.entity for watched in page]
        after = page[-1].entity
    panels = ("north", "south") if panel is None else (panel,)
    assert seen == [order(number, p) for p in panels for number in range(5)]


# -- what a sweep brings ------------------------------------------------------------------------------------
async def test_an_observation_is_kept_with_its_times(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    facts = {
        "status": "Partial",
        "charge": Decimal("1.50"),
        "remains": 157,
        "status_known": True,
        "changed_at": T0,
    }
    await ledger.record(Sweep(T0 + MINUTE, (observed(order(1), facts, due_at=T0 + DAY),)))
    await ledger.record(
        Sweep(T0 + 2 * MINUTE, (observed(order(1), facts, changed=False, due_at=T0 + 2 * DAY),))
    )
    watched = await ledger.watched(order(1))
    assert watched == Watched(
        order(1), facts, T0 + MINUTE, T0 + 2 * MINUTE, T0 + 2 * DAY, await ledger.order(order(1))
    )


async def test_facts_that_are_no_news_are_stored_without_history(ledger: Ledger) -> None:
    panel = Entity(EntityKind.PANEL, "north")
    await ledger.record(Sweep(T0, (observed(panel, {"failures": 0}),)))
    await ledger.record(Sweep(T0 + MINUTE, (observed(panel, {"failures": 1}, changed=False),)))
    watched = await ledger.watched(panel)
    assert watched is not None
    assert watched.facts == {"failures": 1}
    history = await ledger.history(panel, T0, T0 + DAY, 10)
    assert [(seen.at, seen.facts) for seen in history] == [(T0, {"failures": 0})]


@pytest.mark.parametrize("kind", [kind for kind in EntityKind if kind is not EntityKind.ORDER])
async def test_what_is_not_an_order_appears_when_first_observed(ledger: Ledger, kind: EntityKind) -> None:
    entity = Entity(kind, "north", "5" if kind in (EntityKind.REFILL, EntityKind.SERVICE) else "")
    await ledger.record(Sweep(T0, (observed(entity, {"id": "5"}, due_at=T0 + MINUTE),)))
    assert await ledger.watched(entity) == Watched(entity, {"id": "5"}, T0, T0, T0 + MINUTE)


async def test_an_order_nobody_tracked_does_not_appear(ledger: Ledger) -> None:
    await ledger.record(Sweep(T0, (observed(order(1), {"status": "Pending"}),)))
    assert await ledger.watched(order(1)) is None
    assert await ledger.history(None, T0, T0, 10) == ()


async def test_history_is_in_time_order_within_its_bounds(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    for minute in range(4):
        entity = order(1 + minute % 2)
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(entity, {"remains": minute}),)))
    everything = await ledger.history(None, T0, T0 + 3 * MINUTE, 10)
    assert [seen.facts["remains"] for seen in everything] == [0, 1, 2, 3]
    inside = await ledger.history(None, T0 + MINUTE, T0 + 2 * MINUTE, 10)
    assert [seen.facts["remains"] for seen in inside] == [1, 2]
    assert [seen.facts["remains"] for seen in await ledger.history(None, T0, T0 + DAY, 2)] == [0, 1]
    of_one = await ledger.history(order(2), T0, T0 + DAY, 10)
    assert [(seen.entity, seen.facts["remains"]) for seen in of_one] == [(order(2), 1), (order(2), 3)]


# -- memories -----------------------------------------------------------------------------------------------
FULL_MEMORY = Memory(
    true_since=T0,
    unknown_since=T0 + MINUTE,
    fired_at=T0 + 2 * MINUTE,
    last_fired=T0 - DAY,
    firings=4,
    reminded_at=T0 + 3 * MINUTE,
    reminders=2,
    ignored=True,
    undecided=True,
    stopped_by=Reason.LIMIT_EVERY,
)


async def test_memories_come_back_whole(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await ledger.record(
        Sweep(
            T0,
            remembered=(
                Remembered("a", order(1), FULL_MEMORY),
                Remembered("b", order(1), Memory(firings=1)),
                Remembered("a", order(2), Memory(true_since=T0)),
            ),
        )
    )
    assert await ledger.memories([order(1), order(3)]) == {
        ("a", order(1)): FULL_MEMORY,
        ("b", order(1)): Memory(firings=1),
    }
    assert await ledger.remembered_rules() == {"a": 2, "b": 1}


async def test_a_blank_memory_is_as_good_as_none(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0, remembered=(Remembered("a", order(1), FULL_MEMORY),)))
    await ledger.record(Sweep(T0, remembered=(Remembered("a", order(1), BLANK),)))
    assert (await ledger.memories([order(1)])).get(("a", order(1)), BLANK) == BLANK
    assert await ledger.remembered_rules() == {}


async def test_holds_of_rules_that_are_gone_end_and_what_fired_stays(ledger: Ledger) -> None:
    await ledger.track([new_order(n) for n in range(1, 5)], T0)
    holding = Memory(true_since=T0, last_fired=T0, firings=1)
    fired = Memory(true_since=T0, fired_at=T0, last_fired=T0, firings=1)
    ignored = Memory(true_since=T0, ignored=True)
    kept = (
        Remembered("a", order(1), holding),
        Remembered("a", order(2), fired),
        Remembered("a", order(3), ignored),
        Remembered("b", order(4), holding),
    )
    await ledger.record(Sweep(T0, remembered=kept))
    assert await ledger.end_holds(["a", "never"]) == 1
    assert await ledger.memories([order(n) for n in range(1, 5)]) == {
        ("a", order(1)): Memory(last_fired=T0, firings=1),
        ("a", order(2)): fired,
        ("a", order(3)): ignored,
        ("b", order(4)): holding,
    }


async def test_a_hold_that_ends_without_a_past_is_forgotten_whole(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0, remembered=(Remembered("a", order(1), Memory(true_since=T0)),)))
    assert await ledger.end_holds(["a"]) == 1
    assert await ledger.remembered_rules() == {}


async def test_memories_survive_closing(ledger: Ledger, open_ledger: Opener) -> None:
    await ledger.record(Sweep(T0, remembered=(Remembered("a", BALANCE, FULL_MEMORY),)))
    await ledger.aclose()
    again = await open_ledger()
    assert await again.memories([BALANCE]) == {("a", BALANCE): FULL_MEMORY}
    await again.aclose()


async def test_a_refill_names_the_order_it_refills_only_when_that_is_known(ledger: Ledger) -> None:
    await ledger.record(Sweep(T0, (observed(refill(5), {"id": "5"}),)))
    watched = await ledger.watched(refill(5))
    assert watched is not None
    assert watched.order is None
