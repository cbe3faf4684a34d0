"""All that the ledger has on one order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import Intent, IntentState, Observation, TrackedOrder, Watched
from smm_rules.rules.model import StepKind

_MANY = 1_000
_LONG_HISTORY = 100_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """All that the ledger has on an order. `watched` is None once it is forgotten."""

    order: TrackedOrder
    watched: Watched | None
    children: tuple[Entity, ...]
    history: tuple[Observation, ...]
    memories: dict[str, Memory]
    intents: tuple[Intent, ...]


async def known_of(ledger: Ledger, entity: Entity, last: int, now: datetime) -> Known | None:
    """Everything on the order with its `last` observations; None when it isn't known."""
    order = await ledger.order(entity)
    if order is None:
        return None
    until = now + timedelta(days=1)
    history = await ledger.history(entity, _BEGINNING, until, _LONG_HISTORY) if last else ()
    intents = await ledger.intents((), _MANY, entity=entity)
    return Known(
        order=order,
        watched=await ledger.watched(entity),
        children=await _children(ledger, entity, intents),
        history=history[-last:],
        memories={rule: memory for (rule, _), memory in (await ledger.memories([entity])).items()},
        intents=intents,
    )


async def _children(ledger: Ledger, entity: Entity, intents: tuple[Intent, ...]) -> tuple[Entity, ...]:
    """The orders that were placed in its stead, the oldest first: those its reorders made."""
    made = [
        Entity(EntityKind.ORDER, intent.panel, intent.result)
        for intent in reversed(intents)
        if intent.kind is StepKind.REORDER and intent.state is IntentState.CONFIRMED and intent.result
    ]
    orders = [await ledger.order(child) for child in made]
    return tuple(order.entity for order in orders if order is not None and order.parent == entity)
