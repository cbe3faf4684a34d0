"""The episode machine's parts: what begins, holds, stops, reminds and ends an episode.

An episode is one unbroken stretch in which a rule's condition holds for one entity, named by the instant
it began. Everything is counted from stored instants, so that an edited `for:`, `remind:` or `every:`
applies at the next look. When the clock goes backwards, an instant may lie ahead of `now`: the time since
it is then negative, which no hold, reminder or `every` window has ever reached, so the engine waits.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import Snapshot
from smm_rules.rules.model import FirstSeen, Limits, Rule

#: Reminders grow apart by doubling, up to this many times `remind:`.
REMINDER_FACTOR_CAP = 8
#: After so many even the smallest factor that grows has reached the cap.
_MOST_GROWTHS = REMINDER_FACTOR_CAP.bit_length() - 1


def is_old_news(rule: Rule, snapshot: Snapshot, memory: Memory) -> bool:
    """Whether a condition that holds now held before the entity was first seen, and must not act.

    True on the very first look at an entity the daemon didn't make, and after it for as long as the
    condition has never been known. A rule added later finds an entity that has been seen before
    (`previous_at` is set) and acts normally.
    """
    if rule.first_seen is not FirstSeen.IGNORE or not snapshot.imported:
        return False
    return memory.undecided or (snapshot.previous_at is None and memory == BLANK)


def begun(memory: Memory, now: datetime) -> Memory:
    """The memory with an episode that begins now."""
    return replace(memory, true_since=now, unknown_since=None, undecided=False)


def ended(memory: Memory) -> Memory:
    """The memory without an episode: only what limits count is kept."""
    if memory.true_since is None and not memory.undecided and memory.stopped_by is None:
        return memory
    return Memory(last_fired=memory.last_fired, firings=memory.firings)


def unknown(memory: Memory, now: datetime) -> Memory:
    """The memory after a look at which a needed fact was unknown: an episode is frozen as it was."""
    if memory.true_since is None or memory.unknown_since is not None:
        return memory
    return replace(memory, unknown_since=now)


def known(memory: Memory) -> Memory:
    """The memory after a look at which all needed facts were known."""
    return memory if memory.unknown_since is None else replace(memory, unknown_since=None)


def was_out_of_sight(snapshot: Snapshot, memory: Memory, now: datetime, gap: timedelta) -> bool:
    """Whether nobody can say that the condition held all the time since the episode began.

    That is so when it was unknown, or the entity not observed, for longer than `gap`; also when the
    entity has never been observed before although there is an episode: it was forgotten in between.
    """
    if snapshot.previous_at is None:
        return True
    if memory.unknown_since is not None and now - memory.unknown_since > gap:
        return True
    return now - snapshot.previous_at > gap


def stopped_by_limit(limits: Limits, memory: Memory, now: datetime) -> tuple[Reason | None, datetime | None]:
    """The limit that stops a firing now, None when none does, and when it will stop it no longer."""
    if limits.per_order is not None and memory.firings >= limits.per_order:
        return Reason.LIMIT_PER_ORDER, None
    if limits.every is not None and memory.last_fired is not None and now - memory.last_fired < limits.every:
        return Reason.LIMIT_EVERY, memory.last_fired + limits.every
    return None, None


def fired(memory: Memory, now: datetime) -> Memory:
    """The memory of an episode that fires now."""
    return replace(memory, fired_at=now, last_fired=now, firings=memory.firings + 1, stopped_by=None)


def reminded(memory: Memory, now: datetime) -> Memory:
    """The memory of a fired episode that reminds now."""
    return replace(memory, reminded_at=now, reminders=memory.reminders + 1)


def reminds(rule: Rule) -> bool:
    """Whether the rule reminds: a reminder carries what `do` tells, so there must be something to tell."""
    return bool(rule.remind) and not all(step.acts for step in rule.do)


def reminder_due_at(rule: Rule, memory: Memory) -> datetime | None:
    """When a fired episode reminds next, None for a rule that doesn't.

    The n-th reminder comes `remind` × factor^(n-1) after the one before it, the first after the firing; that
    grows no further than `REMINDER_FACTOR_CAP`. The factor is 2 unless the rule has another.
    """
    told_at = memory.reminded_at or memory.fired_at
    if rule.remind is None or told_at is None or not reminds(rule):
        return None
    reminding = rule.reminding
    if reminding.at_most is not None and memory.reminders >= reminding.at_most:
        return None
    grown: int = reminding.factor ** min(memory.reminders, _MOST_GROWTHS)
    return told_at + rule.remind * min(grown, REMINDER_FACTOR_CAP)
