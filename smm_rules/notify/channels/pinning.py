"""HTTP to an address that was looked at first: what is judged is what is connected to.

A name resolved once to be judged and once more to be connected to may lead elsewhere the second time (DNS
rebinding). Here a request's host is resolved once, all its addresses are judged, and the connection goes to
one of these very addresses. `Host`, SNI and the certificate's name stay those of the url.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from smm_rules.config.reach import unreachable

#: The addresses of a host, in the order in which they are to be tried; `OSError` when there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: More addresses of one host than these are not tried.
MOST_ADDRESSES = 4


class AddressRefused(httpx.TransportError):
    """The host leads to an address that must not be reached."""


async def resolved(host: str, port: int) -> tuple[str, ...]:
    """The addresses of `host` by the system's resolver, without repetitions."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedTransport(httpx.AsyncBaseTransport):
    """Sends requests to judged addresses only. `allow_private` as in `config.reach`."""

    def __init__(
        self, context: ssl.SSLContext, *, allow_private: bool = False, resolve: Resolve = resolved
    ) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
        self._allow_private = allow_private
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer from the first address that takes the connection.

        `AddressRefused` when any address of the host is closed: a name that leads to both is a trap.
        """
        addresses = await self._addresses(request)
        failure: httpx.TransportError = httpx.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_pinned(request, address, len(addresses)))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                # Nothing of the request was written yet: the next address may have it.
                failure = error
        raise failure

    async def _addresses(self, request: httpx.Request) -> Sequence[str]:
        host = _ascii_host(request.url)
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"its name can't be resolved ({type(error).__name__})") from None
        if not addresses:
            raise httpx.ConnectError("its name has no address")
        for address in addresses:
            if reason := unreachable(address, host, allow_private=self._allow_private):
                raise AddressRefused(_refusal(address, reason, self._allow_private))
        return addresses[:MOST_ADDRESSES]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _refusal(address: str, reason: str, allow_private: bool) -> str:
    where = f"it leads to {address}, {reason}, and nothing is sent there"
    if allow_private or reason not in ("a private address", "this very machine"):
        return where
    return f"{where}; if it should be, write `allow_private: true` into the channel"


def _pinned(request: httpx.Request, address: str, share: int) -> httpx.Request:
    """`request` for this very address. The time to connect is shared by all addresses of the host."""
    extensions: dict[str, Any] = {**request.extensions, "sni_hostname": _ascii_host(request.url)}
    timeout = dict(extensions.get("timeout") or {})
    if timeout.get("connect") is not None:
        timeout["connect"] /= share
    extensions["timeout"] = timeout
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _ascii_host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")
