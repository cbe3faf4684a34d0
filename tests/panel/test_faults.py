"""Every way a call can go wrong on the wire: reads are repeated, paid calls are seen exactly once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from smm_rules.panel.answers import Balance
from smm_rules.panel.client import CallReport, PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import (
    Ambiguous,
    NotSent,
    PanelError,
    RateLimited,
    RefusalReason,
    Rejected,
    Unreadable,
)
from smm_rules.panel.retrying import RetryPolicy
from tests.panel import fault_server as faults
from tests.panel.conftest import KEY
from tests.panel.fault_server import Fault, FaultServer

BALANCE = {"balance": "5.5", "currency": "USD"}
MIB = 1024 * 1024

MISLEADING: dict[str, tuple[Fault, type[PanelError]]] = {
    "close before headers": (faults.close_before_headers, Ambiguous),
    "close after headers": (faults.close_after_headers, Ambiguous),
    "half a body": (faults.half_a_body({"order": 23501}), Ambiguous),
    "500 after effect": (faults.failing(500), Ambiguous),
    "502 page": (faults.html(502), Ambiguous),
    "500 with a JSON error nobody knows": (faults.answer({"error": "Something broke"}, 500), Ambiguous),
    "500 that only mentions known words": (
        faults.answer({"error": "Order 5 saved but the provider has insufficient funds"}, 500),
        Ambiguous,
    ),
    "500 with an order": (faults.answer({"order": 5}, 500), Ambiguous),
    "408 with a known error": (faults.answer({"error": "Incorrect request"}, 408), Ambiguous),
    "not HTTP": (faults.not_http, Ambiguous),
    "HTML with 200": (faults.html(200), Unreadable),
    "HTML with 403": (faults.html(403), Unreadable),
    "truncated JSON": (faults.truncated({"order": 23501}), Unreadable),
    "empty body": (faults.raw(b""), Unreadable),
    "204": (faults.raw(b"", 204), Unreadable),
    "redirect": (faults.redirect("https://elsewhere.example/"), Unreadable),
    "permanent redirect": (faults.redirect("/api/v2/", 308), Unreadable),
    "deep nesting": (faults.nested(), Unreadable),
    "NaN": (faults.raw(b'{"order": NaN}'), Unreadable),
    "Infinity": (faults.raw(b'{"balance": -Infinity}'), Unreadable),
    "an integer of 100,000 digits": (faults.raw(b'{"order": ' + b"9" * 100_000 + b"}"), Unreadable),
    "a bare string": (faults.answer("ok"), Unreadable),
    "null": (faults.answer(None), Unreadable),
    "403 without an error": (faults.answer({"hello": 1}, 403), Unreadable),
    "too large": (faults.huge(5 * MIB), Unreadable),
    "too large when unpacked": (faults.gzip_bomb(16 * MIB), Unreadable),
    "broken compression": (faults.raw(b"nonsense", headers={"Content-Encoding": "gzip"}), Unreadable),
    "unasked compression": (faults.raw(b"nonsense", headers={"Content-Encoding": "br"}), Unreadable),
}

PAID: dict[str, Callable[[PanelClient], Awaitable[object]]] = {
    "add": lambda client: client.add({"service": "1", "link": "https://example.org/a", "quantity": "100"}),
    "refill": lambda client: client.refill("7"),
    "refill_many": lambda client: client.refill_many(["7", "8"]),
    "cancel": lambda client: client.cancel(["7", "8"]),
}


@pytest.mark.parametrize("call", PAID.values(), ids=PAID.keys())
@pytest.mark.parametrize(("fault", "error"), MISLEADING.values(), ids=MISLEADING.keys())
async def test_a_paid_call_under_a_fault_is_sent_once_and_left_in_doubt(
    server: FaultServer,
    client: PanelClient,
    fault: Fault,
    error: type[PanelError],
    call: Callable[[PanelClient], Awaitable[object]],
) -> None:
    server.script(fault)
    with pytest.raises(PanelError) as raised:
        await call(client)
    assert type(raised.value) is error
    assert len(server.seen) == 1


@pytest.mark.parametrize(("fault", "error"), MISLEADING.values(), ids=MISLEADING.keys())
async def test_a_read_under_a_fault_is_repeated(
    server: FaultServer, client: PanelClient, fault: Fault, error: type[PanelError]
) -> None:
    server.script(fault, faults.answer(BALANCE))
    assert (await client.balance()).currency == "USD"
    assert server.asked("balance") == 2


async def test_a_read_gives_up_after_the_policy_s_attempts(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.html(502))
    with pytest.raises(Ambiguous, match="HTTP 502: an HTML page instead of JSON"):
        await client.balance()
    assert server.asked("balance") == RetryPolicy().attempts


DOCUMENTED: dict[str, tuple[Fault, str, RefusalReason]] = {
    "200": (faults.answer({"error": "Not enough funds"}), "Not enough funds", RefusalReason.NOT_ENOUGH_FUNDS),
    "400": (
        faults.answer({"error": "Incorrect request"}, 400),
        "Incorrect request",
        RefusalReason.INVALID_REQUEST,
    ),
    "401 with a code": (
        faults.answer({"error": "Invalid API key", "code": 401}, 401),
        "Invalid API key",
        RefusalReason.INVALID_KEY,
    ),
    "401 with a message alone": (
        faults.answer({"message": "Unauthenticated."}, 401),
        "Unauthenticated.",
        RefusalReason.INVALID_KEY,
    ),
    "405 with a numeric status": (
        faults.answer({"error": "Method not allowed", "status": 405}, 405),
        "Method not allowed",
        RefusalReason.INVALID_REQUEST,
    ),
    "413": (faults.answer({"error": "Payload too big"}, 413), "Payload too big", RefusalReason.UNRECOGNISED),
    "500 in known words": (
        faults.answer({"error": "Not enough funds on balance"}, 500),
        "Not enough funds on balance",
        RefusalReason.NOT_ENOUGH_FUNDS,
    ),
    "status fail": (
        faults.answer({"status": "fail", "message": "You have an active order with this link"}),
        "You have an active order with this link",
        RefusalReason.DUPLICATE_ORDER,
    ),
    "an object of errors": (
        faults.answer({"error": {"code": 7, "message": "Incorrect service ID"}}),
        "Incorrect service ID",
        RefusalReason.INCORRECT_SERVICE,
    ),
    "error true": (
        faults.answer({"error": True, "message": "Bad link"}),
        "Bad link",
        RefusalReason.INCORRECT_LINK,
    ),
}


@pytest.mark.parametrize("call", PAID.values(), ids=PAID.keys())
@pytest.mark.parametrize(("fault", "words", "reason"), DOCUMENTED.values(), ids=DOCUMENTED.keys())
async def test_a_documented_error_is_a_refusal_and_never_repeated(
    server: FaultServer,
    client: PanelClient,
    fault: Fault,
    words: str,
    reason: RefusalReason,
    call: Callable[[PanelClient], Awaitable[object]],
) -> None:
    server.script(fault)
    with pytest.raises(Rejected) as raised:
        await call(client)
    assert (raised.value.message, raised.value.reason) == (words, reason)
    with pytest.raises(Rejected):
        await client.balance()
    assert len(server.seen) == 2


LIMITS: dict[str, tuple[Fault, timedelta | None]] = {
    "429 without Retry-After": (faults.rate_limited(), None),
    "429 with seconds": (faults.rate_limited("7"), timedelta(seconds=7)),
    "429 page": (faults.html(429), None),
    "429 with RateLimit-Reset": (
        faults.answer({"error": "slow"}, 429, {"RateLimit-Reset": "9"}),
        timedelta(seconds=9),
    ),
    "429 with a date": (
        faults.answer(
            {"error": "x"},
            429,
            {
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT",
            },
        ),
        timedelta(seconds=30),
    ),
    "200 in words": (faults.rate_limited(status=200), None),
    "200 with Retry-After": (faults.rate_limited("3", status=200), timedelta(seconds=3)),
    "500 in words": (faults.answer({"error": "Too many requests"}, 500), None),
    "wait in the body": (
        faults.answer({"error": "Rate limit exceeded", "retry_after": 12}),
        timedelta(seconds=12),
    ),
}


@pytest.mark.parametrize(("fault", "wait"), LIMITS.values(), ids=LIMITS.keys())
async def test_a_rate_limit_is_told_apart_with_the_wait_asked_for(
    server: FaultServer, client: PanelClient, fault: Fault, wait: timedelta | None
) -> None:
    server.script(fault)
    with pytest.raises(RateLimited) as raised:
        await client.refill("7")
    assert raised.value.retry_after == wait
    assert server.asked("refill") == 1


async def test_a_rate_limited_read_is_repeated(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.rate_limited(), faults.rate_limited("0"), faults.answer(BALANCE))
    await client.balance()
    assert server.asked("balance") == 3


async def test_a_wait_too_long_goes_to_the_caller(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.rate_limited("3600"))
    with pytest.raises(RateLimited) as raised:
        await client.balance()
    assert raised.value.retry_after == timedelta(hours=1)
    assert server.asked("balance") == 1


@pytest.mark.parametrize("fault", [faults.silence, faults.slow_drip])
async def test_an_answer_that_never_ends_is_given_up_and_in_doubt(server: FaultServer, fault: Fault) -> None:
    endpoint = Endpoint("main", server.url, KEY, 1_000_000, timeout=timedelta(seconds=0.2))
    async with PanelClient(endpoint) as client:
        server.script(fault)
        with pytest.raises(Ambiguous):
            await client.add({"service": "1"})
    assert server.asked("add") == 1


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


UNREACHABLE = {
    "refused": f"http://127.0.0.1:{closed_port()}/api/v2",
    "no such host": "https://panel.invalid/api/v2",
}


@pytest.mark.parametrize("url", UNREACHABLE.values(), ids=UNREACHABLE.keys())
@pytest.mark.parametrize("call", PAID.values(), ids=PAID.keys())
async def test_no_connection_proves_that_nothing_was_sent(
    url: str, call: Callable[[PanelClient], Awaitable[object]]
) -> None:
    async with PanelClient(Endpoint("main", url, KEY)) as client:
        with pytest.raises(NotSent, match="no connection"):
            await call(client)


async def test_a_failed_tls_handshake_proves_that_nothing_was_sent(server: FaultServer) -> None:
    url = server.url.replace("http:", "https:")
    async with PanelClient(Endpoint("main", url, KEY, timeout=timedelta(seconds=2))) as client:
        task = asyncio.ensure_future(client.add({"service": "1"}))
        with pytest.raises(NotSent):
            await task
    assert server.seen == []


async def test_what_can_t_be_written_as_a_form_is_not_sent(server: FaultServer, client: PanelClient) -> None:
    with pytest.raises(NotSent):
        await client.add({"service": "1", "link": "\ud800"})
    assert server.seen == []


async def test_a_canceled_paid_call_was_sent_once_and_passes_the_canceling_on(
    server: FaultServer, client: PanelClient
) -> None:
    server.script(faults.silence)
    task = asyncio.create_task(client.add({"service": "1"}))
    await server.arrived(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.asked("add") == 1


async def test_a_stale_connection_never_carries_a_paid_call(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.then_close(faults.answer(BALANCE)), faults.answer({"order": 5}))
    await client.balance()
    assert await client.add({"service": "1"}) == "5"
    assert [seen.connection for seen in server.seen] == [1, 2]


async def test_two_paid_calls_use_two_connections(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer({"order": 5}))
    await client.add({"service": "1"})
    await client.add({"service": "1"})
    assert [seen.connection for seen in server.seen] == [1, 2]


async def test_reads_keep_their_connection(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer(BALANCE))
    await client.balance()
    await client.balance()
    assert server.connections == 1


async def test_the_key_travels_in_the_body_alone(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer(BALANCE))
    await client.balance()
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/api/v2")
    assert seen.form == {"action": "balance", "key": KEY}
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert KEY not in str(seen.headers)


async def test_parameters_can_t_replace_the_key_or_the_action(
    server: FaultServer, client: PanelClient
) -> None:
    server.script(faults.answer({"order": 5}))
    await client.add({"service": "1", "key": "other", "action": "balance"})
    assert server.seen[0].form == {"service": "1", "key": KEY, "action": "add"}


async def test_a_cookie_is_not_kept(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer(BALANCE, headers={"Set-Cookie": "PHPSESSID=1; Path=/"}))
    await client.balance()
    await client.balance()
    assert "cookie" not in server.seen[1].headers


async def test_a_packed_answer_is_read(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.gzipped(BALANCE))
    assert (await client.balance()).currency == "USD"


async def test_a_byte_order_mark_is_read_over(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.raw(b'\xef\xbb\xbf{"balance": 2, "currency": "EUR"}'))
    assert await client.balance() == Balance(amount=2, currency="EUR")


async def test_a_proxy_of_the_environment_is_ignored(
    server: FaultServer, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    server.script(faults.answer(BALANCE))
    async with PanelClient(endpoint) as client:
        await client.balance()
    assert server.asked("balance") == 1


async def test_every_attempt_is_reported(server: FaultServer, endpoint: Endpoint) -> None:
    reports: list[CallReport] = []
    server.script(faults.html(502), faults.answer(BALANCE), faults.answer({"error": "Incorrect order ID"}))
    async with PanelClient(endpoint, on_call=reports.append) as client:
        await client.balance()
        with pytest.raises(Rejected):
            await client.refill("1")
    assert [(report.action, report.attempt, report.outcome) for report in reports] == [
        ("balance", 1, "ambiguous"),
        ("balance", 2, "answered"),
        ("refill", 1, "rejected"),
    ]


async def test_an_error_keeps_no_trace_of_the_request(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.close_before_headers)
    with pytest.raises(Ambiguous) as raised:
        await client.add({"service": "1"})
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
