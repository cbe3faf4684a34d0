"""The operator's verdicts: what became of an action in doubt, and whether a held one may go ahead."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from smm_rules.actions.circumstances import BUYING, RATE, SENT, order_of
from smm_rules.actions.continuing import continuation
from smm_rules.actions.made import confirmed, parameters_from
from smm_rules.actions.port import ResolveLedger, Voice
from smm_rules.engine.firing import Firing
from smm_rules.facts import EntityKind
from smm_rules.intake.lines import Unacceptable
from smm_rules.intake.values import identifier
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: The reason of an outcome that rests on the operator's word.
OPERATOR_SAYS = "operator_says"


#: The reason for which a planned action is held on its way to being denied.
WITHDRAWN = "withdrawn"


class ApprovalLedger(Protocol):
    """What approving and denying need of the ledger."""

    async def intent(self, intent_id: int) -> Intent | None: ...

    async def hold(self, intent_id: int, reason: str, message: str, now: datetime) -> Intent: ...

    async def approve(self, intent_id: int, now: datetime, by: str) -> Intent: ...

    async def deny(self, intent_id: int, now: datetime, by: str) -> Intent: ...


async def resolve_happened(
    ledger: ResolveLedger, voice: Voice, intent_id: int, made: str, now: datetime, by: str
) -> Intent:
    """The panel did act: unknown → confirmed, and the firing goes on as if it had been known at once.

    `made` is the ID of the order or refill that came of it; a refill or cancel may have none. Raises
    `StateConflict` when the intent isn't in doubt, `Unacceptable` when `made` can't be right.
    """
    intent, firing = await _in_doubt(ledger, intent_id)
    made = made.strip().removeprefix("#")
    _check_made(intent, made)
    order, _ = await order_of(ledger, intent, firing)
    sent = parameters_from(intent.evidence.get(SENT)) or intent.parameters
    placed_at = intent.claimed_at or now
    outcome = confirmed(
        intent, made, order, sent, intent.evidence.get(RATE, ""), placed_at, reason=OPERATOR_SAYS
    )
    then = continuation(voice, firing, intent, outcome)
    settled = await ledger.resolve(intent_id, outcome, then, now, by, intent.attempts)
    log.warning("action.resolved", intent=intent_id, verdict="happened", result=made, by=by)
    return settled


async def resolve_did_not(
    ledger: ResolveLedger, voice: Voice, intent_id: int, now: datetime, by: str, *, retry: bool = False
) -> Intent:
    """The panel did not act: unknown → not_sent for good, or with `retry` planned once more.

    Raises `StateConflict` when the intent isn't in doubt.
    """
    intent, firing = await _in_doubt(ledger, intent_id)
    message = "the operator says that the panel did not act"
    outcome = Outcome(IntentState.NOT_SENT, OPERATOR_SAYS, message, retry_at=now if retry else None)
    then = continuation(voice, firing, intent, outcome)
    settled = await ledger.resolve(intent_id, outcome, then, now, by, intent.attempts)
    log.warning("action.resolved", intent=intent_id, verdict="did_not", result="", by=by)
    return settled


async def approve(ledger: ApprovalLedger, intent_id: int, now: datetime, by: str) -> Intent:
    """held → planned: it goes ahead, past what it was held for. `StateConflict` when it isn't held."""
    intent = await ledger.approve(intent_id, now, by)
    log.info("action.approved", intent=intent_id, by=by)
    return intent


async def deny(ledger: ApprovalLedger, intent_id: int, now: datetime, by: str) -> Intent:
    """held or planned → denied: it will never be sent. `StateConflict` from any other state."""
    known = await ledger.intent(intent_id)
    if known is not None and known.state is IntentState.PLANNED:
        await ledger.hold(intent_id, WITHDRAWN, f"given up by {by} before it was sent", now)
    intent = await ledger.deny(intent_id, now, by)
    log.info("action.denied", intent=intent_id, by=by)
    return intent


async def _in_doubt(ledger: ResolveLedger, intent_id: int) -> tuple[Intent, Firing | None]:
    intent = await ledger.intent(intent_id)
    if intent is None:
        raise StateConflict(f"there is no intent {intent_id}; see: smm-rules intents list --state unknown")
    if intent.state is not IntentState.UNKNOWN:
        raise StateConflict(
            f"intent {intent_id} is {intent.state}, not in doubt; there is nothing to resolve"
        )
    return intent, None if intent.firing is None else await ledger.firing(intent.firing)


def _check_made(intent: Intent, made: str) -> None:
    if not made and intent.kind in BUYING:
        raise Unacceptable(
            "the new order's ID is missing", "Look it up on the panel: it is watched from now on"
        )
    if made:
        identifier(made, "ID")
    same = intent.entity.kind is EntityKind.ORDER and made == intent.entity.id
    if same and intent.kind in BUYING and intent.panel == intent.entity.panel:
        raise Unacceptable(f"{made} is the order that was to be repeated", "Give the ID of the new order")
