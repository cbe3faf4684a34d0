"""Which outcomes the operator is told of, besides what the rules themselves say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from smm_rules.actions.port import Voice
from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.notify import pages
from smm_rules.notify.operator import held, not_sent, unknown_outcome
from smm_rules.panel.errors import RefusalReason
from smm_rules.rules.model import StepKind

#: Refusals that are about the account, not about the order.
_ACCOUNT = frozenset({RefusalReason.NOT_ENOUGH_FUNDS.value, RefusalReason.INVALID_KEY.value})


def about_outcome(voice: Voice, intent: Intent, now: datetime) -> tuple[MessageDraft, ...]:
    """Messages on an intent that has just ended: in doubt, given up, or refused for the account's sake."""
    if intent.state is IntentState.UNKNOWN:
        return (voice.addressed(unknown_outcome(intent)),)
    if intent.state is IntentState.NOT_SENT:
        return (voice.addressed(not_sent(intent)),)
    if intent.state is IntentState.REJECTED and intent.reason in _ACCOUNT:
        return (voice.addressed(_account_refused(intent, now)),)
    return ()


def about_hold(voice: Voice, intent: Intent, mark: str) -> MessageDraft:
    """The message on an intent that is about to be held; `mark` tells one holding from the next."""
    draft = held(intent)
    return voice.addressed(replace(draft, dedup_key=f"{draft.dedup_key}:{intent.reason}:{mark}"))


def _account_refused(intent: Intent, now: datetime) -> MessageDraft:
    """Told once a day and panel: a hundred orders meet the same empty account."""
    return MessageDraft(
        dedup_key=f"operator:account:{intent.panel}:{intent.reason}:{now.date().isoformat()}",
        kind=StepKind.LOG,
        channel="",
        title=f"{intent.panel} refuses: {intent.reason.replace('_', ' ')}",
        body=(
            f"Panel {intent.panel} refused a {intent.kind} that rule {intent.rule} asked for "
            f'({intent.entity}): "{intent.message}". Further refusals of this kind are not told today; see\n'
            "  smm-rules intents list --state rejected"
        ),
        level="error",
        page=pages.REJECTED,
    )
