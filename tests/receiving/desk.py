"""An intake over a real ledger, and a program that speaks to it over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.config.web import ListenAddress
from smm_rules.engine.guards_set import guards_of
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.observe.counters import Counters
from smm_rules.receiving.app import make_app
from smm_rules.receiving.keys import Turns
from smm_rules.receiving.reception import Host, Reception, make_reception
from smm_rules.web.server import PageServer
from tests.ledger.builders import observed
from tests.web.shop import NOW, HandClock

TOKEN, READER, TRACKER = "shop-token-" + "a" * 32, "reader-token-" + "b" * 32, "tracker-token-" + "c" * 32
ENVIRONMENT = {
    "NORTH": "north-key-canary-1", "SOUTH": "south-key-canary-2",
    "SHOP": TOKEN, "READER": READER, "TRACKER": TRACKER,
}  # fmt: skip
ASKED = {"panel": "north", "service": 7, "link": "https://example.com/a", "quantity": 100}
CONFIGURATION = """\
panels:
  - {name: north, url: "https://north.example/api/v2", key: {env: NORTH}}
  - {name: south, url: "https://south.example/api/v2", key: {env: SOUTH}}
channels: {ops: {log: {}}}
operator: {channel: ops}
rules: rules.yaml
ledger: ledger.db
intake:
  http:
    listen: unix:intake.sock
    tokens:
      - {name: shop, token: {env: SHOP}, may: [track, place, read]}
      - {name: reader, token: {env: READER}, may: read}
      - {name: tracker, token: {env: TRACKER}, may: track}
"""
SERVICE: Facts = {
    "id": "7", "name": "Followers", "type": "Default", "rate": Decimal("2.00"), "min": 10, "max": 10_000,
    "refill": True, "gone": False,
}  # fmt: skip


def configure(directory: Path, *, intake: str = "", more: str = "") -> Configuration:
    """The configuration of these tests; `intake` adds to `intake.http`, `more` to all of it."""
    text = CONFIGURATION + "".join(f"    {line}\n" for line in intake.splitlines()) + more
    (directory / "smm-rules.yaml").write_text(text, encoding="utf-8")
    return load_configuration(directory / "smm-rules.yaml", {})


@dataclass
class Desk:
    """An intake that is served, what lies behind it, and what it told its process."""

    ledger: SqliteLedger
    reception: Reception
    address: ListenAddress
    clock: HandClock
    counters: Counters
    planned: list[str] = field(default_factory=list)

    def program(self, token: str | None = TOKEN, **headers: str) -> httpx.AsyncClient:
        """A program with a connection of its own."""
        path = self.address.path
        transport = httpx.AsyncHTTPTransport(uds=None if path is None else str(path))
        url = "http://intake" if path is not None else f"http://{self.address}"
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return httpx.AsyncClient(transport=transport, base_url=url, headers=headers, timeout=30)

    async def post(self, path: str, body: Any, token: str = TOKEN, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.program(token) as program:
            return await program.post(path, json=body, headers=given)

    async def place(self, key: str, body: Any = None, token: str = TOKEN) -> httpx.Response:
        return await self.post("/orders/place", ASKED if body is None else body, token, idempotency_key=key)

    async def get(self, path: str, token: str = TOKEN) -> httpx.Response:
        async with self.program(token) as program:
            return await program.get(path)

    async def intents(self) -> list[int]:
        return [intent.id for intent in reversed(await self.ledger.intents((), 100))]

    async def read_catalogue(self, **changed: object) -> None:
        """As a daemon that looked at the panel."""
        entity = Entity(EntityKind.SERVICE, "north", "7")
        await self.ledger.record(Sweep(NOW, (observed(entity, {**SERVICE, **changed}),)))  # type: ignore[dict-item]  # facts


@asynccontextmanager
async def opened(
    directory: Path,
    *,
    listen: ListenAddress | None = None,
    intake: str = "",
    more: str = "",
    patience: float | None = None,
    stuck: tuple[str, ...] = (),
) -> AsyncIterator[Desk]:
    """A desk until the end of the block; a second one in the same directory works on the same ledger."""
    configuration = configure(directory, intake=intake, more=more)
    settings = configuration.intake.http
    assert settings is not None
    clock, counters, planned = HandClock(), Counters(), list[str]()
    host = Host(counters, lambda: planned.append("planned"), lambda: stuck)
    async with await SqliteLedger.open(directory / "ledger.db", guards=guards_of(configuration)) as ledger:
        reception = make_reception(configuration, settings, ENVIRONMENT, ledger, clock, host)
        if patience is not None:
            reception.turns._patience = patience
        server = PageServer(make_app(reception), listen or settings.listen)
        await server.start()
        try:
            yield Desk(ledger, reception, server.address, clock, counters, planned)
        finally:
            await server.stop()


__all__ = ["ASKED", "READER", "TOKEN", "TRACKER", "Desk", "Turns", "configure", "opened"]
