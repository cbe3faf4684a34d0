"""A small world for the tests of actions: a scripted panel, a real ledger, a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smm_rules.actions import Executor, Patience
from smm_rules.actions.port import ActingPanel
from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.memory import BLANK, Reason
from smm_rules.engine.steps import begin
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Intent, IntentState, NewOrder, Observed, PlannedFiring, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.answers import Accepted, Refused
from smm_rules.panel.errors import NotSent
from smm_rules.panel.sending import Withheld, look_last
from smm_rules.rules.model import Step, StepKind

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PANEL = "north"
SERVICE: Facts = {
    "id": "7",
    "name": "Followers",
    "type": "Default",
    "rate": Decimal("2.00"),
    "min": 10,
    "max": 10_000,
    "refill": True,
    "gone": False,
}
NOTIFY = Step(StepKind.NOTIFY, {"channel": "ops", "message": "{{ result }} done"})


@dataclass(slots=True)
class HandClock:
    """Stands still until it is moved."""

    at: datetime = T0

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return 0.0

    def move(self, duration: timedelta) -> None:
        self.at += duration


Script = Exception | str | Callable[[], object]


@dataclass
class ScriptedPanel:
    """Answers each call with the next entry of its script: an ID, an error to raise, or something to call.

    `calls` is the panel's own journal of what it was asked. What waits at the `door` hasn't been written yet,
    what waits at the `gate` has.
    """

    script: list[Script] = field(default_factory=list)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    door: asyncio.Event | None = None
    at_door: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    reached_by_four: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self) -> None:
        return None

    async def add(self, parameters: Mapping[str, str]) -> str:
        return await self._answer("add", dict(parameters))

    async def refill(self, order: str) -> Accepted:
        return Accepted(await self._answer("refill", {"order": order}))

    async def cancel(self, orders: Sequence[str]) -> dict[str, Accepted | Refused]:
        answer = await self._answer("cancel", {"orders": ",".join(orders)})
        if answer.startswith("refused:"):
            return {orders[0]: Refused(answer.removeprefix("refused:"))}
        return {} if answer == "silent" else {orders[0]: Accepted(answer)}

    async def _answer(self, action: str, parameters: dict[str, str]) -> str:
        self.at_door.set()
        if self.door is not None:
            await self.door.wait()
        try:
            await look_last()
        except Withheld as withheld:
            raise NotSent(str(withheld)) from None
        self.calls.append((action, parameters))
        self.reached.set()
        if len(self.calls) >= 4:
            self.reached_by_four.set()
        if self.gate is not None:
            await self.gate.wait()
        entry = self.script.pop(0) if self.script else str(9000 + len(self.calls))
        if isinstance(entry, Exception):
            raise entry
        return entry if isinstance(entry, str) else str(entry())


@dataclass(slots=True)
class World:
    """The ledger, the panel and the clock, with short words for what tests do."""

    ledger: SqliteLedger
    panel: ScriptedPanel = field(default_factory=ScriptedPanel)
    clock: HandClock = field(default_factory=HandClock)
    balances_wanted: list[str] = field(default_factory=list)

    def executor(
        self,
        owner: str = "daemon",
        live: bool = True,
        panels: Mapping[str, ActingPanel] | None = None,
        patience: Patience | None = None,
    ) -> Executor:
        return Executor(
            self.ledger,
            {PANEL: self.panel} if panels is None else panels,
            owner,
            self.clock,
            OperatorVoice(self.ledger, "ops"),
            live=live,
            patience=patience,
            want_balance=self.balances_wanted.append,
        )

    async def know(
        self,
        service: Mapping[str, object] | None = None,
        balance: str | None = "100",
        panel: str = PANEL,
    ) -> None:
        """Read catalogue and balance now; more facts of the service on top of the usual ones."""
        facts: Facts = SERVICE | dict(service or {})  # type: ignore[assignment]  # tests write plain facts
        entity = Entity(EntityKind.SERVICE, panel, str(facts["id"]))
        observed = [Observed(entity, facts, True, None)]
        if balance is not None:
            money: Facts = {"amount": Decimal(balance), "currency": "USD"}
            observed.append(Observed(Entity(EntityKind.BALANCE, panel), money, True, None))
        await self.ledger.record(Sweep(self.clock.now(), tuple(observed)))

    async def track(
        self, number: int = 1, service: str | None = "7", panel: str = PANEL, **parameters: str
    ) -> Entity:
        entity = order(number, panel)
        given = parameters or {"link": "https://example.com/a", "quantity": "1000"}
        await self.ledger.track([NewOrder(entity, service, given, label="mine")], self.clock.now())
        return entity

    async def fire(
        self,
        *steps: Step,
        entity: Entity | None = None,
        otherwise: tuple[Step, ...] = (),
        rule: str = "top-up",
        facts: Mapping[str, object] | None = None,
        hold: Reason | None = None,
        episode: datetime | None = None,
    ) -> int:
        """Plan a firing as a sweep does; the ID of its first intent."""
        known: Facts = {"status": "Partial", "remains": 157, "order.id": "1"} | dict(facts or {})  # type: ignore[assignment]
        entity = entity or order()
        what = Firing(
            rule=rule,
            rule_version="v1",
            entity=entity,
            root=entity,
            episode=episode or T0,
            occasion=Occasion.FIRED,
            ordinal=0,
            at=T0,
            facts=known,
            steps=steps,
            otherwise=otherwise,
        )
        planned = PlannedFiring(what, begin(what), BLANK, hold)
        recorded = await self.ledger.record(Sweep(self.clock.now(), firings=(planned,)))
        return recorded.intents[0]

    async def refill(self, **more: object) -> int:
        return await self.fire(Step(StepKind.REFILL), **more)  # type: ignore[arg-type]

    async def reorder(self, parameters: Mapping[str, object] | None = None, **more: object) -> int:
        return await self.fire(Step(StepKind.REORDER, dict(parameters or {})), **more)  # type: ignore[arg-type]

    async def run(self, **more: object) -> None:
        await self.executor(**more).run_due(self.clock.now())  # type: ignore[arg-type]

    async def intent(self, intent_id: int) -> Intent:
        found = await self.ledger.intent(intent_id)
        assert found is not None
        return found

    async def state(self, intent_id: int) -> IntentState:
        return (await self.intent(intent_id)).state

    async def messages(self) -> list[str]:
        """The dedup keys of all messages, oldest first."""
        return [message.dedup_key for message in reversed(await self.ledger.messages((), 100))]


def order(number: int | str = 1, panel: str = PANEL) -> Entity:
    return Entity(EntityKind.ORDER, panel, str(number))
