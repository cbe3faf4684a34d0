"""What counts before an action is even looked at: method, size, form, rate, number of IDs."""

from __future__ import annotations

import pytest

from smm_rules.simulator import AccountSettings, RunningSimulator
from tests.simulator.conftest import Caller

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_get_is_not_allowed(dialect: str, request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.smm_panel(dialect=dialect))
    ask: Caller = request.getfixturevalue("ask")
    reply = ask.client.get(ask.panel.url)
    assert (reply.status_code, reply.headers["allow"], "error" in reply.json()) == (405, "POST", True)


@pytest.mark.smm_panel(largest_body=1000)
def test_a_body_too_large_is_refused_and_not_read_on(ask: Caller) -> None:
    reply = ask.post("add", comments="x" * 1000)
    assert (reply.status_code, reply.json()) == (413, {"error": "Request is too large"})
    assert ask("balance")["currency"] == "USD"


def test_a_multipart_form_is_read_too(ask: Caller) -> None:
    fields = {"key": (None, ask.panel.key), "action": (None, "balance")}
    assert ask.client.post(ask.panel.url, files=fields).json()["currency"] == "USD"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"\xff\xfe\x00", FORM),
        (b"&".join([b"a=1"] * 2000), FORM),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data"),
        (b'{"key": 1}', "application/json"),
        (b"", FORM),
    ],
)
def test_a_body_that_is_no_form_is_a_missing_key(ask: Caller, content: bytes, content_type: str) -> None:
    reply = ask.client.post(ask.panel.url, content=content, headers={"content-type": content_type})
    assert reply.json() == {"error": "Invalid API key"}


def test_a_parameter_given_twice_counts_last(ask: Caller) -> None:
    body = f"key=wrong&key={ask.panel.key}&action=add&action=balance"
    reply = ask.client.post(ask.panel.url, content=body, headers={"content-type": FORM})
    assert reply.json()["currency"] == "USD"


def test_a_path_nobody_serves_is_not_found(ask: Caller) -> None:
    assert ask.client.post(f"{ask.panel.base_url}/api/v3").status_code == 404


@pytest.mark.smm_panel(scenario="steady:150")
def test_ids_past_a_hundred_are_silently_dropped(ask: Caller, smm_panel: RunningSimulator) -> None:
    ids = list(smm_panel.orders)
    assert list(ask("status", orders=",".join(ids))) == ids[:100]


def test_refills_past_a_hundred_are_silently_dropped(ask: Caller, smm_panel: RunningSimulator) -> None:
    ids = [smm_panel.add_order(status="Completed") for _ in range(103)]
    assert len(ask("refill", orders=",".join(ids))) == 100
    assert len(smm_panel.journal.refills_made()) == 100
    assert len(ask("refill_status", refills=",".join(str(number) for number in range(1, 104)))) == 100


def test_an_id_asked_for_twice_is_acted_on_once(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(status="Completed")
    assert ask("refill", orders=f"{order}, {order}") == [{"order": int(order), "refill": 1}]


@pytest.mark.smm_panel(requests_per_minute=3)
def test_classic_rate_limit_is_an_error_with_200(ask: Caller, smm_panel: RunningSimulator) -> None:
    replies = [ask.post("balance") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200] * 4
    assert replies[3].json() == {"error": "Rate limit exceeded"}
    assert "ratelimit-limit" not in replies[3].headers
    smm_panel.advance(60)
    assert ask("balance")["currency"] == "USD"


@pytest.mark.smm_panel(requests_per_minute=2, dialect="modern", start=None)
def test_modern_rate_limit_is_429_with_headers(ask: Caller, smm_panel: RunningSimulator) -> None:
    smm_panel.advance(60 - smm_panel.clock.seconds() % 60)
    smm_panel.advance(20)
    replies = [ask.post("balance") for _ in range(3)]
    headers = [
        [reply.headers.get(name) for name in ("RateLimit-Limit", "RateLimit-Remaining", "Retry-After")]
        for reply in replies
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert headers == [["2", "1", None], ["2", "0", None], ["2", "0", "40"]]
    assert replies[2].json()["code"] == "rate_limit_exceeded"


@pytest.mark.smm_panel(
    requests_per_minute=1, accounts=(AccountSettings("one", "key-one"), AccountSettings("two", "key-two"))
)
def test_the_rate_is_counted_per_key(ask: Caller) -> None:
    answers = [ask("balance", key=key) for key in ("key-one", "key-two", "key-one")]
    assert ["error" in answer for answer in answers] == [False, False, True]


@pytest.mark.smm_panel(requests_per_minute=1)
def test_a_request_over_the_limit_has_no_effect(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask("balance")
    assert ask("add", service=1, quantity=100, link="https://example.com/p") == {
        "error": "Rate limit exceeded"
    }
    assert smm_panel.journal.effects() == ()
