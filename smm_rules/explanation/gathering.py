"""Everything an explanation needs, read from the ledger: as it is now, or as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from smm_rules.engine.memory import BLANK, Memory
from smm_rules.engine.snapshots import complete, related
from smm_rules.explanation.model import Records, Standing
from smm_rules.facts import RELATED, Entity, EntityKind, Facts, Value
from smm_rules.ledger.records import (
    TRACES_KEPT,
    Intent,
    IntentState,
    KeptTrace,
    Observation,
    OrderSource,
    TrackedOrder,
    Transition,
    Watched,
)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_HISTORY = 100_000
_MANY = 1_000


class ReadLedger(Protocol):
    """What is read; see `ledger.port.Ledger` for what each promises."""

    async def order(self, entity: Entity) -> TrackedOrder | None: ...

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]: ...

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]: ...

    async def traces(self, entity: Entity, rule: str | None, limit: int) -> tuple[KeptTrace, ...]: ...

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One entity's own facts at a moment, and when they were read."""

    facts: Facts
    seen_at: datetime | None


async def standing_of(ledger: ReadLedger, entity: Entity, at: datetime, *, past: bool = False) -> Standing:
    """All that is known of `entity`: now, or with `past` what was known at the moment `at`."""
    watched = await ledger.watched(entity)
    order = await _order(ledger, entity, watched)
    seen = await _seen(ledger, entity, at, past=past)
    others = await _related(ledger, entity, order, at, past=past)
    health = seen if entity.kind is EntityKind.PANEL else others[EntityKind.PANEL]
    shared: dict[str, Value] = {}
    for kind, other in others.items():
        shared |= related(kind, other.facts)
    service = others.get(EntityKind.SERVICE)
    return Standing(
        entity=entity,
        at=at,
        facts=complete(entity.kind, seen.facts, shared),
        stored=watched is not None,
        seen_at=seen.seen_at,
        due_at=watched.due_at if watched and not past else None,
        root=order.root if order else entity,
        imported=order is not None
        and entity.kind is EntityKind.ORDER
        and order.source is OrderSource.TRACKED,
        order=order,
        health=health.facts,
        service_known=service is not None and bool(service.facts),
        past=past,
    )


async def _order(ledger: ReadLedger, entity: Entity, watched: Watched | None) -> TrackedOrder | None:
    if entity.kind is EntityKind.ORDER:
        return await ledger.order(entity)
    return watched.order if watched is not None and entity.kind is EntityKind.REFILL else None


async def _related(
    ledger: ReadLedger, entity: Entity, order: TrackedOrder | None, at: datetime, *, past: bool
) -> dict[EntityKind, Seen]:
    """The facts of what the entity belongs to, those of nothing where it isn't known what that is."""
    found: dict[EntityKind, Seen] = {}
    for kind in RELATED[entity.kind]:
        other = _other(kind, entity, order)
        found[kind] = Seen({}, None) if other is None else await _seen(ledger, other, at, past=past)
    return found


def _other(kind: EntityKind, entity: Entity, order: TrackedOrder | None) -> Entity | None:
    if kind is EntityKind.ORDER:
        return order.entity if order else None
    if kind is EntityKind.SERVICE:
        service = order.service if order else None
        return Entity(kind, entity.panel, service) if service else None
    return Entity(kind, entity.panel)


async def _seen(ledger: ReadLedger, entity: Entity, at: datetime, *, past: bool) -> Seen:
    if not past:
        watched = await ledger.watched(entity)
        return Seen(watched.facts, watched.last_seen_at) if watched else Seen({}, None)
    history = await ledger.history(entity, _BEGINNING, at, _LONG_HISTORY)
    # It was looked at all the time in between, without news: nobody noted when.
    return Seen(history[-1].facts, at) if history else Seen({}, None)


async def records_of(ledger: ReadLedger, rule: str, standing: Standing) -> Records:
    """What the ledger has of `rule` for the entity of `standing`, up to its moment."""
    entity, at = standing.entity, standing.at
    kept = await ledger.traces(entity, rule, TRACES_KEPT)
    traces = tuple(trace for trace in kept if trace.at <= at)
    intents = await ledger.intents((), _MANY, rule=rule, entity=entity)
    memory: Memory | None = (await ledger.memories([entity])).get((rule, entity), BLANK)
    if standing.past:
        memory = _memory_then(memory or BLANK, kept, traces)
        intents = tuple([await _as_then(ledger, one, at) for one in intents if one.planned_at <= at])
    return Records(memory, traces, intents)


async def _as_then(ledger: ReadLedger, intent: Intent, at: datetime) -> Intent:
    """An intent in the state it had at a moment."""
    changes = [change for change in await ledger.transitions(intent.id) if change.at <= at]
    if not changes:
        return intent
    last = changes[-1]
    return replace(intent, state=last.after, reason=last.reason, message=last.message)


def _memory_then(memory: Memory, kept: Sequence[KeptTrace], before: Sequence[KeptTrace]) -> Memory | None:
    """What the rule remembered at a moment: after its last trace before it.

    None when traces from before the moment may have been dropped; blank when nothing was ever dropped.
    """
    if before:
        return before[0].memory
    if len(kept) >= TRACES_KEPT or (not kept and memory != BLANK):
        return None
    return BLANK
