"""Drip-feeds and subscriptions: orders that make orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.simulator import AccountSettings, RunningSimulator, Script
from tests.simulator.conftest import Caller

SUBSCRIPTIONS = 116
CALM = Script(1, 0, 0, 0, 0)
WEEK = timedelta(days=7)


def drip(ask: Caller) -> str:
    answer = ask("add", service=1, quantity=100, link="https://example.com/p", runs=3, interval=60)
    return str(answer["order"])


def subscribe(ask: Caller, **more: object) -> str:
    fields: dict[str, object] = {"username": "anna", "min": 100, "max": 200, "delay": 0}
    return str(ask("add", service=SUBSCRIPTIONS, **fields | more)["order"])


@pytest.mark.smm_panel(script=CALM)
def test_a_dripfeed_is_paid_at_once_and_runs_one_after_the_other(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    order = drip(ask)
    assert smm_panel.balance() == Decimal("99.73")
    assert ask("status", order=order) == {"status": "Active", "runs": "1", "orders": ["1002"]}
    smm_panel.advance(3600)
    assert ask("status", order=order) == {"status": "Active", "runs": "2", "orders": ["1002", "1003"]}
    smm_panel.advance(WEEK)
    answer = ask("status", order=order)
    assert answer == {"status": "Completed", "runs": "3", "orders": ["1002", "1003", "1004"]}
    assert ask("status", order="1003")["status"] == "Completed"
    assert smm_panel.balance() == Decimal("99.73")


@pytest.mark.smm_panel(script=CALM)
def test_a_canceled_dripfeed_gives_back_the_runs_not_made(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = drip(ask)
    ask("cancel", orders=order)
    smm_panel.advance(WEEK)
    assert ask("status", order=order) == {"status": "Canceled", "runs": "1", "orders": ["1002"]}
    assert smm_panel.balance() == Decimal("99.91")


@pytest.mark.smm_panel(script=CALM, dialect="modern")
def test_a_subscription_pays_for_each_new_post(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = subscribe(ask, posts=2, old_posts=1)
    assert ask("status", order=order) == {"status": "Active", "expiry": None, "posts": 1, "orders": [1002]}
    smm_panel.advance(WEEK)
    answer = ask("status", order=order)
    assert (answer["status"], answer["posts"], answer["orders"]) == ("Completed", 3, [1002, 1003, 1004])
    children = [smm_panel.orders[str(child)] for child in answer["orders"]]
    assert all(100 <= child.quantity <= 200 and child.parent == order for child in children)
    assert smm_panel.balance() == Decimal("100") - sum(child.paid for child in children)


@pytest.mark.smm_panel(script=CALM, start=datetime(2026, 3, 1, tzinfo=UTC))
def test_a_subscription_expires_at_the_end_of_its_day(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = subscribe(ask, expiry="02/03/2026")
    smm_panel.advance(timedelta(days=2) - timedelta(seconds=1))
    served = ask("status", order=order)
    smm_panel.advance(WEEK)
    after = ask("status", order=order)
    assert (served["status"], served["expiry"]) == ("Active", "02/03/2026")
    assert int(served["posts"]) >= 8
    assert after == served | {"status": "Expired"}


@pytest.mark.smm_panel(script=CALM, accounts=(AccountSettings(balance=Decimal("0.20")),))
def test_a_subscription_nobody_can_pay_pauses(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = subscribe(ask, min=100, max=100)
    smm_panel.advance(WEEK)
    assert ask("status", order=order)["status"] == "Paused"
    assert ask("status", order=order)["posts"] == "1"
    assert smm_panel.balance() == Decimal("0.08")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"username": ""}, "Incorrect username"),
        ({"min": 300}, "Incorrect max"),
        ({"max": 100_000}, "Quantity more than maximum 5000"),
        ({"delay": "soon"}, "Incorrect delay"),
        ({"delay": 9999}, "Incorrect delay"),
        ({"posts": "x"}, "Incorrect posts"),
        ({"expiry": "2026-03-02"}, "Incorrect expiry"),
        ({"expiry": "31/02/2026"}, "Incorrect expiry"),
    ],
)
def test_a_wrong_subscription_is_refused(ask: Caller, change: dict[str, object], error: str) -> None:
    fields: dict[str, object] = {"username": "anna", "min": 100, "max": 200, "delay": 0}
    assert ask("add", service=SUBSCRIPTIONS, **fields | change) == {"error": error}


def test_suborders_are_not_counted_among_the_orders_asked_for(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    order = drip(ask)
    made = smm_panel.journal.orders_made()
    assert [(entry.order, entry.amount) for entry in made] == [(order, Decimal("0.27"))]
    assert [entry.parent for entry in smm_panel.journal.orders_made(suborders=True)] == ["", order]
