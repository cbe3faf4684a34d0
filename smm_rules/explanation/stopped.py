"""Which limit keeps a rule from firing, and until when."""

from __future__ import annotations

from smm_rules.engine.evaluate import Evaluation
from smm_rules.engine.memory import Memory, Reason
from smm_rules.explanation.model import Cause, Standing, Surroundings
from smm_rules.explanation.verdict import Verdict
from smm_rules.explanation.words import moment, roughly
from smm_rules.ledger.stops import StopScope, paused_rules
from smm_rules.rules.model import Rule


def stopped(
    rule: Rule, standing: Standing, memory: Memory, evaluation: Evaluation, around: Surroundings
) -> Verdict | None:
    """The limit that stops `rule`; None when none does.

    Limits over more than one entity are not the engine's to see: what the memory says of them counts as long
    as the engine would let the rule fire.
    """
    match evaluation.reason:
        case Reason.LIMIT_PER_ORDER:
            return _per_order(rule, standing, memory)
        case Reason.LIMIT_EVERY:
            return _every(rule, standing, memory, evaluation)
    if rule.name in paused_rules(around.stops, standing.at):
        return _paused(rule, around)
    match memory.stopped_by:
        case Reason.LIMIT_PER_CHAIN:
            return _per_chain(rule, standing)
        case Reason.LIMIT_PER_SWEEP:
            return _per_sweep(rule)
    return None


def _per_order(rule: Rule, standing: Standing, memory: Memory) -> Verdict:
    last = f", last at {moment(memory.last_fired)}" if memory.last_fired else ""
    return Verdict(
        Cause.LIMIT_PER_ORDER,
        f"limit.per_order is {rule.limit.per_order}, and it has fired {_times(memory.firings)} for this "
        f"{standing.entity.kind}{last}",
        "raise limit.per_order, or act by hand",
    )


def _every(rule: Rule, standing: Standing, memory: Memory, evaluation: Evaluation) -> Verdict:
    every, free_at = rule.limit.every, evaluation.wake_at
    assert every is not None
    assert free_at is not None
    fired = f"it fired at {moment(memory.last_fired)}" if memory.last_fired else "it fired before"
    return Verdict(
        Cause.LIMIT_EVERY,
        f"limit.every is {roughly(every)}, and {fired}",
        f"wait {roughly(free_at - standing.at)} more, until {moment(free_at)}",
    )


def _per_chain(rule: Rule, standing: Standing) -> Verdict:
    root = standing.root
    return Verdict(
        Cause.LIMIT_PER_CHAIN,
        f"limit.per_chain is {rule.limit.per_chain}, and it has fired that often over the chain of orders "
        f"that began with {root.panel}/{root.id}",
        "raise limit.per_chain, or act by hand",
    )


def _per_sweep(rule: Rule) -> Verdict:
    return Verdict(
        Cause.LIMIT_PER_SWEEP,
        f"more than limit.per_sweep ({rule.limit.per_sweep}) would have fired in one look, so none did",
        "look whether the panel or the rule is wrong; then raise limit.per_sweep",
    )


def _paused(rule: Rule, around: Surroundings) -> Verdict:
    stop = next(stop for stop in around.stops if stop.scope is StopScope.RULE and stop.name == rule.name)
    ends = f" or wait until {moment(stop.until)}" if stop.until is not None else ""
    return Verdict(
        Cause.PAUSED,
        f"the rule is paused since {moment(stop.since)}: {stop.reason}",
        f"smm-rules resume rule {rule.name}{ends}",
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
