"""Connections to one panel that are kept for the next read. Paid calls never go over these.

HTTP is spoken by h11; sockets, TLS and the choice between addresses are asyncio's. What httpx and httpcore
have beside that (redirects, cookies, proxies, HTTP/2, several event loops) no read needs, and it is most of
what a request by them costs.

An answer belongs to the one request that was written before it: a connection carries one at a time, and is
given up when anything but a whole answer came of it, when more arrived than the answer, or when anything
arrives that nobody asked for.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import h11
import httpx

from smm_rules.panel.bodies import Body

#: Seconds after which an unused connection isn't used again: the panel is likely to be about to close it.
KEPT_SECONDS = 5.0
#: Seconds after which the next address of a host is tried beside the first (RFC 8305).
_NEXT_ADDRESS_SECONDS = 0.25
#: Bytes of an answer's head, at most.
_LARGEST_HEAD = 100 * 1024
#: Heads differ by the length of the body alone. More lengths than this aren't remembered.
_MOST_HEADS = 64


class NoConnection(Exception):
    """A connection couldn't be made: nothing of the request was written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole HTTP answer, its body unpacked. Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Those to one address, at most `kept` of them while nothing is asked."""

    def __init__(
        self,
        url: str,
        tls: ssl.SSLContext | None,
        headers: Mapping[str, str],
        kept: int,
        connect_seconds: float,
    ) -> None:
        """`headers` go with every request, beside `Host` and `Content-Length`; `tls` is None for http."""
        self._url = url
        self._tls = tls
        self._headers = dict(headers)
        self._kept = kept
        self._connect_seconds = connect_seconds
        self._heads: dict[int, h11.Request] = {}
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._parsed: httpx.URL | None = None
        self._closed = False

    async def ask(self, content: bytes, largest: int) -> Answer:
        """Post `content` once and give the answer, of at most `largest` bytes.

        Raises `NoConnection` before anything is written; after that `Unreadable` for a body that can't be
        taken, h11's `RemoteProtocolError`, and what a socket raises.
        """
        head = self._head(len(content))
        connection = self._take() or await self._connect()
        try:
            answer = await connection.exchange(head, content, largest)
        except BaseException:
            connection.abort()
            raise
        if connection.reusable and len(self._idle) < self._kept and not self._closed:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.abort()
        return answer

    async def aclose(self) -> None:
        """Close them all. What is under way fails; what is asked afterwards has no connection."""
        self._closed = True
        self._idle.clear()
        closing = tuple(self._open)
        for connection in closing:
            connection.abort()
        for connection in closing:
            await connection.gone.wait()

    def _take(self) -> _Connection | None:
        """The one used last that can be used again."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if now - connection.idle_since < KEPT_SECONDS and connection.quiet:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        url = self._address()
        limit = asyncio.timeout(self._connect_seconds)
        try:
            async with limit:
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self._open),
                    url.raw_host.decode("ascii"),
                    url.port or (80 if self._tls is None else 443),
                    ssl=self._tls,
                    happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
                )
        except (OSError, ValueError) as error:  # a name that can't be one is a UnicodeError
            late = f"none within {self._connect_seconds:g} s"
            raise NoConnection(late if limit.expired() else str(error) or type(error).__name__) from None
        if self._closed:
            connection.abort()
            raise NoConnection("they were closed meanwhile")
        return connection

    def _head(self, length: int) -> h11.Request:
        head = self._heads.get(length)
        if head is None:
            url = self._address()
            headers = [("Host", url.netloc.decode("ascii")), *self._headers.items()]
            headers.append(("Content-Length", str(length)))
            head = h11.Request(method="POST", target=url.raw_path, headers=headers)
            if len(self._heads) < _MOST_HEADS:
                self._heads[length] = head
        return head

    def _address(self) -> httpx.URL:
        """The url as httpx reads it, with host and path as they are written on the wire."""
        if self._parsed is None:
            self._parsed = httpx.URL(self._url)
        return self._parsed


class _Connection(asyncio.Protocol):
    """One connection, in the set of those open while it is. asyncio calls what `asyncio.Protocol` names."""

    def __init__(self, open_: set[_Connection]) -> None:
        self._among = open_
        self.idle_since = 0.0
        self.reusable = False
        self.gone = asyncio.Event()
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._socket: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._largest = 0
        self._head: h11.Response | None = None
        self._body: Body | None = None

    async def exchange(self, head: h11.Request, content: bytes, largest: int) -> Answer:
        """Write one request and wait for its answer. Call it on a new connection or a reusable one."""
        if self._socket is None or self._socket.is_closing():
            raise ConnectionResetError("the connection is closed")
        self.reusable = False
        self._largest, self._head, self._body = largest, None, None
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answer = answer
        http = self._http
        # In one piece, so that it is one packet where it fits.
        parts = (http.send(head), http.send(h11.Data(data=content)), http.send(h11.EndOfMessage()))
        self._socket.write(b"".join([part for part in parts if part]))
        try:
            return await answer
        finally:
            self._answer = None
            if answer.done() and not answer.cancelled():
                answer.exception()  # it may have failed in the moment in which its task was cancelled

    @property
    def quiet(self) -> bool:
        """Whether it is open and nothing waits to be read: not even, in the system's buffer, its end."""
        if not self.reusable or self._socket is None or self._socket.is_closing():
            return False
        poll = select.poll()
        poll.register(self._socket.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    def abort(self) -> None:
        """Close it at once."""
        self.reusable = False
        if self._socket is not None:
            self._socket.abort()

    # -- called by asyncio ------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # nobody asked for it: whose answer might it be taken for?
            return
        self._receive(data)

    def eof_received(self) -> None:
        if self._answer is not None and not self._answer.done():
            if self._head is None:
                self._fail(h11.RemoteProtocolError("the panel hung up without an answer"))
            else:
                self._receive(b"")
        self.reusable = False

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        self._fail(error or ConnectionResetError("the connection was closed"))
        self._among.discard(self)
        self.gone.set()

    # -- inside -----------------------------------------------------------------------------------------
    def _receive(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            while self._take(self._http.next_event()):
                pass
        except Exception as error:  # it goes to whoever waits for the answer, not to the event loop
            self._fail(error)

    def _take(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> bool:
        """Take one event of the answer; whether another may follow at once."""
        if isinstance(event, h11.Data):
            assert self._body is not None
            if not self._body.add(event.data):
                self._finish(whole=False)
                return False
            return True
        if isinstance(event, h11.Response):
            self._head = event
            self._body = Body(_of(event, b"content-encoding"), self._largest)
            return True
        if isinstance(event, h11.EndOfMessage):
            self._finish(whole=True)
            return False
        return isinstance(event, h11.InformationalResponse)

    def _finish(self, *, whole: bool) -> None:
        assert self._head is not None
        assert self._body is not None
        http = self._http
        if whole and http.our_state is http.their_state is h11.DONE and not http.trailing_data[0]:
            http.start_next_cycle()
            self.reusable = True
        names = {name for name, _ in self._head.headers}
        headers = {name.decode("ascii"): _of(self._head, name) for name in names}
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._head.status_code, headers, self._body.whole()))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _of(head: h11.Response, name: bytes) -> str:
    """A header's value; those of a name that comes more than once as one list."""
    return ", ".join([value.decode("latin-1") for named, value in head.headers if named == name])
