"""What a rule remembers of an entity, as scripts get it."""

from __future__ import annotations

from smm_rules.engine.memory import Memory
from smm_rules.standing.memories import state_in_words as state_in_words


def memory_shape(rule: str, memory: Memory) -> dict[str, object]:
    """A memory as scripts get it."""
    return {
        "rule": rule,
        "state": state_in_words(memory),
        "true_since": memory.true_since,
        "unknown_since": memory.unknown_since,
        "fired_at": memory.fired_at,
        "last_fired": memory.last_fired,
        "firings": memory.firings,
        "reminded_at": memory.reminded_at,
        "reminders": memory.reminders,
        "ignored": memory.ignored,
        "undecided": memory.undecided,
        "stopped_by": memory.stopped_by,
    }
