"""A proxy before PostgreSQL that cuts connections where a test wants it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

#: Decides about a piece that is being sent to the server.
Verdict = Callable[[bytes], str]

#: Cut the connection before the server has the piece, or pass it on and cut the client off from the answer.
PASS, CUT_BEFORE, CUT_AFTER = "pass", "cut before", "cut after"


def at_commit(verdict: str, times: int = 1) -> Verdict:
    """Cut at the first so many COMMITs."""
    left = times

    def decide(sent: bytes) -> str:
        nonlocal left
        if b"COMMIT\0" not in sent or not left:
            return PASS
        left -= 1
        return verdict

    return decide


class Proxy:
    """Passes connections on to the server of an address. `verdict` decides about each piece sent to it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{parts.port}/", f":{self._listener.getsockname()[1]}/")
        self.verdict: Verdict = lambda _: PASS
        #: While it is set new connections are refused.
        self.away = False
        self._open: set[socket.socket] = set()
        #: Servers whose answers nobody hears any more.
        self._silent: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection there is."""
        for one in list(self._open):
            _close(one)

    def close(self) -> None:
        self.away = True
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.away:
                _close(client)
                continue
            try:
                server = socket.create_connection(self._server)
            except OSError:
                _close(client)
                continue
            self._open |= {client, server}
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while sent := client.recv(65536):
                verdict = self.verdict(sent)
                if verdict == CUT_BEFORE:
                    break
                if verdict == CUT_AFTER:
                    self._silent.add(server)
                    server.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    return
                server.sendall(sent)
        except OSError:
            pass
        _close(client)
        _close(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while answer := server.recv(65536):
                if server in self._silent:
                    break
                client.sendall(answer)
        except OSError:
            pass
        _close(client)
        _close(server)


def _close(one: socket.socket) -> None:
    with suppress(OSError):  # it was cut already
        one.shutdown(socket.SHUT_RDWR)
    one.close()
