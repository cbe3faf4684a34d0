"""What carrying out intents needs of a panel, of the ledger and of the operator's voice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from smm_rules.engine.firing import Continuation, Firing, IntentDraft, MessageDraft
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import (
    DatedBalance,
    Intent,
    IntentState,
    Leave,
    Outcome,
    TrackedOrder,
    Transition,
    Watched,
)
from smm_rules.ledger.stops import Stop
from smm_rules.panel.answers import Accepted, Refused


class ActingPanel(Protocol):
    """The calls that change something on a panel. Each makes one attempt and raises a `PanelError`."""

    async def ready(self) -> None:
        """Wait until the panel's request budget has room, so that a claimed action needn't."""
        ...

    async def add(self, parameters: Mapping[str, str]) -> str:
        """Place an order; its ID. `service` is among the parameters."""
        ...

    async def refill(self, order: str) -> Accepted: ...

    async def cancel(self, orders: Sequence[str]) -> dict[str, Accepted | Refused]: ...


class Fence(Protocol):
    """Bounds how late what this process claims may be sent, where another could take it for dead."""

    def send_before(self) -> float | None:
        """The instant (of `panel.sending`) before which an action claimed now must have left; None: no bound.

        An instant that has passed says that nothing may be claimed.
        """
        ...


class Voice(Protocol):
    """Addresses a message to the operator."""

    def addressed(self, draft: MessageDraft) -> MessageDraft: ...


class OrderLedger(Protocol):
    """Where orders and refills are looked up."""

    async def order(self, entity: Entity) -> TrackedOrder | None: ...

    async def watched(self, entity: Entity) -> Watched | None: ...


class CircumstanceLedger(OrderLedger, Protocol):
    """What is read before an action."""

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]: ...

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]: ...

    async def balance(self, panel: str) -> DatedBalance | None: ...

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]: ...

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]: ...

    async def firing(self, firing_id: int) -> Firing | None: ...

    async def replacements(self, order: Entity) -> tuple[Watched, ...]: ...


class ResolveLedger(OrderLedger, Protocol):
    """What settling an intent by proof or by the operator's word needs."""

    async def intent(self, intent_id: int) -> Intent | None: ...

    async def firing(self, firing_id: int) -> Firing | None: ...

    async def resolve(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent: ...

    async def note(self, intent_id: int, evidence: Mapping[str, str]) -> None: ...


class ActionLedger(CircumstanceLedger, ResolveLedger, Protocol):
    """What the executor needs of the ledger; see `ledger.port.Ledger` for what each promises."""

    async def claimable(self, now: datetime, limit: int) -> tuple[Intent, ...]: ...

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool: ...

    async def may_leave(self, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave: ...

    async def stops(self) -> tuple[Stop, ...]: ...

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent: ...

    async def refuse(self, intent_id: int, outcome: Outcome, then: Continuation, now: datetime) -> Intent: ...

    async def postpone(self, entities: Iterable[Entity], due_at: datetime) -> None: ...

    async def hold(self, intent_id: int, reason: str, message: str, now: datetime) -> Intent: ...

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool: ...


class MarketLedger(Protocol):
    """What drafting an order needs of the ledger."""

    async def balance(self, panel: str) -> DatedBalance | None: ...

    async def watched(self, entity: Entity) -> Watched | None: ...


class AskLedger(MarketLedger, Protocol):
    """What placing an order needs of the ledger."""

    async def ask(self, draft: IntentDraft, entity: Entity, now: datetime, by: str) -> Intent: ...
