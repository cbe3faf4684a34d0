"""The server on real sockets: a port, a Unix socket, a busy address, a clean end."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from smm_rules.config.web import ListenAddress
from smm_rules.web.server import ListenFailed, PageServer

ANY_PORT = ListenAddress("127.0.0.1", 0)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


async def read(address: ListenAddress) -> str:
    transport = httpx.AsyncHTTPTransport(uds=None if address.path is None else str(address.path))
    url = "http://page/" if address.path is not None else f"http://{address}/"
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.get(url)).text


async def test_it_serves_a_port_until_it_is_stopped() -> None:
    server = PageServer(hello, ANY_PORT)
    await server.start()
    assert server.address.port > 0
    assert await read(server.address) == "hello"
    await server.stop()
    with pytest.raises(httpx.ConnectError):
        await read(server.address)
    await server.stop()


async def test_it_serves_a_socket_for_its_owner_and_group(tmp_path: Path) -> None:
    address = ListenAddress(path=tmp_path / "web.sock")
    server = PageServer(hello, address)
    await server.start()
    assert address.path is not None
    assert stat.S_IMODE(address.path.stat().st_mode) == 0o660
    assert await read(address) == "hello"
    await server.stop()
    assert not address.path.exists()


async def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = PageServer(hello, ListenAddress(path=path))
    await server.start()
    assert await read(server.address) == "hello"
    await server.stop()


async def test_a_socket_that_another_process_put_there_is_left_to_it(tmp_path: Path) -> None:
    address = ListenAddress(path=tmp_path / "web.sock")
    assert address.path is not None
    first, second = PageServer(hello, address), PageServer(hello, address)
    await first.start()
    address.path.unlink()
    await second.start()
    await first.stop()
    assert await read(address) == "hello"
    await second.stop()


async def test_a_busy_port_says_so() -> None:
    first = PageServer(hello, ANY_PORT)
    await first.start()
    with pytest.raises(ListenFailed, match="something else listens there already"):
        await PageServer(hello, first.address).start()
    await first.stop()


async def test_a_socket_in_use_and_a_file_are_left_alone(tmp_path: Path) -> None:
    address = ListenAddress(path=tmp_path / "web.sock")
    first = PageServer(hello, address)
    await first.start()
    with pytest.raises(ListenFailed, match="listens there already"):
        await PageServer(hello, address).start()
    assert await read(address) == "hello"
    await first.stop()
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(ListenFailed):
        await PageServer(hello, ListenAddress(path=file)).start()
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "address", [ListenAddress("192.0.2.1", 8787), ListenAddress(path=Path("/nonexistent/web.sock"))]
)
async def test_an_address_that_cannot_be_had_says_why(address: ListenAddress) -> None:
    with pytest.raises(ListenFailed, match="can't listen on"):
        await PageServer(hello, address).start()


async def test_an_answer_under_way_is_finished_at_the_stop() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await PlainTextResponse("whole")(scope, receive, send)

    server = PageServer(slow, ANY_PORT)
    await server.start()
    asked = asyncio.create_task(read(server.address))
    await begun.wait()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    go_on.set()
    assert await asked == "whole"
    await stopping


async def test_an_application_that_raises_is_one_answer() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    server = PageServer(broken, ANY_PORT)
    await server.start()
    assert await read(server.address) == "Internal Server Error"
    assert await read(server.address) == "Internal Server Error"
    await server.stop()
