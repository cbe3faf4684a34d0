"""The intent state machine: every change is compare-and-set, and is written down with who made it.

The comparison is in the UPDATE itself, inside a write transaction, so it holds between processes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import apsw

from smm_rules.engine.firing import Continuation
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import entity_text, maybe_micros, storable, to_micros
from smm_rules.ledger.records import Intent, IntentState, Outcome, Transition
from smm_rules.ledger.sqlite.intents import Origin, add_transition, must_have, note, plan
from smm_rules.ledger.sqlite.orders import count_refill, follow, watch_refill
from smm_rules.ledger.sqlite.outbox import enqueue
from smm_rules.ledger.sqlite.query import first, rows
from smm_rules.ledger.states import FINAL, STARTS_FROM, Change, check_outcome, conflict
from smm_rules.rules.model import StepKind

#: Why an intent is in doubt after its process ended in the middle of an attempt.
INTERRUPTED = "interrupted"
_INTERRUPTED_MESSAGE = (
    "the program ended while the request was under way; whether the panel acted isn't known"
)

_CLAIM = """
  UPDATE intents SET
    state = 'sending', attempts = attempts + 1, claimed_at = ?1, owner = ?2, not_before = NULL
  WHERE id = ?3 AND state = 'planned' AND (not_before IS NULL OR not_before <= ?1) RETURNING id
"""
_MOVE = """
  UPDATE intents SET
    state = ?1, reason = ?2, message = ?3, settled_at = ?4, not_before = ?5,
    result = CASE ?6 WHEN '' THEN result ELSE ?6 END
  WHERE id = ?7 AND state = ?8 RETURNING id
"""
_INTERRUPTED = """
  UPDATE intents SET state = 'unknown', reason = ?1, message = ?2
  WHERE state = 'sending' AND (owner = ?3 OR claimed_at < ?4) RETURNING id
"""


def claim(
    connection: apsw.Connection, intent_id: int, owner: str, now: datetime, evidence: Mapping[str, str]
) -> bool:
    """Also false while the intent's `not_before` lies ahead: a list read earlier may be out of date."""
    if first(connection, _CLAIM, (to_micros(now), owner, intent_id)) is None:
        return False
    change = Transition(now, IntentState.PLANNED, IntentState.SENDING, "", "", owner)
    add_transition(connection, intent_id, change)
    if evidence:
        note(connection, intent_id, evidence, now)
    return True


def settle(
    connection: apsw.Connection,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
) -> Intent:
    return _conclude(connection, Change.SETTLE, intent_id, outcome, then, now, by)


def resolve(
    connection: apsw.Connection,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
) -> Intent:
    return _conclude(connection, Change.RESOLVE, intent_id, outcome, then, now, by)


def refuse(
    connection: apsw.Connection, intent_id: int, outcome: Outcome, then: Continuation, now: datetime
) -> Intent:
    return _conclude(connection, Change.REFUSE, intent_id, outcome, then, now, "")


def hold(connection: apsw.Connection, intent_id: int, reason: str, message: str, now: datetime) -> Intent:
    held = Outcome(IntentState.HELD, reason, message)
    _move(connection, Change.HOLD, intent_id, held, now, "")
    return must_have(connection, intent_id)


def approve(connection: apsw.Connection, intent_id: int, now: datetime, by: str) -> Intent:
    _move(connection, Change.APPROVE, intent_id, Outcome(IntentState.PLANNED, "approved"), now, by)
    return must_have(connection, intent_id)


def deny(connection: apsw.Connection, intent_id: int, now: datetime, by: str) -> Intent:
    _move(connection, Change.DENY, intent_id, Outcome(IntentState.DENIED, "denied"), now, by)
    return must_have(connection, intent_id)


def recover(
    connection: apsw.Connection, now: datetime, owner: str, stale_before: datetime
) -> tuple[Intent, ...]:
    values = (INTERRUPTED, _INTERRUPTED_MESSAGE, owner, to_micros(stale_before))
    found = sorted(intent_id for (intent_id,) in rows(connection, _INTERRUPTED, values))
    for intent_id in found:
        change = Transition(
            now, IntentState.SENDING, IntentState.UNKNOWN, INTERRUPTED, _INTERRUPTED_MESSAGE, owner
        )
        add_transition(connection, intent_id, change)
    return tuple(must_have(connection, intent_id) for intent_id in found)


def _conclude(
    connection: apsw.Connection,
    change: Change,
    intent_id: int,
    outcome: Outcome,
    then: Continuation,
    now: datetime,
    by: str,
) -> Intent:
    """An outcome with all that follows from it."""
    check_outcome(change, outcome)
    _move(connection, change, intent_id, outcome, now, by)
    if outcome.retry_at is not None:
        again = Transition(now, IntentState.NOT_SENT, IntentState.PLANNED, outcome.reason, "", by)
        add_transition(connection, intent_id, again)
    if outcome.evidence:
        note(connection, intent_id, outcome.evidence, now)
    intent = must_have(connection, intent_id)
    if outcome.state is IntentState.CONFIRMED:
        _watch_what_was_made(connection, intent, outcome, now)
    for message in then.messages:
        enqueue(connection, message, now)
    if then.intent is not None:
        origin = Origin(intent.firing, intent.rule, entity_text(intent.entity), to_micros(intent.episode))
        plan(connection, then.intent, origin, now, by or intent.rule)
    return intent


def _move(
    connection: apsw.Connection, change: Change, intent_id: int, outcome: Outcome, now: datetime, by: str
) -> None:
    """Compare-and-set, with its transition; `StateConflict` when the intent stands elsewhere."""
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
    )
    if first(connection, _MOVE, values) is None:
        raise conflict(must_have(connection, intent_id), change)
    step = Transition(now, start, outcome.state, outcome.reason, outcome.message, by)
    add_transition(connection, intent_id, step)


def _watch_what_was_made(
    connection: apsw.Connection, intent: Intent, outcome: Outcome, now: datetime
) -> None:
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
