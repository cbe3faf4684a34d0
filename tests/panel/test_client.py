"""The client's own promises: batches, what is missing, what is told, and that the key never is."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from smm_rules.observe.events.panel import EVENTS
from smm_rules.panel.answers import Accepted, OrderState, RefillState, Refused
from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import NotSent, PanelError, RefusalReason, Rejected, Unreadable
from smm_rules.panel.retrying import RetryPolicy
from tests.panel import fault_server as faults
from tests.panel.conftest import KEY
from tests.panel.fault_server import FaultServer, Seen

DONE = {"charge": "1", "start_count": None, "status": "Completed", "remains": 0, "currency": "USD"}
DONE_STATE = OrderState("Completed", True, 0, None, Decimal(1), "USD")


async def test_250_orders_are_asked_in_batches_of_100(server: FaultServer, client: PanelClient) -> None:
    ids = [str(number) for number in range(1, 251)]
    server.script(faults.by_id(dict.fromkeys(ids, DONE), drop=["7"]))
    states = await client.order_states([*ids, "1", "2"])
    assert sorted(len(seen.form["orders"].split(",")) for seen in server.seen) == [50, 100, 100]
    assert states.found == dict.fromkeys((name for name in ids if name != "7"), DONE_STATE)
    assert (states.missing, states.failed) == (("7",), {})


async def test_one_order_is_asked_by_order(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer(DONE))
    assert (await client.order_states(["5"])).found == {"5": DONE_STATE}
    assert server.seen[0].form == {"order": "5", "action": "status", "key": KEY}


async def test_no_orders_are_not_asked_about(server: FaultServer, client: PanelClient) -> None:
    assert (await client.order_states([])).found == {}
    assert await client.refill_many([]) == {}
    assert server.seen == []


async def test_one_failed_batch_loses_no_other_s_answers(server: FaultServer, endpoint: Endpoint) -> None:
    ids = [str(number) for number in range(1, 251)]

    def respond(seen: Seen) -> object:
        asked = seen.form["orders"].split(",")
        return "nonsense" if "1" in asked else dict.fromkeys(asked, DONE)

    server.script(faults.answer_by(respond))
    async with PanelClient(endpoint, retries=RetryPolicy(attempts=2)) as client:
        states = await client.order_states(ids)
    assert states.found.keys() == set(ids[100:])
    assert states.missing == tuple(ids[:100])
    assert {type(error) for error in states.failed.values()} == {Unreadable}
    assert states.failed.keys() == set(ids[:100])
    assert server.asked("status") == 4


async def test_a_batch_refused_for_one_order_is_asked_about_in_parts(
    server: FaultServer, client: PanelClient
) -> None:
    ids = [str(number) for number in range(1, 151)]

    def respond(seen: Seen) -> object:
        asked = seen.form.get("orders", seen.form.get("order", "")).split(",")
        if "42" in asked:
            return {"error": "Incorrect order ID"}
        return dict.fromkeys(asked, DONE) if len(asked) > 1 else DONE

    server.script(faults.answer_by(respond))
    states = await client.order_states(ids)
    assert states.found == {**dict.fromkeys(ids, DONE_STATE), "42": Refused("Incorrect order ID")}
    assert (states.missing, states.failed) == ((), {})
    assert server.asked("status") <= 2 + 14


async def test_all_batches_failing_raises(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer({"error": "Invalid API key"}, 401))
    with pytest.raises(Rejected) as raised:
        await client.order_states([str(number) for number in range(1, 1001)])
    assert raised.value.reason is RefusalReason.INVALID_KEY
    # Those under way at the first failure end by themselves; the other batches are not sent.
    assert server.asked("status") <= 4


async def test_one_order_s_refusal_is_an_answer(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.answer({"error": "Incorrect order ID"}))
    states = await client.order_states(["5"])
    assert (states.found, states.missing) == ({"5": Refused("Incorrect order ID")}, ())


async def test_one_order_s_answer_about_the_key_is_a_failure(
    server: FaultServer, client: PanelClient
) -> None:
    server.script(faults.answer({"error": "Invalid API key"}))
    with pytest.raises(Rejected):
        await client.order_states(["5"])


async def test_refill_states_one_and_many(server: FaultServer, client: PanelClient) -> None:
    server.script(
        faults.answer({"status": "Completed"}),
        faults.answer({"error": "Refill not found"}),
        faults.answer([{"refill": 2, "status": "Rejected"}]),
    )
    assert (await client.refill_states(["1"])).found == {"1": RefillState("Completed", True)}
    assert (await client.refill_states(["9"])).found == {"9": Refused("Refill not found")}
    many = await client.refill_states(["2", "3"])
    assert (many.found, many.missing) == ({"2": RefillState("Rejected", True)}, ("3",))
    assert [seen.form.get("refill", seen.form.get("refills")) for seen in server.seen] == ["1", "9", "2,3"]


async def test_refill_many_and_cancel_answer_by_order(server: FaultServer, client: PanelClient) -> None:
    server.script(
        faults.answer([{"order": 1, "refill": 5}, {"order": 2, "refill": {"error": "Incorrect order ID"}}]),
        faults.answer([{"order": 1, "cancel": 1}, {"order": 2, "error": "Cancel is not available"}]),
    )
    assert await client.refill_many(["1", "2", "3", "1"]) == {
        "1": Accepted("5"),
        "2": Refused("Incorrect order ID"),
    }
    assert await client.cancel(["1", "2"]) == {"1": Accepted(""), "2": Refused("Cancel is not available")}
    assert [seen.form["orders"] for seen in server.seen] == ["1,2,3", "1,2"]


async def test_more_than_100_orders_are_not_acted_on(server: FaultServer, client: PanelClient) -> None:
    with pytest.raises(ValueError, match="at most 100 orders fit one cancel, not 101"):
        await client.cancel([str(number) for number in range(1, 102)])
    assert server.seen == []


@pytest.mark.parametrize(
    "document",
    [
        {"order": 5, "error": "Not enough funds"},
        {"order": "x-5", "error": {"message": "late"}},
        {"order": {"id": 5}, "error": "late"},
        {"order_id": 5, "status": "fail", "message": "late"},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 429, 500])
async def test_an_error_beside_an_order_is_in_doubt(
    server: FaultServer, client: PanelClient, document: object, status: int
) -> None:
    server.script(faults.answer(document, status))
    with pytest.raises(Unreadable, match="an error beside a result"):
        await client.add({"service": "1"})


@pytest.mark.parametrize("nothing", [None, "", 0, "0", False, []])
async def test_an_error_beside_no_order_is_a_refusal(
    server: FaultServer, client: PanelClient, nothing: object
) -> None:
    server.script(faults.answer({"order": nothing, "error": "Not enough funds"}))
    with pytest.raises(Rejected):
        await client.add({"service": "1"})


async def test_the_catalogue_may_be_larger_than_other_answers(
    server: FaultServer, client: PanelClient
) -> None:
    rows = [{"service": number, "name": "x" * 400, "rate": "1"} for number in range(1, 10_001)]
    server.script(faults.gzipped(rows))
    assert len(await client.services()) == 10_000


async def test_bytes_of_an_old_encoding_spoil_one_name_only(server: FaultServer, client: PanelClient) -> None:
    server.script(faults.raw(b'[{"service": 1, "name": "Caf\xe9"}, {"service": 2, "name": "ok"}]'))
    assert [service.name for service in await client.services()] == ["Caf\ufffd", "ok"]


async def test_unreadable_rows_unknown_statuses_and_retries_are_told(
    server: FaultServer, client: PanelClient
) -> None:
    server.script(
        faults.html(502),
        faults.answer([{"service": 1}, {"name": "x"}]),
        faults.answer({"1": {"status": "Odd"}, "2": {"status": "Odd"}, "3": {}}),
    )
    with capture_logs() as logs:
        await client.services()
        await client.order_states(["1", "2", "3"])
    told = [entry for entry in logs if entry["event"] != "panel.request"]
    assert told == [
        {
            "event": "panel.retry",
            "log_level": "warning",
            "panel": "main",
            "action": "services",
            "attempt": 2,
            "outcome": "ambiguous",
            "error": "HTTP 502: an HTML page instead of JSON",
        },
        {
            "event": "panel.row_unreadable",
            "log_level": "warning",
            "panel": "main",
            "action": "services",
            "count": 1,
            "example": "row 2 has no service ID",
        },
        {
            "event": "panel.row_unreadable",
            "log_level": "warning",
            "panel": "main",
            "action": "status",
            "count": 1,
            "example": "3",
        },
        {
            "event": "panel.status_unrecognised",
            "log_level": "warning",
            "panel": "main",
            "kind": "order",
            "id": "1",
            "status": "Odd",
        },
    ]
    catalogued = {event.name: {*event.fields, "event", "log_level"} for event in EVENTS}
    assert [entry.keys() for entry in logs] == [catalogued[entry["event"]] for entry in logs]


async def test_a_status_nobody_knows_is_told_once(server: FaultServer, client: PanelClient) -> None:
    """For all orders and refills and however often it comes: one event."""
    server.script(
        faults.answer({"1": {"status": "Awaiting moon"}, "2": {"status": "Completed"}}),
        faults.answer({"1": {"status": "Awaiting moon"}, "3": {"status": "Awaiting moon"}}),
        faults.answer([{"refill": 9, "status": "Awaiting moon"}]),
    )
    with capture_logs() as logs:
        await client.order_states(["1", "2"])
        await client.order_states(["1", "3"])
        await client.refill_states(["9"])
    told = [entry for entry in logs if entry["event"] == "panel.status_unrecognised"]
    assert [(entry["kind"], entry["id"], entry["status"]) for entry in told] == [
        ("order", "1", "Awaiting moon")
    ]


ECHOES = {
    "error": faults.answer({"error": f"Invalid API key {KEY}"}, 401),
    "crash": faults.answer({"error": f"query failed near '{KEY}'"}, 500),
    "location": faults.redirect(f"https://elsewhere.example/?key={KEY}"),
    "status": faults.answer({"status": KEY, "order": KEY, "refill": {"error": KEY}}),
    "row": faults.answer([{"order": 1, "cancel": {"error": f"no {KEY}"}}, {"service": KEY, "name": KEY}]),
    "protocol": faults.not_http,
    "reset": faults.close_before_headers,
}


@pytest.mark.parametrize("fault", ECHOES.values(), ids=ECHOES.keys())
async def test_the_key_is_in_no_log_error_or_repr(
    server: FaultServer, endpoint: Endpoint, fault: faults.Fault, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(fault)
    said: list[object] = []
    caplog.set_level(logging.DEBUG)
    async with PanelClient(endpoint, retries=RetryPolicy(attempts=2)) as client:
        said += [client, endpoint]
        calls = (
            client.services,
            client.balance,
            lambda: client.order_states(["1", "2"]),
            lambda: client.add({"service": "1"}),
            lambda: client.refill("1"),
            lambda: client.cancel(["1"]),
        )
        with capture_logs() as logs:
            for call in calls:
                try:
                    said.append(await call())
                except PanelError as error:
                    said += [error, error.args, error.__dict__, error.__cause__, error.__context__]
    # httpcore's own debug log quotes what the panel sends; it is redacted where logs are written.
    others = [record.getMessage() for record in caplog.records if not record.name.startswith("httpcore")]
    output = repr(said) + "".join(map(str, said)) + repr(logs) + repr(others)
    assert len(server.seen) >= 6
    assert KEY not in output


async def test_ready_takes_nothing(server: FaultServer) -> None:
    server.script(faults.answer({"order": 1}))
    endpoint = Endpoint("main", server.url, KEY, requests_per_minute=1, connections=1)
    async with PanelClient(endpoint) as client:
        await client.ready()
        await client.ready()
        assert await client.add({"service": "1"}) == "1"


async def test_every_attempt_spends_the_budget(server: FaultServer) -> None:
    server.script(faults.html(502))
    endpoint = Endpoint("main", server.url, KEY, requests_per_minute=2, timeout=timedelta(seconds=1))
    async with PanelClient(endpoint) as client:
        task = asyncio.create_task(client.balance())
        await server.arrived(1)
        done, _ = await asyncio.wait({task}, timeout=0.05)
        assert done == set()
        task.cancel()
    assert server.asked("balance") == 1


async def test_a_closed_client_sends_nothing(server: FaultServer, endpoint: Endpoint) -> None:
    client = PanelClient(endpoint)
    await client.aclose()
    with pytest.raises(NotSent):
        await client.refill("1")
    assert server.seen == []
