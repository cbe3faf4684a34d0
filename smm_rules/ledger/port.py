"""The ledger's port: all that the rest of the program may ask of any back end.

Every method is one transaction: when it returns, what it wrote is durable; when it raises, nothing was
written. Back ends: `sqlite`. One contract suite (tests/ledger/contract) holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from smm_rules.engine.choosing import Choice
from smm_rules.engine.firing import Continuation, Firing, IntentDraft, MessageDraft
from smm_rules.engine.guards import Guarded
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import (
    Alert,
    AlertMessage,
    AlertQuestion,
    AlertStanding,
    AlertState,
    KeptBack,
    Matcher,
    SentAs,
    Silence,
)
from smm_rules.ledger.audit import AuditEntry, AuditKind, AuditQuery, Head, RuleText, Verification
from smm_rules.ledger.books import Books
from smm_rules.ledger.figures import CountedAction, KeptChange, KeptFiring, RuleFigures
from smm_rules.ledger.holds import Confirmed, Hold
from smm_rules.ledger.plans import PlanFile, PlannedRow, PlanRow, RowKey
from smm_rules.ledger.records import (
    Asked,
    DatedBalance,
    DueOrder,
    Heartbeat,
    Intent,
    IntentState,
    KeptTrace,
    Leave,
    MessageState,
    NewOrder,
    Observation,
    Outcome,
    QueuedMessage,
    Received,
    Recorded,
    Sweep,
    Totals,
    TrackedOrder,
    Transition,
    Watched,
)
from smm_rules.ledger.sources import BadRow, Piece, SourceStanding, Taken
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.matching.equal import EqualServices
from smm_rules.rules.model import NO_RULE_GUARDS, RuleGuards


class LedgerError(Exception):
    """The ledger can't be used: it says what is wrong and what to do."""


class StateConflict(LedgerError):
    """The intent is not in a state from which the asked change is allowed."""


class Ledger(Protocol):
    """Observations, rule memory, intents and the outbox, durably."""

    # -- what is watched ------------------------------------------------------------------------------
    async def track(self, orders: Sequence[NewOrder], now: datetime, by: str = "") -> int:
        """Watch these orders, due at once; return how many were new. A known order is left as it is.

        `by` is who gave them, for the record of decisions.
        """
        ...

    async def forget(self, entity: Entity, now: datetime, by: str = "") -> bool:
        """Stop watching an order; history and intents stay. False when it wasn't watched.

        `by` is who asked for it, for the record of decisions.
        """
        ...

    async def order(self, entity: Entity) -> TrackedOrder | None: ...

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        """A page of all watched entities of a kind in a stable order, those after `after`."""
        ...

    async def due(self, kind: EntityKind, panel: str, now: datetime, limit: int) -> tuple[Watched, ...]:
        """The most overdue entities with `due_at` at or before `now`, the most overdue first."""
        ...

    async def due_orders(self, panel: str, now: datetime, limit: int, batch: int = 1) -> tuple[DueOrder, ...]:
        """At most `limit` of a panel's orders with `due_at` at or before `now`, the most overdue first.

        Where any are, those that will be due next make their number a multiple of `batch`.
        """
        ...

    async def watched_rows(self, rows: Sequence[int]) -> dict[int, Watched]:
        """The watched ones of these rows, as `due_orders` named them."""
        ...

    async def memories_by_row(self, rows: Sequence[int]) -> list[tuple[int, str, Memory]]:
        """What rules remember of the orders of these rows: row, rule, memory."""
        ...

    async def postpone(self, entities: Iterable[Entity], due_at: datetime) -> None:
        """Ask again at `due_at`, changing nothing else: used when a panel left an entity unanswered."""
        ...

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]:
        """All rules' memories of these entities by (rule, entity)."""
        ...

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """Observations in time order, of one entity or of all."""
        ...

    async def traces(self, entity: Entity, rule: str | None, limit: int) -> tuple[KeptTrace, ...]:
        """The kept traces of an entity, of one rule or of all, the newest first.

        Only the last `records.TRACES_KEPT` of each rule and entity are kept.
        """
        ...

    async def balance(self, panel: str) -> DatedBalance | None:
        """The panel's balance as it was read last, by a sweep or for `note_balance`."""
        ...

    async def note_balance(self, panel: str, reading: DatedBalance) -> None:
        """Keep a reading for guards and evidence alone: rules haven't looked at it."""
        ...

    # -- planning ---------------------------------------------------------------------------------------
    async def record(self, sweep: Sweep) -> Recorded:
        """Write a sweep in one transaction: observations, memories, firings, first intents, messages, traces.

        Limits that count over more than one entity (`Limits.per_chain`) are judged here. A stopped firing
        stores its `memory_if_stopped` and nothing else. An action that a guard stops (see `engine.guards`) is
        written as held with the guard's reason, one of a rule in the shadow as denied, without its messages.
        An action held for `limit_per_sweep` stops its rule (`StopKind.SWEEP`).
        A firing or intent whose key exists is not written again.
        """
        ...

    async def ask(self, draft: IntentDraft, entity: Entity, now: datetime, by: str) -> Intent:
        """Plan an action the operator asked for, outside any rule."""
        ...

    # -- what programs ask for --------------------------------------------------------------------------
    async def received(self, client: str, key: str) -> Received | None:
        """What was done for a program under this key; None when nothing was, or it is no longer kept."""
        ...

    async def track_asked(
        self,
        orders: Sequence[NewOrder],
        asked: Asked,
        answer: Callable[[frozenset[Entity]], str],
        now: datetime,
        by: str,
    ) -> Received:
        """`track`, kept with its answer under the key in the same transaction; or what was done under it.

        `answer` makes the answer from the orders that were new. It may be called more than once.
        """
        ...

    async def purchase(
        self,
        draft: IntentDraft,
        asked: Asked,
        answer: Callable[[Intent], str],
        now: datetime,
        by: str,
        bounds: RuleGuards = NO_RULE_GUARDS,
        told: Callable[[Intent], MessageDraft | None] = lambda _: None,
    ) -> Received:
        """Plan an order, kept with its answer under the key in the same transaction; or what was done then.

        `bounds` are those of whoever asks; they are judged again when it is to be sent. The message that
        `told` makes of the intent is queued with it. After a hold, what was first asked for before rules may
        act again is held, and for a day also what doesn't say since when it is asked for: the run that was
        lost may have bought it. `StateConflict` for what is new while there is a hold. The key is kept at
        least as long as the intent. `ValueError` without a key.
        """
        ...

    # -- databases of orders (see ledger.sources) -------------------------------------------------------
    async def source(self, name: str) -> SourceStanding | None:
        """How far a source has been read; None when it never was."""
        ...

    async def sources(self) -> tuple[SourceStanding, ...]: ...

    async def bad_rows(self, name: str, limit: int) -> tuple[BadRow, ...]:
        """Rows of a source that were no orders, the latest first."""
        ...

    async def take_from_source(
        self, name: str, generation: int, piece: Piece, now: datetime, by: str
    ) -> Taken:
        """Watch the orders of a piece and note how far the source has been read, in one transaction.

        A known order is left as it is, a forgotten one, too. `StateConflict` when the source was set back
        since its standing of that `generation` was read.
        """
        ...

    async def source_failed(self, name: str, error: str, next_at: datetime, now: datetime) -> SourceStanding:
        """Note that a source couldn't be read and when it is tried again."""
        ...

    async def set_source_back(self, name: str, watermark: str, now: datetime) -> SourceStanding:
        """Read a source on from `watermark`, from its start where that is empty, and at once."""
        ...

    # -- files of purchases (see ledger.plans) ----------------------------------------------------------
    async def plan_file(self, name: str) -> PlanFile | None: ...

    async def same_plan_file(self, digest: str, name: str) -> PlanFile | None:
        """The first plan of another name than `name` that the very same file made."""
        ...

    async def plan_rows(self, keys: Sequence[RowKey]) -> dict[RowKey, PlannedRow]:
        """Those of these rows that were ever planned, each with its latest intent."""
        ...

    async def numbered_rows(self, name: str) -> dict[RowKey, PlannedRow]:
        """All rows of a plan that were ever planned by their number."""
        ...

    async def foresee(self, drafts: Sequence[IntentDraft], now: datetime) -> tuple[Guarded | None, ...]:
        """What guards would hold each of these purchases if they were planned now, one after the other."""
        ...

    async def place_plan(
        self,
        name: str,
        digest: str,
        rows: Sequence[PlanRow],
        again: Collection[IntentState],
        now: datetime,
        by: str,
    ) -> int:
        """Plan those of these rows that never were, in one transaction; how many.

        A row whose latest intent ended in a state of `again` is planned once more, if it says what it said
        then. All others are left alone: a row is bought once. `StateConflict` on hold.
        """
        ...

    # -- intents ----------------------------------------------------------------------------------------
    async def claimable(self, now: datetime, limit: int) -> tuple[Intent, ...]:
        """Planned intents whose `not_before` has passed and that no stop concerns, oldest first."""
        ...

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool:
        """Compare-and-set planned → sending, durable on return. False when somebody else was faster, while a
        stop concerns the intent or another one about the same order is being sent, so that it stays planned,
        and when a guard stops it, which holds it.

        `cost` is what it will cost now; the money set aside becomes that.
        """
        ...

    async def may_leave(self, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave:
        """Whether what `owner` claimed as attempt number `attempt` may leave; asked before the first byte.

        A stop or a hold that came after the claim is seen, and so is that the claim was taken for dead.
        """
        ...

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        """sending → the outcome's state, with what follows from it, in one transaction.

        The order or refill it made is watched, the continuation's messages are queued and its intent
        planned. not_sent with `retry_at` returns to planned. `StateConflict` when it isn't `sending`, and
        when it is so for another attempt than `attempt` (None: whichever): an outcome that comes late must
        not be taken for that of an attempt made since.
        """
        ...

    async def refuse(self, intent_id: int, outcome: Outcome, then: Continuation, now: datetime) -> Intent:
        """planned → not_sent without an attempt: today's catalogue or balance doesn't allow it."""
        ...

    async def hold(self, intent_id: int, reason: str, message: str, now: datetime) -> Intent:
        """planned → held."""
        ...

    async def approve(self, intent_id: int, now: datetime, by: str) -> Intent:
        """held → planned. `StateConflict` from any other state, and once its `expires_at` has passed."""
        ...

    async def deny(
        self,
        intent_id: int,
        now: datetime,
        by: str,
        reason: str = "denied",
        message: MessageDraft | None = None,
    ) -> Intent:
        """held → denied, its money released; `message` is queued in the same transaction."""
        ...

    async def expired(self, now: datetime, limit: int) -> tuple[Intent, ...]:
        """Held intents whose `expires_at` has passed, oldest first."""
        ...

    async def untold(self, limit: int) -> tuple[Intent, ...]:
        """Intents held by a guard of which the operator hasn't been told, oldest first."""
        ...

    async def tell_held(
        self, intent_ids: Sequence[int], messages: Sequence[MessageDraft], now: datetime
    ) -> None:
        """Queue messages about intents that guards hold, and note that they were told of."""
        ...

    # -- stops (see ledger.stops) -----------------------------------------------------------------------
    async def stop(
        self,
        kind: StopKind,
        scope: StopScope,
        name: str,
        reason: str,
        by: str,
        now: datetime,
        until: datetime | None = None,
    ) -> Stop:
        """Stop actions from now on: no claim of what it concerns succeeds once this has returned.

        Instead of a stop of the same kind, scope and name, which ends.
        """
        ...

    async def stops(self, past: int | None = None) -> tuple[Stop, ...]:
        """The stops that haven't ended, oldest first; with `past` the last so many of all, newest first."""
        ...

    async def end_stop(
        self, stop_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool:
        """End a stop; False when it had ended. `message` is queued in the same transaction."""
        ...

    async def redate_stop(
        self,
        stop_id: int,
        now: datetime,
        until: datetime | None,
        by: str,
        message: MessageDraft | None = None,
    ) -> bool:
        """A stop that began in the future, by a clock that was ahead, began now and lasts until `until`.

        False when it has ended or didn't begin in the future. `message` is queued in the same transaction.
        """
        ...

    async def resolve(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        """unknown → confirmed or not_sent, on proof or the operator's word; like `settle` otherwise."""
        ...

    async def note(self, intent_id: int, evidence: Mapping[str, str]) -> None:
        """Add to an intent's evidence."""
        ...

    async def recover(self, now: datetime, owner: str, stale_before: datetime) -> tuple[Intent, ...]:
        """At boot: every `sending` becomes `unknown`, and is returned. None is ever sent again by itself.

        Claims of other owners than `owner` count only when claimed before `stale_before`: another command
        may still be at work on them.
        """
        ...

    async def intent(self, intent_id: int) -> Intent | None: ...

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]:
        """Intents in any of these states (all when empty), newest first."""
        ...

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]:
        """What may have been at work on a panel at any moment from `since` to `until`, oldest first.

        That is sending, unknown or confirmed, claimed by `until` and not settled before `since`.
        """
        ...

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]: ...

    # -- panels that are chosen (see engine.choosing) ----------------------------------------------------
    def use_equal_services(self, equal: EqualServices) -> None:
        """Let what is planned from now on choose among these. What is planned keeps its panel."""
        ...

    async def consider(
        self, draft: IntentDraft, firing: Firing, now: datetime
    ) -> tuple[IntentDraft, Choice | None]:
        """`draft` with the panel that would be chosen now, and among what. Nothing is written."""
        ...

    async def replacements(self, order: Entity) -> tuple[Watched, ...]:
        """What was ordered in place of `order`, and of that, forgotten ones included, as last read."""
        ...

    async def firing(self, firing_id: int) -> Firing | None: ...

    async def firings(self, since: datetime, until: datetime, limit: int) -> tuple[Firing, ...]:
        """Firings from `since` to `until`, both included, in time order."""
        ...

    async def books(self, panel: str, since: datetime, until: datetime) -> Books:
        """What a statement of account is drawn up from; see `ledger.books`."""
        ...

    # -- holds (see ledger.holds) -----------------------------------------------------------------------
    async def hold_if_doubtful(self, by: str, now: datetime) -> Hold | None:
        """Put the ledger on hold if it isn't the one that was worked on last; the hold that is open then.

        While there is a hold nothing is claimable or claimed, and what is planned is planned as held.
        """
        ...

    async def open_hold(self) -> Hold | None: ...

    async def unseen(self, panels: Sequence[str] | None = None) -> int:
        """How many watched orders and refills of these panels weren't looked at since the hold began."""
        ...

    async def confirm_hold(self, since: datetime, by: str, now: datetime) -> Confirmed:
        """End the hold: rules act again on what began at `since` or later. `StateConflict` without one."""
        ...

    @property
    def stamp_trouble(self) -> str:
        """Why this process can stamp no claim, as of the last try, so that nothing is claimable; else empty.

        Every write tries again.
        """
        ...

    # -- the record of decisions (see ledger.audit) -----------------------------------------------------
    async def rules_in_force(
        self, texts: Sequence[RuleText], now: datetime, by: str, files: Sequence[str] = ()
    ) -> bool:
        """Keep each rule's text once and note the set as in force; False when it is the one noted last."""
        ...

    async def rule_text(self, rule: str, version: str, digest: str | None = None) -> str | None:
        """A rule's text as it was written, the latest of that version when no digest is given."""
        ...

    async def audit(
        self, kind: AuditKind, by: str, subject: str, data: Mapping[str, object], now: datetime
    ) -> None:
        """Add an entry about what is decided outside the ledger."""
        ...

    async def audit_page(self, asked: AuditQuery, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Entries with an ID above `after`, the oldest first."""
        ...

    async def audit_head(self) -> Head:
        """The last entry."""
        ...

    async def audit_entry(self, entry_id: int) -> AuditEntry | None: ...

    async def verify_audit(self, noted: Sequence[Head] = ()) -> Verification:
        """Look through the whole record; `noted` are heads written down elsewhere that must be in it."""
        ...

    async def seal_audit(self, before: datetime, now: datetime) -> int:
        """Drop the entries older than `before` behind a checkpoint; how many."""
        ...

    # -- outbox -----------------------------------------------------------------------------------------
    async def enqueue(self, message: MessageDraft, now: datetime) -> bool:
        """Queue a message. False when its dedup key is already there: it is never told twice."""
        ...

    async def deliverable(self, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
        """Pending messages whose next attempt is due, oldest first."""
        ...

    async def delivered(self, message_id: int, now: datetime) -> None: ...

    async def undelivered(
        self, message_id: int, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        """Note a failed delivery; without `retry_at` the message is dead and kept for the operator."""
        ...

    async def delivered_together(self, message_ids: Sequence[int], sent_as: SentAs, now: datetime) -> None:
        """They were taken by their channel: one alone, or several as one message."""
        ...

    async def keep_back(self, kept: Sequence[KeptBack], now: datetime) -> None:
        """Put pending messages off, or suppress them, with the reason; attempts don't count."""
        ...

    async def take_up_kept_back(self, now: datetime) -> int:
        """Make due what waits for something else than its channel, to be judged anew; how many."""
        ...

    async def messages(self, states: Sequence[MessageState], limit: int) -> tuple[QueuedMessage, ...]: ...

    async def revive(self, message_ids: Sequence[int] | None, now: datetime, by: str) -> tuple[int, ...]:
        """dead → pending, due at once with all its attempts before it; those that were dead. None: all."""
        ...

    async def drop(self, message_ids: Sequence[int], now: datetime, by: str) -> tuple[int, ...]:
        """pending or dead → dropped, never delivered; those that were. Their keys stay: none is told anew.

        One whose delivery is under way may be delivered all the same, and is delivered then.
        """
        ...

    # -- alerts (see ledger.alerts) ---------------------------------------------------------------------
    # An alert begins with the first message that tells of it, in that message's transaction, and is over once
    # its rule remembers no fired episode any more, or its order is forgotten: in that transaction.
    async def alert_standing(self, question: AlertQuestion, now: datetime) -> AlertStanding: ...

    async def alerts(self, states: Sequence[AlertState], limit: int) -> tuple[Alert, ...]:
        """Alerts in any of these states (all when empty), the newest first."""
        ...

    async def alert(self, alert_id: int) -> Alert | None: ...

    async def alert_messages(self, keys: Sequence[str]) -> dict[str, tuple[AlertMessage, ...]]:
        """The messages of alerts by the alerts' keys, the oldest first."""
        ...

    async def acknowledge(
        self, alert_id: int, by: str, reason: str, now: datetime
    ) -> tuple[Alert | None, bool]:
        """firing → acknowledged. The alert as it is now, None when there is none, and whether this did it."""
        ...

    async def alerts_ended_too_soon(self) -> tuple[Alert, ...]:
        """Alerts that are over though their episode goes on: `end_alerts` ended them."""
        ...

    async def end_alerts(
        self, alert_ids: Sequence[int], notices: Sequence[MessageDraft], why: str, now: datetime
    ) -> int:
        """End those of them that go on, and queue the notices if there were any; how many."""
        ...

    async def reopen_alerts(self, alert_ids: Sequence[int], why: str, now: datetime) -> int:
        """Let those of them that are over go on; how many."""
        ...

    async def add_silence(
        self, matcher: Matcher, reason: str, by: str, now: datetime, until: datetime
    ) -> Silence: ...

    async def silences(self, past: int | None = None) -> tuple[Silence, ...]:
        """Those that haven't ended, the oldest first; with `past` the last so many of all, newest first."""
        ...

    async def end_silence(
        self, silence_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool:
        """End it; False when it had ended. What it kept back is due at once and `message` is queued."""
        ...

    # -- for who looks at the whole (see ledger.figures) ------------------------------------------------
    async def order_statuses(self) -> dict[tuple[str, str], int]:
        """How many orders are watched by (panel, status); the status is empty for those not read yet."""
        ...

    async def orders_page(
        self, panel: str | None, status: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        """A page of the watched orders of a panel, of a status, or all, in a stable order: after `after`."""
        ...

    async def rule_figures(self, since: datetime) -> dict[str, RuleFigures]:
        """How often each rule fired since then; every rule that is known to have fired at all."""
        ...

    async def latest_firings(
        self, limit: int, rule: str | None = None, before: int | None = None
    ) -> tuple[KeptFiring, ...]:
        """Firings of all occasions, the newest first, those with a number below `before`."""
        ...

    async def counted_actions(self, since: datetime) -> tuple[CountedAction, ...]:
        """What is planned, and what was sent since then, refused ones included."""
        ...

    async def intents_page(
        self,
        states: Sequence[IntentState],
        limit: int,
        before: int | None = None,
        rule: str | None = None,
        panel: str | None = None,
    ) -> tuple[Intent, ...]:
        """Intents in any of these states (all when empty), newest first, those with an ID below `before`."""
        ...

    async def catalogue_changes(
        self, panel: str | None, since: datetime, until: datetime, limit: int
    ) -> tuple[KeptChange, ...]:
        """What changed of services after `since` until `until`, the newest first.

        What a panel's catalogue held when it was first read is no change.
        """
        ...

    # -- the daemon's own -----------------------------------------------------------------------------
    async def beat(self, heartbeat: Heartbeat) -> None: ...

    async def heartbeat(self) -> Heartbeat | None: ...

    async def reserved(self, panel: str) -> dict[str, Decimal]:
        """Money set aside on a panel, by currency (empty where unknown): planned, sending and unknown.

        Held intents don't count: they may never be sent.
        """
        ...

    async def totals(self, now: datetime) -> Totals: ...

    async def observations(self) -> int:
        """How many observations are kept. They are counted one by one: not for what is asked often."""
        ...

    async def end_holds(self, rules: Sequence[str]) -> int:
        """End the unfired episodes of these rules, for nobody watches them any more; return how many.

        What has fired stays remembered: a rule that comes back must not act twice on one episode.
        """
        ...

    async def wake(self, rules: Sequence[str], now: datetime) -> int:
        """Make due at once what has an unfired episode of these rules; return how many entities that are.

        Used when a rule was edited: its hold may be over sooner than was thought.
        """
        ...

    async def clock_set_back(self, now: datetime) -> int:
        """Make due at once what a clock that was ahead put off; return how many entities that are.

        What was read, put off or queued by that clock would wait until the right one has caught up.
        """
        ...

    async def remembered_rules(self) -> dict[str, int]:
        """How many entities each rule has a memory of."""
        ...

    async def prune(self, before: datetime, sent_before: datetime | None = None) -> dict[str, int]:
        """Drop history, delivered messages, settled intents and ended stops older than `before`; counts.

        Intents that were sent stay if they are younger than `sent_before`: guards may still add them up.
        """
        ...

    async def aclose(self) -> None: ...
