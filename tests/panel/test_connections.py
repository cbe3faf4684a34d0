"""Connections that are kept for reads: one request, its own answer, and given up when in any doubt."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.panel import connections
from smm_rules.panel.client import PanelClient
from smm_rules.panel.connections import Connections, NoConnection
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import Ambiguous, NotSent, PanelError
from smm_rules.panel.replies import Reply
from smm_rules.panel.retrying import RetryPolicy
from smm_rules.panel.transport import Transport
from tests.panel import fault_server as faults
from tests.panel.conftest import KEY
from tests.panel.fault_server import Fault, FaultServer, Turn

CERTIFICATE = Path(__file__).with_name("loopback.pem")
BALANCE = {"balance": "5.5", "currency": "USD"}
ONE_ATTEMPT = RetryPolicy(attempts=1)
LARGEST = 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"balance":1}'
SIZED = HEAD + b"Content-Length: 13\r\n\r\n" + BODY

#: What a server writes, and whether it hangs up then.
WRITTEN: dict[str, tuple[bytes, bool]] = {
    "sized": (SIZED, False),
    "in chunks": (
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"bal\r\n8\r\nance":1}\r\n0\r\n\r\n',
        False,
    ),
    "in chunks with trailers": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\nX-More: 1\r\n\r\n",
        False,
    ),
    "until the end": (HEAD + b"\r\n" + BODY, True),
    "of HTTP 1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, True),
    "after an informational one": (b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + SIZED, False),
    "packed": (
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY),
        True,
    ),
    "packed, and more after its end": (
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY) + b"more",
        True,
    ),
    "packed twice over": (HEAD + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n" + BODY, True),
    "too large": (HEAD + b"Content-Length: 2000\r\n\r\n" + b" " * 2000, False),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", False),
    "an error": (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}", False),
    "cut short": (HEAD + b"Content-Length: 500\r\n\r\n" + BODY, True),
    "cut short in chunks": (HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"bal', True),
    "a bad chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", True),
    "two lengths": (HEAD + b"Content-Length: 13\r\nContent-Length: 14\r\n\r\n" + BODY, True),
    "a switch of protocols": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", True),
    "a head cut short": (HEAD, True),
    "a head without end": (HEAD + b"X-Long: " + b"a" * 200_000, True),
    "nothing": (b"", True),
    "no HTTP": (b"220 mail.example ESMTP\r\n", True),
}


def written(data: bytes, hang_up: bool, piece: int) -> Fault:
    """These bytes, `piece` at a time."""

    async def fault(turn: Turn) -> None:
        for start in range(0, len(data), piece):
            turn.writer.write(data[start : start + piece])
            await turn.writer.drain()
            await asyncio.sleep(0)
        if hang_up:
            turn.writer.close()

    return fault


async def outcome(transport: Transport, *, acting: bool) -> Reply | type[PanelError]:
    try:
        return await transport.post({"action": "balance"}, LARGEST, acting=acting)
    except PanelError as error:
        return type(error)


@pytest.mark.parametrize("piece", [7, 1_000_000])
@pytest.mark.parametrize(("data", "hang_up"), WRITTEN.values(), ids=WRITTEN.keys())
async def test_an_answer_comes_to_the_same_over_a_kept_connection_and_by_httpx(
    server: FaultServer, endpoint: Endpoint, data: bytes, hang_up: bool, piece: int
) -> None:
    server.script(written(data, hang_up, piece if len(data) < 10_000 else 1_000_000))
    transport = Transport(endpoint)
    assert await outcome(transport, acting=False) == await outcome(transport, acting=True)
    await transport.aclose()


@pytest.mark.parametrize(
    ("data", "hang_up"),
    [WRITTEN[name] for name in ("sized", "in chunks", "until the end", "of HTTP 1.0", "packed")],
)
async def test_every_shape_of_an_answer_is_read(
    server: FaultServer, endpoint: Endpoint, data: bytes, hang_up: bool
) -> None:
    server.script(written(data, hang_up, 1_000_000))
    transport = Transport(endpoint)
    assert await outcome(transport, acting=False) == Reply(200, BODY.decode())
    await transport.aclose()


UNUSABLE: dict[str, Fault] = {
    "the panel said so": faults.answer(BALANCE, headers={"Connection": "close"}),
    "the panel hung up": faults.then_close(faults.answer(BALANCE)),
    "more arrived than the answer": written(SIZED + SIZED, False, 1_000_000),
    "the answer was too large": faults.huge(5 * 1024 * 1024),
    "the answer was no HTTP": faults.not_http,
    "the answer is cut short": faults.half_a_body(BALANCE),
}


@pytest.mark.parametrize("first", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_the_next_read_gets_a_connection_of_its_own_when(server: FaultServer, first: Fault) -> None:
    endpoint = Endpoint("main", server.url, KEY, 1_000_000)
    server.script(first, faults.answer({"balance": "7", "currency": "EUR"}))
    async with PanelClient(endpoint, retries=ONE_ATTEMPT) as client:
        with contextlib.suppress(PanelError):
            await client.balance()
        assert (await client.balance()).currency == "EUR"
    assert [seen.connection for seen in server.seen] == [1, 2]


async def test_what_nobody_asked_for_is_nobody_s_answer(server: FaultServer, endpoint: Endpoint) -> None:
    """A second answer may arrive long after the first: the connection is closed as soon as it does."""
    later: list[Turn] = []

    async def keep(turn: Turn) -> None:
        later.append(turn)
        await faults.answer(BALANCE)(turn)

    server.script(keep, faults.answer({"balance": "7", "currency": "EUR"}))
    async with PanelClient(endpoint, retries=ONE_ATTEMPT) as client:
        await client.balance()
        await faults.answer({"balance": "666", "currency": "XXX"})(later[0])
        assert (await client.balance()).currency == "EUR"
    assert [seen.connection for seen in server.seen] == [1, 2]


async def test_a_connection_unused_for_long_is_not_used_again(
    server: FaultServer, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(faults.answer(BALANCE))
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.0)
    await client.balance()
    await client.balance()
    assert [seen.connection for seen in server.seen] == [1, 2]


async def test_no_more_connections_are_kept_than_are_used_at_once(server: FaultServer) -> None:
    kept = Connections(server.url, None, {}, 1, 1.0)
    server.script(faults.silence, faults.answer(BALANCE))
    first = asyncio.create_task(kept.ask(b"", LARGEST))
    await server.arrived(1)
    await asyncio.gather(*(kept.ask(b"", LARGEST) for _ in range(3)))
    await kept.ask(b"", LARGEST)
    assert server.connections == 4
    first.cancel()
    await kept.aclose()


async def test_a_canceled_read_leaves_no_answer_for_the_next(server: FaultServer, endpoint: Endpoint) -> None:
    answering = asyncio.Event()

    async def late(turn: Turn) -> None:
        await answering.wait()
        await faults.answer({"balance": "666", "currency": "XXX"})(turn)

    server.script(late, faults.answer(BALANCE))
    async with PanelClient(endpoint, retries=ONE_ATTEMPT) as client:
        task = asyncio.create_task(client.balance())
        await server.arrived(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answering.set()
        assert (await client.balance()).currency == "USD"


async def test_closing_ends_what_is_under_way(server: FaultServer, endpoint: Endpoint) -> None:
    client = PanelClient(endpoint, retries=ONE_ATTEMPT)
    task = asyncio.create_task(client.balance())
    await server.arrived(1)
    await client.aclose()
    with pytest.raises(Ambiguous):
        await task


async def test_closing_while_a_connection_is_made_sends_nothing(server: FaultServer) -> None:
    server.script(faults.answer(BALANCE))
    kept = Connections(server.url, None, {}, 1, 1.0)
    task = asyncio.create_task(kept.ask(b"", LARGEST))
    await asyncio.sleep(0)
    await kept.aclose()
    with pytest.raises(NoConnection, match="closed"):
        await task
    assert server.seen == []


async def test_an_answer_that_never_ends_is_given_up(server: FaultServer) -> None:
    endpoint = Endpoint("main", server.url, KEY, 1_000_000, timeout=timedelta(seconds=0.2))
    async with PanelClient(endpoint, retries=ONE_ATTEMPT) as client:
        server.script(faults.slow_drip)
        with pytest.raises(Ambiguous, match="TimeoutError"):
            await client.balance()


async def test_path_and_query_of_the_address_are_kept(server: FaultServer) -> None:
    endpoint = Endpoint("main", f"{server.url}?a=1&b=%C3%A9", KEY)
    server.script(faults.answer(BALANCE))
    async with PanelClient(endpoint) as client:
        await client.balance()
    (seen,) = server.seen
    assert (seen.path, seen.headers["host"]) == ("/api/v2?a=1&b=%C3%A9", f"127.0.0.1:{server.port}")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/api/v2", "https://panel.invalid/api/v2", f"https://{'a' * 64}.invalid/"]
)
async def test_without_a_connection_a_read_is_not_sent(url: str) -> None:
    async with PanelClient(Endpoint("main", url, KEY), retries=ONE_ATTEMPT) as client:
        with pytest.raises(NotSent, match="no connection"):
            await client.balance()


async def silent_server(accepted: asyncio.Event) -> tuple[asyncio.Server, int]:
    """It takes connections and says nothing."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    running = await asyncio.start_server(take, "127.0.0.1", 0)
    return running, running.sockets[0].getsockname()[1]


async def test_a_handshake_that_takes_too_long_is_no_connection() -> None:
    accepted = asyncio.Event()
    running, port = await silent_server(accepted)
    kept = Connections(f"https://127.0.0.1:{port}/", ssl.create_default_context(), {}, 1, 0.1)
    with pytest.raises(NoConnection, match=r"none within 0\.1 s"):
        await kept.ask(b"", LARGEST)
    assert accepted.is_set()
    running.close()


async def test_over_tls_a_connection_is_kept_and_its_certificate_checked() -> None:
    taken = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(SIZED)
        except asyncio.IncompleteReadError:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = running.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    kept = Connections(f"https://127.0.0.1:{port}/", trusting, {}, 1, 5.0)
    answers = [(await kept.ask(b"", LARGEST)).body for _ in range(3)]
    assert (answers, taken) == ([BODY] * 3, 1)
    await kept.aclose()
    doubting = Connections(f"https://127.0.0.1:{port}/", ssl.create_default_context(), {}, 1, 5.0)
    with pytest.raises(NoConnection, match="certificate verify failed"):
        await doubting.ask(b"", LARGEST)
    elsewhere = Connections(f"https://127.0.0.2:{port}/", trusting, {}, 1, 5.0)
    with pytest.raises(NoConnection):
        await elsewhere.ask(b"", LARGEST)
    assert taken == 1
    running.close()
