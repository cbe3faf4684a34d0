"""The books of a panel: what was sent, what waits, how the balance and the orders' charges moved."""

from __future__ import annotations

from decimal import Decimal

from smm_rules.ledger.books import BalanceReading, Refund
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, NewOrder, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    new_order,
    observed,
    order,
    plan,
)


async def _balance(ledger: Ledger, amount: str, minute: int) -> None:
    facts = {"amount": Decimal(amount), "currency": "USD"}
    await ledger.record(Sweep(T0 + minute * MINUTE, (observed(BALANCE, facts),)))


async def _charge(
    ledger: Ledger, number: int, charge: str | None, minute: int, currency: str = "USD"
) -> None:
    facts = {"status": "Partial", "currency": currency} | ({"charge": Decimal(charge)} if charge else {})
    await ledger.record(Sweep(T0 + minute * MINUTE, (observed(order(number), facts),)))


async def test_the_balance_begins_with_the_last_reading_before(ledger: Ledger) -> None:
    for minute, amount in ((0, "10"), (5, "9"), (20, "8"), (40, "7")):
        await _balance(ledger, amount, minute)
    books = await ledger.books("north", T0 + 10 * MINUTE, T0 + 40 * MINUTE)
    assert books.balances == (
        BalanceReading(T0 + 5 * MINUTE, Decimal(9), "USD"),
        BalanceReading(T0 + 20 * MINUTE, Decimal(8), "USD"),
    )
    first = await ledger.books("north", T0 - DAY, T0 + MINUTE)
    assert first.balances == (BalanceReading(T0, Decimal(10), "USD"),)
    assert (await ledger.books("south", T0, T0 + DAY)).balances == ()


async def test_what_was_sent_since_the_first_reading_and_what_waits_is_given(ledger: Ledger) -> None:
    await _balance(ledger, "10", 0)
    ids = []
    for number, state in enumerate((IntentState.CONFIRMED, IntentState.UNKNOWN, IntentState.REJECTED)):
        intent_id = await plan(ledger, draft(kind=StepKind.REORDER, estimate="1"), T0 + number * MINUTE)
        assert await ledger.claim(intent_id, "d1", T0 + (number + 1) * MINUTE, {})
        await ledger.settle(intent_id, ended(state), NOTHING, T0 + DAY, "d1")
        ids.append(intent_id)
    waiting = await plan(ledger, draft(), T0 + 9 * MINUTE)
    await ledger.hold(waiting, "approval", "", T0 + 9 * MINUTE)
    books = await ledger.books("north", T0 + 30 * MINUTE, T0 + DAY)
    assert [intent.id for intent in books.sent] == ids[:2]
    assert [intent.id for intent in books.held] == [waiting]


async def test_a_charge_that_fell_is_a_refund_of_the_rule_that_placed_it(ledger: Ledger) -> None:
    made = NewOrder(order(50), parent=order(1))
    intent_id = await plan(ledger, draft(kind=StepKind.REORDER, estimate="5"))
    assert await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
    done = ended(IntentState.CONFIRMED, result="50", tracked=made)
    await ledger.settle(intent_id, done, NOTHING, T0 + MINUTE, "d1")
    await ledger.track([new_order(2)], T0)
    for number, charge, minute in (
        (50, "5", 2),
        (50, None, 3),
        (50, "2", 4),
        (50, "0", 8),
        (2, "3", 2),
        (2, "1.5", 5),
    ):
        await _charge(ledger, number, charge, minute)
    books = await ledger.books("north", T0 + 3 * MINUTE, T0 + 7 * MINUTE)
    assert books.refunds == (
        Refund(T0 + 4 * MINUTE, "50", Decimal(3), "USD", "top-up"),
        Refund(T0 + 5 * MINUTE, "2", Decimal("1.5"), "USD", ""),
    )


async def test_charges_are_read_out_of_facts_by_name_as_earlier_versions_wrote_them(ledger: Ledger) -> None:
    await ledger.track([new_order(2)], T0)
    for charge, minute in (("3", 1), ("1.5", 5)):
        facts = {"charge": Decimal(charge), "currency": "USD", "written by": "an earlier version"}
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(order(2), facts),)))
    books = await ledger.books("north", T0 + 3 * MINUTE, T0 + 7 * MINUTE)
    assert books.refunds == (Refund(T0 + 5 * MINUTE, "2", Decimal("1.5"), "USD", ""),)


async def test_a_charge_in_another_currency_or_one_that_rose_is_no_refund(ledger: Ledger) -> None:
    await ledger.track([new_order(2)], T0)
    for charge, minute, currency in (("3", 1, "USD"), ("2", 2, "EUR"), ("2.5", 3, "EUR")):
        await _charge(ledger, 2, charge, minute, currency)
    assert (await ledger.books("north", T0, T0 + DAY)).refunds == ()
