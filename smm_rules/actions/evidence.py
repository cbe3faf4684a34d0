"""Evidence on actions in doubt: did the balance move by what the action costs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from smm_rules.actions.circumstances import BALANCE_BEFORE, BALANCE_BEFORE_AT, BUYING, COST, money
from smm_rules.actions.port import Voice
from smm_rules.engine.firing import MessageDraft
from smm_rules.facts import Entity
from smm_rules.ledger.records import Intent, IntentState, Transition
from smm_rules.notify.operator import unknown_outcome
from smm_rules.observe import get_logger
from smm_rules.panel.answers import Balance

log = get_logger(__name__)

BALANCE_AFTER, BALANCE_AFTER_AT = "balance_after", "balance_after_at"
BALANCE_DIFFERENCE, OTHER_SPENDING, SUGGESTS = "balance_difference", "other_spending", "suggests"
_MANY = 1_000


class Suggestion(StrEnum):
    """What a balance suggests of an action in doubt. It proves nothing: others may use the account too."""

    HAPPENED = "happened"
    DID_NOT = "did_not"
    UNCLEAR = "unclear"


class EvidenceLedger(Protocol):
    """What collecting evidence needs of the ledger."""

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]: ...

    async def note(self, intent_id: int, evidence: Mapping[str, str]) -> None: ...


class DoubtLedger(Protocol):
    """What telling of actions in doubt needs of the ledger."""

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool: ...


async def tell_in_doubt(ledger: DoubtLedger, voice: Voice, now: datetime) -> int:
    """Tell the operator of every action in doubt, each once ever; how many were new.

    Made for the boot, after `Ledger.recover`: a crash before the telling loses nothing.
    """
    in_doubt = await ledger.intents((IntentState.UNKNOWN,), _MANY)
    told = 0
    for intent in reversed(in_doubt):
        told += await ledger.enqueue(voice.addressed(unknown_outcome(intent)), now)
    return told


async def collect_evidence(
    ledger: EvidenceLedger, panel: str, balance: Balance, asked_at: datetime, now: datetime
) -> int:
    """Note a balance, asked for at `asked_at` and answered by `now`, on the panel's actions in doubt; on
    how many.

    The first reading that was asked for after an action fell into doubt is the one that counts: a panel may
    have read its books before it acted, and later readings have seen more.
    """
    in_doubt = await ledger.intents((IntentState.UNKNOWN,), _MANY)
    open_ones = [
        intent
        for intent in in_doubt
        if intent.panel == panel and await _wants_reading(ledger, intent, asked_at)
    ]
    if not open_ones:
        return 0
    others = [
        intent
        for intent in await ledger.intents((IntentState.CONFIRMED, IntentState.UNKNOWN), _MANY)
        if intent.panel == panel and intent.kind in BUYING
    ]
    for intent in open_ones:
        evidence = _evidence(intent, others, balance.amount, asked_at, now)
        await ledger.note(intent.id, evidence)
        log.info("action.evidence", intent=intent.id, panel=panel, suggests=evidence[SUGGESTS])
    return len(open_ones)


async def _wants_reading(ledger: EvidenceLedger, intent: Intent, asked_at: datetime) -> bool:
    if BALANCE_AFTER in intent.evidence or intent.claimed_at is None:
        return False
    transitions = await ledger.transitions(intent.id)
    return bool(transitions) and transitions[-1].at <= asked_at


def _evidence(
    intent: Intent, others: Sequence[Intent], after: Decimal, asked_at: datetime, now: datetime
) -> dict[str, str]:
    evidence = {BALANCE_AFTER: format(after, "f"), BALANCE_AFTER_AT: now.isoformat()}
    before = money(intent.evidence.get(BALANCE_BEFORE))
    before_at = intent.evidence.get(BALANCE_BEFORE_AT)
    if before is None or before_at is None:
        return evidence | {SUGGESTS: Suggestion.UNCLEAR.value}
    since = datetime.fromisoformat(before_at)
    spent, doubtful = _spent_between(intent, others, since, asked_at, now)
    difference = before - after
    cost = money(intent.evidence.get(COST))
    suggestion = Suggestion.UNCLEAR
    if cost and not doubtful and difference == spent + cost:
        suggestion = Suggestion.HAPPENED
    elif cost and not doubtful and difference == spent:
        suggestion = Suggestion.DID_NOT
    return evidence | {
        BALANCE_DIFFERENCE: format(difference, "f"),
        OTHER_SPENDING: format(spent, "f"),
        SUGGESTS: suggestion.value,
    }


def _spent_between(
    intent: Intent, others: Sequence[Intent], since: datetime, asked_at: datetime, until: datetime
) -> tuple[Decimal, bool]:
    """What other actions spent between two readings, and whether that itself is in doubt.

    It is in doubt too what the second reading has seen of a purchase under way while it was asked for.
    """
    spent, doubtful = Decimal(0), False
    for other in others:
        sent_at = other.claimed_at
        if other.id == intent.id or sent_at is None or not since < sent_at <= until:
            continue
        cost = money(other.evidence.get(COST))
        meanwhile = other.settled_at is None or other.settled_at > asked_at
        if other.state is IntentState.UNKNOWN or cost is None or meanwhile:
            doubtful = True
        else:
            spent += cost
    return spent, doubtful
