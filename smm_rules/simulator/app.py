"""The panel's HTTP face: API v2 as bare ASGI, because it is asked a lot, and the controls by Starlette."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smm_rules.simulator.api import Reply
from smm_rules.simulator.course import draw
from smm_rules.simulator.faults import Fault
from smm_rules.simulator.refusal import Reason
from smm_rules.simulator.simulator import Simulator

#: Where the server puts the connection's transport, so that a fault can cut it.
TRANSPORT = "smm_rules.transport"
API_PATH = "/api/v2"
_MOST_PARAMETERS = 1000
_HUNG = frozenset({Fault.HANG_BEFORE_EFFECT, Fault.HANG_AFTER_EFFECT})
_CLOSED = frozenset({Fault.CLOSE_BEFORE_EFFECT, Fault.CLOSE_AFTER_EFFECT})


class BodyTooLarge(Exception):
    """The request's body is longer than the settings allow."""


class Disconnected(Exception):
    """The asker went away before the request was whole."""


class PanelApp:
    """The ASGI application. `closing` is set when the server stops, so that hung answers let go."""

    def __init__(self, simulator: Simulator, controls: ASGIApp) -> None:
        self._simulator = simulator
        self._controls = controls
        self._answered = 0
        self.closing = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/") == API_PATH:
            await self._answer(scope, receive, send)
        else:
            await self._controls(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        api = self._simulator.api
        try:
            if scope["method"] != "POST":
                await _send(send, api.refuse_plainly(Reason.METHOD_NOT_ALLOWED), ((b"allow", b"POST"),))
                return
            body = await read_body(receive, self._simulator.settings.largest_body)
            form = await _form(scope, body)
        except BodyTooLarge:
            await _send(send, api.refuse_plainly(Reason.TOO_LARGE), ((b"connection", b"close"),))
            return
        except Disconnected:
            return
        with self._simulator.lock:
            reply = api.answer(form)
        await self._wait(reply.fault)
        await self._deliver(reply, scope, receive, send)

    async def _wait(self, fault: Fault | None) -> None:
        settings = self._simulator.settings
        shortest, longest = (bound.total_seconds() for bound in settings.latency)
        self._answered += 1
        delay = shortest + (longest - shortest) * (draw(settings.seed, self._answered, 6) / 2**64)
        if fault is Fault.SLOW:
            delay += settings.slow_for.total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)

    async def _deliver(self, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        if reply.fault in _HUNG:
            await self._hang(receive)
        if reply.fault in _HUNG or reply.fault in _CLOSED:
            await _cut(scope, receive)
        elif reply.fault is Fault.HALF_BODY:
            await _send_half(send, reply)
            scope[TRANSPORT].close()  # what was written still leaves, the rest never comes
            await _gone(receive)
        else:
            await _send(send, reply)

    async def _hang(self, receive: Receive) -> None:
        """Say nothing until the asker gives up or the server stops."""
        waits = {asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(self.closing.wait())}
        _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in left:
            wait.cancel()


async def read_body(receive: Receive, largest: int) -> bytes:
    """The request's body; `BodyTooLarge` as soon as it is longer than `largest` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > largest:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


async def _form(scope: Scope, body: bytes) -> dict[str, str]:
    """The parameters of a form-encoded or multipart body; of one given twice the last counts, as in PHP."""
    content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if content_type.startswith(b"multipart/form-data"):
        return await _multipart(scope, body)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        return {}


async def _multipart(scope: Scope, body: bytes) -> dict[str, str]:
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException
    from starlette.requests import Request

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(scope, replay).form(max_files=0, max_fields=_MOST_PARAMETERS) as form:
            return {name: value for name, value in form.multi_items() if isinstance(value, str)}
    except (HTTPException, MultiPartException):
        return {}


def _start(reply: Reply, extra: tuple[tuple[bytes, bytes], ...] = ()) -> Message:
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in reply.headers),
        *extra,
    ]
    return {"type": "http.response.start", "status": reply.code, "headers": headers}


async def _send(send: Send, reply: Reply, extra: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    await send(_start(reply, extra))
    await send({"type": "http.response.body", "body": reply.body})


async def _send_half(send: Send, reply: Reply) -> None:
    await send(_start(reply))
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _cut(scope: Scope, receive: Receive) -> None:
    """End the connection without an answer, as a crashed panel does."""
    transport: Any = scope[TRANSPORT]
    transport.abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
