"""Each way a request can go wrong on the wire, and whether the panel had acted by then."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from smm_rules.simulator import Fault, FaultRate, Faults, RunningSimulator
from smm_rules.simulator.faults import BEFORE_EFFECT
from tests.simulator.conftest import Caller

ADD = {"service": "1", "quantity": "100", "link": "https://example.com/p"}
LOST = (Fault.CLOSE_BEFORE_EFFECT, Fault.CLOSE_AFTER_EFFECT)
HUNG = (Fault.HANG_BEFORE_EFFECT, Fault.HANG_AFTER_EFFECT)


@pytest.mark.smm_panel(slow_for=timedelta(milliseconds=1))
@pytest.mark.parametrize("fault", list(Fault))
def test_the_panel_acts_exactly_when_the_fault_says_so(
    ask: Caller, smm_panel: RunningSimulator, fault: Fault
) -> None:
    smm_panel.faults.next("add", fault)
    timeout = 0.2 if fault in HUNG else 10
    try:
        ask.client.post(smm_panel.url, data={"key": smm_panel.key, "action": "add", **ADD}, timeout=timeout)
    except httpx.TransportError:
        assert fault in (*LOST, *HUNG, Fault.HALF_BODY)
    else:
        assert fault not in (*LOST, *HUNG, Fault.HALF_BODY)
    made = 0 if fault in BEFORE_EFFECT else 1
    assert len(smm_panel.journal.orders_made()) == made
    assert [request.fault for request in smm_panel.journal.requests("add")] == [fault]


def test_a_fault_strikes_once_and_only_its_action(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("add", Fault.ERROR_BEFORE_EFFECT, Fault.HTML_BEFORE_EFFECT)
    codes = [ask.post(action, **ADD).status_code for action in ("balance", "add", "add", "add")]
    assert codes == [200, 500, 503, 200]


def test_any_action_and_lasting_faults(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.always("*", "html_before_effect")
    smm_panel.faults.next("*", "error_before_effect")
    codes = [ask.post("balance").status_code for _ in range(3)]
    smm_panel.faults.clear()
    assert [*codes, ask.post("balance").status_code] == [500, 503, 503, 200]


@pytest.mark.parametrize("fault", LOST)
def test_a_closed_connection_has_no_answer(ask: Caller, smm_panel: RunningSimulator, fault: Fault) -> None:
    smm_panel.faults.next("balance", fault)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ask.post("balance")
    assert ask("balance")["currency"] == "USD"


def test_a_hung_answer_ends_when_the_server_stops(client: httpx.Client) -> None:
    import threading

    with RunningSimulator() as panel:
        panel.faults.next("balance", Fault.HANG_AFTER_EFFECT)
        failed: list[Exception] = []

        def call() -> None:
            try:
                client.post(panel.url, data={"key": panel.key, "action": "balance"})
            except httpx.TransportError as error:
                failed.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        while not panel.journal.requests("balance"):
            thread.join(0.001)
    thread.join(10)
    assert len(failed) == 1


@pytest.mark.smm_panel(slow_for=timedelta(milliseconds=1))
def test_a_slow_answer_is_whole(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("balance", Fault.SLOW)
    assert ask("balance") == {"balance": "100.00000", "currency": "USD"}


def test_html_comes_from_a_proxy(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("balance", Fault.HTML_BEFORE_EFFECT, Fault.HTML_AFTER_EFFECT)
    replies = [ask.post("balance") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [503, 502]
    assert [reply.headers["content-type"] for reply in replies] == ["text/html; charset=UTF-8"] * 2
    assert all(reply.text.startswith("<html>") for reply in replies)


def test_truncated_json_is_a_whole_answer_that_does_not_parse(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    smm_panel.faults.next("services", Fault.TRUNCATED_JSON)
    reply = ask.post("services")
    assert reply.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_half_a_body_ends_before_its_length(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("services", Fault.HALF_BODY)
    with pytest.raises(
        httpx.RemoteProtocolError, match="closed connection without sending complete message body"
    ):
        ask.post("services")


@pytest.mark.parametrize("count", [1, 2, 50])
def test_missing_ids_leaves_out_at_least_one(ask: Caller, smm_panel: RunningSimulator, count: int) -> None:
    ids = [smm_panel.add_order() for _ in range(count)]
    smm_panel.faults.next("status", Fault.MISSING_IDS)
    answered = set(ask("status", orders=",".join(ids)))
    assert answered < set(ids)


def test_a_stale_status_is_ten_minutes_old(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(status="In progress", remains=700)
    smm_panel.advance(900)
    smm_panel.set_status(order, "Completed")
    smm_panel.faults.next("status", Fault.STALE_STATUS)
    stale, fresh = ask("status", order=order), ask("status", order=order)
    assert stale["status"] != "Completed"
    assert fresh["status"] == "Completed"


def test_an_empty_catalogue(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.faults.next("services", Fault.EMPTY_CATALOGUE)
    assert ask("services") == []
    assert len(ask("services")) == len(smm_panel.services())


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_rate_limited_on_demand(dialect: str, request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.smm_panel(dialect=dialect))
    ask: Caller = request.getfixturevalue("ask")
    ask.panel.faults.next("balance", Fault.RATE_LIMITED)
    reply = ask.post("balance")
    assert (reply.status_code, "Retry-After" in reply.headers) == (
        (200, False) if dialect == "classic" else (429, True)
    )


def test_chance_is_drawn_from_the_seed() -> None:
    def taken(seed: int) -> list[Fault | None]:
        faults = Faults(seed, (FaultRate("add", Fault.SLOW, 0.5),))
        return [faults.take("add") for _ in range(100)]

    assert taken(1) == taken(1)
    assert taken(1) != taken(2)
    assert 30 < taken(1).count(Fault.SLOW) < 70


def test_chance_of_one_action_leaves_the_others_alone() -> None:
    faults = Faults()
    faults.chance("add", "slow", 1)
    assert [faults.take("status"), faults.take("add")] == [None, Fault.SLOW]


def test_a_rate_is_written_action_fault_probability() -> None:
    rate = FaultRate("add", Fault.CLOSE_AFTER_EFFECT, 0.05)
    assert FaultRate.parse("add=close_after_effect:0.05") == rate


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("add", "expected ACTION=FAULT:PROBABILITY"),
        ("add=slow", "expected ACTION=FAULT:PROBABILITY"),
        ("add=slwo:0.5", "no fault 'slwo'; there are error_before_effect"),
        ("add=slow:often", "could not convert"),
        ("add=slow:2", "probability is 0 to 1"),
    ],
)
def test_a_rate_written_wrongly_says_how(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FaultRate.parse(text)
