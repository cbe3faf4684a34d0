"""Each way of wording an answer that real panels have, by name."""

from __future__ import annotations

from typing import Any

import pytest

from smm_rules.simulator import RunningSimulator
from smm_rules.simulator.refusal import Reason, Refusal
from smm_rules.simulator.settings import DialectName
from tests.simulator.conftest import Caller

modern = pytest.mark.smm_panel(dialect="modern")


def order_in(panel: RunningSimulator, status: str, remains: int, **more: Any) -> str:
    return panel.add_order(status=status, remains=remains, **more)


def test_classic_catalogue_has_numbers_as_strings_and_flags_as_booleans(ask: Caller) -> None:
    assert ask("services")[0] == {
        "service": 1,
        "name": "Followers [30 days refill]",
        "type": "Default",
        "category": "Instagram",
        "rate": "0.90",
        "min": "50",
        "max": "10000",
        "dripfeed": True,
        "refill": True,
        "cancel": True,
    }


@modern
def test_modern_catalogue_has_numbers_flags_of_all_kinds_and_canceling_is_available(ask: Caller) -> None:
    rows = ask("services")
    assert rows[0] == {
        "service": "1",
        "name": "Followers [30 days refill]",
        "type": "Default",
        "category": "Instagram",
        "rate": 0.9,
        "min": 50,
        "max": 10000,
        "dripfeed": 1,
        "refill": "1",
        "canceling_is_available": 1,
    }
    assert rows[1]["refill"] == 0
    assert rows[2]["canceling_is_available"] == 0


def test_classic_balance_is_text(ask: Caller) -> None:
    assert ask("balance") == {"balance": "100.00000", "currency": "USD"}


@modern
def test_modern_balance_is_a_number(ask: Caller) -> None:
    assert ask("balance") == {"status": "success", "balance": 100.0, "currency": "USD"}


def test_classic_order_is_the_number_alone(ask: Caller) -> None:
    assert ask("add", service=1, quantity=100, link="https://example.com/p") == {"order": 1001}


@modern
def test_modern_order_has_status_success_beside_it(ask: Caller) -> None:
    answer = ask("add", service=1, quantity=100, link="https://example.com/p")
    assert answer == {"status": "success", "order": 1001}


def test_classic_status_is_all_strings(ask: Caller, smm_panel: RunningSimulator) -> None:
    from smm_rules.simulator import Course

    order = smm_panel.add_order(1, 1000, course=Course(0, 0, 100, "Partial", 0.843, 3572))
    smm_panel.advance(100)
    assert ask("status", order=order) == {
        "charge": "0.75870",
        "start_count": "3572",
        "status": "Partial",
        "remains": "157",
        "currency": "USD",
    }


@modern
def test_modern_status_is_all_numbers_with_a_null_start_count(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    from smm_rules.simulator import Course

    order = smm_panel.add_order(1, 1000, course=Course(0, 0, 100, "Completed", 1.0, None, surplus=3))
    smm_panel.advance(100)
    assert ask("status", order=order) == {
        "charge": 0.9,
        "start_count": None,
        "status": "Completed",
        "remains": -3,
        "currency": "USD",
    }


def test_classic_spells_cancelled_with_two_l(ask: Caller, smm_panel: RunningSimulator) -> None:
    assert ask("status", order=order_in(smm_panel, "Canceled", 1000))["status"] == "Cancelled"


@modern
def test_modern_spells_canceled_with_one_l(ask: Caller, smm_panel: RunningSimulator) -> None:
    assert ask("status", order=order_in(smm_panel, "Canceled", 1000))["status"] == "Canceled"


def test_a_status_nobody_knows_is_passed_on(ask: Caller, smm_panel: RunningSimulator) -> None:
    assert ask("status", order=order_in(smm_panel, "On hold", 5))["status"] == "On hold"


def test_classic_errors_of_one_id_are_objects(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = order_in(smm_panel, "In progress", 7)
    answer = ask("status", orders=f"{order},5,x")
    assert answer[order]["remains"] == "7"
    assert [answer["5"], answer["x"]] == [{"error": "Incorrect order ID"}] * 2


@modern
def test_modern_errors_of_one_id_are_bare_strings(ask: Caller) -> None:
    assert ask("status", orders="5,x") == {"5": "Order not found", "x": "Order not found"}


def test_classic_empty_object_is_an_object(ask: Caller) -> None:
    assert ask("status", orders="") == {}


@modern
def test_modern_empty_object_is_an_array(ask: Caller) -> None:
    assert ask("status", orders="") == []


def test_classic_refill_is_text_and_many_are_objects(ask: Caller, smm_panel: RunningSimulator) -> None:
    first, second = order_in(smm_panel, "Completed", 0), order_in(smm_panel, "Completed", 0)
    assert ask("refill", order=first) == {"refill": "1"}
    assert ask("refill", orders=f"{second},5") == [
        {"order": int(second), "refill": 2},
        {"order": 5, "refill": {"error": "Incorrect order ID"}},
    ]
    assert ask("refill_status", refill=1) == {"status": "Pending"}
    assert ask("refill_status", refills="1,9") == [
        {"refill": 1, "status": "Pending"},
        {"refill": 9, "status": {"error": "Refill not found"}},
    ]


@modern
def test_modern_refill_is_a_number_and_errors_are_bare_or_beside(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    first, second = order_in(smm_panel, "Completed", 0), order_in(smm_panel, "Completed", 0)
    assert ask("refill", order=first) == {"status": "success", "refill": 1}
    assert ask("refill", orders=f"{second},5") == [
        {"order": int(second), "refill": 2},
        {"order": 5, "refill": "Order not found"},
    ]
    assert ask("refill_status", refills="1,9") == [
        {"refill": 1, "status": "Pending"},
        {"refill": 9, "error": "Refill not found."},
    ]


def test_classic_cancel_is_one_or_an_object(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = order_in(smm_panel, "In progress", 7)
    assert ask("cancel", orders=f"{order},5") == [
        {"order": int(order), "cancel": 1},
        {"order": 5, "cancel": {"error": "Incorrect order ID"}},
    ]


@modern
def test_modern_cancel_is_a_request_id_with_errors_beside(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = order_in(smm_panel, "In progress", 7)
    answer = ask("cancel", orders=f"{order},5")
    request = smm_panel.journal.requests("cancel")[0].n
    assert request > 1
    assert answer == [{"order": int(order), "cancel": request}, {"order": 5, "error": "Order not found"}]


def test_classic_errors_come_with_200(ask: Caller) -> None:
    replies = [ask.post("status", order=5), ask.post("nonsense"), ask.post("balance", key="wrong")]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert [reply.json() for reply in replies] == [
        {"error": "Incorrect order ID"},
        {"error": "Incorrect request"},
        {"error": "Invalid API key"},
    ]


@modern
def test_modern_errors_come_with_their_code_and_a_numeric_status(ask: Caller) -> None:
    replies = [ask.post("status", order=5), ask.post("nonsense"), ask.post("balance", key="wrong")]
    assert [reply.status_code for reply in replies] == [400, 400, 401]
    assert [reply.json() for reply in replies] == [
        {"error": "Order not found", "code": "incorrect_order", "status": 400},
        {"error": "Unknown action.", "code": "invalid_request", "status": 400},
        {"error": "The API key is not valid.", "code": "invalid_key", "status": 401},
    ]


@pytest.mark.parametrize("name", list(DialectName))
def test_every_reason_has_words_in_every_dialect(name: DialectName) -> None:
    from smm_rules.simulator.dialects import dialect

    words = [dialect(name).error(Refusal(reason, "50"))["error"] for reason in Reason]
    assert [text for text in words if not text or "{" in text] == []


@pytest.mark.parametrize("dialect", ["classic", "modern"])
@pytest.mark.parametrize("missing", ["key", "action", "both"])
def test_a_request_without_key_or_action_is_refused(
    dialect: str, missing: str, request: pytest.FixtureRequest
) -> None:
    request.node.add_marker(pytest.mark.smm_panel(dialect=dialect))
    ask: Caller = request.getfixturevalue("ask")
    form = {"key": ask.panel.key, "action": "balance"}
    kept = {name: text for name, text in form.items() if missing not in (name, "both")}
    reply = ask.client.post(ask.panel.url, data=kept)
    code = 200 if dialect == "classic" else (400 if missing == "action" else 401)
    assert reply.status_code == code
    assert set(reply.json()) == ({"error"} if dialect == "classic" else {"error", "code", "status"})
