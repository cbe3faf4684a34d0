"""Plays the recorded history to a set of rules. Nothing is sent, and the ledger read from is left alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.actions.circumstances import BUYING, COST, CURRENCY
from smm_rules.engine.buying import money
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, NewOrder, Observation, TrackedOrder, Watched
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rehearsal.clock import StageClock
from smm_rules.rehearsal.happening import Record
from smm_rules.rehearsal.replay.history import BEGINNING, HistoryLedger, instants
from smm_rules.rehearsal.replay.model import Account, Acted, Limited, Replayed, Span, fired_of
from smm_rules.rehearsal.replay.recorded import RecordedWorld
from smm_rules.rehearsal.replay.remarks import remarks
from smm_rules.rehearsal.restraints import RULES_ALONE, Restraints
from smm_rules.rehearsal.scripted_panel import Script, ScriptedPanel
from smm_rules.rehearsal.source import StagePace
from smm_rules.rehearsal.stage import Stage
from smm_rules.rules.model import RuleSet, StepKind

_PAGE = 5_000


class RecordedLedger(HistoryLedger, Protocol):
    """What a replay reads."""

    async def order(self, entity: Entity) -> TrackedOrder | None: ...

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]: ...


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How the daemon looked: which panels there are, how often, its tolerances and what bounds actions.

    `panel` confines the replay to one panel.
    """

    panels: tuple[str, ...]
    interval: Callable[[Entity], timedelta]
    settle_after: timedelta = timedelta(days=1)
    gap: timedelta = timedelta(minutes=30)
    panel: str | None = None
    restraints: Restraints = RULES_ALONE


async def replay(
    recorded: RecordedLedger,
    rules: RuleSet,
    span: Span,
    settings: ReplaySettings,
    progress: Callable[[datetime], None] = lambda _: None,
) -> Replayed:
    """What `rules` would have done in `span`.

    The whole kept history up to the end of `span` is played, so that holds, limits and episodes that began
    before it are as they would have been; only what falls into `span` is told. `progress` hears how far it
    is.
    """
    ledger = await SqliteLedger.in_memory(settings.restraints.guards)
    try:
        player = _Player(recorded, ledger, rules, span, settings)
        await player.load()
        async with aclosing(instants(recorded, span.until)) as history:
            await player.play(history, progress)
        names = tuple(rule.name for rule in rules.rules)
        account = account_of(player.stage.record, span)
        notes = tuple(remarks(player.since, player.recorded, span))
        return Replayed(names, account, player.observations, len(player.met), notes)
    finally:
        await ledger.aclose()


def rehearsed_id(kind: StepKind, number: int) -> str:
    """What a replay calls the things that no panel made."""
    return f"rehearsed-{kind}-{number}"


class _Player:
    """One replay under way."""

    def __init__(
        self,
        recorded: RecordedLedger,
        ledger: SqliteLedger,
        rules: RuleSet,
        span: Span,
        settings: ReplaySettings,
    ) -> None:
        self._recorded = recorded
        self._ledger = ledger
        self._span = span
        self._panel = settings.panel
        self.world = RecordedWorld(settings.interval, span.until)
        panel = ScriptedPanel(Script(rehearsed_id))
        pace = StagePace(settings.interval, settings.settle_after, settings.gap)
        panels = dict.fromkeys(settings.panels, panel)
        rate_increase = settings.restraints.rate_increase
        self.stage = Stage(
            ledger, self.world, rules, panels, StageClock(BEGINNING), pace, rate_increase=rate_increase
        )
        self.observations = 0
        self.recorded = 0
        self.since: datetime | None = None
        self.met: set[Entity] = set()
        self._orders: dict[Entity, TrackedOrder] = {}
        self._refilled: dict[Entity, Entity] = {}

    async def load(self) -> None:
        """Read which orders there are, and when each thing was last looked at."""
        for kind in EntityKind:
            after: Entity | None = None
            while page := await self._recorded.watched_page(kind, self._panel, after, _PAGE):
                for watched in page:
                    self._note(watched)
                after = page[-1].entity

    def _note(self, watched: Watched) -> None:
        self.world.ends(watched.entity, watched.last_seen_at)
        if watched.order is None:
            return
        if watched.entity.kind is EntityKind.REFILL:
            self._refilled[watched.entity] = watched.order.entity
        else:
            self._orders[watched.entity] = watched.order

    async def play(
        self,
        history: AsyncIterator[tuple[datetime, Sequence[Observation]]],
        progress: Callable[[datetime], None],
    ) -> None:
        async for at, observations in history:
            here = [one for one in observations if self._panel in (None, one.entity.panel)]
            if not here:
                continue
            progress(at)
            await self.stage.advance(at, inclusive=False)
            await self._meet([one.entity for one in here if one.entity not in self.met])
            for one in here:
                self.world.seen(one)
            self.observations += len(here)
            self.recorded += len(here) if self._span.holds(at) else 0
            self.since = self.since or at
            await self.stage.look([one.entity for one in here if one.entity in self.met], at)
        await self.stage.advance(self._span.until)

    async def _meet(self, entities: Iterable[Entity]) -> None:
        """Track orders and remember refills when they are seen for the first time."""
        tracked: defaultdict[datetime, list[NewOrder]] = defaultdict(list)
        for entity in entities:
            if entity.kind is EntityKind.ORDER:
                order = self._orders.get(entity) or await self._recorded.order(entity)
                if order is None:
                    continue  # pruned away: nothing is known of it but its facts
                tracked[order.tracked_at].append(_new(order))
            elif entity.kind is EntityKind.REFILL and entity in self._refilled:
                self.stage.refills(entity, self._refilled[entity])
            self.met.add(entity)
        for at, orders in sorted(tracked.items()):
            await self._ledger.track(orders, at)


def _new(order: TrackedOrder) -> NewOrder:
    return NewOrder(
        entity=order.entity,
        service=order.service,
        parameters=order.parameters,
        placed_at=order.placed_at,
        label=order.label,
        source=order.source,
        parent=order.parent,
    )


def account_of(record: Record, span: Span) -> Account:
    """What a stage's record says of `span`."""
    fired = [fired_of(one) for one in record.fired]
    acted = [acted_of(step.intent, step.at) for step in record.steps if step.intent is not None]
    limited = [Limited(one.rule, one.entity, one.at, one.reason.value) for one in record.stopped]
    return Account(
        tuple(one for one in fired if span.holds(one.at)),
        tuple(one for one in acted if span.holds(one.at)),
        tuple(one for one in limited if span.holds(one.at)),
    )


def acted_of(intent: Intent, at: datetime) -> Acted:
    """An intent of the ledger, rehearsed or real, as an account has it."""
    buys = intent.kind in BUYING
    cost = money(intent.evidence.get(COST)) or intent.reserved if buys else None
    return Acted(
        rule=intent.rule,
        entity=intent.entity,
        kind=intent.kind.value,
        at=at,
        state=intent.state.value,
        reason=intent.reason,
        buys=buys,
        cost=cost,
        currency=intent.evidence.get(CURRENCY) or intent.currency or "",
    )
