"""The stage of a rehearsal: it plays the daemon's looks in simulated time.

Facts come from a `Source`: a test's `given`, or the recorded history. What is made of them is the daemon's
own: `polling.decisions.decide`, a real ledger, though in memory, and the real executor with scripted panels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.actions.circumstances import BUYING
from smm_rules.actions.executor import DEFAULT_RATE_INCREASE, Executor
from smm_rules.actions.port import ActingPanel
from smm_rules.actions.verdict import Why
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot
from smm_rules.ledger.records import Intent, Observed, OrderSource, Sweep, TrackedOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.polling.decisions import Belts, Look, decide
from smm_rules.rehearsal.agenda import Agenda
from smm_rules.rehearsal.clock import StageClock
from smm_rules.rehearsal.collecting import Collector
from smm_rules.rehearsal.happening import Record, Swept
from smm_rules.rehearsal.idling import next_worthwhile, on_grid, previous_on_grid
from smm_rules.rehearsal.source import Source, StagePace
from smm_rules.rehearsal.surroundings import Surroundings
from smm_rules.rules.model import RuleSet

#: What an order belongs to is looked at before it, so that it is judged on what is known by then.
_KINDS = (EntityKind.PANEL, EntityKind.BALANCE, EntityKind.SERVICE, EntityKind.ORDER, EntityKind.REFILL)
_OF_AN_ORDER = (EntityKind.ORDER, EntityKind.REFILL)
_OWNER = "rehearsal"
_MOST_CLAIMED = 500


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last look at an entity, and whether it was the last of all."""

    at: datetime
    settled: bool


class Stage:
    """Plays looks in time order. The caller says what happens when; everything else follows by itself.

    `record` holds what came of the rules; `audience` is shown every sweep. `rate_increase` is how much dearer
    a service may have become for a reorder that states no bound, None for any.
    """

    def __init__(
        self,
        ledger: SqliteLedger,
        source: Source,
        rules: RuleSet,
        panels: Mapping[str, ActingPanel],
        clock: StageClock,
        pace: StagePace,
        audience: Callable[[Swept], None] = lambda _: None,
        rate_increase: Decimal | None = DEFAULT_RATE_INCREASE,
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.rules = rules
        self.pace = pace
        self.record = Record()
        self.collector = Collector(ledger, self.record)
        self._source = source
        self._audience = audience
        self._executor = Executor(
            ledger,
            panels,
            _OWNER,
            clock,
            OperatorVoice(ledger, None),
            default_rate_increase=rate_increase,
        )
        self._surroundings = Surroundings(rules)
        self._agenda = Agenda()
        self._seen: dict[Entity, _Seen] = {}
        self._orders: dict[Entity, TrackedOrder | None] = {}
        self._refilled: dict[Entity, Entity] = {}

    # -- what the caller asks for -----------------------------------------------------------------------
    async def advance(self, until: datetime, *, inclusive: bool = True) -> None:
        """Play every look and every further attempt up to `until`."""
        while (at := self._next_at()) is not None and (at < until or (inclusive and at == until)):
            await self.look([], at)
        self.clock.move_to(max(until, self.clock.now()))

    async def look(self, entities: Iterable[Entity], now: datetime) -> None:
        """Look at `entities` and at all that is due by `now`, then carry out what is planned."""
        self.clock.move_to(now)
        wanted = list(entities)
        active = False
        for kind in _KINDS:
            by_panel: defaultdict[str, dict[Entity, None]] = defaultdict(dict)
            for entity in (*(each for each in wanted if each.kind is kind), *self._agenda.take(kind, now)):
                by_panel[entity.panel][entity] = None
            for panel, together in by_panel.items():
                active |= await self._sweep(kind, panel, list(together), now)
        attempt = self.collector.next_attempt
        if active or (attempt is not None and attempt <= now):
            await self._carry_out(now)

    async def know(self, entity: Entity, now: datetime) -> None:
        """Take note of the facts of something that no rule is to look at."""
        seen = self._source.observe(entity, self.facts_of(entity), await self.order_of(entity), now)
        self._keep(entity, seen.facts, now)
        await self.ledger.record(Sweep(now, (Observed(entity, seen.facts, False, None),)))

    def facts_of(self, entity: Entity) -> Facts:
        """The facts of `entity` as seen last."""
        return self._surroundings.facts.get(entity, {})

    def settled(self, entity: Entity) -> bool:
        """Whether an order or refill is asked about no more."""
        seen = self._seen.get(entity)
        return seen is not None and seen.settled

    def looked_at(self, kind: EntityKind) -> tuple[Entity, ...]:
        """The entities of `kind` that have been looked at."""
        return tuple(entity for entity in self._seen if entity.kind is kind)

    async def order_of(self, entity: Entity) -> TrackedOrder | None:
        """The ledger's word on an order, or on the order that a refill refills."""
        if entity.kind not in _OF_AN_ORDER:
            return None
        if entity in self._refilled:
            return await self.order_of(self._refilled[entity])
        if entity not in self._orders:
            if entity.kind is EntityKind.ORDER:
                self._orders[entity] = await self.ledger.order(entity)
            else:
                watched = await self.ledger.watched(entity)
                self._orders[entity] = watched.order if watched else None
        return self._orders[entity]

    def refills(self, refill: Entity, order: Entity) -> None:
        """Note which order a refill refills that no action on this stage asked for."""
        self._refilled[refill] = order

    async def snapshot(self, entity: Entity, now: datetime) -> Snapshot:
        """How `entity` stands at `now` by what was seen of it last."""
        return self._snapshot(entity, await self.order_of(entity), now)

    # -- looks ------------------------------------------------------------------------------------------
    def _next_at(self) -> datetime | None:
        instants = (self._agenda.next_at(), self.collector.next_attempt)
        return min((at for at in instants if at is not None), default=None)

    async def _sweep(self, kind: EntityKind, panel: str, entities: list[Entity], now: datetime) -> bool:
        """One sweep as the daemon's; whether anything fired."""
        rules = self.rules.watching(kind, panel)
        looks = [await self._look(entity, now) for entity in entities]
        memories = await self.ledger.memories(entities) if rules else {}
        decided = decide(looks, rules, memories, now, Belts(live=True, gap=self.pace.gap))
        recorded = await self.ledger.record(decided.sweep)
        swept = Swept(now, kind, panel, looks, rules, decided, recorded)
        self.collector.swept(swept)
        self._audience(swept)
        self._plan_next(swept)
        return bool(decided.sweep.firings)

    async def _look(self, entity: Entity, now: datetime) -> Look:
        order = await self.order_of(entity)
        self._surroundings.depend(entity, order)
        seen = self._source.observe(entity, self.facts_of(entity), order, now)
        self._keep(entity, seen.facts, now)
        settle_after = self.pace.settle_after if entity.kind in _OF_AN_ORDER else timedelta()
        snapshot = self._snapshot(entity, order, now)
        return Look(snapshot, seen.facts, seen.changed, self._interval(entity), settle_after)

    def _snapshot(self, entity: Entity, order: TrackedOrder | None, now: datetime) -> Snapshot:
        is_order = entity.kind is EntityKind.ORDER
        own = self.facts_of(entity)
        return Snapshot(
            entity=entity,
            facts=complete(entity.kind, own, self._surroundings.related(entity, order)),
            taken_at=now,
            previous_at=self._previous_at(entity, now),
            root=order.root if order is not None else entity,
            imported=is_order and order is not None and order.source is OrderSource.TRACKED,
        )

    def _previous_at(self, entity: Entity, now: datetime) -> datetime | None:
        seen = self._seen.get(entity)
        if seen is None or seen.settled:
            return seen.at if seen else None
        return previous_on_grid(seen.at, self._interval(entity), now)

    def _interval(self, entity: Entity) -> timedelta:
        return self.pace.interval(entity)

    def _keep(self, entity: Entity, facts: Facts, now: datetime) -> None:
        """Keep facts just seen; whom they touch is looked at again when its next look is due anyway."""
        for other in self._surroundings.keep(entity, facts):
            self._bring_forward(other, now)

    def _bring_forward(self, entity: Entity, now: datetime) -> None:
        seen = self._seen.get(entity)
        if seen is None or seen.settled:
            return
        at = on_grid(seen.at, self._interval(entity), now)
        if self._is_watched(entity, at):
            self._agenda.bring_forward(entity, at)

    # -- when to look next ------------------------------------------------------------------------------
    def _plan_next(self, swept: Swept) -> None:
        """Note the looks, and when the next one may come to something."""
        sweep = swept.decided.sweep
        stirred = {one.entity for one in sweep.remembered}
        stirred |= {one.firing.entity for one in sweep.firings}
        stirred |= {one.entity for one in swept.decided.broken}
        wakes: defaultdict[Entity, list[datetime]] = defaultdict(list)
        for verdict in swept.decided.verdicts:
            if verdict.evaluation.wake_at is not None:
                wakes[verdict.entity].append(verdict.evaluation.wake_at)
        for look, observed in zip(swept.looks, sweep.observed, strict=True):
            entity, due_at = observed.entity, observed.due_at
            self._seen[entity] = _Seen(swept.at, settled=due_at is None)
            # Over the sweep's limit it depends on the others, too, whether the next look fires.
            calm = entity not in stirred and not swept.decided.over_limit
            if due_at is not None and calm and due_at >= swept.at + look.interval:
                due_at = self._next_worthwhile(look, wakes[entity], due_at, swept.at)
            self._agenda.put(entity, due_at if due_at is None or self._is_watched(entity, due_at) else None)

    def _is_watched(self, entity: Entity, at: datetime) -> bool:
        end = self._source.last_look(entity)
        return end is None or at <= end

    def _next_worthwhile(
        self, look: Look, wakes: list[datetime], due_at: datetime, now: datetime
    ) -> datetime | None:
        attention = self._surroundings.attention(look.snapshot.entity)
        if attention.turns is None:
            return due_at
        turns = attention.instants(look.snapshot.facts)
        changed_at = look.facts.get("changed_at")
        if look.settle_after and isinstance(changed_at, datetime):
            turns.append(changed_at + look.settle_after)
        return next_worthwhile(now, look.interval, wakes, turns)

    # -- actions ----------------------------------------------------------------------------------------
    async def _carry_out(self, now: datetime) -> None:
        """Carry out what may be sent now and what follows from it, the oldest first."""
        tried: set[int] = set()
        while True:
            ready = [each for each in await self.ledger.claimable(now, _MOST_CLAIMED) if each.id not in tried]
            if not ready:
                break
            for intent in ready:
                tried.add(intent.id)
                await self._read_up_to(now, intent)
                after = await self._executor.run_one(intent.id)
                order = intent.parameters.get("order", intent.entity.id)
                self._stir({intent.entity, Entity(EntityKind.ORDER, intent.panel, order)}, now)
                if after is not None and after.reason == Why.NOT_LOOKED_AT:
                    self._look_at_once(intent.entity, now)
        await self.collector.collect(now)

    async def _read_up_to(self, now: datetime, intent: Intent) -> None:
        """Note that what bears on an action has been read till now: looks that were left out read it."""
        order = await self.order_of(intent.entity)
        await self._catch_up(intent.entity, now)
        if intent.kind not in BUYING:
            return
        service = intent.parameters.get("service", order.service if order else None)
        market = [Entity(EntityKind.PANEL, intent.panel), Entity(EntityKind.BALANCE, intent.panel)]
        market += [Entity(EntityKind.SERVICE, intent.panel, service)] if service else []
        for entity in market:
            if self.facts_of(entity):
                await self.know(entity, now)

    async def _catch_up(self, entity: Entity, now: datetime) -> None:
        """Write down the last look that was left out: nothing can have come of it."""
        seen = self._seen.get(entity)
        if seen is None or seen.settled:
            return
        interval = self._interval(entity)
        at = seen.at + interval * ((now - seen.at) // interval)
        if at > seen.at and self._is_watched(entity, at):
            self._seen[entity] = _Seen(at, settled=False)
            observed = Observed(entity, self.facts_of(entity), False, at + interval)
            await self.ledger.record(Sweep(at, (observed,)))

    def _look_at_once(self, entity: Entity, now: datetime) -> None:
        """An action waits for a look, so one is due now, however settled the thing may be."""
        if entity in self._seen and self._is_watched(entity, now):
            self._agenda.put(entity, now)

    def _stir(self, entities: Iterable[Entity], now: datetime) -> None:
        """An action may have changed what the ledger knows of an order: how often it was refilled."""
        for entity in entities:
            self._orders.pop(entity, None)
            self._bring_forward(entity, now)
