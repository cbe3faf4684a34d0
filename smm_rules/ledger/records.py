"""What the ledger keeps, as plain frozen records. Money is Decimal, time aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from smm_rules.engine.firing import Continuation, Firing
from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Entity, Facts
from smm_rules.rules.model import StepKind


class OrderSource(StrEnum):
    """How an order became known. Placed and reordered ones are the daemon's own; the rest are imported."""

    TRACKED = "tracked"
    PLACED = "placed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to watch. `parameters` are the `add` parameters it was placed with, as far as known.

    `quantity` and `link` are among `parameters`. `placed_at` is None when the source doesn't say.
    `parent` is the order this one replaces.
    """

    entity: Entity
    service: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    placed_at: datetime | None = None
    label: str = ""
    source: OrderSource = OrderSource.TRACKED
    parent: Entity | None = None


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """An order as intake and chain know it. `root` is the first of its chain, `depth` its place in it.

    `refills` counts the refills the panel accepted through this daemon.
    """

    entity: Entity
    service: str | None
    parameters: dict[str, str]
    placed_at: datetime | None
    tracked_at: datetime
    label: str
    source: OrderSource
    parent: Entity | None
    root: Entity
    depth: int
    refills: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched entity with its last known facts.

    `facts` are the entity's own stored facts (not the related ones, not running durations). `due_at` is
    when it should next be asked about; None when it has settled and is asked no more. `order` is set for
    orders, and for refills (the order refilled). `changes` counts what changed it outside sweeps. `row` is
    the ledger's own number of it, where it was asked for by that.
    """

    entity: Entity
    facts: Facts
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    due_at: datetime | None
    order: TrackedOrder | None = None
    changes: int = 0
    row: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rest:
    """What spares an order its next looks: while the panel repeats itself, nothing can come of them.

    `answer` is the fingerprint of the panel's words, `context` that of all else the rules go by. `until` is
    the first instant at which time alone may change what they come to. The next look is due `pace` after one.
    `changes` is the order's count of changes that the look was taken under: later ones end the rest.
    """

    answer: int
    context: int
    until: datetime
    pace: timedelta
    changes: int


class DueOrder(NamedTuple):
    """An order whose time has come, in short: there are many, and most of them rest.

    `row` is the ledger's own number of it. `answer`, `context`, `rests_until` and `pace` are those of its
    `Rest`, None where the next look has to be taken whole. Instants and durations are in whole microseconds.
    """

    row: int
    id: str
    last_seen_at: int | None
    answer: int | None
    context: int | None
    rests_until: int | None
    pace: int | None
    due_at: int


@dataclass(frozen=True, slots=True)
class Observed:
    """One entity as just read. `changed` asks for an observation in the history.

    `same` says that the facts are the very ones stored, so that they needn't be written again; what is
    the same hasn't changed. `asked_at` is when the panel was asked, where that was before the sweep's time.
    `rest` spares an order its next looks. `row` is the ledger's own number of an order, where it is known.
    """

    entity: Entity
    facts: Facts
    changed: bool
    due_at: datetime | None
    same: bool = False
    asked_at: datetime | None = None
    rest: Rest | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class DatedBalance:
    """A panel's balance as it was at some moment from `asked_at` to `answered_at`, both included.

    What was settled before `asked_at` is in it, what was claimed after `answered_at` is not. `currency` is
    None where the panel doesn't say.
    """

    amount: Decimal
    currency: str | None
    asked_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """A rule's memory of an entity, to be stored."""

    rule: str
    entity: Entity
    memory: Memory


@dataclass(frozen=True, slots=True)
class PlannedFiring:
    """A firing with the first of what it asks for, and the memory to keep if a guard stops it.

    `hold` writes its action as `held` for this reason (dry run, sweep limit) instead of `planned`.
    """

    firing: Firing
    continuation: Continuation
    memory_if_stopped: Memory
    hold: Reason | None = None


#: How many traces of one rule and entity are kept.
TRACES_KEPT = 20


@dataclass(frozen=True, slots=True)
class KeptTrace:
    """What a rule came to for an entity at one look that changed something.

    `facts` are the stored facts its conditions read, as they were then, `missing` the names of those that
    were not known. `memory` is what the rule remembered afterwards.
    """

    rule: str
    rule_version: str
    entity: Entity
    at: datetime
    reason: Reason
    facts: Facts
    missing: tuple[str, ...]
    memory: Memory


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that one look at a panel brought, for one transaction. `at` is the time of the look.

    `resting` are the rows of orders of which the panel said what it had said before (`Rest`): they have been
    seen, and are due again after their pace.
    """

    at: datetime
    observed: tuple[Observed, ...] = ()
    remembered: tuple[Remembered, ...] = ()
    firings: tuple[PlannedFiring, ...] = ()
    traced: tuple[KeptTrace, ...] = ()
    resting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """A firing that a guard stopped inside the planning transaction."""

    firing: Firing
    reason: Reason


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a sweep's transaction wrote: IDs of new intents, and what guards stopped."""

    intents: tuple[int, ...] = ()
    messages: int = 0
    stopped: tuple[Stopped, ...] = ()


class IntentState(StrEnum):
    """The states of an intent.

    planned → sending → confirmed | rejected | not_sent | unknown; planned ⇄ held; held → denied;
    unknown → confirmed | not_sent by proof or by the operator; not_sent → planned for another attempt.
    """

    PLANNED = "planned"
    HELD = "held"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Intent:
    """One action in the ledger.

    `firing` is the ID of the firing that asked, None when the operator did (`rule` is then `operator`).
    `reserved` is the money set aside in `currency` while the outcome is open, None for what costs
    nothing. `result` is the panel's ID for what it made. `not_before` delays another attempt.
    `owner` names the process that claimed it. `evidence` is what was noted about the outcome. `expires_at` is
    when it is denied by itself, should it still be held then.
    """

    id: int
    firing: int | None
    rule: str
    entity: Entity
    episode: datetime
    step: str
    kind: StepKind
    panel: str
    parameters: dict[str, str]
    state: IntentState
    reason: str
    message: str
    reserved: Decimal | None
    currency: str | None
    attempts: int
    not_before: datetime | None
    planned_at: datetime
    claimed_at: datetime | None
    settled_at: datetime | None
    result: str
    owner: str
    evidence: dict[str, str]
    expires_at: datetime | None = None


class Leave(StrEnum):
    """Whether a claimed intent may leave now. `STOPPED` by a pause, a panic, a breaker or a hold; `LOST` when
    the claim is somebody else's by now: it was put in doubt meanwhile, or was claimed again."""

    YES = "yes"
    STOPPED = "stopped"
    LOST = "lost"


#: Evidence on an action that stands in for one the panel refused: the panel's words then.
REFUSAL = "refusal"
#: Evidence on an action whose panel was chosen: among what, and why (`engine.choosing.choice_from`).
CHOICE = "choice"
#: Evidence on an action that was in doubt and is tried anew: which attempt that was about.
DOUBTED = "doubted_attempt"
#: Evidence on an action, and the reason for which one that is planned once more is held: what its panel said
#: when somebody else had said what became of it. It begins with the state that comes to.
LATE_ANSWER = "late_answer"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an intent's state: when, from what (empty at birth), to what, why and by whom."""

    at: datetime
    before: str
    after: IntentState
    reason: str
    message: str
    by: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `state` is confirmed, rejected, not_sent or unknown.

    `retry_at` with not_sent returns the intent to planned, not to be claimed before then.
    `tracked` is an order the action made, `refill` the ID of a refill: both are watched from now on.
    """

    state: IntentState
    reason: str
    message: str = ""
    result: str = ""
    retry_at: datetime | None = None
    tracked: NewOrder | None = None
    refill: Entity | None = None
    evidence: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program asks for. `key` names it among all that `client` asks for, so that asking again does
    nothing again; None for what does no harm done twice. `digest` is of what is asked. `since` is when it was
    first asked for, where the program says that.
    """

    client: str
    digest: str
    key: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What was done for a program at `at`, once, and the `answer` it got. `digest` is of what it asked for.

    `intent` is the purchase that was planned, None where orders were tracked.
    """

    digest: str
    at: datetime
    intent: int | None
    answer: str


class MessageState(StrEnum):
    """pending → delivered | dead; dead → pending when the operator revives it; pending or dead → dropped.

    A message of an alert of which there is nothing to be told any more is suppressed; its `why` says why.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in the outbox. `attempts` counts failed deliveries since it was queued or last revived, and
    `revived` how often it was that.

    `alert` is the key of the alert it tells of and `telling` what it says of it (`Telling`), both empty for
    other messages. `why` is what kept it from being sent, or how it was sent (`notify.stages.Reason`); empty
    when nothing has judged it yet.
    """

    id: int
    dedup_key: str
    kind: StepKind
    channel: str
    title: str
    body: str
    level: str
    state: MessageState
    created_at: datetime
    next_attempt_at: datetime
    attempts: int
    last_error: str
    revived: int = 0
    alert: str = ""
    telling: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One entry of an entity's history: the facts as they were from `at` on."""

    entity: Entity
    at: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a running daemon last said of itself."""

    owner: str
    started_at: datetime
    beat_at: datetime
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is of what matters at a glance. Keys are state or kind names; `due` counts orders.

    Asked for with every heartbeat, so it costs the same however many orders are watched.
    """

    orders: int
    due: int
    intents: dict[str, int]
    messages: dict[str, int]
    reserved: dict[str, Decimal]
