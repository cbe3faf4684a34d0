"""Says what looks at a panel came to: in the log, in the counters and, where it matters, to the operator."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from smm_rules.engine.memory import Reason
from smm_rules.ledger.records import PlannedFiring, Recorded
from smm_rules.notify.operator import (
    OperatorVoice,
    evaluation_failed,
    over_sweep_limit,
    poll_failing,
    poll_recovered,
    template_failed,
)
from smm_rules.observe import correlation_of, get_logger, span
from smm_rules.observe.counters import Counters
from smm_rules.panel.errors import PanelError
from smm_rules.polling.decisions import Broken, Decided, Verdict
from smm_rules.polling.standing import FAILURES_TOLD, Outage

log = get_logger(__name__)

_SPOKEN = {
    Reason.FIRED: "rule.fired",
    Reason.REMINDED: "rule.reminded",
    Reason.RESOLVED: "rule.resolved",
    Reason.GAP_RESTARTED: "rule.hold_restarted",
}
_LIMITS = frozenset({Reason.LIMIT_PER_ORDER, Reason.LIMIT_EVERY, Reason.LIMIT_PER_CHAIN})


@dataclass(frozen=True, slots=True)
class Telling:
    """Speaks of one panel."""

    panel: str
    counters: Counters
    voice: OperatorVoice

    # -- how the panel answers --------------------------------------------------------------------------
    async def poll_failed(self, what: str, error: PanelError, outage: Outage, now: datetime) -> None:
        """A look failed as a whole."""
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
        await self._tell_outage(what, outage, now)

    async def poll_failed_in_part(
        self, what: str, error: PanelError, outage: Outage, unanswered: int, now: datetime
    ) -> None:
        """Some requests of a look failed; `unanswered` is how many entities they were about."""
        self.counters.increment("polls_failed", panel=self.panel, what=what)
        log.warning(
            "panel.poll_failed_in_part",
            panel=self.panel,
            what=what,
            error=str(error),
            kind=type(error).__name__,
            unanswered=unanswered,
            failures=outage.failures,
            paused_until=outage.paused_until,
        )
        await self._tell_outage(what, outage, now)

    async def _tell_outage(self, what: str, outage: Outage, now: datetime) -> None:
        if outage.failures >= FAILURES_TOLD:  # the key is the outage's own, so it is told once
            told = poll_failing(self.panel, what, outage.since, outage.failures, outage.error)
            await self.voice.tell(told, now)

    async def poll_recovered(self, what: str, ended: Outage, now: datetime) -> None:
        """A look that had been failing was answered."""
        log.info("panel.poll_recovered", panel=self.panel, what=what, failures=ended.failures)
        if ended.failures >= FAILURES_TOLD:
            await self.voice.tell(poll_recovered(self.panel, what, ended.since, now), now)

    # -- what rules came to -----------------------------------------------------------------------------
    async def decided(self, decided: Decided, recorded: Recorded, now: datetime) -> None:
        """A sweep was decided and is in the ledger."""
        stopped = {item.firing.key: item.reason for item in recorded.stopped}
        for verdict in decided.verdicts:
            firing = verdict.evaluation.firing
            reason = stopped.get(firing.key) if firing is not None else None
            self._tell_verdict(verdict, reason or verdict.evaluation.reason)
        for planned in decided.sweep.firings:
            if planned.firing.key not in stopped:
                await self._tell_failed_templates(planned, now)
        for name, (count, is_stopped) in _kept_back(decided, recorded).items():
            log.error("rule.over_sweep_limit", panel=self.panel, rule=name, count=count)
            if not is_stopped:  # what stops a rule is told by whoever minds the brakes, once a stop
                await self.voice.tell(over_sweep_limit(self.panel, name, count, now), now)
        await self._tell_broken(decided.broken, now)

    def _tell_verdict(self, verdict: Verdict, reason: Reason) -> None:
        """Speak of what happened, and of a limit only when it begins to stop the rule, not at every look."""
        rule, entity = verdict.rule.name, str(verdict.entity)
        if reason in _SPOKEN:
            story = _story(verdict)
            with span(_SPOKEN[reason], story=story.get("correlation", ""), rule=rule, entity=entity):
                pass
            log.info(_SPOKEN[reason], rule=rule, entity=entity, reason=reason.value, **story)
        elif reason in _LIMITS and verdict.before.stopped_by is not reason:
            log.warning("rule.stopped", rule=rule, entity=entity, reason=reason.value, **_story(verdict))
        elif reason is Reason.HOLDING and verdict.before.true_since is None:
            log.debug("rule.holding", rule=rule, entity=entity, reason=reason.value, **_story(verdict))
            return
        else:
            return
        self.counters.increment("evaluations", rule=rule, reason=reason.value)

    async def _tell_failed_templates(self, planned: PlannedFiring, now: datetime) -> None:
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
                correlation=correlation_of(firing.rule, firing.entity, firing.episode),
            )
            told = template_failed(firing.rule, firing.entity, firing.episode, step, error)
            await self.voice.tell(told, now)

    async def _tell_broken(self, broken: tuple[Broken, ...], now: datetime) -> None:
        """One line a rule and sweep: what is wrong with a rule is seldom about one order alone."""
        by_rule: defaultdict[str, list[Broken]] = defaultdict(list)
        for one in broken:
            by_rule[one.rule].append(one)
        for rule, failures in by_rule.items():
            first = failures[0]
            self.counters.increment("evaluations_failed", amount=len(failures), rule=rule)
            log.error(
                "rule.evaluation_failed",
                panel=self.panel,
                rule=rule,
                count=len(failures),
                entity=str(first.entity),
                error=repr(first.error),
                exc_info=first.error,
            )
            told = evaluation_failed(self.panel, rule, first.entity, len(failures), repr(first.error), now)
            await self.voice.tell(told, now)


def _story(verdict: Verdict) -> dict[str, str]:
    """The correlation of the episode a verdict is about; nothing where there is none."""
    firing = verdict.evaluation.firing
    since = verdict.evaluation.memory.true_since or verdict.before.true_since
    episode = since if firing is None else firing.episode
    if episode is None:
        return {}
    return {"correlation": correlation_of(verdict.rule.name, verdict.entity, episode)}


def _kept_back(decided: Decided, recorded: Recorded) -> dict[str, tuple[int, bool]]:
    """The rules over their limit, with how often they would have fired and whether that stopped them; less
    those of which another limit stopped all there was to hold."""
    stopped = {item.firing.key for item in recorded.stopped}
    acting = {one.firing.rule for one in decided.sweep.firings if one.hold is Reason.LIMIT_PER_SWEEP}
    held = {
        one.firing.rule
        for one in decided.sweep.firings
        if one.hold is Reason.LIMIT_PER_SWEEP and one.firing.key not in stopped
    }
    return {
        name: (count, name in held)
        for name, count in decided.over_limit.items()
        if name in held or name not in acting
    }
