"""An order about which nothing is new: the same facts come back as the very same object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smm_rules.engine.order_facts import OrderIntake, observe_order
from smm_rules.panel.answers import OrderState, Refused

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ORDER = OrderIntake("23501", tracked_at=NOW, placed_at=NOW, quantity=1000, refills=0)
ANSWER = OrderState("In progress", True, remains=157, charge=Decimal("0.27819"), currency="USD")


def test_the_same_answer_gives_the_given_facts_back() -> None:
    before = observe_order({}, ANSWER, ORDER, NOW).facts
    again = observe_order(before, ANSWER, ORDER, LATER)
    assert again.facts is before
    assert again.changed is False


def test_the_same_refusal_gives_the_given_facts_back() -> None:
    before = observe_order({}, Refused("Incorrect order ID"), ORDER, NOW).facts
    assert observe_order(before, Refused("Incorrect order ID"), ORDER, LATER).facts is before


def test_progress_is_worked_out_anew_when_only_the_quantity_differs() -> None:
    before = observe_order({}, OrderState("In progress", True, remains=0), ORDER, NOW).facts
    more = OrderIntake("23501", tracked_at=NOW, placed_at=NOW, quantity=2000, refills=0)
    after = observe_order(before, OrderState("In progress", True, remains=1000), more, LATER).facts
    assert (after["delivered"], after["progress"]) == (1000, Decimal("0.5"))
