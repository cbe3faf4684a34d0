"""How attempts ended, and the breakers that open on it."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.guards import (
    PANEL_ERRORS,
    RULE_ERRORS,
    Attempt,
    Breaker,
    Guards,
    breaker_verdict,
)
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sql import stops
from smm_rules.ledger.sql.query import Connection, changed, rows, run
from smm_rules.ledger.stops import StopKind, StopScope

_ADD = "INSERT INTO attempts (at, panel, rule, attempt) VALUES (?, ?, ?, ?)"
_OF_PANEL = "SELECT attempt FROM attempts WHERE panel = ? AND id > ? ORDER BY id DESC LIMIT ?"
_OF_RULE = "SELECT attempt FROM attempts WHERE rule = ? AND id > ? ORDER BY id DESC LIMIT ?"
#: The newest stays, so that no ID is given twice: stops remember attempts by their IDs.
_PRUNE = "DELETE FROM attempts WHERE at < ? AND id < (SELECT max(id) FROM attempts)"

_ATTEMPTS = {
    IntentState.CONFIRMED: Attempt.DONE,
    IntentState.REJECTED: Attempt.REFUSED,
    IntentState.NOT_SENT: Attempt.NOT_SENT,
    IntentState.UNKNOWN: Attempt.UNKNOWN,
}
#: Ends of an attempt that say nothing of the panel: it asked for patience, or the program was being stopped.
_SAY_NOTHING = frozenset({"rate_limited", "refill_too_early", "stopped"})
#: Under this name the operator's own orders are kept; no breaker is about the operator.
_OPERATOR = "operator"


def note(
    connection: Connection,
    intent: Intent,
    state: IntentState,
    reason: str,
    now: datetime,
    guards: Guards,
) -> None:
    """Count how an attempt ended, and open what breakers that opens."""
    if reason in _SAY_NOTHING:
        return
    run(connection, _ADD, (to_micros(now), intent.panel, intent.rule, _ATTEMPTS[state].value))
    own = guards.breaker_of(intent.panel)
    if own is not None:
        why = _verdict(connection, own, StopScope.PANEL, intent.panel)
        if why:
            until = now + own.pause
            stops.trip(connection, StopKind.BREAKER, StopScope.PANEL, intent.panel, why, now, until)
    breaker = guards.total.breaker
    if breaker is not None and intent.rule != _OPERATOR:
        why = _verdict(connection, breaker, StopScope.RULE, intent.rule)
        if why:
            stops.trip(connection, StopKind.BREAKER, StopScope.RULE, intent.rule, why, now)


def _verdict(connection: Connection, breaker: Breaker, scope: StopScope, name: str) -> str | None:
    query, errors = (_OF_PANEL, PANEL_ERRORS) if scope is StopScope.PANEL else (_OF_RULE, RULE_ERRORS)
    since = stops.last_counted(connection, scope, name)
    last = [Attempt(text) for (text,) in rows(connection, query, (name, since, breaker.of))]
    return breaker_verdict(breaker, last, errors)


def prune(connection: Connection, before: int) -> int:
    return changed(connection, _PRUNE, (before,))
