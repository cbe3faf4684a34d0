"""Actions that stand behind a stopped one about the same order: they keep their order, and that is told.

Two actions about one order go in the order in which they were asked for, whatever stops the first. What comes
second may have been decided on the first being done: a reorder behind a cancel would be a second order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smm_rules.actions.circumstances import approvals
from smm_rules.actions.port import Voice
from smm_rules.engine.firing import MessageDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState, Transition
from smm_rules.ledger.stops import PASSES_STOPS, TRIPPED, Stop, concerning
from smm_rules.notify.brakes import behind_stopped
from smm_rules.observe import get_logger

log = get_logger(__name__)

_MANY = 1_000
_IN_LINE = frozenset({EntityKind.ORDER, EntityKind.REFILL})


class StopLedger(Protocol):
    """What finding out needs of the ledger."""

    async def stops(self) -> tuple[Stop, ...]: ...

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]: ...


class LineLedger(StopLedger, Protocol):
    """What looking for all of them needs of the ledger."""

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...


class TellLedger(StopLedger, Protocol):
    """What telling of them needs of the ledger."""

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool: ...


@dataclass(frozen=True, slots=True)
class Behind:
    """`intent` waits until `other`, asked for before about the same order, is done; `stop` keeps that one."""

    intent: Intent
    other: Intent
    stop: Stop


async def stopped_before(
    ledger: StopLedger, intent: Intent, earlier: Sequence[Intent], now: datetime
) -> Behind | None:
    """What of `earlier` is planned and stopped, so that `intent` waits for more than its turn."""
    planned = [other for other in earlier if other.state is IntentState.PLANNED]
    stops = await ledger.stops() if planned else ()
    for other in planned:
        found = concerning(stops, other.rule, other.panel, now)
        if found and not await _passes(ledger, other, found):
            return Behind(intent, other, found[0])
    return None


async def _passes(ledger: StopLedger, intent: Intent, stops: Sequence[Stop]) -> bool:
    """Whether an approval lets it go past what stops it."""
    if any(stop.kind not in TRIPPED for stop in stops):
        return False
    given = {one.reason for one in approvals(await ledger.transitions(intent.id), None)}
    return bool(given & PASSES_STOPS)


async def waiting_behind_stopped(ledger: LineLedger, now: datetime) -> tuple[Behind, ...]:
    """Every planned action that waits so, of the newest ones, the oldest first."""
    if not any(stop.active(now) for stop in await ledger.stops()):
        return ()
    return await _all_behind(ledger, await ledger.intents((IntentState.PLANNED,), _MANY), now)


async def waits_behind_stopped(ledger: LineLedger, intent: Intent, now: datetime) -> Behind | None:
    """Whether one action waits so."""
    if intent.state is not IntentState.PLANNED:
        return None
    planned = await ledger.intents((IntentState.PLANNED,), _MANY, entity=intent.entity)
    found = await _all_behind(ledger, planned, now)
    return next((one for one in found if one.intent.id == intent.id), None)


async def _all_behind(ledger: StopLedger, planned: Sequence[Intent], now: datetime) -> tuple[Behind, ...]:
    lines: defaultdict[Entity, list[Intent]] = defaultdict(list)
    found: list[Behind] = []
    for intent in reversed(planned):
        if intent.entity.kind not in _IN_LINE:
            continue
        before = lines[intent.entity]
        behind = await stopped_before(ledger, intent, before, now)
        found += [] if behind is None else [behind]
        before.append(intent)
    return tuple(found)


class Waiting:
    """Tells the operator of actions that wait behind stopped ones: once ever for a stop and a rule."""

    def __init__(self, ledger: TellLedger, voice: Voice) -> None:
        self._ledger = ledger
        self._voice = voice
        self._told: set[tuple[int, str]] = set()

    async def tell(self, intent: Intent, earlier: Sequence[Intent], now: datetime) -> None:
        """Tell of `intent` if it waits for more than its turn."""
        behind = await stopped_before(self._ledger, intent, earlier, now)
        if behind is None or (behind.stop.id, intent.rule) in self._told:
            return
        message = self._voice.addressed(behind_stopped(intent, behind.other, behind.stop))
        told = await self._ledger.enqueue(message, now)
        self._told.add((behind.stop.id, intent.rule))
        if told:
            log.warning(
                "action.waits_behind_stopped",
                intent=intent.id,
                behind=behind.other.id,
                kind=behind.stop.kind.value,
                scope=behind.stop.scope.value,
                name=behind.stop.name,
            )
