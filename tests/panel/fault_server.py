"""A panel that misbehaves on purpose, on a raw socket, and counts what it was asked.

    async with FaultServer() as server:
        server.script(close_before_headers(), answer({"balance": "1", "currency": "USD"}))
        …
        assert server.asked("balance") == 2

Each request takes the next fault of the script; the last one stays. Every request is noted before the fault
happens: what the server saw is what a real panel may have acted on.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Seen:
    """One request in full, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    connection: int


@dataclass(frozen=True)
class Turn:
    """What a fault works with: the request, the open socket and the end of the test."""

    seen: Seen
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    over: asyncio.Event


Fault = Callable[[Turn], Awaitable[None]]


def _head(status: int, headers: Mapping[str, str], length: int | None) -> bytes:
    lines = [f"HTTP/1.1 {status} Said So", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """A complete answer with this very body."""

    async def fault(turn: Turn) -> None:
        turn.writer.write(_head(status, headers or {}, len(body)) + body)
        await turn.writer.drain()

    return fault


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """A complete answer in JSON."""
    return raw(json.dumps(document).encode(), status, headers)


def answer_by(respond: Callable[[Seen], object]) -> Fault:
    """An answer in JSON that depends on the request."""

    async def fault(turn: Turn) -> None:
        await answer(respond(turn.seen))(turn)

    return fault


def gzipped(document: object) -> Fault:
    """A complete answer in JSON, packed."""
    return raw(gzip.compress(json.dumps(document).encode()), headers={"Content-Encoding": "gzip"})


def html(status: int = 200) -> Fault:
    """The page of a proxy in front of the panel."""
    page = b"<!DOCTYPE html><html><title>Just a moment...</title><body>502 Bad Gateway</body></html>"
    return raw(page, status, {"Content-Type": "text/html"})


def truncated(document: object) -> Fault:
    """A complete HTTP answer whose JSON breaks off."""
    return raw(json.dumps(document).encode()[:-2])


def redirect(location: str, status: int = 302) -> Fault:
    return raw(b"", status, {"Location": location})


def rate_limited(retry_after: str | None = None, status: int = 429) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return answer({"error": "Rate limit exceeded"}, status, headers)


def failing(status: int = 500) -> Fault:
    """A server error after the request took effect."""
    return raw(b"Internal Server Error", status, {"Content-Type": "text/plain"})


def nested(depth: int = 100_000) -> Fault:
    return raw(b"[" * depth + b"]" * depth)


def huge(size: int) -> Fault:
    """A body of `size` bytes, in chunks, without its length said."""

    async def fault(turn: Turn) -> None:
        turn.writer.write(_head(200, {"Transfer-Encoding": "chunked"}, None))
        block = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(-(-size // 0x10000)):
            turn.writer.write(block)
            await turn.writer.drain()
        turn.writer.write(b"0\r\n\r\n")
        await turn.writer.drain()

    return fault


def gzip_bomb(size: int) -> Fault:
    return raw(gzip.compress(b" " * size), headers={"Content-Encoding": "gzip"})


async def close_before_headers(turn: Turn) -> None:
    """Take the request and hang up."""
    turn.writer.transport.abort()


async def close_after_headers(turn: Turn) -> None:
    """Say that an answer comes, and hang up."""
    turn.writer.write(_head(200, {}, 500))
    await turn.writer.drain()
    turn.writer.close()


def half_a_body(document: object) -> Fault:
    """Send half of the body that was promised, and hang up."""
    body = json.dumps(document).encode()

    async def fault(turn: Turn) -> None:
        turn.writer.write(_head(200, {}, len(body)) + body[: len(body) // 2])
        await turn.writer.drain()
        turn.writer.close()

    return fault


async def silence(turn: Turn) -> None:
    """Never answer."""
    await turn.over.wait()


async def slow_drip(turn: Turn) -> None:
    """Send a byte now and then: each read succeeds, the answer never ends."""
    turn.writer.write(_head(200, {}, 100_000))
    while not turn.over.is_set():
        turn.writer.write(b" ")
        await turn.writer.drain()
        await asyncio.sleep(0.02)


async def not_http(turn: Turn) -> None:
    turn.writer.write(b"220 mail.example ESMTP\r\n")
    await turn.writer.drain()
    turn.writer.close()


def then_close(fault: Fault) -> Fault:
    """Answer, and hang up without having said so: the connection looks alive to the client."""

    async def closing(turn: Turn) -> None:
        await fault(turn)
        turn.writer.close()

    return closing


class FaultServer:
    """A scripted server on 127.0.0.1. `seen` holds every complete request in the order of arrival."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self._faults: list[Fault] = [silence]
        self._over = asyncio.Event()
        self._arrival = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def script(self, *faults: Fault) -> None:
        """What to do with the next requests; the last fault serves all that follow."""
        self._faults = list(faults)

    def asked(self, action: str) -> int:
        """How many requests of this action arrived."""
        return sum(1 for seen in self.seen if seen.form.get("action") == action)

    async def arrived(self, count: int) -> None:
        """Wait until `count` requests have arrived."""
        while len(self.seen) < count:
            self._arrival.clear()
            await self._arrival.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v2"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            while not writer.is_closing():
                seen = await _request(reader, number)
                self.seen.append(seen)
                self._arrival.set()
                fault = self._faults.pop(0) if len(self._faults) > 1 else self._faults[0]
                await fault(Turn(seen, reader, writer, self._over))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


async def _request(reader: asyncio.StreamReader, connection: int) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Seen(method, path, headers, form, connection)


def by_id(rows: Mapping[str, object], drop: Sequence[str] = ()) -> Fault:
    """Answer `orders=` with these rows by ID, an error for others, and nothing for those dropped."""

    def respond(seen: Seen) -> object:
        asked = seen.form.get("orders", seen.form.get("order", "")).split(",")
        return {name: rows.get(name, {"error": "Incorrect order ID"}) for name in asked if name not in drop}

    return answer_by(respond)
