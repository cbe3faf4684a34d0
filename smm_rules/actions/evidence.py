"""Evidence on actions in doubt: did the balance move by what the action costs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from smm_rules.actions.circumstances import (
    BALANCE_BEFORE,
    BALANCE_BEFORE_ASKED_AT,
    BALANCE_BEFORE_AT,
    BUYING,
    COST,
    CURRENCY,
    differ,
)
from smm_rules.actions.port import Voice
from smm_rules.engine.buying import money
from smm_rules.engine.firing import MessageDraft
from smm_rules.facts import Entity
from smm_rules.ledger.records import Intent, IntentState, Transition
from smm_rules.notify.operator import unknown_outcome
from smm_rules.observe import get_logger
from smm_rules.panel.answers import Balance

log = get_logger(__name__)

BALANCE_AFTER, BALANCE_AFTER_AT = "balance_after", "balance_after_at"
BALANCE_DIFFERENCE, OTHER_SPENDING, SUGGESTS = "balance_difference", "other_spending", "suggests"
#: What a reading says of one attempt, and of none that comes after it.
OF_ONE_ATTEMPT = (BALANCE_AFTER, BALANCE_AFTER_AT, BALANCE_DIFFERENCE, OTHER_SPENDING, SUGGESTS)
_MANY = 1_000
#: More actions in doubt than one would ever look through.
_ALL = 2**31


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

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]: ...

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
    in_doubt = await ledger.intents((IntentState.UNKNOWN,), _ALL)
    open_ones = [
        intent
        for intent in in_doubt
        if intent.panel == panel and await _wants_reading(ledger, intent, asked_at)
    ]
    for intent in open_ones:
        evidence = await _evidence(ledger, intent, balance, asked_at, now)
        await ledger.note(intent.id, evidence)
        log.info("action.evidence", intent=intent.id, panel=panel, suggests=evidence[SUGGESTS])
    return len(open_ones)


async def _wants_reading(ledger: EvidenceLedger, intent: Intent, asked_at: datetime) -> bool:
    if intent.evidence.get(BALANCE_AFTER) or intent.claimed_at is None:
        return False
    transitions = await ledger.transitions(intent.id)
    return bool(transitions) and transitions[-1].at <= asked_at


async def _evidence(
    ledger: EvidenceLedger, intent: Intent, balance: Balance, asked_at: datetime, now: datetime
) -> dict[str, str]:
    after = balance.amount
    evidence = {BALANCE_AFTER: format(after, "f"), BALANCE_AFTER_AT: now.isoformat()}
    before = money(intent.evidence.get(BALANCE_BEFORE))
    begun, read = (intent.evidence.get(name) for name in (BALANCE_BEFORE_ASKED_AT, BALANCE_BEFORE_AT))
    if before is None or not begun or not read or differ(intent.evidence.get(CURRENCY), balance.currency):
        return evidence | {SUGGESTS: Suggestion.UNCLEAR.value}
    since = datetime.fromisoformat(begun)
    if since > now:  # the clock was set back in between
        return evidence | {SUGGESTS: Suggestion.UNCLEAR.value}
    others = await ledger.under_way(intent.panel, since, now)
    between = _Between(datetime.fromisoformat(read), asked_at)
    spent, doubtful = _spent(intent, others, between)
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


class _Between(NamedTuple):
    """From the answer of one reading to the question of the next: what was bought within is in the second
    alone. What was under way while either was being read may be in it or not."""

    answered_at: datetime
    asked_at: datetime

    def has(self, other: Intent) -> bool:
        """Whether all of an attempt lies between the readings."""
        claimed_at, settled_at = other.claimed_at, other.settled_at
        if claimed_at is None or settled_at is None:
            return False
        return claimed_at > self.answered_at and settled_at <= self.asked_at


def _spent(intent: Intent, others: Sequence[Intent], between: _Between) -> tuple[Decimal, bool]:
    """What the other purchases spent between two readings, and whether that itself is in doubt."""
    spent, doubtful = Decimal(0), False
    for other in others:
        if other.id == intent.id or other.kind not in BUYING:
            continue
        cost = money(other.evidence.get(COST))
        foreign = differ(intent.evidence.get(CURRENCY), other.evidence.get(CURRENCY))
        if other.state is not IntentState.CONFIRMED or cost is None or foreign or not between.has(other):
            doubtful = True
        else:
            spent += cost
    return spent, doubtful
