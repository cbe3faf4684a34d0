"""The network between the daemon and the panel: every request leaves, arrives, is answered and returns at
instants of its own, and something may go wrong at each of these boundaries."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import httpx
import structlog

from smm_rules.panel.bodies import Body
from smm_rules.panel.connections import Answer
from smm_rules.panel.transport import CONNECT_SECONDS
from smm_rules.simulator import Fault, Simulator
from smm_rules.simulator.api import Reply
from tests.proof.panel import Panel
from tests.proof.timeline import Timeline

ACTING = frozenset({"add", "refill", "cancel"})


class Wire(StrEnum):
    """What befalls a request on the way. What befalls it at the panel is a `Fault` of the simulator."""

    REFUSED = "refused"
    CONNECT_TIMEOUT = "connect_timeout"
    #: The request was written and never arrived.
    LOST_BEFORE_EFFECT = "lost_before_effect"
    #: The panel acted and its answer never came: the connection is reset.
    LOST_AFTER_EFFECT = "lost_after_effect"
    #: The panel acts at once, its answer comes after the time-out.
    ANSWER_TOO_LATE = "answer_too_late"
    #: The request itself is under way for longer than the time-out, and then has its effect.
    ARRIVES_TOO_LATE = "arrives_too_late"
    #: The connection ends in the middle of the body.
    HALF_BODY = "half_body"


#: The simulator's own faults, as they are drawn for reads and for paid calls.
AT_PANEL = (
    Fault.ERROR_BEFORE_EFFECT,
    Fault.ERROR_AFTER_EFFECT,
    Fault.HTML_BEFORE_EFFECT,
    Fault.HTML_AFTER_EFFECT,
    Fault.TRUNCATED_JSON,
    Fault.RATE_LIMITED,
)
OF_READS = (Fault.MISSING_IDS, Fault.STALE_STATUS, Fault.EMPTY_CATALOGUE)


class Stage(StrEnum):
    """Where a paid call is when the daemon's process may be told to die."""

    BEFORE_LEAVING = "before_leaving"
    LEFT = "left"
    ARRIVED = "arrived"
    ANSWERED = "answered"


@dataclass
class Weather:
    """How likely each request meets trouble, and outages in which nothing gets through."""

    share: float = 0.0
    paid_share: float = 0.0
    outage_until: float = 0.0
    slowest: float = 4.0


@dataclass
class Call:
    """One request as the network saw it. `intent` is the action it belongs to, 0 for reads."""

    number: int
    action: str
    form: dict[str, str]
    intent: int
    left_at: float
    arrived: bool = False
    done: bool = False


@dataclass
class Network:
    """The way to one panel."""

    timeline: Timeline
    panel: Panel
    chance: Random
    weather: Weather = field(default_factory=Weather)
    faults: Counter[str] = field(default_factory=Counter)
    under_way: dict[int, Call] = field(default_factory=dict)
    #: Called at each stage of a paid call; it may kill the process.
    watch: Callable[[Stage], None] = lambda _: None
    _number: int = 0

    @property
    def simulator(self) -> Simulator:
        return self.panel.simulator

    def of(self, name: str) -> Network:
        """The way to the panel of that name; here there is but one."""
        return self

    def transport(self) -> httpx.AsyncBaseTransport:
        """What paid calls go through, in place of sockets."""
        return _Transport(self)

    def connections(self) -> _Connections:
        """What reads go through, in place of sockets."""
        return _Connections(self)

    def paid_under_way(self) -> bool:
        """Whether a paid request has left that may still have its effect."""
        return any(call.action in ACTING and not call.arrived for call in self.under_way.values())

    def draw(self, action: str) -> Wire | Fault | None:
        """What goes wrong with the next request."""
        paid = action in ACTING
        if self.timeline.seconds < self.weather.outage_until:
            return self.chance.choice((Wire.REFUSED, Wire.CONNECT_TIMEOUT))
        if self.chance.random() >= (self.weather.paid_share if paid else self.weather.share):
            return None
        possible: tuple[Wire | Fault, ...] = (*Wire, *AT_PANEL)
        if not paid:
            possible = (*possible, *OF_READS)
        return self.chance.choice(possible)

    def note(self, what: str, call: Call, *more: object) -> None:
        self.timeline.trace.note(self.timeline.seconds, what, call.number, call.action, *more)

    async def exchange(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Carry one request to the panel and its answer back, or raise as httpx does."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self._number += 1
        intent = structlog.contextvars.get_contextvars().get("intent", 0)
        call = Call(self._number, form.get("action", ""), form, int(intent), self.timeline.seconds)
        trouble = self.draw(call.action)
        paid = call.action in ACTING
        if trouble is not None:
            kind = "paid" if paid else "read"
            self.faults[f"{kind} {trouble.value}"] += 1
        self.note("request", call, trouble.value if trouble else "-", intent)
        await self._connect(request, trouble)
        if paid:
            self.watch(Stage.BEFORE_LEAVING)
            await asyncio.sleep(0)
        await _told(request, "http11.send_request_headers.started")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._leave(call, trouble, answer)
        if paid:
            self.watch(Stage.LEFT)
        reply = await answer
        if paid:
            self.watch(Stage.ANSWERED)
            await asyncio.sleep(0)
        return _response(request, reply, cut=trouble is Wire.HALF_BODY)

    async def _connect(self, request: httpx.Request, trouble: Wire | Fault | None) -> None:
        await _told(request, "connection.connect_tcp.started")
        await asyncio.sleep(self.chance.uniform(0.001, 0.05))
        if trouble is Wire.REFUSED:
            raise httpx.ConnectError("connection refused", request=request)
        if trouble is Wire.CONNECT_TIMEOUT:
            await asyncio.sleep(request.extensions["timeout"]["connect"])
            raise httpx.ConnectTimeout("no connection in time", request=request)

    def _leave(self, call: Call, trouble: Wire | Fault | None, answer: asyncio.Future[Reply]) -> None:
        """The bytes are on the way: what follows happens even if the daemon dies."""
        way = self.chance.uniform(0.005, 0.2)
        back = self.chance.uniform(0.01, self.weather.slowest)
        if trouble is Wire.ARRIVES_TOO_LATE:
            way += self.chance.uniform(20, 120)
        if trouble is Wire.ANSWER_TOO_LATE:
            back += self.chance.uniform(30, 90)
        if trouble is Wire.LOST_BEFORE_EFFECT:
            self.timeline.after(way, lambda: _fail(answer))
            return
        self.under_way[call.number] = call

        def arrive() -> None:
            call.arrived = True
            reply = self.panel.answer(call.form, call.intent, trouble if isinstance(trouble, Fault) else None)
            self.note("arrived", call, len(reply.body), reply.code)
            if call.action in ACTING:
                self.watch(Stage.ARRIVED)
            self.timeline.after(back, lambda: returned(reply))

        def returned(reply: Reply) -> None:
            self.under_way.pop(call.number)
            self.note("returned", call)
            if trouble is Wire.LOST_AFTER_EFFECT:
                _fail(answer)
            elif not answer.done() and not answer.get_loop().is_closed():
                answer.set_result(reply)

        self.timeline.after(way, arrive)


def _fail(answer: asyncio.Future[Reply]) -> None:
    if not answer.done() and not answer.get_loop().is_closed():
        answer.set_exception(httpx.ReadError("connection reset by peer"))


async def _told(request: httpx.Request, event: str) -> None:
    trace: Any = request.extensions.get("trace")
    if trace is not None:
        await trace(event, {})


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes, cut: bool) -> None:
        self._content = content
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._cut:
            yield self._content[: len(self._content) // 2]
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        yield self._content


def _response(request: httpx.Request, reply: Reply, cut: bool) -> httpx.Response:
    headers = [("content-type", reply.content_type), *reply.headers]
    return httpx.Response(reply.code, headers=headers, stream=_Body(reply.body, cut), request=request)


class _Transport(httpx.AsyncBaseTransport):
    """What httpx sends a request through, in place of sockets."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._network.exchange(request, await request.aread())


class _Connections:
    """As `panel.connections.Connections`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def ask(self, content: bytes, largest: int) -> Answer:
        extensions = {"timeout": {"connect": CONNECT_SECONDS}}
        request = httpx.Request("POST", "https://panel.example/", content=content, extensions=extensions)
        response = await self._network.exchange(request, content)
        body = Body(response.headers.get("content-encoding", ""), largest)
        async for chunk in response.aiter_raw():
            body.add(chunk)
        return Answer(response.status_code, response.headers, body.whole())

    async def aclose(self) -> None:
        pass


def orders_of(form: dict[str, str], name: str = "order") -> tuple[str, ...]:
    """The IDs a request is about."""
    text = form.get(f"{name}s") or form.get(name, "")
    return tuple(part for part in text.split(",") if part)


def read_json(reply: Reply) -> Any:
    """An answer's document, None when it is none."""
    try:
        return json.loads(reply.body)
    except ValueError:
        return None
