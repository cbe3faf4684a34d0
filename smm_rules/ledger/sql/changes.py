"""The intent state machine: every change is compare-and-set, and is written down with who made it.

The comparison is in the UPDATE itself, inside a write transaction, so it holds between processes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.firing import Continuation, MessageDraft
from smm_rules.engine.guards import APPROVAL, MONEY_REASONS, NO_GUARDS, Guards
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import decode_rule_guards, entity_text, maybe_micros, storable, to_micros
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import DOUBTED, REFUSAL, Intent, IntentState, Leave, Outcome, Transition
from smm_rules.ledger.sql import attempts, received, stops
from smm_rules.ledger.sql.guarding import Action, Guarding, about
from smm_rules.ledger.sql.intents import (
    Origin,
    Told,
    add_transition,
    expiry,
    must_have,
    note,
    plan,
    transitions_asked,
    transitions_from,
)
from smm_rules.ledger.sql.intents import intent as found_intent
from smm_rules.ledger.sql.orders import count_refill, follow, watch_refill
from smm_rules.ledger.sql.outbox import enqueue
from smm_rules.ledger.sql.query import Connection, Row, changed, first, rows, rows_of_all
from smm_rules.ledger.states import FINAL, STARTS_FROM, Change, check_outcome, conflict
from smm_rules.ledger.stops import PASSES_STOPS, TRIPPED, Stop, concerning
from smm_rules.rules.model import NO_RULE_GUARDS, RuleGuards, StepKind

#: Why an intent is in doubt after its process ended in the middle of an attempt.
INTERRUPTED = "interrupted"
_INTERRUPTED_MESSAGE = (
    "the program ended while the request was under way; whether the panel acted isn't known"
)

#: Of two about one order that may be sent, on two panels by two workers, one waits for the other's end.
_CLAIM = """
  UPDATE intents SET
    state = 'sending', attempts = attempts + 1, claimed_at = ?1, owner = ?2, not_before = NULL,
    reserved = coalesce(?4, reserved), currency = coalesce(?5, currency)
  WHERE id = ?3 AND state = 'planned' AND (not_before IS NULL OR not_before <= ?1)
    AND NOT EXISTS (
      SELECT 1 FROM intents AS other WHERE other.subject = intents.subject AND other.state = 'sending'
    )
  RETURNING rule, entity, result
"""
_GUARDS_OF = "SELECT guards FROM firings WHERE id = ?"
_HELD_BY_GUARD = """
  UPDATE intents SET
    reserved = coalesce(?1, reserved), currency = coalesce(?2, currency), expires_at = ?3, told_at = NULL
  WHERE id = ?4
"""
#: A deadline is that of one question for approval.
_NO_DEADLINE = "UPDATE intents SET expires_at = NULL WHERE id = ?"
_MOVE = """
  UPDATE intents SET
    state = ?1, reason = ?2, message = ?3, settled_at = ?4, not_before = ?5,
    result = CASE ?6 WHEN '' THEN result ELSE ?6 END
  WHERE id = ?7 AND state = ?8 AND attempts = coalesce(CAST(?9 AS BIGINT), attempts)
  RETURNING rule, entity, result
"""
_INTERRUPTED = """
  UPDATE intents SET state = 'unknown', reason = ?1, message = ?2
  WHERE state = 'sending' AND (owner = ?3 OR claimed_at < ?4) RETURNING id, rule, entity, result
"""


def claim(
    connection: Connection,
    intent_id: int,
    owner: str,
    now: datetime,
    evidence: Mapping[str, str],
    cost: Decimal | None = None,
    currency: str | None = None,
    guards: Guards = NO_GUARDS,
) -> bool:
    """Also false while the intent's `not_before` lies ahead: a list read earlier may be out of date."""
    planned = found_intent(connection, intent_id)
    if planned is None or not _is_claimable(planned, now):
        return False
    if not _may_go(connection, planned, cost, currency, guards, now):
        return False
    price = None if cost is None else str(cost)
    claimed = first(connection, _CLAIM, (to_micros(now), owner, intent_id, price, currency))
    if claimed is None:
        return False
    change = Transition(now, IntentState.PLANNED, IntentState.SENDING, "", "", owner)
    add_transition(connection, intent_id, change, Told(*claimed))
    if evidence:
        note(connection, intent_id, evidence, now)
    return True


def _is_claimable(intent: Intent, now: datetime) -> bool:
    return intent.state is IntentState.PLANNED and (intent.not_before is None or intent.not_before <= now)


def _may_go(
    connection: Connection,
    intent: Intent,
    cost: Decimal | None,
    currency: str | None,
    guards: Guards,
    now: datetime,
) -> bool:
    """Whether nothing stops the intent now. What a pause stops stays planned, what a guard stops is held."""
    changes_, active, guards_ = rows_of_all(
        connection, transitions_asked(intent.id), stops.ACTIVE, _guards_asked(intent)
    )
    approved = _approved(transitions_from(changes_))
    if _is_stopped(intent, approved, stops.stops_from(active), now):
        return False
    price = intent.reserved if cost is None else cost
    action = Action(
        intent.rule,
        intent.panel,
        intent.kind,
        about(connection, intent.entity),
        price,
        currency or intent.currency,
        intent.id,
    )
    rule = _guards_from(guards_)
    passes = frozenset(reason for reason in approved if _covers(intent, reason, price))
    guarded = Guarding(connection, now, guards).claiming(action, rule, passes)
    if guarded is None:
        return True
    held = Outcome(IntentState.HELD, guarded.reason, guarded.message)
    _move(connection, Change.HOLD, intent.id, held, now, "")
    expires_at = maybe_micros(expiry(rule, now)) if guarded.reason == APPROVAL else None
    changed(
        connection,
        _HELD_BY_GUARD,
        (None if cost is None else str(cost), currency, expires_at, intent.id),
    )
    return False


def _approved(its_changes: Sequence[Transition]) -> frozenset[str]:
    """What the intent was held for and let go past."""
    approved, held_for = set(), ""
    for change in its_changes:
        if change.after is IntentState.HELD:
            held_for = change.reason
        elif change.before == IntentState.HELD and change.after is IntentState.PLANNED:
            approved.add(held_for)
    return frozenset(approved)


def _covers(intent: Intent, reason: str, price: Decimal | None) -> bool:
    """Whether an approval holds at this price: one about money up to the price that it was given for.

    Those given before prices were noted with them go by the price the action was last shown with.
    """
    if reason not in MONEY_REASONS or price is None:
        return True
    shown = intent.evidence.get(_approved_at(reason), intent.reserved)
    return shown is not None and price <= Decimal(shown)


def _approved_at(reason: str) -> str:
    """The evidence that has the price an approval was given for."""
    return f"approved_at:{reason}"


def _is_stopped(intent: Intent, approved: frozenset[str], active: Sequence[Stop], now: datetime) -> bool:
    passes = bool(approved & PASSES_STOPS)
    found = concerning(active, intent.rule, intent.panel, now)
    return any(stop.kind not in TRIPPED or not passes for stop in found)


def may_leave(connection: Connection, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave:
    """Whether a claim still stands and nothing stops it; holds are for `holding.may_leave`."""
    intent = must_have(connection, intent_id)
    claim_ = (intent.state, intent.owner, intent.attempts)
    if claim_ != (IntentState.SENDING, owner, attempt):
        return Leave.LOST
    changes_, active = rows_of_all(connection, transitions_asked(intent_id), stops.ACTIVE)
    approved = _approved(transitions_from(changes_))
    stopped = _is_stopped(intent, approved, stops.stops_from(active), now)
    return Leave.STOPPED if stopped else Leave.YES


def _guards_asked(intent: Intent) -> tuple[str, tuple[int]]:
    """The statement that finds the guards of the rule that asked, or of the program, as they were then."""
    return received.guards_asked(intent.id) if intent.firing is None else (_GUARDS_OF, (intent.firing,))


def _guards_from(found: Sequence[Row]) -> RuleGuards:
    return decode_rule_guards(found[0][0]) if found else NO_RULE_GUARDS


def settle(
    connection: Connection,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
    guards: Guards = NO_GUARDS,
    attempt: int | None = None,
) -> Intent:
    intent = _conclude(connection, Change.SETTLE, intent_id, outcome, then, now, by, guards, attempt)
    attempts.note(connection, intent, outcome.state, outcome.reason, now, guards)
    return intent


def resolve(
    connection: Connection,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
    guards: Guards = NO_GUARDS,
    attempt: int | None = None,
) -> Intent:
    intent = _conclude(connection, Change.RESOLVE, intent_id, outcome, then, now, by, guards, attempt)
    if outcome.retry_at is not None:
        note(connection, intent_id, {DOUBTED: str(intent.attempts)}, now)
    return must_have(connection, intent_id)


def refuse(
    connection: Connection,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    guards: Guards = NO_GUARDS,
) -> Intent:
    return _conclude(connection, Change.REFUSE, intent_id, outcome, then, now, "", guards)


def hold(connection: Connection, intent_id: int, reason: str, message: str, now: datetime) -> Intent:
    held = Outcome(IntentState.HELD, reason, message)
    _move(connection, Change.HOLD, intent_id, held, now, "")
    changed(connection, _NO_DEADLINE, (intent_id,))
    return must_have(connection, intent_id)


def approve(connection: Connection, intent_id: int, now: datetime, by: str) -> Intent:
    held = must_have(connection, intent_id)
    _check_deadline(held, now)
    _move(connection, Change.APPROVE, intent_id, Outcome(IntentState.PLANNED, "approved"), now, by)
    changed(connection, _NO_DEADLINE, (intent_id,))
    if held.reason in MONEY_REASONS and held.reserved is not None:
        note(connection, intent_id, {_approved_at(held.reason): str(held.reserved)}, now)
    return must_have(connection, intent_id)


def _check_deadline(intent: Intent, now: datetime) -> None:
    """`StateConflict` for what waited for too long, also where no daemon ran that would have denied it."""
    expires_at = intent.expires_at if intent.state is IntentState.HELD else None
    if expires_at is not None and expires_at < now:
        raise StateConflict(
            f"intent {intent.id} could be approved until {expires_at:%Y-%m-%d %H:%M} UTC; it is never sent"
        )


def deny(
    connection: Connection,
    intent_id: int,
    now: datetime,
    by: str,
    reason: str = "denied",
    message: MessageDraft | None = None,
) -> Intent:
    _move(connection, Change.DENY, intent_id, Outcome(IntentState.DENIED, reason), now, by)
    if message is not None:
        enqueue(connection, message, now)
    return must_have(connection, intent_id)


def recover(
    connection: Connection,
    now: datetime,
    owner: str,
    stale_before: datetime,
    guards: Guards = NO_GUARDS,
) -> tuple[Intent, ...]:
    values = (INTERRUPTED, _INTERRUPTED_MESSAGE, owner, to_micros(stale_before))
    found = {intent_id: Told(*told) for intent_id, *told in sorted(rows(connection, _INTERRUPTED, values))}
    for intent_id, told in found.items():
        change = Transition(
            now, IntentState.SENDING, IntentState.UNKNOWN, INTERRUPTED, _INTERRUPTED_MESSAGE, owner
        )
        add_transition(connection, intent_id, change, told)
    in_doubt = tuple(must_have(connection, intent_id) for intent_id in found)
    for intent in in_doubt:
        attempts.note(connection, intent, IntentState.UNKNOWN, INTERRUPTED, now, guards)
    return in_doubt


def _conclude(
    connection: Connection,
    change: Change,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
    guards: Guards,
    attempt: int | None = None,
) -> Intent:
    """An outcome with all that follows from it."""
    check_outcome(change, outcome)
    told = _move(connection, change, intent_id, outcome, now, by, attempt)
    if outcome.retry_at is not None:
        again = Transition(now, IntentState.NOT_SENT, IntentState.PLANNED, outcome.reason, "", by)
        add_transition(connection, intent_id, again, told)
    if outcome.evidence:
        note(connection, intent_id, outcome.evidence, now)
    intent = must_have(connection, intent_id)
    if outcome.state is IntentState.CONFIRMED:
        _watch_what_was_made(connection, intent, outcome, now)
    for message in then.messages:
        enqueue(connection, message, now)
    if then.intent is not None:
        origin = Origin(intent.firing, intent.rule, entity_text(intent.entity), to_micros(intent.episode))
        guarding = Guarding(connection, now, guards)
        planned = plan(
            connection,
            then.intent,
            origin,
            now,
            by or intent.rule,
            guarding,
            _guards_from(rows(connection, *_guards_asked(intent))),
        )
        if planned is not None and then.intent.refusal:
            # What follows it tells of the refusal, too.
            note(connection, planned, {REFUSAL: storable(then.intent.refusal)}, now)
    return intent


def _move(
    connection: Connection,
    change: Change,
    intent_id: int,
    outcome: Outcome,
    now: datetime,
    by: str,
    attempt: int | None = None,
) -> Told:
    """Compare-and-set, with its transition; `StateConflict` when the intent stands elsewhere, or is at
    another attempt than `attempt`."""
    start = STARTS_FROM[change]
    target = IntentState.PLANNED if outcome.retry_at is not None else outcome.state
    values = (
        target.value,
        outcome.reason,
        storable(outcome.message),
        to_micros(now) if target in FINAL else None,
        maybe_micros(outcome.retry_at),
        storable(outcome.result),
        intent_id,
        start.value,
        attempt,
    )
    moved = first(connection, _MOVE, values)
    if moved is None:
        raise conflict(must_have(connection, intent_id), change, attempt)
    step = Transition(now, start, outcome.state, outcome.reason, outcome.message, by)
    add_transition(connection, intent_id, step, Told(*moved))
    return Told(*moved)


def _watch_what_was_made(connection: Connection, intent: Intent, outcome: Outcome, now: datetime) -> None:
    if intent.kind is StepKind.REFILL:
        count_refill(connection, _refilled(intent))
    if outcome.tracked is not None:
        follow(connection, outcome.tracked, now)
    if outcome.refill is not None:
        watch_refill(connection, outcome.refill, _refilled(intent), now)


def _refilled(intent: Intent) -> Entity:
    """The order a refill was asked for: a rule that watches refills names it among the parameters."""
    order = intent.parameters.get("order", intent.entity.id)
    return Entity(EntityKind.ORDER, intent.panel, order)
