"""The check before an action: what holds for every kind, then the kind's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smm_rules.actions.cancel import check_cancel
from smm_rules.actions.circumstances import (
    BALANCE_BEFORE,
    BALANCE_BEFORE_AT,
    COST,
    CURRENCY,
    RATE,
    SENT,
    Circumstances,
)
from smm_rules.actions.made import parameters_text
from smm_rules.actions.refill import check_refill
from smm_rules.actions.reorder import check_add, check_reorder
from smm_rules.actions.verdict import Hold, Ready, Refuse, Verdict, Why
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rules.model import StepKind

CHECKS: Mapping[StepKind, Callable[[Intent, Circumstances], Verdict]] = {
    StepKind.REFILL: check_refill,
    StepKind.CANCEL: check_cancel,
    StepKind.REORDER: check_reorder,
    StepKind.ADD: check_add,
}


def check(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Whether `intent` may be sent now.

    While an earlier action about the same order is in doubt, the next one is held: it may have been done
    already, and only the operator can say.
    """
    doubtful = [other for other in circumstances.earlier if other.state is IntentState.UNKNOWN]
    if doubtful and not circumstances.approved(Why.EARLIER_IN_DOUBT):
        other = doubtful[0]
        return Hold(
            Why.EARLIER_IN_DOUBT,
            f"an earlier {other.kind} about {intent.entity} is in doubt (intent {other.id}); resolve that "
            "one first, then approve or deny this one",
        )
    by_kind = CHECKS.get(intent.kind)
    if by_kind is None:
        return Refuse(Why.CHECK_FAILED, f"{intent.kind} is not an action on a panel")
    return by_kind(intent, circumstances)


def waits_its_turn(circumstances: Circumstances) -> bool:
    """Whether an earlier action about the same order has yet to be sent: their order is kept."""
    return any(other.state in (IntentState.PLANNED, IntentState.SENDING) for other in circumstances.earlier)


def claim_evidence(ready: Ready, circumstances: Circumstances) -> dict[str, str]:
    """What is noted before an attempt, so that its outcome can be told apart afterwards."""
    evidence = {SENT: parameters_text(ready.parameters)}
    if ready.cost is not None:
        evidence[COST] = format(ready.cost, "f")
    if ready.currency is not None:
        evidence[CURRENCY] = ready.currency
    if ready.rate is not None:
        evidence[RATE] = format(ready.rate, "f")
    if circumstances.balance is not None and circumstances.balance_at is not None:
        evidence[BALANCE_BEFORE] = format(circumstances.balance, "f")
        evidence[BALANCE_BEFORE_AT] = circumstances.balance_at.isoformat()
    return evidence
