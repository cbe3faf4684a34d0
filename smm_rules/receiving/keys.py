"""Idempotency keys: how one is written, and that two requests under the same one don't run at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers

from smm_rules.receiving.problem import Code, Problem

HEADER = "Idempotency-Key"
#: In the answer to what was asked before.
REPLAYED = "Idempotency-Replayed"
#: How long a request waits for another under its key, in seconds.
PATIENCE_SECONDS = 10.0
_KEY = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}", re.ASCII)
_HOW = (
    f"Send {HEADER} with 1 to 200 printable ASCII characters, such as a UUID or your own number of the "
    "purchase: the same one whenever you ask for the same purchase again, another one for every other"
)


def key_of(headers: Headers, *, needed: bool) -> str | None:
    """The key of a request, with or without quotes around it. `Problem` 400 for none where one is needed."""
    given = headers.getlist(HEADER)
    if not given:
        if needed:
            raise Problem(400, Code.KEY_MISSING, f"the header {HEADER} is missing", _HOW)
        return None
    key = given[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(given) > 1 or not _KEY.fullmatch(key):
        raise Problem(400, Code.KEY_MALFORMED, f"the header {HEADER} holds no key", _HOW)
    return key


class Turns:
    """One request at a time under each key of each client, in this process; the ledger sees to the others."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, client: str, key: str | None) -> AsyncIterator[None]:
        """Wait for those before; `Problem` 409 when that takes too long. Without a key nobody waits."""
        if key is None:
            yield
            return
        name = (client, key)
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            await self._acquire(lock)
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks.pop(name)
            if users > 1:
                self._locks[name] = (lock, users - 1)

    async def _acquire(self, lock: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError:
            raise Problem(
                409,
                Code.KEY_IN_USE,
                "another request under this key is still under way",
                "Ask again, with the same key and the same body",
                headers={"Retry-After": "1"},
            ) from None
