"""The frame of every look at a panel: leave it alone while it fails, note how it answered, decide, record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from smm_rules.clock import Clock
from smm_rules.engine.memory import Memory
from smm_rules.engine.urgency import Bounds
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import DueOrder, Recorded, Sweep, Watched
from smm_rules.ledger.stops import Stop, paused_rules
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe import span
from smm_rules.observe.counters import Counters
from smm_rules.panel.answers import Balance, OrderStates, RefillStates, Service
from smm_rules.panel.errors import PanelError
from smm_rules.polling.decisions import Belts, Decided, Look, Memories, decide
from smm_rules.polling.pacing import Backlog, Pacing
from smm_rules.polling.recent import Recent, RecentInMemory
from smm_rules.polling.resting import Contexts
from smm_rules.polling.standing import Standing, WatchedReader
from smm_rules.polling.telling import Telling
from smm_rules.rules.model import RuleSet

Answer = TypeVar("Answer")


class ReadPanel(Protocol):
    """The reading half of a panel's client."""

    async def services(self) -> tuple[Service, ...]: ...

    async def balance(self) -> Balance: ...

    async def order_states(self, ids: Sequence[str], known: Mapping[str, int] = ...) -> OrderStates: ...

    async def refill_states(self, ids: Sequence[str]) -> RefillStates: ...


class SweepLedger(WatchedReader, Protocol):
    """What a look needs of the ledger."""

    async def due_orders(
        self, panel: str, now: datetime, limit: int, batch: int = ...
    ) -> tuple[DueOrder, ...]: ...

    async def watched_rows(self, rows: Sequence[int]) -> dict[int, Watched]: ...

    async def due(self, kind: EntityKind, panel: str, now: datetime, limit: int) -> tuple[Watched, ...]: ...

    async def postpone(self, entities: Sequence[Entity], due_at: datetime) -> None: ...

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]: ...

    async def memories_by_row(self, rows: Sequence[int]) -> list[tuple[int, str, Memory]]: ...

    async def record(self, sweep: Sweep) -> Recorded: ...

    async def stops(self) -> tuple[Stop, ...]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a panel is looked at and how much at a time.

    Within `bounds` each order has its own pace, by how urgent it is, and requests are filled with those due
    next; without them all orders have the pace of `orders`.
    """

    orders: timedelta
    refills: timedelta
    balance: timedelta
    catalogue: timedelta
    settle_after: timedelta
    sweep_size: int
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A sweep as it was decided, and what the ledger made of it."""

    decided: Decided
    recorded: Recorded


@dataclass(slots=True)
class PanelWatch:
    """All that the looks at one panel share.

    `rules` is asked anew each time, so a reload applies at once. `deciding` is held from the reading of the
    rules and their memories until what follows is recorded: who changes the rules takes it, too, so that no
    look writes down what rules came to that are no longer in force. Where several processes watch one panel,
    `deciding` and `recent` are theirs together.
    """

    panel: str
    client: ReadPanel
    ledger: SweepLedger
    standing: Standing
    pace: Pace
    belts: Belts
    clock: Clock
    counters: Counters
    rules: Callable[[], RuleSet]
    voice: OperatorVoice
    planned: Callable[[], None]
    deciding: AbstractAsyncContextManager[object] = field(default_factory=asyncio.Lock)
    recent: Recent = field(default_factory=RecentInMemory)
    contexts: Contexts = field(init=False)
    backlog: Backlog = field(default_factory=Backlog)

    def __post_init__(self) -> None:
        self.contexts = Contexts(repr((self.pace, self.belts.gap)))

    def pacing(self) -> Pacing | None:
        """What each order's own pace follows from; None where all have the same."""
        if self.pace.bounds is None:
            return None
        contexts = self.contexts
        pace, late = self.pace, self.backlog.late
        return Pacing(pace.orders, self.pace.bounds, contexts.interest, contexts.attention, late)

    @property
    def telling(self) -> Telling:
        """Who logs, counts and tells the operator what the looks came to."""
        return Telling(self.panel, self.counters, self.voice)

    async def read(self, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Call the panel; None while it is let be and after a failure, which freezes all state.

        The answer is not noted yet as one: that is for `answered` or `failed_in_part`.
        """
        if self.standing.paused(what, self.clock.now()):
            return None
        try:
            return await call()
        except PanelError as error:
            now = self.clock.now()
            outage = self.standing.note_failure(what, error, now)
            await self.telling.poll_failed(what, error, outage, now)
            return None

    async def answered(self, what: str, now: datetime) -> None:
        """A look has been answered in full."""
        ended = self.standing.note_answer(what, now)
        if ended is not None:
            await self.telling.poll_recovered(what, ended, now)

    async def failed_in_part(
        self, what: str, error: PanelError, unanswered: int, now: datetime, interval: timedelta
    ) -> None:
        """A look has been answered but for `unanswered` entities, whose requests failed."""
        outage = self.standing.note_partial_failure(what, error, now, interval)
        await self.telling.poll_failed_in_part(what, error, outage, unanswered, now)

    def watched_by_rules(self, kind: EntityKind) -> bool:
        """Whether any rule in force watches entities of `kind` on this panel."""
        return bool(self.rules().watching(kind, self.panel))

    async def record(self, kind: EntityKind, looks: Sequence[Look], now: datetime) -> Decided:
        """Evaluate all looks (of one kind), write the sweep in one transaction, tell of what was decided."""
        async with self.deciding:
            made = await self.make(kind, looks, now)
        return await self.tell(made, now)

    async def make(
        self, kind: EntityKind, looks: Sequence[Look], now: datetime, resting: Sequence[int] = ()
    ) -> Made:
        """Evaluate all looks and write the sweep, with the orders that rest. The caller holds `deciding`."""
        with span("look.judge", panel=self.panel, looks=len(looks), resting=len(resting)) as seen:
            made = await self._judge(kind, looks, now, resting)
            seen.note(firings=len(made.decided.sweep.firings))
        return made

    async def _judge(
        self, kind: EntityKind, looks: Sequence[Look], now: datetime, resting: Sequence[int]
    ) -> Made:
        rules = self.rules().watching(kind, self.panel) if looks else ()
        memories = await self._memories(looks) if rules else {}
        recent = await self.recent.counts(kind, now, self._round(kind, looks[0])) if looks else {}
        paused = paused_rules(await self.ledger.stops(), now) if rules else frozenset()
        belts = replace(self.belts, paused=paused)
        decided = decide(looks, rules, memories, now, belts, recent)
        sweep = replace(decided.sweep, resting=tuple(resting)) if resting else decided.sweep
        recorded = await self.ledger.record(sweep) if looks or resting else Recorded()
        self._note_fired(kind, decided, recorded, now)
        return Made(decided, recorded)

    async def _memories(self, looks: Sequence[Look]) -> Memories:
        """What rules remember of all that is looked at; by row where that is known, which is faster."""
        entities = {look.row: look.snapshot.entity for look in looks if look.row is not None}
        if len(entities) < len(looks):
            return await self.ledger.memories([look.snapshot.entity for look in looks])
        found = await self.ledger.memories_by_row(list(entities))
        return {(rule, entities[row]): memory for row, rule, memory in found}

    def _round(self, kind: EntityKind, look: Look) -> timedelta:
        """How long it takes at most until each thing of `kind` has been looked at once."""
        bounds = self.pace.bounds if kind is EntityKind.ORDER else None
        return look.interval if bounds is None else max(look.interval, bounds.slowest)

    async def tell(self, made: Made, now: datetime) -> Decided:
        """Tell of a sweep that is written, and have what it planned carried out."""
        if made.recorded.intents or made.recorded.messages:
            self.planned()
        await self.telling.decided(made.decided, made.recorded, now)
        return made.decided

    def _note_fired(self, kind: EntityKind, decided: Decided, recorded: Recorded, now: datetime) -> None:
        stopped = {item.firing.key for item in recorded.stopped}
        fired = (planned.firing for planned in decided.sweep.firings)
        self.recent.note(kind, (firing for firing in fired if firing.key not in stopped), now)
