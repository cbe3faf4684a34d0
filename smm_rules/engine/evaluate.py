"""One look of one rule at one entity: (rule, snapshot, memory, now) → memory', reason, firing, wake-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smm_rules.engine import episode
from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.engine.snapshots import known_facts
from smm_rules.facts import Snapshot
from smm_rules.rules.model import NO_LIMITS, Rule, Step


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one look came to.

    `memory` is to be stored; when nothing changed it is the very object that was given. `wake_at` is the
    earliest future instant at which time alone could change the result: the end of a hold, a reminder,
    the end of an `every` window; None when only news can.
    `unfired` is the memory as it would be without the firing.
    """

    memory: Memory
    reason: Reason
    firing: Firing | None = None
    wake_at: datetime | None = None
    unfired: Memory | None = None

    def memory_if_stopped(self, reason: Reason) -> Memory:
        """The memory to store instead when a guard stops the firing: not fired, and by what.

        The episode goes on and asks to fire at every look until the guard lets it. A stopped resolution
        stays resolved.
        """
        return replace(self.unfired or self.memory, stopped_by=reason)


#: By far most looks come to one of these: a rule with nothing to remember does not hold, or is not known to.
_NOT_TRUE = Evaluation(BLANK, Reason.NOT_TRUE)
_UNKNOWN = Evaluation(BLANK, Reason.UNKNOWN)


def evaluate(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime, gap: timedelta) -> Evaluation:
    """Judge `rule` on a fresh `snapshot`, going on from `memory`.

    `gap` is how long the condition may go unseen or unknown without a hold starting anew. Limits over
    more than this entity (`per_chain`, `per_sweep`) are the caller's to judge, through `guards`.
    """
    return judged(rule, snapshot, memory, rule.when.holds(snapshot.facts, now), now, gap)


def judged(
    rule: Rule, snapshot: Snapshot, memory: Memory, when: bool | None, now: datetime, gap: timedelta
) -> Evaluation:
    """`evaluate` where it is known whether the rule's condition holds."""
    if memory.fired_at is not None:
        return _after_firing(rule, snapshot, memory, when, now)
    if when is None:
        return _unknown(rule, snapshot, memory, now)
    if not when:
        return _NOT_TRUE if memory is BLANK else Evaluation(episode.ended(memory), Reason.NOT_TRUE)
    if memory.ignored:
        return Evaluation(episode.known(memory), Reason.FIRST_SEEN)
    if memory.true_since is None:
        return _begin(rule, snapshot, memory, now)
    if episode.was_out_of_sight(snapshot, memory, now, gap):
        return _hold(rule, snapshot, episode.begun(memory, now), now, Reason.GAP_RESTARTED)
    return _hold(rule, snapshot, episode.known(memory), now, Reason.HOLDING)


def _unknown(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime) -> Evaluation:
    if not memory.undecided and episode.is_old_news(rule, snapshot, memory):
        return Evaluation(replace(memory, undecided=True), Reason.UNKNOWN)
    return _UNKNOWN if memory is BLANK else Evaluation(episode.unknown(memory, now), Reason.UNKNOWN)


def _begin(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime) -> Evaluation:
    begun = episode.begun(memory, now)
    if episode.is_old_news(rule, snapshot, memory):
        return Evaluation(replace(begun, ignored=True), Reason.FIRST_SEEN)
    return _hold(rule, snapshot, begun, now, Reason.HOLDING)


def _hold(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime, waiting: Reason) -> Evaluation:
    """An unfired episode whose condition holds: wait (for the reason `waiting`), be stopped, or fire."""
    began = memory.true_since or now
    if now - began < rule.hold:
        return Evaluation(_not_stopped(memory), waiting, wake_at=began + rule.hold)
    stopped_by, free_at = episode.stopped_by_limit(rule.limit, memory, now)
    if stopped_by is not None:
        stopped = memory if memory.stopped_by is stopped_by else replace(memory, stopped_by=stopped_by)
        return Evaluation(stopped, stopped_by, wake_at=free_at)
    fired = episode.fired(memory, now)
    firing = _firing(rule, snapshot, memory, Occasion.FIRED, rule.do, now)
    return Evaluation(fired, Reason.FIRED, firing, episode.reminder_due_at(rule, fired), memory)


def _not_stopped(memory: Memory) -> Memory:
    return memory if memory.stopped_by is None else replace(memory, stopped_by=None)


def _after_firing(
    rule: Rule, snapshot: Snapshot, memory: Memory, when: bool | None, now: datetime
) -> Evaluation:
    over = _is_over(rule, snapshot, when, now)
    if over is None:
        return Evaluation(episode.unknown(memory, now), Reason.UNKNOWN)
    if over:
        return _resolve(rule, snapshot, memory, now)
    memory = episode.known(memory)
    due_at = episode.reminder_due_at(rule, memory)
    if due_at is not None and due_at <= now:
        return _remind(rule, snapshot, memory, now)
    return Evaluation(memory, Reason.ALREADY_FIRED if when else Reason.CLEARING, wake_at=due_at)


def _is_over(rule: Rule, snapshot: Snapshot, when: bool | None, now: datetime) -> bool | None:
    """Whether a fired episode has ended; None when that can't be told.

    While `when` is true the stretch is unbroken, whatever `until` says: ending it would begin the next
    episode at once and fire on every look. Once `until` is known to be true, an unknown `when` doesn't
    matter: the operator said what ends it.
    """
    if when:
        return False
    if rule.until is None:
        return None if when is None else True
    until = rule.until.holds(snapshot.facts, now)
    if until:
        return True
    return None if until is None or when is None else False


def _resolve(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime) -> Evaluation:
    over = episode.ended(memory)
    if not rule.done:
        return Evaluation(over, Reason.RESOLVED)
    firing = _firing(rule, snapshot, memory, Occasion.RESOLVED, rule.done, now)
    return Evaluation(over, Reason.RESOLVED, firing, unfired=over)


def _remind(rule: Rule, snapshot: Snapshot, memory: Memory, now: datetime) -> Evaluation:
    told = episode.reminded(memory, now)
    steps = tuple(step for step in rule.do if not step.acts)
    firing = _firing(rule, snapshot, told, Occasion.REMINDED, steps, now)
    return Evaluation(told, Reason.REMINDED, firing, episode.reminder_due_at(rule, told), memory)


def _firing(
    rule: Rule, snapshot: Snapshot, memory: Memory, occasion: Occasion, steps: tuple[Step, ...], now: datetime
) -> Firing:
    first = occasion is Occasion.FIRED
    return Firing(
        rule=rule.name,
        rule_version=rule.version,
        entity=snapshot.entity,
        root=snapshot.root,
        episode=memory.true_since or now,
        occasion=occasion,
        ordinal=memory.reminders if occasion is Occasion.REMINDED else 0,
        at=now,
        facts=known_facts(snapshot.entity.kind, snapshot.facts, now),
        steps=steps,
        otherwise=rule.otherwise if first else (),
        # Reminders and ends belong to an episode the limits have already let through.
        limits=rule.limit if first else NO_LIMITS,
        guards=rule.guards,
    )
