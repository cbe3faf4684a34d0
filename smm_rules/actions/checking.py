"""The check before an action: what holds for every kind, then the kind's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from smm_rules.actions.cancel import check_cancel
from smm_rules.actions.circumstances import (
    BALANCE_BEFORE,
    BALANCE_BEFORE_ASKED_AT,
    BALANCE_BEFORE_AT,
    COST,
    CURRENCY,
    RATE,
    SENT,
    WAITING_SINCE,
    Circumstances,
)
from smm_rules.actions.evidence import OF_ONE_ATTEMPT
from smm_rules.actions.made import parameters_text
from smm_rules.actions.refill import check_refill
from smm_rules.actions.reorder import check_add, check_reorder
from smm_rules.actions.verdict import Hold, Later, Ready, Refuse, Verdict, Why
from smm_rules.facts import format_duration
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rules.model import StepKind

#: What was read longer ago says too little of the present to act on.
OLDEST_LOOK = timedelta(minutes=15)
_BEFORE = (BALANCE_BEFORE, BALANCE_BEFORE_ASKED_AT, BALANCE_BEFORE_AT)

CHECKS: Mapping[StepKind, Callable[[Intent, Circumstances], Verdict]] = {
    StepKind.REFILL: check_refill,
    StepKind.CANCEL: check_cancel,
    StepKind.REORDER: check_reorder,
    StepKind.ADD: check_add,
}


def check(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Whether `intent` may be sent now.

    An action that waited, for the panel or for an approval, may have been overtaken: when the rule's
    condition holds no more it isn't sent, and when nobody has looked for long that is done first. While
    another action about the same order is in doubt, asked for before or gone ahead of this one, this one is
    held: it may have been done already, and only the operator can say.
    """
    overtaken = _overtaken(intent, circumstances)
    if overtaken is not None:
        return overtaken
    doubtful = [other for other in circumstances.earlier if other.state is IntentState.UNKNOWN]
    if doubtful and not circumstances.approved(Why.EARLIER_IN_DOUBT):
        other = doubtful[0]
        which = "an earlier" if other.id < intent.id else "a later"
        return Hold(
            Why.EARLIER_IN_DOUBT,
            f"{which} {other.kind} about {intent.entity} is in doubt (intent {other.id}); resolve that "
            "one first, then approve or deny this one",
        )
    by_kind = CHECKS.get(intent.kind)
    if by_kind is None:
        return Refuse(Why.CHECK_FAILED, f"{intent.kind} is not an action on a panel")
    return by_kind(intent, circumstances)


def _overtaken(intent: Intent, circumstances: Circumstances) -> Verdict | None:
    if circumstances.episode_over:
        return Refuse(
            Why.NO_LONGER_HOLDS,
            f"the condition of rule {intent.rule} no longer holds for {intent.entity}, so what it asked for "
            "then isn't done now",
        )
    look = circumstances.last_look
    age = circumstances.now - look.last_seen_at if look and look.last_seen_at else timedelta()
    if age <= OLDEST_LOOK:
        return None
    return Later(
        Why.NOT_LOOKED_AT,
        f"{intent.entity} was last read {format_duration(age)} ago; it is read again before anything is done",
    )


def waits_its_turn(circumstances: Circumstances) -> bool:
    """Whether an earlier action about the same order has yet to be sent, or any is being sent."""
    return any(other.state in (IntentState.PLANNED, IntentState.SENDING) for other in circumstances.earlier)


def claim_evidence(ready: Ready, circumstances: Circumstances, known: Mapping[str, str]) -> dict[str, str]:
    """What is noted before an attempt, so that its outcome can be told apart afterwards.

    A wait before it is over: should the next attempt have to wait again, that is another one. What is `known`
    of the balance before and after an earlier attempt says nothing of this one.
    """
    evidence = {name: "" for name in (*OF_ONE_ATTEMPT, *_BEFORE) if known.get(name)}
    evidence |= {SENT: parameters_text(ready.parameters), WAITING_SINCE: ""}
    if ready.cost is not None:
        evidence[COST] = format(ready.cost, "f")
    if ready.currency is not None:
        evidence[CURRENCY] = ready.currency
    if ready.rate is not None:
        evidence[RATE] = format(ready.rate, "f")
    balance = circumstances.balance
    # One from the future was dated by a clock that has been set back since: nothing can be held against it.
    if balance is not None and balance.answered_at <= circumstances.now:
        evidence[BALANCE_BEFORE] = format(balance.amount, "f")
        evidence[BALANCE_BEFORE_ASKED_AT] = balance.asked_at.isoformat()
        evidence[BALANCE_BEFORE_AT] = balance.answered_at.isoformat()
    return evidence
