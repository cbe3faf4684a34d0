"""What a rule remembers of an entity, in words."""

from __future__ import annotations

from smm_rules.engine.memory import Memory, Reason
from smm_rules.standing.times import moment

_LIMITS = {
    Reason.LIMIT_PER_ORDER: "its limit per_order",
    Reason.LIMIT_EVERY: "its limit every",
    Reason.LIMIT_PER_CHAIN: "its limit per_chain",
    Reason.LIMIT_PER_SWEEP: "its limit per_sweep",
    Reason.DRY_RUN: "the dry run",
}


def state_in_words(memory: Memory) -> str:
    """Where the rule stands with the entity, and why it doesn't act if it doesn't."""
    parts = [_episode(memory)]
    if memory.unknown_since is not None:
        parts.append(f"a fact it needs has been missing since {moment(memory.unknown_since)}")
    if memory.reminders:
        parts.append(f"reminded {_times(memory.reminders)}, last {moment(memory.reminded_at)}")
    if memory.firings and not (memory.fired_at is not None and memory.firings == 1):
        parts.append(f"fired {_times(memory.firings)} in all, last {moment(memory.last_fired)}")
    return "; ".join(parts)


def _episode(memory: Memory) -> str:
    if memory.undecided:
        return "not decided yet: a fact it needs has been missing since the order was first seen"
    if memory.true_since is None:
        return "doesn't hold now"
    since = moment(memory.true_since)
    if memory.ignored:
        return f"ignored: it held already when the order was first seen ({since})"
    if memory.fired_at is not None:
        return f"fired at {moment(memory.fired_at)}, holding since {since}"
    if memory.stopped_by is not None:
        stopped = _LIMITS.get(memory.stopped_by, memory.stopped_by.value.replace("_", " "))
        return f"holding since {since}, stopped by {stopped}"
    return f"holding since {since}, not fired yet"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
