"""A daemon in the test's own process, with a real panel, a real ledger and a clock that is set by hand."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.daemon.daemon import Daemon
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState, NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.observe.sd_notify import Notifier
from smm_rules.simulator import RunningSimulator

PANEL = "north"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOOK_SECRET = "household-hook-secret-77"
Fact = TypeVar("Fact")
#: Far above what a loaded machine needs: only a fault reaches it.
PATIENCE_SECONDS = 30.0

CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    timeout: 20s
    poll: {{orders: 25m, refills: 25m, balance: 25m, catalogue: 6h}}
rules: rules.yaml
ledger: ledger.db
stop_timeout: 1s
reload: {{watch: false}}
"""
LOG_CHANNEL = "channels: {ops: {log: {}}}\noperator: {channel: ops}\n"
REFILL = """
rules:
  - name: top-up
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    first_seen: act
    do:
      - refill:
      - notify: {channel: ops, message: "refill {{ result }} of {{ order.id }}"}
    limit: {per_order: 1}
"""
NO_RULES = """
rules:
  - name: never
    watch: order
    when: remains > 1000000
    do: [{log: {message: "never"}}]
"""


@dataclass
class HandClock:
    """Set by hand; the daemon's own intervals are as short as they may be."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return 0.0

    def move(self, duration: timedelta) -> None:
        self.at += duration


@dataclass
class Household:
    """What a daemon needs to live, and a ledger of one's own to look at what it does."""

    directory: Path
    panel: RunningSimulator
    ledger: SqliteLedger
    clock: HandClock = field(default_factory=HandClock)
    environment: dict[str, str] = field(default_factory=dict)
    settings: str = LOG_CHANNEL
    mended: Callable[[str], str] = lambda text: text

    def write_rules(self, text: str) -> None:
        (self.directory / "rules.yaml").write_text(text, encoding="utf-8")

    def configuration(self) -> Configuration:
        text = CONFIGURATION.format(panel=PANEL, url=self.panel.url) + self.settings
        path = self.directory / "smm-rules.yaml"
        path.write_text(self.mended(text), encoding="utf-8")
        return load_configuration(path, self._environment())

    def _environment(self) -> dict[str, str]:
        return {"PANEL_KEY": self.panel.key, "HOOK_SECRET": HOOK_SECRET, **self.environment}

    def daemon(self) -> Daemon:
        environment = self._environment()
        return Daemon(self.configuration(), environment, self.clock, Notifier.from_environment(environment))

    @asynccontextmanager
    async def living(self) -> AsyncIterator[Daemon]:
        """A daemon that has started; it is stopped at the end, and must have ended well."""
        daemon = self.daemon()
        running = asyncio.create_task(daemon.run())
        started = asyncio.create_task(daemon.started.wait())
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        try:
            if not running.done():
                yield daemon
        finally:
            daemon.stop()
            await running

    async def track(self, *names: str, **more: object) -> None:
        orders = [NewOrder(order(name), "1", {"quantity": "1000", "link": "https://example.com/1"}, **more)  # type: ignore[arg-type]
                  for name in names]  # fmt: skip
        await self.ledger.track(orders, self.clock.now())

    async def holding(self, *names: str, rule: str = "top-up") -> bool:
        """Whether the rule's hold has begun for all of these orders."""
        memories = await self.ledger.memories([order(name) for name in names])
        return all(memories.get((rule, order(name))) for name in names)

    async def intents(self, *states: IntentState) -> list[tuple[str, str, str]]:
        """Rule, entity's ID and state of every intent, oldest first."""
        return [
            (intent.rule, intent.entity.id, intent.state.value)
            for intent in reversed(await self.ledger.intents(states, 10_000))
        ]

    async def bodies(self) -> list[str]:
        return [message.body for message in reversed(await self.ledger.messages((), 10_000))]

    async def operator_told(self) -> list[str]:
        """What kind of things the operator was told, oldest first."""
        keys = [message.dedup_key for message in reversed(await self.ledger.messages((), 10_000))]
        return [key.split(":")[1] for key in keys if key.startswith("operator:")]

    async def seen(self, name: str) -> bool:
        """Whether the order has been looked at."""
        watched = await self.ledger.watched(order(name))
        return watched is not None and watched.last_seen_at is not None


def order(name: str) -> Entity:
    return Entity(EntityKind.ORDER, PANEL, name)


async def eventually(probe: Callable[[], Fact | Awaitable[Fact]]) -> Fact:
    """The first true answer of `probe`: waits on facts that no event of the daemon announces."""
    answer: object = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = probe()
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer:
                    return answer  # type: ignore[return-value]  # what probe gave
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"it never came true; the last answer was {answer!r}") from None
