"""The port over any SQL back end. What each method promises is written in `ledger.port`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from smm_rules.engine.choosing import Choice
from smm_rules.engine.firing import Continuation, Firing, IntentDraft, MessageDraft
from smm_rules.engine.guards import NO_GUARDS, Guarded, Guards
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
from smm_rules.ledger.holds import Confirmed, Finding, Hold
from smm_rules.ledger.plans import PlanFile, PlannedRow, PlanRow, RowKey
from smm_rules.ledger.port import LedgerError, StateConflict
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
from smm_rules.ledger.sql import (
    alert_standing,
    alerts,
    audit,
    balances,
    books,
    catalogue,
    changes,
    choosing,
    entities,
    figures,
    holding,
    holds,
    housekeeping,
    intents,
    orders,
    outbox,
    plans,
    received,
    rest,
    silences,
    sources,
    stops,
    sweeps,
    traces,
    unwatched,
    waiting,
)
from smm_rules.ledger.sql.stamping import Stamping
from smm_rules.ledger.sql.transactions import Transactions
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.matching.equal import EqualServices
from smm_rules.rules.model import NO_RULE_GUARDS, RuleGuards


class SqlLedger:
    """A ledger over the transactions of an SQL back end, which makes one by its own `open`.

    With a `stamping` nothing is sent without a stamp; a rehearsal's ledger has none.
    """

    def __init__(
        self, transactions: Transactions, guards: Guards = NO_GUARDS, stamping: Stamping | None = None
    ) -> None:
        self._transactions = transactions
        self._stamping = stamping
        self._guards = guards
        self._write = transactions.write
        self._write_beside = transactions.write_beside
        self._read = transactions.read
        self._alone = transactions.alone
        self._doubtful: list[tuple[int, str, datetime]] = []

    @property
    def parts(self) -> tuple[Transactions, Guards, Stamping | None]:
        """What another view of the same opened ledger is made of."""
        return self._transactions, self._guards, self._stamping

    def use_equal_services(self, equal: EqualServices) -> None:
        """Let reorders that are planned from now on choose by this mapping."""
        market = replace(self._guards.market, equal=equal, trouble="")
        self._guards = replace(self._guards, market=market)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._transactions.close()

    async def daemon(self) -> str | None:
        """The process that has the daemon's lock, empty when it isn't known; None when none has it."""
        raise NotImplementedError

    async def workers(self) -> tuple[str, ...]:
        """The processes that share the work on this ledger, the one that came first before the others; none
        where it is a daemon's, or nobody's."""
        return ()

    # -- what is watched --------------------------------------------------------------------------------
    async def track(self, orders_: Sequence[NewOrder], now: datetime, by: str = "") -> int:
        return await self._write(orders.take_in, orders_, now, by)

    async def forget(self, entity: Entity, now: datetime, by: str = "") -> bool:
        return await self._write(entities.forget, entity, now, by)

    async def order(self, entity: Entity) -> TrackedOrder | None:
        return await self._read(orders.order, entity)

    async def watched(self, entity: Entity) -> Watched | None:
        return await self._read(entities.watched, entity)

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        return await self._read(entities.watched_page, kind, panel, after, limit)

    async def due(self, kind: EntityKind, panel: str, now: datetime, limit: int) -> tuple[Watched, ...]:
        return await self._read(entities.due, kind, panel, now, limit)

    async def due_orders(self, panel: str, now: datetime, limit: int, batch: int = 1) -> tuple[DueOrder, ...]:
        return await self._read(rest.due_orders, panel, now, limit, batch)

    async def watched_rows(self, rows: Sequence[int]) -> dict[int, Watched]:
        return await self._read(rest.watched_rows, rows)

    async def memories_by_row(self, rows: Sequence[int]) -> list[tuple[int, str, Memory]]:
        return await self._read(rest.memories_by_row, rows)

    async def postpone(self, entities_: Iterable[Entity], due_at: datetime) -> None:
        await self._write_beside(entities.postpone, tuple(entities_), due_at)

    async def memories(self, entities_: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]:
        return await self._read(entities.memories, entities_)

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]:
        return await self._read(entities.history, entity, since, until, limit)

    async def traces(self, entity: Entity, rule: str | None, limit: int) -> tuple[KeptTrace, ...]:
        return await self._read(traces.traces, entity, rule, limit)

    async def balance(self, panel: str) -> DatedBalance | None:
        return await self._read(balances.balance, panel)

    async def note_balance(self, panel: str, reading: DatedBalance) -> None:
        await self._write_beside(balances.keep, panel, reading)

    # -- planning ---------------------------------------------------------------------------------------
    async def record(self, sweep: Sweep) -> Recorded:
        write = self._write if sweep.firings else self._write_beside
        return await write(sweeps.record, sweep, self._guards)

    async def ask(self, draft: IntentDraft, entity: Entity, now: datetime, by: str) -> Intent:
        await self._refuse_out_of_step()
        return await self._write(holding.ask, draft, entity, now, by, self._guards)

    async def _refuse_out_of_step(self) -> None:
        """Raises where this ledger may have forgotten what was done, whether or not it is on hold yet."""
        if self._stamping is not None and await self._alone(self._stamping.recheck) is not None:
            raise holds.on_hold()

    # -- what programs ask for --------------------------------------------------------------------------
    async def received(self, client: str, key: str) -> Received | None:
        return await self._read(received.find, client, key)

    async def track_asked(
        self,
        orders_: Sequence[NewOrder],
        asked: Asked,
        answer: Callable[[frozenset[Entity]], str],
        now: datetime,
        by: str,
    ) -> Received:
        return await self._write(received.track, orders_, asked, answer, now, by)

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
        await self._refuse_out_of_step()
        given = (draft, asked, answer, now, by, bounds, told, self._guards)
        return await self._write(received.purchase, *given)

    # -- databases of orders ----------------------------------------------------------------------------
    async def source(self, name: str) -> SourceStanding | None:
        return await self._read(sources.standing, name)

    async def sources(self) -> tuple[SourceStanding, ...]:
        return await self._read(sources.standings)

    async def bad_rows(self, name: str, limit: int) -> tuple[BadRow, ...]:
        return await self._read(sources.bad_rows, name, limit)

    async def take_from_source(
        self, name: str, generation: int, piece: Piece, now: datetime, by: str
    ) -> Taken:
        return await self._write(sources.take, name, generation, piece, now, by)

    async def source_failed(self, name: str, error: str, next_at: datetime, now: datetime) -> SourceStanding:
        return await self._write(sources.fail, name, error, next_at, now)

    async def set_source_back(self, name: str, watermark: str, now: datetime) -> SourceStanding:
        return await self._write(sources.set_back, name, watermark, now)

    # -- files of purchases -----------------------------------------------------------------------------
    async def plan_file(self, name: str) -> PlanFile | None:
        return await self._read(plans.file, name)

    async def same_plan_file(self, digest: str, name: str) -> PlanFile | None:
        return await self._read(plans.same_file, digest, name)

    async def plan_rows(self, keys: Sequence[RowKey]) -> dict[RowKey, PlannedRow]:
        return await self._read(plans.planned_rows, keys)

    async def numbered_rows(self, name: str) -> dict[RowKey, PlannedRow]:
        return await self._read(plans.numbered_rows, name)

    async def foresee(self, drafts: Sequence[IntentDraft], now: datetime) -> tuple[Guarded | None, ...]:
        return await self._read(plans.foresee, drafts, now, self._guards)

    async def place_plan(
        self,
        name: str,
        digest: str,
        rows: Sequence[PlanRow],
        again: Collection[IntentState],
        now: datetime,
        by: str,
    ) -> int:
        await self._refuse_out_of_step()
        return await self._write(plans.place, name, digest, rows, again, now, by, self._guards)

    # -- intents ----------------------------------------------------------------------------------------
    async def claimable(self, now: datetime, limit: int) -> tuple[Intent, ...]:
        if self.stamp_trouble:
            return ()  # it couldn't be claimed; each try would only fill the record
        await self._take_back_doubtful()
        return await self._read(holding.claimable, now, limit)

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool:
        """An error leaves it open whether the claim was written. Whoever gets one sends nothing, so the claim
        is taken back as soon as the ledger can be written again."""
        given = (intent_id, owner, now, evidence, cost, currency, self._guards)
        try:
            return await self._claim(*given)
        except StateConflict:
            raise
        except LedgerError:
            self._doubtful.append((intent_id, owner, now))
            raise

    async def _claim(self, *given: Any) -> bool:
        stamping = self._stamping
        if stamping is None:
            return await self._write(changes.claim, *given)
        return await self._alone(lambda connection: holding.claim(connection, stamping, *given))

    async def _take_back_doubtful(self) -> None:
        while self._doubtful:
            claim = self._doubtful[-1]
            await self._write(holding.take_back, *claim, holding.CLAIM_IN_DOUBT)
            # Meanwhile another one may have been added, or this one taken back by somebody else.
            if claim in self._doubtful:
                self._doubtful.remove(claim)

    async def may_leave(self, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave:
        return await self._read(holding.may_leave, intent_id, owner, attempt, now)

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        self._note_order(outcome)
        return await self._write(changes.settle, intent_id, outcome, then, now, by, self._guards, attempt)

    async def refuse(self, intent_id: int, outcome: Outcome, then: Continuation, now: datetime) -> Intent:
        return await self._write(changes.refuse, intent_id, outcome, then, now, self._guards)

    async def hold(self, intent_id: int, reason: str, message: str, now: datetime) -> Intent:
        return await self._write(changes.hold, intent_id, reason, message, now)

    async def approve(self, intent_id: int, now: datetime, by: str) -> Intent:
        return await self._write(changes.approve, intent_id, now, by)

    async def deny(
        self,
        intent_id: int,
        now: datetime,
        by: str,
        reason: str = "denied",
        message: MessageDraft | None = None,
    ) -> Intent:
        return await self._write(changes.deny, intent_id, now, by, reason, message)

    async def expired(self, now: datetime, limit: int) -> tuple[Intent, ...]:
        return await self._read(waiting.expired, now, limit)

    async def untold(self, limit: int) -> tuple[Intent, ...]:
        return await self._read(waiting.untold, limit)

    async def tell_held(
        self, intent_ids: Sequence[int], messages: Sequence[MessageDraft], now: datetime
    ) -> None:
        await self._write(waiting.tell_held, intent_ids, messages, now)

    async def resolve(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        self._note_order(outcome)
        return await self._write(changes.resolve, intent_id, outcome, then, now, by, self._guards, attempt)

    def _note_order(self, outcome: Outcome) -> None:
        if outcome.tracked is not None and self._stamping is not None:
            self._stamping.made(outcome.tracked.entity)

    async def note(self, intent_id: int, evidence: Mapping[str, str]) -> None:
        await self._write(intents.note, intent_id, evidence)

    async def recover(self, now: datetime, owner: str, stale_before: datetime) -> tuple[Intent, ...]:
        return await self._write(changes.recover, now, owner, stale_before, self._guards)

    async def intent(self, intent_id: int) -> Intent | None:
        return await self._read(intents.intent, intent_id)

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]:
        return await self._read(intents.intents, states, limit, rule, entity)

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]:
        return await self._read(intents.under_way, panel, since, until)

    async def consider(
        self, draft: IntentDraft, firing: Firing, now: datetime
    ) -> tuple[IntentDraft, Choice | None]:
        return await self._read(choosing.foresee, draft, firing, now, self._guards)

    async def replacements(self, order: Entity) -> tuple[Watched, ...]:
        return await self._read(choosing.replacements, order)

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]:
        return await self._read(intents.transitions, intent_id)

    async def firing(self, firing_id: int) -> Firing | None:
        return await self._read(intents.firing, firing_id)

    async def firings(self, since: datetime, until: datetime, limit: int) -> tuple[Firing, ...]:
        return await self._read(intents.firings, since, until, limit)

    async def books(self, panel: str, since: datetime, until: datetime) -> Books:
        return await self._read(books.books, panel, since, until)

    # -- holds ------------------------------------------------------------------------------------------
    async def hold_if_doubtful(self, by: str, now: datetime) -> Hold | None:
        if self._stamping is None:
            return None
        finding = await self._alone(self._stamping.found)
        return await self._write(holding.judge, finding, by, now)

    async def open_hold(self) -> Hold | None:
        return await self._read(holds.open_hold)

    async def unseen(self, panels: Sequence[str] | None = None) -> int:
        return await self._read(holding.unseen, panels)

    async def confirm_hold(self, since: datetime, by: str, now: datetime) -> Confirmed:
        if self._stamping is not None and await self.open_hold() is not None:
            await self._alone(self._stamping.begin)
        return await self._write(holding.confirm, since, by, now)

    @property
    def finding(self) -> Finding | None:
        """Why the ledger would be put on hold, as far as this process knows."""
        return None if self._stamping is None else self._stamping.finding

    @property
    def stamp_trouble(self) -> str:
        return "" if self._stamping is None else self._stamping.trouble

    # -- the record of decisions ------------------------------------------------------------------------
    async def rules_in_force(
        self, texts: Sequence[RuleText], now: datetime, by: str, files: Sequence[str] = ()
    ) -> bool:
        return await self._write(audit.rules_in_force, texts, now, by, files)

    async def rule_text(self, rule: str, version: str, digest: str | None = None) -> str | None:
        return await self._read(audit.rule_text, rule, version, digest)

    async def audit(
        self, kind: AuditKind, by: str, subject: str, data: Mapping[str, object], now: datetime
    ) -> None:
        await self._write(audit.append, now, kind, by, subject, data)

    async def audit_page(self, asked: AuditQuery, after: int, limit: int) -> tuple[AuditEntry, ...]:
        return await self._read(audit.page, asked, after, limit)

    async def audit_head(self) -> Head:
        return await self._read(audit.head)

    async def audit_entry(self, entry_id: int) -> AuditEntry | None:
        return await self._read(audit.entry, entry_id)

    async def verify_audit(self, noted: Sequence[Head] = ()) -> Verification:
        # Read before the record: a daemon at work moves it.
        stamped = () if self._stamping is None else await self._alone(self._stamping.heads)
        return await self._read(audit.verify, (*noted, *stamped))

    async def seal_audit(self, before: datetime, now: datetime) -> int:
        return await self._write(audit.seal, before, now)

    # -- outbox -----------------------------------------------------------------------------------------
    async def enqueue(self, message: MessageDraft, now: datetime) -> bool:
        return await self._write(outbox.enqueue, message, now)

    async def deliverable(self, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
        return await self._read(outbox.deliverable, now, limit)

    async def delivered(self, message_id: int, now: datetime) -> None:
        await self._write_beside(outbox.delivered, message_id, now)

    async def undelivered(
        self, message_id: int, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        await self._write_beside(outbox.undelivered, message_id, error, retry_at, now)

    async def delivered_together(self, message_ids: Sequence[int], sent_as: SentAs, now: datetime) -> None:
        await self._write_beside(outbox.delivered_together, message_ids, sent_as, now)

    async def keep_back(self, kept: Sequence[KeptBack], now: datetime) -> None:
        await self._write_beside(outbox.keep_back, kept, now)

    async def take_up_kept_back(self, now: datetime) -> int:
        return await self._write_beside(outbox.take_up_kept_back, now)

    async def messages(self, states: Sequence[MessageState], limit: int) -> tuple[QueuedMessage, ...]:
        return await self._read(outbox.messages, states, limit)

    async def revive(self, message_ids: Sequence[int] | None, now: datetime, by: str) -> tuple[int, ...]:
        return await self._write(outbox.revive, message_ids, now, by)

    async def drop(self, message_ids: Sequence[int], now: datetime, by: str) -> tuple[int, ...]:
        return await self._write(outbox.drop, message_ids, now, by)

    # -- alerts -----------------------------------------------------------------------------------------
    async def alert_standing(self, question: AlertQuestion, now: datetime) -> AlertStanding:
        return await self._read(alert_standing.standing, question, now)

    async def alerts(self, states: Sequence[AlertState], limit: int) -> tuple[Alert, ...]:
        return await self._read(alerts.alerts, states, limit)

    async def alert(self, alert_id: int) -> Alert | None:
        return await self._read(alerts.alert, alert_id)

    async def alert_messages(self, keys: Sequence[str]) -> dict[str, tuple[AlertMessage, ...]]:
        return await self._read(alerts.messages_of, keys)

    async def acknowledge(
        self, alert_id: int, by: str, reason: str, now: datetime
    ) -> tuple[Alert | None, bool]:
        return await self._write(alerts.acknowledge, alert_id, by, reason, now)

    async def alerts_ended_too_soon(self) -> tuple[Alert, ...]:
        return await self._read(unwatched.ended_too_soon)

    async def end_alerts(
        self, alert_ids: Sequence[int], notices: Sequence[MessageDraft], why: str, now: datetime
    ) -> int:
        return await self._write(unwatched.end, alert_ids, notices, why, now)

    async def reopen_alerts(self, alert_ids: Sequence[int], why: str, now: datetime) -> int:
        return await self._write(unwatched.reopen, alert_ids, why, now)

    async def add_silence(
        self, matcher: Matcher, reason: str, by: str, now: datetime, until: datetime
    ) -> Silence:
        return await self._write(silences.add, matcher, reason, by, now, until)

    async def silences(self, past: int | None = None) -> tuple[Silence, ...]:
        return await self._read(silences.silences, past)

    async def end_silence(
        self, silence_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool:
        return await self._write(silences.end, silence_id, now, by, message)

    # -- for who looks at the whole ---------------------------------------------------------------------
    async def order_statuses(self) -> dict[tuple[str, str], int]:
        return await self._read(figures.order_statuses)

    async def orders_page(
        self, panel: str | None, status: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        return await self._read(figures.orders_page, panel, status, after, limit)

    async def rule_figures(self, since: datetime) -> dict[str, RuleFigures]:
        return await self._read(figures.rule_figures, since)

    async def latest_firings(
        self, limit: int, rule: str | None = None, before: int | None = None
    ) -> tuple[KeptFiring, ...]:
        return await self._read(figures.latest_firings, limit, rule, before)

    async def counted_actions(self, since: datetime) -> tuple[CountedAction, ...]:
        return await self._read(figures.counted_actions, since)

    async def intents_page(
        self,
        states: Sequence[IntentState],
        limit: int,
        before: int | None = None,
        rule: str | None = None,
        panel: str | None = None,
    ) -> tuple[Intent, ...]:
        return await self._read(figures.intents_page, states, limit, before, rule, panel)

    async def catalogue_changes(
        self, panel: str | None, since: datetime, until: datetime, limit: int
    ) -> tuple[KeptChange, ...]:
        return await self._read(catalogue.changes, panel, since, until, limit)

    # -- the daemon's own -------------------------------------------------------------------------------
    async def beat(self, heartbeat: Heartbeat) -> None:
        await self._write_beside(housekeeping.beat, heartbeat)

    async def heartbeat(self) -> Heartbeat | None:
        return await self._read(housekeeping.heartbeat)

    async def reserved(self, panel: str) -> dict[str, Decimal]:
        return await self._read(housekeeping.reserved, panel)

    async def totals(self, now: datetime) -> Totals:
        return await self._read(housekeeping.totals, now)

    async def observations(self) -> int:
        return await self._read(housekeeping.observations)

    async def end_holds(self, rules: Sequence[str]) -> int:
        return await self._write(housekeeping.end_holds, rules)

    async def wake(self, rules: Sequence[str], now: datetime) -> int:
        return await self._write(housekeeping.wake, rules, now)

    async def clock_set_back(self, now: datetime) -> int:
        return await self._write(housekeeping.clock_set_back, now)

    async def remembered_rules(self) -> dict[str, int]:
        return await self._read(housekeeping.remembered_rules)

    async def prune(self, before: datetime, sent_before: datetime | None = None) -> dict[str, int]:
        return await self._write(housekeeping.prune, before, sent_before)

    # -- stops ------------------------------------------------------------------------------------------
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
        return await self._write(stops.stop, kind, scope, name, reason, by, now, until)

    async def stops(self, past: int | None = None) -> tuple[Stop, ...]:
        return await self._read(stops.stops, past)

    async def end_stop(
        self, stop_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool:
        return await self._write(stops.end, stop_id, now, by, message)

    async def redate_stop(
        self,
        stop_id: int,
        now: datetime,
        until: datetime | None,
        by: str,
        message: MessageDraft | None = None,
    ) -> bool:
        return await self._write(stops.redate, stop_id, now, until, by, message)
