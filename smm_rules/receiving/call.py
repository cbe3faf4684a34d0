"""One request: who asks, what they sent, and how they are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from smm_rules.config.intake import Permission
from smm_rules.observe import get_logger
from smm_rules.receiving.clients import Client
from smm_rules.receiving.problem import Code, Problem
from smm_rules.receiving.reception import Reception
from smm_rules.receiving.strict_json import read_json

log = get_logger(__name__)

JSON, PROBLEM = "application/json", "application/problem+json"
#: How long a body may take to come, in seconds.
BODY_SECONDS = 30.0
_FOR_ALL = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_NOBODY = "-"


class Call:
    """A request with the reception it came to. `client` is `-` until somebody has proved who they are."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.reception: Reception = request.app.state.reception
        self.now: datetime = self.reception.clock.now()
        self.client = _NOBODY

    @property
    def peer(self) -> str:
        """The address that asks; `unix` on a Unix socket."""
        return self.request.client.host if self.request.client else "unix"

    def enter(self, permission: Permission) -> Client:
        """Who asks. `Problem` 401, 403 or 429.

        A known token is let in whatever others tried: on one machine they all come from one address, and a
        token can't be guessed. What too many tries cost is answers.
        """
        throttle = self.reception.throttle
        given = self.request.headers.getlist("authorization")
        client = self.reception.clients.find(given[0]) if len(given) == 1 else None
        if client is None:
            raise self._stranger()
        throttle.succeeded(self.peer)
        self.client = client.name
        if permission not in client.may:
            what = f"the token of {client.name} may {' and '.join(sorted(client.may))}, and not {permission}"
            raise Problem(403, Code.FORBIDDEN, what, "Give it `may` in intake.http.tokens, or use another")
        return client

    def _stranger(self) -> Problem:
        throttle = self.reception.throttle
        wait = throttle.wait(self.peer, self.now)
        if wait:
            log.warning("intake.http_throttled", peer=self.peer)
            seconds = {"Retry-After": str(max(1, round(wait.total_seconds())))}
            return Problem(
                429, Code.THROTTLED, "too many requests came without a known token", headers=seconds
            )
        throttle.failed(self.peer, self.now)
        log.warning("intake.http_stranger", peer=self.peer)
        how = "Send Authorization: Bearer TOKEN with a token of intake.http.tokens"
        return Problem(
            401, Code.UNAUTHORIZED, "the request carries no known token", how,
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip

    async def json(self) -> Any:
        """The body's value. `Problem` for what is no JSON, too large or too slow."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise Problem(415, Code.MEDIA_TYPE, "the body's type isn't application/json",
                          "Send Content-Type: application/json")  # fmt: skip
        return read_json(await self._body())

    async def _body(self) -> bytes:
        most = self.reception.settings.largest_body
        written = self.request.headers.get("content-length", "")
        if written.isdecimal() and int(written[:20]) > most:
            raise _too_large(most)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for piece in self.request.stream():
                    body += piece
                    if len(body) > most:
                        raise _too_large(most)
        except TimeoutError:
            raise Problem(408, Code.TOO_SLOW, f"the body didn't come within {BODY_SECONDS:.0f} s") from None
        return bytes(body)


def _too_large(most: int) -> Problem:
    how = "Send it in several requests, or raise intake.http.largest_body"
    return Problem(413, Code.TOO_LARGE, f"the body has more than {most} bytes", how)


def answered(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose JSON is written already."""
    return Response(text, status, {**_FOR_ALL, **(headers or {})}, JSON)


def refused(call: Call, problem: Problem) -> Response:
    """A problem, without any secret that a text of it may have repeated."""
    document = json.dumps(call.reception.redactor.value(problem.document()), ensure_ascii=False)
    return Response(document, problem.status, {**_FOR_ALL, **problem.headers}, PROBLEM)
