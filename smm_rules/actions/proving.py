"""The policy on actions in doubt, for those who opted in: what proves that one did happen.

Nothing here ever proves that an action did not happen: a panel may charge late, answer from old books, or
act tomorrow. What isn't proved stays in doubt, with its money set aside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from smm_rules.actions.circumstances import BALANCE_BEFORE_ASKED_AT, BUYING, COST
from smm_rules.actions.continuing import continuation
from smm_rules.actions.evidence import (
    BALANCE_AFTER_AT,
    BALANCE_DIFFERENCE,
    OTHER_SPENDING,
    SUGGESTS,
    Suggestion,
)
from smm_rules.actions.existing import ORDER
from smm_rules.actions.port import ResolveLedger, Voice
from smm_rules.engine.buying import money
from smm_rules.facts import Entity, EntityKind, OrderStatus
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.notify.brakes import proved
from smm_rules.observe import get_logger
from smm_rules.rules.model import StepKind

log = get_logger(__name__)

#: Who resolved it, in the ledger's record, and what for.
POLICY = "policy"
PROVED_BY = "proved_by"
_BALANCE, _STATUS = "balance", "status"
#: More actions in doubt than one would ever look through.
_ALL = 2**31


class ProofLedger(ResolveLedger, Protocol):
    """What proving needs of the ledger."""

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]: ...


async def prove(ledger: ProofLedger, voice: Voice, by: Collection[str], now: datetime) -> int:
    """Resolve as happened what the evidence named in `by` proves to have happened; how many that were."""
    if not by:
        return 0
    count = 0
    for intent in await ledger.intents((IntentState.UNKNOWN,), _ALL):
        found = await _proof(ledger, intent, by)
        if found is not None:
            count += await _resolve(ledger, voice, intent, *found, now)
    return count


async def _proof(ledger: ProofLedger, intent: Intent, by: Collection[str]) -> tuple[str, str] | None:
    """What proves it, and how, in words; None when nothing does."""
    if _BALANCE in by and intent.kind in BUYING and await _by_balance(ledger, intent):
        cost = intent.evidence[COST]
        return _BALANCE, f"the balance fell by exactly the {cost} it costs, and nothing else was bought"
    if _STATUS in by and intent.kind is StepKind.CANCEL:
        since = await _canceled_since(ledger, intent)
        if since is not None:
            return _STATUS, f"the order is canceled since {since:%Y-%m-%d %H:%M} UTC"
    return None


async def _by_balance(ledger: ProofLedger, intent: Intent) -> bool:
    """Whether nothing but this purchase can have made the balance fall by its price.

    A balance is that of some moment from its question to its answer. So the window goes from the question
    of the first to the answer of the second: what was settled before is in both, what was claimed after in
    neither. It needs no margin beyond, for both moments are taken on this side of the wire.
    """
    evidence = intent.evidence
    cost, difference = money(evidence.get(COST)), money(evidence.get(BALANCE_DIFFERENCE))
    before, after = evidence.get(BALANCE_BEFORE_ASKED_AT), evidence.get(BALANCE_AFTER_AT)
    if evidence.get(SUGGESTS) != Suggestion.HAPPENED or not before or not after:
        return False
    if not cost or difference != cost or money(evidence.get(OTHER_SPENDING)) != Decimal(0):
        return False
    since, until = datetime.fromisoformat(before), datetime.fromisoformat(after)
    others = await ledger.under_way(intent.panel, since, until)
    return since <= until and not any(other.id != intent.id and other.kind in BUYING for other in others)


async def _canceled_since(ledger: ProofLedger, intent: Intent) -> datetime | None:
    """Since when the order is canceled, if it became so after the cancel was sent."""
    name = intent.parameters.get(ORDER, intent.entity.id)
    watched = await ledger.watched(Entity(EntityKind.ORDER, intent.panel, name))
    if watched is None or intent.claimed_at is None or watched.facts.get("error"):
        return None
    since = watched.facts.get("status_since")
    canceled = watched.facts.get("status") == OrderStatus.CANCELED.value
    return since if canceled and isinstance(since, datetime) and since > intent.claimed_at else None


async def _resolve(
    ledger: ProofLedger, voice: Voice, intent: Intent, by: str, words: str, now: datetime
) -> int:
    firing = None if intent.firing is None else await ledger.firing(intent.firing)
    outcome = Outcome(IntentState.CONFIRMED, f"{PROVED_BY}_{by}", words, evidence={PROVED_BY: by})
    then = continuation(voice, firing, intent, outcome, (voice.addressed(proved(intent, words)),))
    try:
        await ledger.resolve(intent.id, outcome, then, now, POLICY, intent.attempts)
    except StateConflict:
        return 0  # the operator was faster: their word stands
    log.warning("action.resolved", intent=intent.id, verdict="happened", result="", by=POLICY)
    return 1
