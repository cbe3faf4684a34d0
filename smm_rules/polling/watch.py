"""The frame of every look at a panel: leave it alone while it fails, note how it answered, record, tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from smm_rules.clock import Clock
from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Recorded, Sweep, Watched
from smm_rules.notify.operator import (
    OperatorVoice,
    over_sweep_limit,
    poll_failing,
    poll_recovered,
    template_failed,
)
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.panel.answers import Balance, OrderStates, RefillStates, Service
from smm_rules.panel.errors import PanelError, RateLimited
from smm_rules.polling.decisions import Belts, Decided, Look, Verdict, decide
from smm_rules.polling.standing import Standing, WatchedReader
from smm_rules.rules.model import Rule, RuleSet

log = get_logger(__name__)
Answer = TypeVar("Answer")
#: Failures in a row of one kind of look after which the operator is told: once an outage, and at its end.
FAILURES_TOLD = 3


class ReadPanel(Protocol):
    """The reading half of a panel's client."""

    async def services(self) -> tuple[Service, ...]: ...

    async def balance(self) -> Balance: ...

    async def order_states(self, ids: Sequence[str]) -> OrderStates: ...

    async def refill_states(self, ids: Sequence[str]) -> RefillStates: ...


class SweepLedger(WatchedReader, Protocol):
    """What a look needs of the ledger."""

    async def due(self, kind: EntityKind, panel: str, now: datetime, limit: int) -> tuple[Watched, ...]: ...

    async def postpone(self, entities: Sequence[Entity], due_at: datetime) -> None: ...

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]: ...

    async def record(self, sweep: Sweep) -> Recorded: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a panel is looked at and how much at a time."""

    orders: timedelta
    refills: timedelta
    balance: timedelta
    catalogue: timedelta
    settle_after: timedelta
    sweep_size: int


@dataclass(slots=True)
class PanelWatch:
    """All that the looks at one panel share. `rules` is asked anew each time, so a reload applies at once."""

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

    def rules_for(self, kind: EntityKind) -> tuple[Rule, ...]:
        """The rules in force for entities of `kind` on this panel."""
        return self.rules().watching(kind, self.panel)

    async def read(self, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Call the panel; None after a failure, which is noted, told, and freezes all state."""
        if self.standing.paused(what, self.clock.now()):
            return None
        try:
            answer = await call()
        except PanelError as error:
            await self._failed(what, error)
            return None
        now = self.clock.now()
        ended = self.standing.note_answer(what, now)
        if ended is not None:
            log.info("panel.poll_recovered", panel=self.panel, what=what, failures=ended.failures)
            if ended.failures >= FAILURES_TOLD:
                await self.voice.tell(poll_recovered(self.panel, what, ended.since, now), now)
        return answer

    async def _failed(self, what: str, error: PanelError) -> None:
        now = self.clock.now()
        retry_after = error.retry_after if isinstance(error, RateLimited) else None
        outage = self.standing.note_failure(what, str(error), now, retry_after)
        self.counters.increment("polls_failed", panel=self.panel, what=what)
        log.warning(
            "panel.poll_failed",
            panel=self.panel,
            what=what,
            error=str(error),
            kind=type(error).__name__,
            failures=outage.failures,
            paused_until=outage.paused_until,
        )
        if outage.failures == FAILURES_TOLD:
            told = poll_failing(self.panel, what, outage.since, outage.failures, outage.error)
            await self.voice.tell(told, now)

    async def record(self, looks: Sequence[Look], now: datetime) -> Decided:
        """Evaluate all looks, write the sweep in one transaction, then tell of what was decided."""
        entities = [look.snapshot.entity for look in looks if look.rules]
        memories = await self.ledger.memories(entities) if entities else {}
        decided = decide(looks, memories, now, self.belts)
        recorded = await self.ledger.record(decided.sweep)
        self._tell(decided, recorded)
        await self._tell_failed_templates(decided, now)
        for name, count in decided.over_limit.items():
            log.error("rule.over_sweep_limit", panel=self.panel, rule=name, count=count)
            await self.voice.tell(over_sweep_limit(self.panel, name, count, now), now)
        if recorded.intents or recorded.messages:
            self.planned()
        return decided

    async def _tell_failed_templates(self, decided: Decided, now: datetime) -> None:
        for planned in decided.sweep.firings:
            firing, continuation = planned.firing, planned.continuation
            failures = {draft.dedup_key: draft.fallback for draft in continuation.messages if draft.fallback}
            if continuation.intent is not None and continuation.intent.failure:
                failures[continuation.intent.step] = continuation.intent.failure
            for where, error in failures.items():
                step = where.removeprefix(f"{firing.key}:")
                log.error(
                    "rule.template_failed",
                    rule=firing.rule,
                    entity=str(firing.entity),
                    step=step,
                    error=error,
                )
                told = template_failed(firing.rule, firing.entity, firing.episode, step, error)
                await self.voice.tell(told, now)

    def _tell(self, decided: Decided, recorded: Recorded) -> None:
        stopped = {item.firing.key: item.reason for item in recorded.stopped}
        for verdict in decided.verdicts:
            firing = verdict.evaluation.firing
            reason = stopped.get(firing.key) if firing is not None else None
            if reason is None and verdict.rule.name in decided.over_limit and not verdict.rule.acts:
                continue
            self._tell_verdict(verdict, reason or verdict.evaluation.reason)

    def _tell_verdict(self, verdict: Verdict, reason: Reason) -> None:
        """Speak of what happened, and of a limit only when it begins to stop the rule, not at every look."""
        if reason in _SPOKEN:
            log.info(_SPOKEN[reason], rule=verdict.rule.name, entity=str(verdict.entity), reason=reason.value)
        elif reason in _LIMITS and verdict.before.stopped_by is not reason:
            log.warning(
                "rule.stopped", rule=verdict.rule.name, entity=str(verdict.entity), reason=reason.value
            )
        else:
            return
        self.counters.increment("evaluations", rule=verdict.rule.name, reason=reason.value)


_SPOKEN = {
    Reason.FIRED: "rule.fired",
    Reason.REMINDED: "rule.reminded",
    Reason.RESOLVED: "rule.resolved",
    Reason.GAP_RESTARTED: "rule.hold_restarted",
}
_LIMITS = frozenset({Reason.LIMIT_PER_ORDER, Reason.LIMIT_EVERY, Reason.LIMIT_PER_CHAIN})
