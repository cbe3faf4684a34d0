"""What a run of the executor did: its report, and one log event for each outcome."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.observe import get_logger

log = get_logger(__name__)


@dataclass(slots=True)
class ExecutionReport:
    """How many intents one run brought to which end.

    `ended` counts by state; `postponed` are to be looked at again later, `waiting` stand behind an earlier
    action about the same order, `elsewhere` were claimed or changed by somebody else.
    """

    ended: Counter[IntentState] = field(default_factory=Counter)
    postponed: int = 0
    waiting: int = 0
    elsewhere: int = 0


def log_outcome(intent: Intent, outcome: Outcome) -> None:
    """The event that goes with an outcome."""
    name, kind, panel = str(intent.entity), intent.kind.value, intent.panel
    if outcome.retry_at is not None:
        log.info(
            "action.postponed",
            intent=intent.id,
            kind=kind,
            panel=panel,
            entity=name,
            reason=outcome.reason,
            detail=outcome.message,
            retry_at=outcome.retry_at.isoformat(),
        )
    elif outcome.state is IntentState.CONFIRMED:
        log.info(
            "action.confirmed", intent=intent.id, kind=kind, panel=panel, entity=name, result=outcome.result
        )
    elif outcome.state is IntentState.UNKNOWN:
        log.error(
            "action.unknown",
            intent=intent.id,
            kind=kind,
            panel=panel,
            entity=name,
            reason=outcome.reason,
            detail=outcome.message,
        )
    else:
        log.warning(
            "action.rejected" if outcome.state is IntentState.REJECTED else "action.not_sent",
            intent=intent.id,
            kind=kind,
            panel=panel,
            entity=name,
            reason=outcome.reason,
            detail=outcome.message,
        )
