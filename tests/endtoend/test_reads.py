"""Answers that leave out, lag behind or take back: no action is lost by them, and none is doubled."""

from __future__ import annotations

import signal

from smm_rules.engine.memory import BLANK, Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState
from smm_rules.simulator import Fault
from tests.endtoend.waiting import eventually
from tests.endtoend.world import PANEL, World, effects_known

HOLDING = """\
rules:
  - name: refill
    watch: order
    when: status == "Partial" and remains > 0
    for: {hold}
    first_seen: act
    do: [refill: ]
    limit: {{per_order: 3, every: 24h}}
"""


async def memory_of(world: World, rule: str, order: str) -> Memory:
    """What a rule remembers of an order."""
    entity = Entity(EntityKind.ORDER, PANEL, order)
    async with world.ledger() as ledger:
        return (await ledger.memories([entity])).get((rule, entity), BLANK)


async def holding_since(world: World, rule: str, order: str) -> Memory:
    """Wait until the rule's condition holds for the order."""

    async def probe() -> Memory | None:
        memory = await memory_of(world, rule, order)
        return memory if memory.true_since is not None else None

    found = await eventually(probe, "the condition", describe=world.tails)
    assert found is not None
    return found


async def test_orders_left_out_of_answers_are_asked_for_again(world: World) -> None:
    panel = world.simulator
    orders = [
        panel.add_order(2, 500, f"https://example.com/{place}", status="Canceled") for place in range(6)
    ]
    await world.track(*orders)
    panel.faults.always("status", Fault.MISSING_IDS)

    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and len(books.intents) == len(orders))
    await world.looked()
    assert await daemon.stop() == 0

    assert {intent.entity.id for intent in books.intents} == set(orders)
    assert {intent.state for intent in books.intents} == {IntentState.CONFIRMED}
    assert len(world.journal.requests("add")) == len(orders)
    assert effects_known(world.journal, books) == []
    assert len({entry.parameters["link"] for entry in world.journal.orders_made() if entry.request}) == 6


async def test_an_order_that_goes_back_to_work_begins_its_hold_anew(world: World) -> None:
    panel = world.simulator
    world.write_rules(HOLDING.format(hold="1h"))
    order = panel.add_order(4, 1000, status="Partial", remains=157)
    await world.track(order)

    daemon = world.start()
    first = await holding_since(world, "refill", order)
    panel.set_status(order, "In progress", 157)

    async def is_over() -> bool:
        return (await memory_of(world, "refill", order)).true_since is None

    await eventually(is_over, "the end of the episode", describe=world.tails)
    panel.set_status(order, "Partial", 157)
    second = await holding_since(world, "refill", order)
    assert first.true_since is not None
    assert second.true_since is not None
    assert second.true_since > first.true_since
    assert world.journal.requests("refill") == ()

    world.write_rules(HOLDING.format(hold="20s"))
    daemon.signal(signal.SIGHUP)
    books = await world.until(lambda books: books.at_rest and books.states == ("refill confirmed",))
    assert await daemon.stop() == 0
    (intent,) = books.intents
    assert intent.episode == second.true_since
    assert (intent.planned_at - intent.episode).total_seconds() >= 20


async def test_a_stale_answer_doubles_no_action(world: World) -> None:
    """Each order seems to be at work again, as a cache would have it, and then ended a second time."""
    panel = world.simulator
    partial = panel.add_order(4, 1000, "https://example.com/partial", status="Partial", remains=157)
    canceled = panel.add_order(2, 500, "https://example.com/canceled", status="Canceled")
    await world.track(partial, canceled)
    world.write_rules(world.rules.partition("  - name: cancel")[0])

    daemon = world.start()
    await world.until(lambda books: books.at_rest and len(books.intents) == 2)
    for order in (partial, canceled):
        panel.set_status(order, "In progress", 157)
    await world.looked()
    for order, status in ((partial, "Partial"), (canceled, "Canceled")):
        panel.set_status(order, status, 157)
    stopped = await daemon.said("rule.stopped", 2)
    await world.looked()
    assert await daemon.stop() == 0

    assert {(event["rule"], event["reason"]) for event in stopped} == {
        ("refill", "limit_every"),
        ("reorder", "limit_every"),
    }
    assert [len(world.journal.requests(action)) for action in ("refill", "add")] == [1, 1]
    assert len((await world.books()).intents) == 2


async def test_a_status_as_it_was_ten_minutes_ago_is_no_news(world: World) -> None:
    """The panel's own stale answers, now and then, while an order moves from work to Partial."""
    panel = world.simulator
    world.write_rules(HOLDING.format(hold="20s"))
    order = panel.add_order(4, 1000, status="In progress", remains=300)
    await world.track(order)
    daemon = world.start()
    await world.looked()
    panel.set_status(order, "Partial", 157)
    panel.faults.next("status", *[Fault.STALE_STATUS] * 3)
    books = await world.until(lambda books: books.at_rest and books.states == ("refill confirmed",))
    panel.faults.next("status", *[Fault.STALE_STATUS] * 3)
    await world.looked(5)
    assert await daemon.stop() == 0
    assert len(world.journal.requests("refill")) == 1
    assert (await world.books()).states == books.states
