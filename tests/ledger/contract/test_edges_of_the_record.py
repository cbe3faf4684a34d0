"""What the record of decisions and the books say of beginnings, ends and what did not change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smm_rules.engine.memory import Reason
from smm_rules.facts import Facts
from smm_rules.ledger.audit import AuditKind, AuditQuery, Head, RuleText, Verification
from smm_rules.ledger.books import Refund
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.rules.model import Limits
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    NOTHING,
    T0,
    bring_to,
    draft,
    ended,
    fired,
    firing,
    message,
    new_order,
    observed,
    order,
    planned,
)

ALL = AuditQuery()
LATER = T0 + DAY


def _rule(name: str, text: str) -> RuleText:
    return RuleText(name, f"v-{text}", text)


async def test_an_empty_record_is_sound(ledger: Ledger) -> None:
    assert await ledger.verify_audit() == Verification(0, 0, Head(), None)
    assert await ledger.audit_head() == Head()
    assert await ledger.audit_entry(1) is None


async def test_an_entry_is_found_by_its_number_and_the_last_is_the_head(ledger: Ledger) -> None:
    for number in range(3):
        await ledger.audit(AuditKind.PAUSE, "ann", "", {"number": number}, T0)
    first, second, third = await ledger.audit_page(ALL, 0, 10)
    assert await ledger.audit_entry(2) == second
    assert await ledger.audit_head() == Head(third.id, third.hash)
    assert await ledger.audit_page(ALL, 1, 1) == (second,)
    assert (first.id, first.data) == (1, {"number": 0})


async def test_only_rules_that_did_change_are_noted_as_changed(ledger: Ledger) -> None:
    await ledger.rules_in_force([_rule("a", "1"), _rule("b", "1"), _rule("c", "1")], T0, "daemon", ["/r"])
    await ledger.rules_in_force([_rule("a", "1"), _rule("b", "2"), _rule("d", "1")], T0 + DAY, "daemon")
    noted = await ledger.audit_page(ALL, 0, 10)
    told = [(one.data["added"], one.data["changed"], one.data["removed"]) for one in noted]
    assert told == [(["a", "b", "c"], [], []), (["d"], ["b"], ["c"])]
    assert [one.data["files"] for one in noted] == [["/r"], []]
    assert (await ledger.verify_audit()).fault is None


async def test_a_version_that_two_texts_have_is_told_apart_by_its_digest(ledger: Ledger) -> None:
    """A comment changes the text of a rule and not its meaning."""
    plain, commented = RuleText("a", "v1", "- name: a\n"), RuleText("a", "v1", "- name: a  # mine\n")
    assert await ledger.rules_in_force([plain], T0, "daemon") is True
    assert await ledger.rules_in_force([commented], T0 + DAY, "daemon") is True
    assert await ledger.rule_text("a", "v1") == commented.text
    assert await ledger.rule_text("a", "v1", plain.digest) == plain.text
    assert await ledger.rule_text("a", "v1", "0" * 64) is None


@pytest.mark.parametrize(
    ("kind", "noted"),
    [
        (StopKind.PAUSE, "pause"),
        (StopKind.PANIC, "pause"),
        (StopKind.BREAKER, "breaker"),
        (StopKind.SWEEP, "breaker"),
    ],
)
async def test_a_stop_and_its_end_are_in_the_record(ledger: Ledger, kind: StopKind, noted: str) -> None:
    stop = await ledger.stop(kind, StopScope.RULE, "top-up", "a look", "ann", T0, T0 + DAY)
    await ledger.end_stop(stop.id, T0 + MINUTE, "bob")
    began, over = await ledger.audit_page(ALL, 0, 10)
    assert [(one.kind, one.by, one.at, one.subject) for one in (began, over)] == [
        (noted, "ann", T0, "rule top-up"),
        (noted, "bob", T0 + MINUTE, "rule top-up"),
    ]
    assert (began.data["what"], over.data["what"]) == ("stopped", "ended")
    assert (began.data["stop"], began.data["reason"], began.data["until"]) == (stop.id, "a look", T0 + DAY)


async def test_a_stop_of_everything_is_about_everything(ledger: Ledger) -> None:
    stop = await ledger.stop(StopKind.PANIC, StopScope.ALL, "", "no", "ann", T0)
    assert (stop.until, stop.ended_at, stop.ended_by) == (None, None, "")
    [noted] = await ledger.audit_page(ALL, 0, 10)
    assert noted.subject == "all"
    assert await ledger.end_stop(stop.id, T0, "ann", message("let go")) is True
    [past] = await ledger.stops(10)
    assert (past.ended_at, past.ended_by) == (T0, "ann")


async def test_what_stops_a_rule_that_is_stopped_already_is_not_noted_again(ledger: Ledger) -> None:
    for number in range(2):
        what = firing(order(number), limits=Limits(per_sweep=1))
        await ledger.record(fired(planned(what, draft(), hold=Reason.LIMIT_PER_SWEEP)))
    assert len(await ledger.stops()) == 1
    assert len(await ledger.audit_page(AuditQuery(kinds=("breaker",)), 0, 10)) == 1


async def test_what_an_action_made_is_in_the_record(ledger: Ledger) -> None:
    intent = await bring_to(ledger, IntentState.SENDING)
    done = ended(IntentState.CONFIRMED, "accepted", message="thanks", result="881")
    await ledger.settle(intent.id, done, NOTHING, LATER, "d1")
    *_, settled = await ledger.audit_page(AuditQuery(intent=intent.id), 0, 10)
    assert settled.data == {
        "intent": intent.id,
        "rule": intent.rule,
        "before": "sending",
        "after": "confirmed",
        "reason": "accepted",
        "message": "thanks",
        "result": "881",
    }


async def test_evidence_that_is_no_news_is_not_noted_and_what_is_news_alone(ledger: Ledger) -> None:
    doubtful = await bring_to(ledger, IntentState.UNKNOWN)
    await ledger.note(doubtful.id, {"before": "5", "after": "3"})
    await ledger.note(doubtful.id, {"before": "5", "after": "4"})
    await ledger.note(doubtful.id, {})
    noted = await ledger.audit_page(AuditQuery(kinds=("evidence",)), 0, 10)
    assert [one.data["evidence"] for one in noted] == [{"before": "5", "after": "3"}, {"after": "4"}]
    assert {one.at for one in noted} == {T0 + 2 * MINUTE}  # that of the entry before


async def test_of_many_orders_given_at_once_the_first_hundred_are_named(ledger: Ledger) -> None:
    await ledger.track([new_order(number) for number in range(150)], T0, "ann")
    [noted] = await ledger.audit_page(ALL, 0, 10)
    assert (noted.data["new"], noted.data["given"]) == (150, 150)
    assert noted.data["orders"] == [f"order/north/{number}" for number in range(100)]


async def test_a_message_that_fails_with_the_end_of_a_stop_leaves_it_in_force(ledger: Ledger) -> None:
    stop = await ledger.stop(StopKind.PANIC, StopScope.ALL, "", "no", "ann", T0)
    assert await ledger.end_stop(stop.id + 1, T0, "ann", message("never")) is False
    assert await ledger.messages([], 10) == ()
    assert await ledger.stops() == (stop,)


# -- books ----------------------------------------------------------------------------------------------
async def _looks(ledger: Ledger, *charges: str | None, currency: str | None = "USD") -> None:
    """Looks at order 2, one a minute from the first minute on."""
    await ledger.track([new_order(2)], T0)
    for minute, charge in enumerate(charges, 1):
        facts: Facts = {"status": f"look {minute}"}
        facts |= {} if currency is None else {"currency": currency}
        facts |= {} if charge is None else {"charge": Decimal(charge)}
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(order(2), facts),)))


async def _refunds(ledger: Ledger) -> list[tuple[int, str]]:
    """The refunds of the day, as the minute and the amount."""
    books = await ledger.books("north", T0, T0 + DAY)
    return [((one.at - T0) // MINUTE, str(one.amount)) for one in books.refunds]


async def test_a_look_that_told_no_charge_hides_no_refund(ledger: Ledger) -> None:
    await _looks(ledger, "3", None, "2", None, None, "0.5")
    assert await _refunds(ledger) == [(3, "1"), (6, "1.5")]


async def test_a_charge_that_stayed_or_rose_is_no_refund_and_the_next_fall_is_from_there(
    ledger: Ledger,
) -> None:
    await _looks(ledger, "3", "3", "4", "3.5")
    assert await _refunds(ledger) == [(4, "0.5")]


async def test_a_refund_needs_no_currency(ledger: Ledger) -> None:
    await _looks(ledger, "3", "1", currency=None)
    books = await ledger.books("north", T0, T0 + DAY)
    assert books.refunds == (Refund(T0 + 2 * MINUTE, "2", Decimal(2), None, ""),)


async def test_refunds_of_one_order_are_told_apart_from_the_charges_of_another(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    for minute, (number, charge) in enumerate(((1, "9"), (2, "3"), (1, "9"), (2, "2"), (1, "8"))):
        facts: Facts = {"charge": Decimal(charge), "currency": "USD", "remains": minute}
        await ledger.record(Sweep(T0 + (minute + 1) * MINUTE, (observed(order(number), facts),)))
    books = await ledger.books("north", T0, T0 + DAY)
    assert [(one.order, one.amount) for one in books.refunds] == [("1", Decimal(1)), ("2", Decimal(1))]


async def test_the_books_begin_with_the_last_look_at_the_balance_and_no_later(ledger: Ledger) -> None:
    """What was refunded between that look and the beginning is in the balance's movement."""
    balance: Facts = {"amount": Decimal(9), "currency": "USD"}
    await _looks(ledger, "3", "2", "1")
    books = await ledger.books("north", T0 + 2 * MINUTE, T0 + DAY)
    assert [one.amount for one in books.refunds] == [Decimal(1)]
    await ledger.record(Sweep(T0 + MINUTE, (observed(BALANCE, balance),)))
    books = await ledger.books("north", T0 + 2 * MINUTE, T0 + DAY)
    assert [one.amount for one in books.refunds] == [Decimal(1), Decimal(1)]


async def test_a_balance_without_an_amount_is_no_reading(ledger: Ledger) -> None:
    readings: tuple[Facts, ...] = ({"currency": "USD"}, {"amount": Decimal(3)})
    for minute, facts in enumerate(readings):
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(BALANCE, facts),)))
    books = await ledger.books("north", T0, T0 + DAY)
    assert [(one.at, one.amount, one.currency) for one in books.balances] == [(T0 + MINUTE, Decimal(3), None)]
