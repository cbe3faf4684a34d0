"""An ASGI application on a socket, in the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from smm_rules.config.web import ListenAddress

#: How many requests may be under way at once; more are answered with 503.
MOST_REQUESTS = 64
_GRACE_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 15
_LARGEST_HEAD = 16 * 1024
_SOCKET_MODE = 0o660


class ListenFailed(Exception):
    """The address can't be listened on. The message says why and what to do."""


class _Server(uvicorn.Server):
    """uvicorn's server without its handling of signals, woken to stop instead of asking whether to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PageServer:
    """Serves one application until it is stopped. Made anew for each start."""

    def __init__(self, application: ASGIApp, listen: ListenAddress) -> None:
        self._listen = listen
        config = uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            log_level="error",  # the rest is said by events of ours
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            http="h11",
            ws="none",
            limit_concurrency=MOST_REQUESTS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(_GRACE_SECONDS),
            h11_max_incomplete_event_size=_LARGEST_HEAD,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self._inode: tuple[int, int] | None = None
        self.address = listen

    async def start(self) -> None:
        """Listen; `ListenFailed` when the address can't be had."""
        bound = await asyncio.to_thread(_bind, self._listen)
        if self._listen.path is None:
            self.address = ListenAddress(self._listen.host, bound.getsockname()[1])
        else:
            self._inode = await asyncio.to_thread(_inode, self._listen.path)
        self._task = asyncio.create_task(self._server.serve([bound]), name="status page")

    async def ended(self) -> None:
        """Wait for the server's end: by `stop`, or by what it raises."""
        assert self._task is not None
        await asyncio.shield(self._task)

    async def serve_until(self, stopping: asyncio.Event) -> None:
        """Serve what was started until `stopping`, then stop. Raises what ended the server by itself."""
        stopped = asyncio.create_task(stopping.wait())
        ended = asyncio.create_task(self.ended())
        try:
            await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
        finally:
            stopped.cancel()
            await self.stop()
            await asyncio.wait((ended,))

    async def stop(self) -> None:
        """Finish the answers under way, for a while, and let go of the address."""
        if self._task is None:
            return
        self._let_go_of_path()
        self._server.stop()
        with contextlib.suppress(Exception):
            await self._task

    def _let_go_of_path(self) -> None:
        """Remove the socket while it still listens: after that another process may have put its own there."""
        path = self._listen.path
        with contextlib.suppress(OSError):
            if path is not None and _inode(path) == self._inode:
                path.unlink()


def _bind(listen: ListenAddress) -> socket.socket:
    try:
        return _bind_path(listen.path) if listen.path is not None else _bind_port(listen)
    except OSError as error:
        raise ListenFailed(f"can't listen on {listen}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    words = {
        errno.EADDRINUSE: "something else listens there already; stop it, or take another address",
        errno.EADDRNOTAVAIL: "this machine has no such address; write 127.0.0.1 or unix:PATH",
        errno.EACCES: "that needs rights this user doesn't have; take a port above 1023 or another directory",
    }
    return words.get(error.errno or 0, error.strerror or str(error))


def _bind_port(listen: ListenAddress) -> socket.socket:
    found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen()
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _bind_path(path: Path) -> socket.socket:
    """A socket for its owner and group. One that nobody listens on any more is replaced."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead(path)
        os.fchmod(bound.fileno(), _SOCKET_MODE)  # Linux gives the new file no more than that
        bound.bind(str(path))
        path.chmod(_SOCKET_MODE)
        bound.listen()
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _remove_dead(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return  # a file: binding fails, and says so
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
