"""The endpoints by which another process moves the panel."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from smm_rules.simulator import Fault, RunningSimulator
from smm_rules.simulator.control import controls
from tests.simulator.conftest import Caller


def test_state_tells_the_panel_at_a_glance(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("add", Fault.SLOW)
    state = ask.seen("state")
    assert state["now"] == smm_panel.now().isoformat()
    assert state["accounts"] == [{"label": "default", "balance": "100.00", "currency": "USD"}]
    assert state["faults"] == {"add": ["slow"]}
    assert len(state["services"]) == len(smm_panel.services())
    assert smm_panel.key not in str(state)


def test_journal_can_be_read_on_from_a_number(ask: Caller) -> None:
    ask.add()
    first = ask.seen("journal")["entries"]
    ask.add()
    rest = ask.seen(f"journal?since={first[-1]['n']}")["entries"]
    made = ask.seen("journal?kind=order_made&limit=1")["entries"]
    assert [entry["kind"] for entry in first] == ["started", "request", "order_made"]
    assert [(entry["kind"], entry["order"]) for entry in rest] == [("request", ""), ("order_made", "1002")]
    assert [(entry["order"], entry["amount"]) for entry in made] == [("1001", "0.90000")]


def test_orders_can_be_made_seen_and_set(ask: Caller) -> None:
    made = ask.control("orders", service=4, quantity=500, status="Partial", remains=5).json()
    changed = ask.control(f"orders/{made['id']}", status="In progress", remains=3).json()
    assert (made["status"], made["remains"], made["paid"]) == ("Partial", 5, "2.25000")
    assert (changed["status"], changed["remains"]) == ("In progress", 3)
    assert ask.control(f"orders/{made['id']}", remains=2).json()["status"] == "In progress"
    assert ask.seen("orders")["orders"] == [changed | {"remains": 2}]
    assert ask.seen("orders?skip=1")["orders"] == []
    assert ask("status", order=made["id"])["remains"] == "2"


def test_a_refill_can_be_set(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(status="Completed")
    ask("refill", order=order)
    ask.control("refills/1", status="Rejected")
    assert ask("refill_status", refill=1) == {"status": "Rejected"}


def test_faults_can_be_asked_for_and_cleared(ask: Caller) -> None:
    asked = ask.control("faults", action="balance", fault="error_before_effect", count=2).json()
    assert asked == {"faults": {"balance": ["error_before_effect"] * 2}}
    assert ask.post("balance").status_code == 500
    ask.control("faults", clear=True, action="*", fault="html_before_effect", always=True)
    assert [ask.post("balance").status_code for _ in range(2)] == [503, 503]
    ask.control("faults", clear=True)
    assert ask.post("balance").status_code == 200
    ask.control("faults", action="services", fault="html_before_effect", probability=1)
    assert ask.post("services").status_code == 503


def test_balance_services_and_time_can_be_moved(ask: Caller, smm_panel: RunningSimulator) -> None:
    before = smm_panel.clock.seconds()
    assert ask.control("balance", amount="12.50").json() == {"balance": "12.50"}
    assert ask("balance")["balance"] == "12.50000"
    assert ask.control("services/1", rate="1.10", refill=False).json()["service"]["rate"] == "1.10"
    assert (ask("services")[0]["rate"], ask("services")[0]["refill"]) == ("1.10", False)
    ask.control("services/1", gone=True)
    assert ask("services")[0]["service"] == 2
    ask.control("services/1", name="Back again", rate="2")
    assert ask("services")[-1]["name"] == "Back again"
    ask.control("advance", seconds=90)
    assert smm_panel.clock.seconds() - before == pytest.approx(90)


@pytest.mark.parametrize(
    ("path", "fields", "code", "says"),
    [
        ("orders/9", {"status": "Partial"}, 404, "no order '9'"),
        ("orders/x", {"remains": 1}, 404, "no order 'x'"),
        ("orders/9", {"stauts": "Partial"}, 400, "unknown field 'stauts'; there are status, remains"),
        ("orders", {"service": 999}, 404, "no service 999"),
        ("refills/9", {"status": "Completed"}, 404, "no refill '9'"),
        ("refills/9", {}, 400, "'status' is missing"),
        ("faults", {"action": "add", "fault": "slwo"}, 400, "ValueError: 'slwo' is not a valid Fault"),
        ("balance", {}, 400, "'amount' is missing"),
        ("balance", {"amount": "lots"}, 400, "InvalidOperation"),
        ("balance", {"amount": "NaN"}, 400, "'NaN' is not an amount of money"),
        ("balance", {"amount": "1", "label": "nobody"}, 404, "no account labelled 'nobody'"),
        ("services/999", {"rate": "1"}, 404, "no service 999"),
        ("services/1", {"colour": "red"}, 400, "unknown field 'colour'"),
        ("advance", {"seconds": -1}, 400, "ValueError: a clock only goes forward"),
        ("advance", {"seconds": 1e300}, 400, "OverflowError"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    ask: Caller, path: str, fields: dict[str, Any], code: int, says: str
) -> None:
    reply = ask.control(path, **fields)
    assert (reply.status_code, says in reply.json()["error"]) == (code, True), reply.text


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"amount=1", "application/x-www-form-urlencoded", 400),
        (b"{", "application/json", 400),
        (b"[" * 90_000, "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"{" + b" " * 100_000 + b"}", "application/json", 413),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    ask: Caller, content: bytes, content_type: str, code: int
) -> None:
    url = f"{ask.panel.base_url}/control/balance"
    reply = ask.client.post(url, content=content, headers={"content-type": content_type})
    assert reply.status_code == code
    assert ask("balance")["balance"] == "100.00000"


async def test_callers_from_elsewhere_are_refused() -> None:
    panel = RunningSimulator()
    transport = httpx.ASGITransport(controls(panel), client=("192.0.2.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://panel") as client:
        reply = await client.get("/control/state")
    assert (reply.status_code, reply.json()) == (
        403,
        {"error": "the controls answer callers on this machine only"},
    )
