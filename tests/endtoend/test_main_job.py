"""The main job by the installed command: three rules, a real receiver, a ledger that equals the journal."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smm_rules.facts import EntityKind
from smm_rules.ledger.records import IntentState
from smm_rules.notify.signature import HEADER, verify
from smm_rules.rules.model import StepKind
from smm_rules.simulator import DialectName
from tests.endtoend.waiting import eventually
from tests.endtoend.world import HOOK_SECRET, PANEL, World

RULES = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0 and service.refill
    for: 1s
    do:
      - refill:
      - notify:
          channel: ops
          message: "Order {{ order.id }}: {{ order.remains }} missing, refill is {{ result }}"
    otherwise:
      - reorder: {quantity: "{{ order.remains }}", max_rate_increase: 10%}
      - notify: {channel: ops, message: "Order {{ order.id }}: the rest was ordered as {{ result }}"}
    limit: {per_order: 3, every: 24h}
  - name: low-balance
    watch: balance
    when: amount < 20
    until: amount > 25
    remind: 6h
    do:   [{notify: {channel: ops, message: "{{ panel.name }}: {{ amount }} {{ currency }} left"}}]
    done: [{notify: {channel: ops, message: "{{ panel.name }} is topped up"}}]
  - name: reorder-canceled
    watch: order
    when: status == "Canceled" and age < 3d
    for: 1s
    do:
      - reorder: {panel: same}
      - notify: {channel: ops, message: "Order {{ order.id }} was canceled, ordered anew as {{ result }}"}
    limit: {per_chain: 2}
"""
#: 12.50 as each dialect writes it; a message says it in the panel's own digits.
AS_WRITTEN = {DialectName.CLASSIC: "12.50000", DialectName.MODERN: "12.5"}


def drop_orders(world: World, *orders: str) -> None:
    """Put a file of these orders into the watched folder, as an operator would."""
    path = world.directory / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "service", "link", "quantity", "placed_at"])
        for number in orders:
            order = world.simulator.order(number)
            writer.writerow(
                [number, order.service, order.link, order.quantity, datetime.now(UTC).isoformat()]
            )
    path.rename(world.directory / "inbox" / "orders.csv")


@pytest.mark.parametrize("dialect", list(DialectName), indirect=True)
async def test_the_three_rules_of_the_mission_do_their_work(world: World) -> None:
    panel = world.simulator
    world.write_rules(RULES)
    owed = panel.add_order(4, 1000, "https://example.com/owed", status="In progress", remains=157)
    refunded = panel.add_order(1, 1000, "https://example.com/refunded", status="In progress", remains=400)
    canceled = panel.add_order(2, 500, "https://example.com/canceled", status="In progress", remains=500)
    fine = panel.add_order(3, 5000, "https://example.com/fine", status="Completed")
    low_balance = f"main: {AS_WRITTEN[panel.settings.dialect]} USD left"
    drop_orders(world, owed, refunded, canceled, fine)

    daemon = world.start_installed()
    await daemon.said("daemon.started")
    await eventually(lambda: world.journal.requests("status"), "a look at the orders", describe=daemon.tail)
    assert world.journal.paid_effects() == ()
    panel.set_status(owed, "Partial", 157)
    panel.set_status(refunded, "Partial", 400)
    panel.set_status(canceled, "Canceled")
    await world.until(lambda books: books.at_rest and len(books.intents) == 4)
    panel.set_balance(Decimal("12.50"))
    await eventually(lambda: low_balance in world.bodies().values(), "the low balance told")
    panel.set_balance(Decimal("60"))
    await eventually(lambda: "main is topped up" in world.bodies().values(), "its end told")
    books = await world.until(lambda books: books.at_rest)
    assert await daemon.stop() == 0

    refill, refused, rest, reorder = (
        next(i for i in books.intents if (i.entity.id, i.kind) == wanted)
        for wanted in (
            (owed, StepKind.REFILL),
            (refunded, StepKind.REFILL),
            (refunded, StepKind.REORDER),
            (canceled, StepKind.REORDER),
        )
    )
    assert [i.state for i in (refill, refused, rest, reorder)] == [
        IntentState.CONFIRMED,
        IntentState.REJECTED,
        IntentState.CONFIRMED,
        IntentState.CONFIRMED,
    ]
    journal = world.journal
    made = [entry for entry in journal.orders_made() if entry.request]
    assert {entry.order: entry.parameters["quantity"] for entry in made} == {
        rest.result: "400",
        reorder.result: "500",
    }
    assert [entry.refill for entry in journal.refills_made()] == [refill.result]
    cost = sum(Decimal(intent.evidence["cost"]) for intent in (rest, reorder))
    assert cost == sum(entry.amount for entry in made)
    assert [len(journal.requests(action)) for action in ("refill", "add", "cancel")] == [2, 2, 0]
    assert sorted(world.bodies().values()) == sorted(
        [
            f"Order {owed}: 157 missing, refill is {refill.result}",
            f"Order {refunded}: the rest was ordered as {rest.result}",
            f"Order {canceled} was canceled, ordered anew as {reorder.result}",
            low_balance,
            "main is topped up",
        ]
    )
    assert set(world.told().values()) == {1}
    for received in world.hook.received:
        signature = received.headers[HEADER.lower()]
        verify(HOOK_SECRET, signature, received.body, datetime.now(UTC))
    async with world.ledger() as ledger:
        page = await ledger.watched_page(EntityKind.ORDER, PANEL, None, 100)
    assert {watched.entity.id for watched in page} == {
        owed,
        refunded,
        canceled,
        fine,
        rest.result,
        reorder.result,
    }
    assert len(daemon.events()) == len(daemon.errors.read_text().splitlines())
    assert daemon.events("daemon.stopped")[0]["drained"] is True
