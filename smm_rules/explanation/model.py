"""What an explanation is made of and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from smm_rules.config.alerts import AlertSettings
from smm_rules.document import Position
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, Facts, Value
from smm_rules.ledger.alerts import Silence
from smm_rules.ledger.records import Intent, KeptTrace, TrackedOrder
from smm_rules.ledger.stops import Stop
from smm_rules.rules.model import Rule


class Cause(StrEnum):
    """The one thing that decides why a rule did or didn't act."""

    KIND_NOT_WATCHED = "kind_not_watched"
    PANEL_NOT_WATCHED = "panel_not_watched"
    NEVER_TRACKED = "never_tracked"
    FORGOTTEN = "forgotten"
    NOT_YET_SEEN = "not_yet_seen"
    PANEL_FAILING = "panel_failing"
    DAEMON_DOWN = "daemon_down"
    SETTLED = "settled"
    FIRST_SEEN = "first_seen"
    UNKNOWN_FACT = "unknown_fact"
    CLAUSE_FALSE = "clause_false"
    HOLDING = "holding"
    LIMIT_PER_ORDER = "limit_per_order"
    LIMIT_EVERY = "limit_every"
    LIMIT_PER_CHAIN = "limit_per_chain"
    LIMIT_PER_SWEEP = "limit_per_sweep"
    PAUSED = "paused"
    DUE = "due"
    FIRED = "fired"
    ACTION_WAITING = "action_waiting"
    ACTION_HELD = "action_held"
    ACTION_IN_DOUBT = "action_in_doubt"
    ACTION_REFUSED = "action_refused"
    ACTION_NOT_SENT = "action_not_sent"
    ACTION_DENIED = "action_denied"
    MEMORY_LOST = "memory_lost"


@dataclass(frozen=True, slots=True)
class Outage:
    """A kind of look at the panel failing: since when, and the last error."""

    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What bears on every entity of a panel.

    `daemon_runs` is None when that isn't known, as for a moment of the past. `beat_at` is when the daemon
    last said it lives. `interval` is the time between two looks, `gap` the time out of sight that restarts a
    hold. `outage` is there while looks of this kind fail. `mode` is live, dry_run or shadow. `configured`
    says that the panel is in the configuration at all. `stops` are the pauses and breakers in force.
    `silences` and `alerts` are what may keep messages back.
    """

    daemon_runs: bool | None
    beat_at: datetime | None
    mode: str
    interval: timedelta
    gap: timedelta
    outage: Outage | None = None
    configured: bool = True
    stops: tuple[Stop, ...] = ()
    silences: tuple[Silence, ...] = ()
    alerts: AlertSettings = field(default_factory=AlertSettings)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of one entity at the moment `at`.

    `facts` is complete, as conditions read it. `seen_at` is when the entity was last read, None when never;
    `due_at` when it will be read next, None when it has settled. `stored` says that the ledger watches it;
    `order` is the order it is or refills, forgotten or not. `health` are the panel's own facts.
    `service_known` says that its service is in the catalogue that was read. `past` says that `at` is a
    moment gone by, put together from the history.
    """

    entity: Entity
    at: datetime
    facts: Mapping[str, Value]
    stored: bool
    seen_at: datetime | None
    due_at: datetime | None
    root: Entity
    imported: bool
    order: TrackedOrder | None
    health: Facts
    service_known: bool
    past: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """What the ledger has of one rule and one entity, up to the moment explained.

    `memory` is None when the moment is so long ago that what the rule remembered then is no longer kept.
    Traces and intents come newest first.
    """

    memory: Memory | None
    traces: tuple[KeptTrace, ...] = ()
    intents: tuple[Intent, ...] = ()


@dataclass(frozen=True, slots=True)
class FactRead:
    """One fact a clause read. `why` says, of one that isn't known, why it isn't."""

    name: str
    value: Value
    why: str = ""


@dataclass(frozen=True, slots=True)
class ClauseOutcome:
    """How one clause came out: true, false or None for unknown; `wanted` is what would make it true."""

    text: str
    position: Position
    truth: bool | None
    facts: tuple[FactRead, ...]
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """The hold of a rule with `for`: how long, since when it runs and when it ends; None while it doesn't."""

    needed: timedelta
    since: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why `rule` did or didn't act on `entity` at `at`.

    `summary` names the cause in a sentence, `change` says what would have to be different; it is empty where
    nothing has to be. `notes` are what else bears on it.
    """

    rule: Rule
    entity: Entity
    at: datetime
    cause: Cause
    summary: str
    change: str
    notes: tuple[str, ...] = ()
    when: tuple[ClauseOutcome, ...] = ()
    until: tuple[ClauseOutcome, ...] = ()
    hold: Hold | None = None
    standing: Standing | None = None
    records: Records = field(default_factory=lambda: Records(None))
