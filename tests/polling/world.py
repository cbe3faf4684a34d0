"""A small world for the tests of polling: a scripted panel, a real ledger, a clock that is set by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.engine.firing import Continuation, IntentDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState, NewOrder, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.panel.answers import (
    Balance,
    OrderState,
    OrderStates,
    RefillState,
    RefillStates,
    Refused,
    Service,
)
from smm_rules.panel.errors import PanelError
from smm_rules.panel.repeats import NOTHING_KNOWN, Reading, Remembered, read
from smm_rules.panel.replies import Reply
from smm_rules.panel.wire import read_order_states
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.standing import Standing
from smm_rules.polling.watch import Pace, PanelWatch, ReadPanel
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet, StepKind
from smm_rules.rules.scope import Scope

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PANEL = "north"
SCOPE = Scope(frozenset({PANEL, "south"}), {"ops": "log"})
PACE = Pace(
    orders=5 * MINUTE,
    refills=15 * MINUTE,
    balance=5 * MINUTE,
    catalogue=6 * HOUR,
    settle_after=timedelta(days=1),
    sweep_size=2_000,
)
MONEY = Balance(Decimal("100.00"), "USD")
FOLLOWERS = Service("1", "Followers", "Default", "All", Decimal("2.00"), 10, 10_000, True, True, True)

#: Partial for ten minutes, then a refill; acts on old news, too.
REFILL = """
rules:
  - name: top-up
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    first_seen: act
    do: [refill]
    limit: {per_order: 1}
"""
#: Says at once that an order is Partial.
TELL = """
rules:
  - name: tell
    watch: order
    when: status == "Partial"
    do: [{notify: {channel: ops, message: "{{ order.id }} is partial"}}]
    done: [{notify: {channel: ops, message: "{{ order.id }} is {{ order.status }}"}}]
"""


@dataclass(slots=True)
class HandClock:
    """Stands still until it is moved."""

    at: datetime = T0

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()

    def move(self, duration: timedelta) -> None:
        self.at += duration


@dataclass
class ScriptedPanel:
    """Answers from what it is set to. `failing` has the error of each kind of look that fails.

    Without `repeats` nothing is taken for what was said before, so that every look is a whole one.
    """

    catalogue: tuple[Service, ...] = (FOLLOWERS,)
    money: Balance = MONEY
    orders: dict[str, OrderState | Refused] = field(default_factory=dict)
    refills: dict[str, RefillState | Refused] = field(default_factory=dict)
    failing: dict[str, PanelError] = field(default_factory=dict)
    failed: dict[str, PanelError] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    orders_asked: asyncio.Event = field(default_factory=asyncio.Event)
    repeats: bool = True
    remembered: Remembered = field(default_factory=Remembered)

    async def services(self) -> tuple[Service, ...]:
        self._ask("catalogue", ())
        return self.catalogue

    async def balance(self) -> Balance:
        self._ask("balance", ())
        return self.money

    async def order_states(self, ids: Sequence[str], known: Mapping[str, int] = NOTHING_KNOWN) -> OrderStates:
        self.orders_asked.set()
        self._ask("orders", ids)
        answered = {
            name: self.orders[name] for name in ids if name in self.orders and name not in self.failed
        }
        failed = {name: self.failed[name] for name in ids if name in self.failed}
        reading: Reading[OrderState] = Reading({}, ())
        if answered:
            reading = read(
                _reply(answered), list(answered), self.known(known), read_order_states, self.remembered
            )
        missing = tuple(name for name in ids if name not in answered)
        found = {name: answer for name, answer in answered.items() if name not in reading.same}
        return OrderStates(found, missing, failed, reading.same, reading.prints)

    def known(self, known: Mapping[str, int]) -> Mapping[str, int]:
        """What counts as known of earlier answers."""
        return known if self.repeats else NOTHING_KNOWN

    async def refill_states(self, ids: Sequence[str]) -> RefillStates:
        self._ask("refills", ids)
        found = {name: self.refills[name] for name in ids if name in self.refills and name not in self.failed}
        failed = {name: self.failed[name] for name in ids if name in self.failed}
        return RefillStates(found, tuple(name for name in ids if name not in found), failed)

    def _ask(self, what: str, ids: Sequence[str]) -> None:
        self.asked.append((what, tuple(ids)))
        if what in self.failing:
            raise self.failing[what]

    def times_asked(self, what: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == what)


@dataclass
class World:
    """The ledger, the panel and the clock, with short words for what tests do."""

    directory: Path
    ledger: SqliteLedger
    panel: ScriptedPanel = field(default_factory=ScriptedPanel)
    clock: HandClock = field(default_factory=HandClock)
    counters: Counters = field(default_factory=Counters)
    rules: RuleSet = field(default_factory=RuleSet)
    planned: list[datetime] = field(default_factory=list)

    def use(self, text: str) -> None:
        """Put the rules written in `text` into force."""
        path = self.directory / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        self.rules = load_rules([path], SCOPE).rules

    async def watch(
        self,
        client: ReadPanel | None = None,
        *,
        live: bool = True,
        gap: timedelta = 30 * MINUTE,
        sweep_size: int = 2_000,
    ) -> PanelWatch:
        """A watch as a daemon has it when it starts."""
        standing = Standing(PANEL)
        await standing.load(self.ledger)
        return PanelWatch(
            panel=PANEL,
            client=client or self.panel,
            ledger=self.ledger,
            standing=standing,
            pace=replace(PACE, sweep_size=sweep_size),
            belts=Belts(live, gap),
            clock=self.clock,
            counters=self.counters,
            rules=lambda: self.rules,
            voice=OperatorVoice(self.ledger, "ops"),
            planned=lambda: self.planned.append(self.clock.now()),
        )

    async def acquainted(self, **more: object) -> PanelWatch:
        """A watch that knows catalogue and balance."""
        watch = await self.watch(**more)  # type: ignore[arg-type]  # a test names what it needs
        await look_at_catalogue(watch)
        await look_at_balance(watch)
        return watch

    async def track(self, *names: str, service: str = "1") -> None:
        orders = [
            NewOrder(order(name), service, {"link": f"https://example.com/{name}", "quantity": "1000"})
            for name in names
        ]
        await self.ledger.track(orders, self.clock.now())

    async def track_refill(self, name: str, of: str) -> None:
        """Let an action have been taken that made a refill of an order, as the executor writes it down."""
        draft = IntentDraft("do.0", StepKind.REFILL, PANEL, {"order": of})
        asked = await self.ledger.ask(draft, order(of), self.clock.now(), "operator")
        await self.ledger.claim(asked.id, "d", self.clock.now(), {})
        outcome = Outcome(IntentState.CONFIRMED, "accepted", result=name, refill=refill(name))
        await self.ledger.settle(asked.id, outcome, Continuation(), self.clock.now(), "d")

    async def later(self, watch: PanelWatch, duration: timedelta) -> int:
        """Let time pass, then sweep the orders; how many were answered."""
        self.clock.move(duration)
        return await sweep_orders(watch)

    async def status(self, name: str) -> object:
        return (await self.facts(name)).get("status")

    async def facts(self, name: str) -> dict[str, object]:
        found = await self.ledger.watched(order(name))
        assert found is not None
        return dict(found.facts)

    async def due_at(self, entity: Entity) -> datetime | None:
        found = await self.ledger.watched(entity)
        assert found is not None
        return found.due_at

    async def intents(self) -> list[tuple[str, str, str, str]]:
        """Rule, order, state and reason of every intent, oldest first."""
        return [
            (intent.rule, intent.entity.id, intent.state.value, intent.reason)
            for intent in reversed(await self.ledger.intents((), 1_000))
        ]

    async def told(self) -> list[str]:
        """The texts of the rules' own messages, oldest first."""
        messages = reversed(await self.ledger.messages((), 1_000))
        return [message.body for message in messages if not message.dedup_key.startswith("operator:")]

    async def operator_told(self) -> list[str]:
        """What kind of things the operator was told, oldest first."""
        messages = reversed(await self.ledger.messages((), 1_000))
        return [
            message.dedup_key.split(":")[1]
            for message in messages
            if message.dedup_key.startswith("operator:")
        ]


def order(name: str, panel: str = PANEL) -> Entity:
    return Entity(EntityKind.ORDER, panel, name)


def refill(name: str, panel: str = PANEL) -> Entity:
    return Entity(EntityKind.REFILL, panel, name)


def state(status: str, remains: int | None = 0, **more: object) -> OrderState:
    return OrderState(status, True, remains, **more)  # type: ignore[arg-type]  # a test names its fields


def _reply(states: Mapping[str, OrderState | Refused]) -> Reply:
    """The states as a panel writes them."""
    return Reply(200, json.dumps({name: _written(answer) for name, answer in states.items()}))


def _written(answer: OrderState | Refused) -> dict[str, object]:
    if isinstance(answer, Refused):
        return {"error": answer.message}
    members = {
        "status": answer.status,
        "remains": answer.remains,
        "start_count": answer.start_count,
        "charge": None if answer.charge is None else str(answer.charge),
        "currency": answer.currency,
        "runs": answer.runs,
        "posts": answer.posts,
        "expiry": answer.expiry,
    }
    told = {name: value for name, value in members.items() if value is not None}
    return told | ({"orders": list(answer.suborders)} if answer.suborders else {})
