"""Runs a simulator on a real socket: in a thread, in a running event loop, or as the whole process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from smm_rules.simulator.app import API_PATH, TRANSPORT, PanelApp
from smm_rules.simulator.clock import PanelClock
from smm_rules.simulator.control import controls
from smm_rules.simulator.settings import SimulatorSettings
from smm_rules.simulator.simulator import Simulator

_START_SECONDS = 30.0
#: How long a stopping server waits for requests that are not whole and answers that are not out.
_GRACE_SECONDS = 5.0


class _Protocol(H11Protocol):
    """HTTP/1.1 that hands the application its connection, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT] = transport
            await application(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """uvicorn's server, woken to stop instead of asking ten times a second whether to."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, handle_signals: bool) -> None:
        super().__init__(config)
        self._handle_signals = handle_signals
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = stopping
        self.ready: Future[None] = Future()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set_result(None)

    async def main_loop(self) -> None:
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the answers under way, for a while, and let go of every connection without a pause."""
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)
        for server in self.servers:
            await server.wait_closed()

    def stop(self) -> None:
        """Ask the server to stop; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn raises the signal again after a clean stop; this one returns and exits 0.
        del frame
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if not self._handle_signals:
            yield
            return
        with super().capture_signals():
            yield


class RunningSimulator(Simulator):
    """A simulator that answers on `url` while it is entered.

    `with` runs it in a thread of its own, `async with` in the running event loop. Each may be entered once.
    """

    def __init__(self, settings: SimulatorSettings | None = None, clock: PanelClock | None = None) -> None:
        super().__init__(settings, clock)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self.host = self.settings.host
        self.port = 0

    @property
    def url(self) -> str:
        """The address of API v2."""
        return f"{self.base_url}{API_PATH}"

    @property
    def base_url(self) -> str:
        """The address without a path; the controls are below `/control`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __enter__(self) -> Self:
        server, bound = self._bind()
        self._thread = threading.Thread(
            target=_run, args=(server, bound), name="smm-rules-simulator", daemon=True
        )
        self._thread.start()
        server.ready.result(_START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.stop()
        assert self._thread is not None
        self._thread.join()
        self.close()

    async def __aenter__(self) -> Self:
        server, bound = self._bind()
        self._task = asyncio.create_task(server.serve([bound]))
        ready = asyncio.wrap_future(server.ready)
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            await self._task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.stop()
        assert self._task is not None
        await self._task
        self.close()

    async def serve(self, on_ready: Callable[[RunningSimulator], None] | None = None) -> None:
        """Answer until SIGINT or SIGTERM, for a process that is nothing but a simulator."""
        server, bound = self._bind(handle_signals=True)
        if on_ready is not None:
            server.ready.add_done_callback(lambda _: on_ready(self))
        try:
            await server.serve([bound])
        finally:
            self.close()

    def _bind(self, handle_signals: bool = False) -> tuple[_Server, socket.socket]:
        if self._server is not None:
            raise RuntimeError("a simulator can be started once; make a new one")
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # asyncio switches Nagle's algorithm off only where the protocol is named; else answers take 40 ms.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, self.settings.port))
        except OSError:
            bound.close()
            self.close()
            raise
        self.port = int(bound.getsockname()[1])
        app = PanelApp(self, controls(self))
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )
        self._server = _Server(config, app.closing, handle_signals)
        return self._server, bound


def _run(server: _Server, bound: socket.socket) -> None:
    try:
        asyncio.run(server.serve([bound]))
    except BaseException as error:
        if server.ready.done():
            raise
        server.ready.set_exception(error)


def serve(settings: SimulatorSettings, on_ready: Callable[[RunningSimulator], None] | None = None) -> None:
    """Run a simulator until SIGINT or SIGTERM. `on_ready` is called once it answers.

    `OSError` when the address is taken, `ValueError` for a scenario there isn't.
    """
    asyncio.run(RunningSimulator(settings).serve(on_ready))
