"""Refills and cancels: who gets one, and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.simulator import RunningSimulator, Script
from tests.simulator.conftest import Caller

NEVER_REJECTED = Script(refill_rejected_share=0)
ALWAYS_REJECTED = Script(refill_rejected_share=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("service", "status"), [(1, "Completed"), (4, "Completed"), (4, "Partial"), (5, "Completed")]
)
def test_a_refill_is_accepted(ask: Caller, smm_panel: RunningSimulator, service: int, status: str) -> None:
    order = smm_panel.add_order(service, 1000, status=status, remains=10)
    assert ask("refill", order=order) == {"refill": "1"}


@pytest.mark.parametrize(
    ("service", "status"),
    [(1, "Partial"), (1, "In progress"), (1, "Pending"), (1, "Canceled"), (2, "Completed")],
)
def test_a_refill_is_refused_as_an_ordinary_outcome(
    ask: Caller, smm_panel: RunningSimulator, service: int, status: str
) -> None:
    order = smm_panel.add_order(service, 1000, status=status, remains=10)
    assert ask("refill", order=order) == {"error": "Order not eligible for refill."}
    assert smm_panel.journal.refills_made() == ()


@pytest.mark.smm_panel(script=NEVER_REJECTED)
def test_a_completed_refill_restores_the_order(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(4, 1000, status="Partial", remains=157)
    ask("refill", order=order)
    seen = []
    for _ in range(24):
        seen.append(ask("refill_status", refill=1)["status"])
        smm_panel.advance(timedelta(minutes=5))
    assert list(dict.fromkeys(seen)) == ["Pending", "In progress", "Completed"]
    answer = ask("status", order=order)
    assert (answer["status"], answer["remains"]) == ("Completed", "0")


@pytest.mark.smm_panel(script=ALWAYS_REJECTED)
def test_a_rejected_refill_leaves_the_order_as_it_was(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(4, 1000, status="Partial", remains=157)
    ask("refill", order=order)
    smm_panel.advance(2 * HOUR)
    assert ask("refill_status", refill=1) == {"status": "Rejected"}
    assert ask("status", order=order)["remains"] == "157"


def test_a_second_refill_waits_for_the_first(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="Completed")
    ask("refill", order=order)
    assert ask("refill", order=order) == {"error": "Refill already requested"}
    smm_panel.advance(2 * HOUR)
    assert ask("refill", order=order) == {"refill": "2"}


@pytest.mark.smm_panel(refill_pause=timedelta(hours=24))
def test_a_refill_too_early_is_told_when(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="Completed")
    ask("refill", order=order)
    smm_panel.advance(2 * HOUR)
    assert ask("refill", order=order) == {"error": "Refill will be available in 22 hours"}
    smm_panel.advance(22 * HOUR)
    assert ask("refill", order=order) == {"refill": "2"}


def test_a_refill_can_be_set_by_hand(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(4, 1000, status="Partial", remains=157)
    ask("refill", order=order)
    smm_panel.set_refill_status("1", "Completed")
    assert ask("refill_status", refill=1) == {"status": "Completed"}
    assert smm_panel.orders[order].remains == 0
    assert [entry.note for entry in smm_panel.journal.effects() if entry.refill][1:] == ["Completed"]


def test_a_cancel_takes_effect_later_and_refunds_the_rest(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="In progress", remains=400)
    assert ask("cancel", orders=order) == [{"order": int(order), "cancel": 1}]
    assert ask("status", order=order)["status"] == "In progress"
    assert ask("cancel", orders=order)[0]["cancel"] == {"error": "Cancel already requested"}
    smm_panel.advance(HOUR)
    assert ask("status", order=order)["status"] == "Cancelled"
    assert smm_panel.balance() == Decimal("100.36")
    assert len(smm_panel.journal.cancels_accepted()) == 1


def test_a_cancel_that_comes_too_late_changes_nothing(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="In progress", remains=400)
    ask("cancel", orders=order)
    smm_panel.set_status(order, "Completed")
    smm_panel.advance(HOUR)
    assert ask("status", order=order)["status"] == "Completed"
    assert smm_panel.balance() == Decimal("100")


@pytest.mark.parametrize(("service", "status"), [(3, "Pending"), (1, "Completed"), (1, "Canceled")])
def test_a_cancel_is_refused(ask: Caller, smm_panel: RunningSimulator, service: int, status: str) -> None:
    order = smm_panel.add_order(service, 1000, status=status)
    assert ask("cancel", orders=order)[0]["cancel"] == {"error": "Cancel is not available for this order"}


def test_cancel_needs_orders(ask: Caller) -> None:
    assert ask("cancel", order="1001") == {"error": "Incorrect request"}
