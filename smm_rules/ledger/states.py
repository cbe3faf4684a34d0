"""Which changes of an intent are allowed from which state. One table for every back end."""

from __future__ import annotations

from enum import StrEnum

from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome


class Change(StrEnum):
    """What can be done to an intent; the names are the port's methods."""

    CLAIM = "claim"
    SETTLE = "settle"
    REFUSE = "refuse"
    HOLD = "hold"
    APPROVE = "approve"
    DENY = "deny"
    RESOLVE = "resolve"


#: The one state each change starts from. What is in no row is final: confirmed, rejected, not_sent, denied.
STARTS_FROM: dict[Change, IntentState] = {
    Change.CLAIM: IntentState.PLANNED,
    Change.REFUSE: IntentState.PLANNED,
    Change.HOLD: IntentState.PLANNED,
    Change.SETTLE: IntentState.SENDING,
    Change.APPROVE: IntentState.HELD,
    Change.DENY: IntentState.HELD,
    Change.RESOLVE: IntentState.UNKNOWN,
}

#: The outcomes a change may bring about, for those that take an outcome.
OUTCOMES: dict[Change, frozenset[IntentState]] = {
    Change.SETTLE: frozenset(
        {IntentState.CONFIRMED, IntentState.REJECTED, IntentState.NOT_SENT, IntentState.UNKNOWN}
    ),
    Change.REFUSE: frozenset({IntentState.NOT_SENT}),
    Change.RESOLVE: frozenset({IntentState.CONFIRMED, IntentState.NOT_SENT}),
}

#: States in which an intent's money stays set aside.
OPEN = frozenset({IntentState.PLANNED, IntentState.HELD, IntentState.SENDING, IntentState.UNKNOWN})
#: States that may have cost or may yet cost money without anybody's further word: what a balance must bear.
COMMITTED = OPEN - {IntentState.HELD}
#: States that nothing follows.
FINAL = frozenset(IntentState) - OPEN

_PARTICIPLES = {
    Change.CLAIM: "claimed",
    Change.SETTLE: "settled",
    Change.REFUSE: "refused",
    Change.HOLD: "held",
    Change.APPROVE: "approved",
    Change.DENY: "denied",
    Change.RESOLVE: "resolved",
}


def allowed(state: IntentState) -> tuple[Change, ...]:
    """The changes that start from `state`, in the table's order."""
    return tuple(change for change, start in STARTS_FROM.items() if start is state)


def conflict(intent: Intent, change: Change, attempt: int | None = None) -> StateConflict:
    """The error that says where the intent stands and what is allowed there.

    `attempt` is the one that the change was about, where it was about one alone.
    """
    changes = allowed(intent.state)
    if change in changes and attempt is not None and attempt != intent.attempts:
        return StateConflict(
            f"intent {intent.id} can't be {_PARTICIPLES[change]} by what became of attempt {attempt}: it is "
            f"{intent.state} for attempt {intent.attempts}"
        )
    if changes:
        words = " or ".join(_PARTICIPLES[possible] for possible in changes)
        way_out = f"it can only be {words}"
    else:
        way_out = "that is final"
    return StateConflict(
        f"intent {intent.id} can't be {_PARTICIPLES[change]}: it is {intent.state}, and {way_out}"
    )


def no_such_intent(intent_id: int) -> StateConflict:
    """The error for an ID the ledger doesn't have."""
    return StateConflict(
        f"there is no intent {intent_id} in the ledger; `smm-rules intents list` shows those there are"
    )


def check_outcome(change: Change, outcome: Outcome) -> None:
    """`ValueError` when `outcome` is not one that `change` can bring about."""
    possible = OUTCOMES[change]
    if outcome.state not in possible:
        names = ", ".join(sorted(possible))
        raise ValueError(f"an intent can be {_PARTICIPLES[change]} as {names}, not as {outcome.state}")
    if outcome.retry_at is not None and outcome.state is not IntentState.NOT_SENT:
        raise ValueError(f"only what was not sent can be tried again, not what is {outcome.state}")
    if outcome.state is not IntentState.CONFIRMED and (outcome.tracked or outcome.refill):
        raise ValueError(f"an attempt that ended as {outcome.state} made nothing to be watched")
