"""Plays one test on the stage and judges what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from smm_rules.actions.continuing import NOTHING
from smm_rules.engine.firing import IntentDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rehearsal.clock import StageClock
from smm_rules.rehearsal.happening import Swept
from smm_rules.rehearsal.restraints import RULES_ALONE, Restraints
from smm_rules.rehearsal.scripted_panel import Script, ScriptedPanel
from smm_rules.rehearsal.source import StagePace
from smm_rules.rehearsal.stage import Stage
from smm_rules.rehearsal.testing.judging import Failure, judge
from smm_rules.rehearsal.testing.model import RuleTest, Thing
from smm_rules.rehearsal.testing.world import TestWorld
from smm_rules.rules.model import RuleSet, StepKind

#: When every test begins. A fixed instant, so that a test never depends on the day it is run.
START = datetime(2026, 1, 1, tzinfo=UTC)
_BACKGROUND = (EntityKind.PANEL, EntityKind.BALANCE)
_FIRST_ORDER, _FIRST_REFILL = 1000, 500


@dataclass(frozen=True, slots=True)
class TestResult:
    """How a test ended: passed when there are no failures. `stage` is where it was played."""

    __test__ = False  # not one for pytest

    test: RuleTest
    failures: tuple[Failure, ...]
    stage: Stage

    @property
    def passed(self) -> bool:
        return not self.failures


async def play(
    test: RuleTest,
    audience: Callable[[Swept], None] = lambda _: None,
    restraints: Restraints = RULES_ALONE,
) -> TestResult:
    """Play `test` from its start to the last instant of its `at`.

    `restraints` hold unless the test states its own.
    """
    restraints = test.restraints or restraints
    ledger = await SqliteLedger.in_memory(restraints.guards)
    try:
        performance = _Performance(test, ledger, audience, restraints)
        await performance.begin()
        failures = await performance.run()
        return TestResult(test, tuple(failures), performance.stage)
    finally:
        await ledger.aclose()


def new_id(kind: StepKind, number: int) -> str:
    """What the panel of a test calls the things it makes: orders from 1001, refills from 501."""
    if kind is StepKind.REFILL:
        return str(_FIRST_REFILL + number)
    return "" if kind is StepKind.CANCEL else str(_FIRST_ORDER + number)


class _Performance:
    """One test being played."""

    def __init__(
        self,
        test: RuleTest,
        ledger: SqliteLedger,
        audience: Callable[[Swept], None],
        restraints: Restraints,
    ) -> None:
        self.test = test
        self.ledger = ledger
        self.world = TestWorld()
        script = Script(new_id, test.answers)
        self.panels = dict.fromkeys(_panels(test), ScriptedPanel(script))
        pace = StagePace(lambda _: test.every)
        rules = RuleSet(test.rules)
        clock, rate_increase = StageClock(START), restraints.rate_increase
        self.stage = Stage(ledger, self.world, rules, self.panels, clock, pace, audience, rate_increase)

    async def begin(self) -> None:
        """Set the scene: what is given, and behind it a panel, a balance and services like any other."""
        for thing in self._background():
            self.world.give(thing, START)
            if thing.entity.kind is EntityKind.ORDER:
                await self._track(thing.entity, START)
            await self.stage.know(thing.entity, START)
        await self._enter(self.test.given, START)

    def _background(self) -> Iterable[Thing]:
        given = {thing.entity for thing in self.test.given}
        others: dict[Entity, None] = {}
        for panel in self.panels:
            others |= dict.fromkeys(Entity(kind, panel) for kind in _BACKGROUND)
        for thing in self._all_things():
            if thing.entity.kind in (EntityKind.ORDER, EntityKind.REFILL):
                others[Entity(EntityKind.SERVICE, thing.entity.panel, self._service(thing))] = None
            if thing.entity.kind is EntityKind.REFILL and thing.entity.id not in self._made():
                others[Entity(EntityKind.ORDER, thing.entity.panel, self._refilled(thing))] = None
        for entity in others:
            if entity not in given:
                service = self._first(EntityKind.SERVICE, entity.panel)
                yield Thing(entity, {}, service=service if entity.kind is EntityKind.ORDER else None)

    def _all_things(self) -> Iterable[Thing]:
        yield from self.test.given
        for change in self.test.changes:
            yield from change.things

    def _made(self) -> set[str]:
        """IDs that only an action of the test makes."""
        given = {thing.entity.id for thing in self.test.given}
        return {thing.entity.id for thing in self._all_things()} - given

    def _first(self, kind: EntityKind, panel: str) -> str:
        """The ID of the first given thing of a kind on a panel."""
        found = [t.entity.id for t in self.test.given if t.entity.kind is kind and t.entity.panel == panel]
        return found[0] if found else "1"

    def _service(self, thing: Thing) -> str:
        return thing.service or self._first(EntityKind.SERVICE, thing.entity.panel)

    def _refilled(self, thing: Thing) -> str:
        return thing.order or self._first(EntityKind.ORDER, thing.entity.panel)

    async def _enter(self, things: Iterable[Thing], now: datetime) -> None:
        """Give or change things, then look at everything that has been given so far."""
        for thing in things:
            new = not self.world.holds(thing.entity)
            if new and thing.entity.kind is EntityKind.ORDER and thing.service is None:
                thing = _with_service(thing, self._service(thing))
            self.world.give(thing, now)
            if new:
                await self._appear(thing, now)
        entered = [thing.entity for thing in self._all_things() if self.world.holds(thing.entity)]
        await self.stage.look([each for each in entered if not self.stage.settled(each)], now)

    async def _appear(self, thing: Thing, now: datetime) -> None:
        if thing.entity.kind is EntityKind.ORDER:
            await self._track(thing.entity, now)
        elif thing.entity.kind is EntityKind.REFILL:
            await self._refill(thing, now)

    async def _track(self, entity: Entity, now: datetime) -> None:
        """Track an order, unless an action of the test made it."""
        tracked_at = self.world.instant(entity, "tracked_at", now)
        await self.ledger.track([self.world.order(entity, now)], tracked_at)

    async def _refill(self, thing: Thing, now: datetime) -> None:
        """A refill that was accepted before, unless an action of the test asked for it."""
        if await self.ledger.watched(thing.entity) is not None:
            return
        order = Entity(EntityKind.ORDER, thing.entity.panel, self._refilled(thing))
        at = self.world.instant(thing.entity, "requested_at", now)
        step = f"given.{thing.entity.id}"
        draft = IntentDraft(step, StepKind.REFILL, order.panel, {"order": order.id})
        intent = await self.ledger.ask(draft, order, at, "test")
        await self.ledger.claim(intent.id, "test", at, {})
        outcome = Outcome(IntentState.CONFIRMED, "accepted", result=thing.entity.id, refill=thing.entity)
        await self.ledger.settle(intent.id, outcome, NOTHING, at, "test")

    async def run(self) -> list[Failure]:
        """Play on from instant to instant, judging each moment when it has come."""
        failures: list[Failure] = []
        changes = {change.at: change for change in self.test.changes}
        moments = {moment.at: moment for moment in self.test.moments}
        taken = fired = 0
        for at in sorted({*changes, *moments}):
            now = START + at
            if at in changes:
                await self.stage.advance(now, inclusive=False)
                await self._enter(changes[at].things, now)
            await self.stage.advance(now)
            if at not in moments:
                continue
            record = self.stage.record
            failures += await judge(
                self.test, moments[at], record.fired[fired:], record.steps[taken:], self.stage, START
            )
            fired, taken = len(record.fired), len(record.steps)
        return failures


def _panels(test: RuleTest) -> dict[str, None]:
    """Every panel the test or a rule's reorder speaks of."""
    things = [*test.given, *(thing for change in test.changes for thing in change.things)]
    panels = dict.fromkeys(thing.entity.panel for thing in things)
    for rule in test.rules:
        for step in (*rule.do, *rule.otherwise):
            name = step.parameters.get("panel", "same")
            if step.kind is StepKind.REORDER and isinstance(name, str) and name != "same" and "{" not in name:
                panels[name] = None
    return panels


def _with_service(thing: Thing, service: str) -> Thing:
    return Thing(
        thing.entity, thing.facts, service, thing.order, thing.parameters, thing.rate, thing.imported
    )
