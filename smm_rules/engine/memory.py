"""What the engine remembers of one rule and one entity between evaluations.

Instants, never deadlines: an edited `for:`, `remind:` or `every:` applies at the next look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why an evaluation ended as it did. Travels on to logs, the ledger and `explain`."""

    NOT_TRUE = "not_true"
    UNKNOWN = "unknown"
    HOLDING = "holding"
    GAP_RESTARTED = "gap_restarted"
    FIRED = "fired"
    ALREADY_FIRED = "already_fired"
    CLEARING = "clearing"
    REMINDED = "reminded"
    RESOLVED = "resolved"
    FIRST_SEEN = "first_seen"
    LIMIT_PER_ORDER = "limit_per_order"
    LIMIT_EVERY = "limit_every"
    LIMIT_PER_CHAIN = "limit_per_chain"
    LIMIT_PER_SWEEP = "limit_per_sweep"
    DRY_RUN = "dry_run"
    SHADOW = "shadow"
    RESTORED = "restored"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Memory:
    """The state of one rule for one entity.

    `true_since` names the episode: it is the instant the condition began to hold, None while it doesn't.
    `unknown_since` is when a needed fact went missing within an episode, None while all are known.
    `fired_at` is when this episode fired, None while it hasn't.
    `last_fired` and `firings` look over all episodes; they are what limits count.
    `reminded_at` and `reminders` belong to this episode.
    `ignored` marks an episode that began before the entity was first seen and must not act.
    `undecided` says that the condition has never been known since the first sight of an imported entity.
    `stopped_by` is the limit that stopped the last attempt to fire, None when none did.
    """

    true_since: datetime | None = None
    unknown_since: datetime | None = None
    fired_at: datetime | None = None
    last_fired: datetime | None = None
    firings: int = 0
    reminded_at: datetime | None = None
    reminders: int = 0
    ignored: bool = False
    undecided: bool = False
    stopped_by: Reason | None = None


#: The memory of a rule that has never looked at the entity.
BLANK = Memory()
