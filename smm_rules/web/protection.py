"""What stands before every page: which names it answers to, how much it takes, what a browser may do."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smm_rules.config.web import ListenAddress
from smm_rules.panel.endpoint import is_loopback

#: More bytes than any form of ours has.
LARGEST_BODY = 64 * 1024
#: What programs ask for by whatever name they know this machine under; a browser gets nothing secret there.
FOR_PROGRAMS = frozenset({"/healthz", "/readyz", "/metrics"})
#: Nothing is loaded from anywhere but the page's own style and picture, nothing runs, nobody frames it.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"x-robots-tag", b"noindex"),
)


class Protection:
    """Wraps the application.

    A request for another name is refused: a page in the operator's browser could else read this one by
    having its own name lead here (DNS rebinding). `root` is taken from the path where a proxy leaves it.
    """

    def __init__(self, application: ASGIApp, names: frozenset[str] | None, root: str) -> None:
        self._application = application
        self._names = names
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        for_programs = scope["path"] in FOR_PROGRAMS
        if self._names is not None and not for_programs and host_of(scope) not in self._names:
            refusal = PlainTextResponse("This page doesn't answer to that name.\n", status_code=421)
            await refusal(scope, receive, _protected(send))
            return
        length = _header(scope, b"content-length")
        if length and not (length.isdecimal() and int(length) <= LARGEST_BODY):
            await PlainTextResponse("Too large.\n", status_code=413)(scope, receive, _protected(send))
            return
        scope["path"] = _below(scope["path"], self._root)
        await self._application(scope, receive, _protected(send))


def names_of(listen: ListenAddress, base_url: str) -> frozenset[str] | None:
    """The names that the page answers to; None for any, where no browser can reach it by itself."""
    own = urlsplit(base_url).hostname if base_url else None
    if listen.path is not None:
        return None if own is None else frozenset({own})
    local = {"localhost", "127.0.0.1", "::1"} if is_loopback(listen.host) else set[str]()
    return frozenset({listen.host.casefold(), *local, *({own} if own else ())})


def host_of(scope: MutableMapping[str, Any]) -> str:
    """The name that was asked for, without the port."""
    written = _header(scope, b"host")
    try:
        return (urlsplit(f"//{written}").hostname or "").casefold()
    except ValueError:
        return ""


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _below(path: str, root: str) -> str:
    return (path[len(root) :] or "/") if root and (path == root or path.startswith(f"{root}/")) else path


def _protected(send: Send) -> Send:
    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
            if not any(key.lower() == b"cache-control" for key, _ in message["headers"]):
                message["headers"].append((b"cache-control", b"no-store"))
        await send(message)

    return protected
