"""One HTTP attempt: a form out, a whole answer in, or a typed error that says what is known of the outcome.

- TLS is always verified against the system's authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
- Redirects are never followed and nothing is retried here.
- Proxy variables of the environment are ignored: a panel is spoken to directly, so that a failure to connect
  is a proof that nothing was sent, and no third party sees a key meant for this machine's loopback.
- Cookies are not kept: PHP serves the requests of one session one after the other.
- A paid call opens its own connection. On a kept-alive one that the panel has just closed, the request would
  be written into the void and its outcome be needlessly in doubt.
- A paid call is looked at once more before its head is written, where its caller asks for that
  (`panel.sending`). Under a deadline it is so before its body, too, and is cut off if they aren't out by
  then. Its answer may come later.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx

from smm_rules import __version__
from smm_rules.panel.bodies import Body
from smm_rules.panel.connections import Answer, Connections, NoConnection
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import Ambiguous, NotSent, PanelError, Unreadable
from smm_rules.panel.replies import Reply
from smm_rules.panel.scalars import safe_text
from smm_rules.panel.sending import TooLate, Withheld, check_in_time, look_last, seconds_left
from smm_rules.panel.waits import asked_wait

#: Seconds to wait for a connection, within the endpoint's own timeout.
CONNECT_SECONDS = 10.0
#: A shorter key isn't looked for in answers: it would be found in every number.
_SHORTEST_KEY_TO_HIDE = 8
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"smm-rules/{__version__}",
    "Content-Type": "application/x-www-form-urlencoded",
}
_READING_HEADERS = {**_HEADERS, "Connection": "keep-alive"}
_ACTING_HEADERS = httpx.Headers({**_HEADERS, "Connection": "close"})
_NUMBERS = re.compile(r"[0-9,]+", re.ASCII)
# By their type alone these prove that not a byte of the request was written.
_BEFORE_WRITING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    NoConnection,
)


@lru_cache(maxsize=1)
def verified_tls() -> ssl.SSLContext:
    """The one TLS context of the process: certificates and host names are checked."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Progress:
    """How far one attempt got, as httpcore reports it. `written` is called once the whole request is."""

    def __init__(self) -> None:
        self.connecting = False
        self.writing = False
        self.written: Callable[[], None] = lambda: None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:  # noqa: ARG002 - httpcore's call
        if event in ("connection.connect_tcp.started", "connection.start_tls.started"):
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            await look_last()
            check_in_time()
            self.writing = True
        elif event.endswith("send_request_body.started"):
            check_in_time()  # a head without its body is no request
        elif event.endswith("send_request_body.complete"):
            self.written()

    @property
    def nothing_written(self) -> bool:
        """True only on proof: the connection was being made and the request had not been begun."""
        return self.connecting and not self.writing


class Transport:
    """The HTTP side of one panel."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reading = self._kept_connections()
        self._acting: httpx.AsyncHTTPTransport | None = None
        seconds = endpoint.timeout.total_seconds()
        self._timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=None).as_dict()
        self._key = urlencode({"key": endpoint.key})
        self._url: httpx.URL | None = None
        self._closed = False

    async def post(self, fields: Mapping[str, str], largest: int, *, acting: bool) -> Reply:
        """Send `fields` and the key once; give the answer of at most `largest` bytes.

        Raises `NotSent`, `Ambiguous`, or `Unreadable` for an answer that is too large or garbled. When the
        task is cancelled the CancelledError passes through: the request may have been written.
        """
        if self._closed:
            raise NotSent("the panel's client is closed")
        outcome = await self._outcome(fields, largest, acting=acting)
        # Raised here so that the error keeps no trace of httpx's, whose request holds the key.
        if isinstance(outcome, PanelError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """Close all connections. What is asked afterwards is `NotSent`."""
        self._closed = True
        await self._reading.aclose()
        if self._acting is not None:
            await self._acting.aclose()

    @property
    def _is_secure(self) -> bool:
        return self._endpoint.url.casefold().startswith("https:")

    def _kept_connections(self) -> Connections:
        """For reads. Requests under way are bounded by the budget."""
        endpoint = self._endpoint
        return Connections(
            endpoint.url,
            verified_tls() if self._is_secure else None,
            _READING_HEADERS,
            endpoint.connections,
            min(CONNECT_SECONDS, endpoint.timeout.total_seconds()),
        )

    def _connections(self) -> httpx.AsyncHTTPTransport:
        """For paid calls: httpx below its client, which has cookies, redirects and environment variables on
        its mind. None is kept. Made for the first such call: what it needs is 1 MiB, and many only look."""
        return httpx.AsyncHTTPTransport(
            # Without TLS the certificates need not be read; a redirect to https isn't followed either.
            verify=verified_tls() if self._is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )

    async def _outcome(self, fields: Mapping[str, str], largest: int, *, acting: bool) -> Reply | PanelError:
        progress = _Progress()
        try:
            content = self._form(fields)
        except ValueError as error:
            return NotSent(f"the request can't be written: {self._described(error)}")
        try:
            check_in_time()
            async with self._limits(progress):
                if acting:
                    answer = await self._act(content, largest, progress)
                else:  # how far a read got is nobody's concern
                    answer = await self._reading.ask(content, largest)
        except Unreadable as error:
            return error
        except Exception as error:  # whatever a library raises: only the progress tells what is known
            return self._failure(error, progress)
        return self._reply(answer)

    def _limits(self, progress: _Progress) -> asyncio.Timeout:
        """The endpoint's timeout; until the request is written, what is left to send it in, if less."""
        seconds = self._endpoint.timeout.total_seconds()
        left = seconds_left()
        if left is None or left >= seconds:
            return asyncio.timeout(seconds)
        until = asyncio.get_running_loop().time() + seconds
        limits = asyncio.timeout(max(left, 0.0))
        progress.written = lambda: None if limits.expired() else limits.reschedule(until)
        return limits

    def _form(self, fields: Mapping[str, str]) -> bytes:
        form = [f"{quote_plus(name)}={_quoted(value)}" for name, value in fields.items()]
        return "&".join([*form, self._key]).encode("ascii")

    async def _act(self, content: bytes, largest: int, progress: _Progress) -> Answer:
        self._url = self._url or httpx.URL(self._endpoint.url)
        extensions = {"timeout": self._timeout, "trace": progress}
        request = httpx.Request(
            "POST", self._url, headers=_ACTING_HEADERS, content=content, extensions=extensions
        )
        self._acting = self._acting or self._connections()
        response = await self._acting.handle_async_request(request)
        try:
            body = await _bounded_body(response, largest)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body)

    def _reply(self, answer: Answer) -> Reply:
        # Service names in an old encoding must not make a whole catalogue unreadable.
        text = answer.body.decode("utf-8", errors="replace").removeprefix("\ufeff")
        wait = asked_wait(answer.headers, datetime.now(UTC))
        return Reply(answer.status, self._without_key(text), wait)

    def _failure(self, error: Exception, progress: _Progress) -> PanelError:
        described = self._described(error)
        if isinstance(error, TooLate | Withheld) and not progress.writing:
            return NotSent(described)
        if isinstance(error, _BEFORE_WRITING) or progress.nothing_written:
            return NotSent(f"no connection: {described}")
        return Ambiguous(f"no usable answer: {described}")

    def _described(self, error: Exception) -> str:
        name = type(error).__name__
        words = safe_text(self._without_key(str(error)))
        return f"{words} ({name})" if words else name

    def _without_key(self, answer: str) -> str:
        key = self._endpoint.key
        if len(key) < _SHORTEST_KEY_TO_HIDE:
            return answer
        return answer.replace(key, "[key]").replace(quote_plus(key), "[key]")


def _quoted(value: str) -> str:
    """`quote_plus`, which takes a list of a hundred IDs one character after the other."""
    return value.replace(",", "%2C") if _NUMBERS.fullmatch(value) else quote_plus(value)


async def _bounded_body(response: httpx.Response, largest: int) -> bytes:
    body = Body(response.headers.get("content-encoding", ""), largest)
    async for chunk in response.aiter_raw():
        if not body.add(chunk):
            break
    return body.whole()
