"""An action on another panel, once it is certain that the one on the panel chosen first came to nothing.

Only a chosen panel is left for another, and only for what lies with the panel. What is in doubt is never
left: not now, and not after somebody said what became of it.
"""

from __future__ import annotations

from dataclasses import replace

from smm_rules.actions.attempt import NOT_REACHED, RATE_LIMITED, Patience
from smm_rules.actions.verdict import Why
from smm_rules.engine.buying import REFERENCE_RATE, SERVICE
from smm_rules.engine.choosing import Choice, Way, choice_from
from smm_rules.engine.firing import Choosing, IntentDraft
from smm_rules.engine.steps import elsewhere
from smm_rules.ledger.records import CHOICE, DOUBTED, REFUSAL, Intent, IntentState, Outcome
from smm_rules.panel.errors import RefusalReason

#: Never sent, and certain to be so, for what lies with the panel.
_UNSENT = frozenset(
    {
        NOT_REACHED,
        RATE_LIMITED,
        Why.PANEL_UNKNOWN.value,
        Why.SERVICE_GONE.value,
        Why.QUANTITY.value,
        Why.CATALOGUE_UNREAD.value,
        Why.CATALOGUE_STALE.value,
        Why.BALANCE_LOW.value,
    }
)
#: Refused in words that say that this panel can't, and nothing of the order itself: that the link has an
#: order under way already is no reason to buy another elsewhere.
_REFUSED = frozenset(
    {
        RefusalReason.NOT_ENOUGH_FUNDS.value,
        RefusalReason.INCORRECT_SERVICE.value,
        RefusalReason.INCORRECT_QUANTITY.value,
        RefusalReason.INVALID_KEY.value,
    }
)


def choice_of(intent: Intent) -> Choice | None:
    """Among what the intent's panel was chosen; None when it wasn't."""
    return choice_from(intent.evidence.get(CHOICE))


def is_left_to_us(choice: Choice | None) -> bool:
    """Whether the panel was ours to choose, and not named by the rule."""
    return choice is not None and choice.way is not Way.NAMED


def another(intent: Intent, outcome: Outcome) -> IntentDraft | None:
    """The action on another panel that follows `outcome`; None where nothing may or can.

    It has the parameters that the rule gave. Which panel it is, is chosen anew, when it is planned, among
    those that this firing hasn't tried.
    """
    choice = choice_of(intent)
    if choice is None or not is_left_to_us(choice) or not _is_certain(intent, outcome):
        return None
    if not choice.left((intent.panel,)):
        return None
    parameters = {
        name: text for name, text in intent.parameters.items() if name not in (SERVICE, REFERENCE_RATE)
    }
    return IntentDraft(
        elsewhere(intent.step),
        intent.kind,
        intent.entity.panel,
        parameters,
        refusal=intent.evidence.get(REFUSAL, ""),
        choosing=Choosing(choice.way, f"{intent.panel}: {outcome.message or outcome.reason}"),
    )


def _is_certain(intent: Intent, outcome: Outcome) -> bool:
    """Whether the panel certainly made nothing, for a reason that another panel may not have."""
    if outcome.retry_at is not None or intent.evidence.get(DOUBTED):
        return False
    if outcome.state is IntentState.NOT_SENT:
        return outcome.reason in _UNSENT
    return outcome.state is IntentState.REJECTED and outcome.reason in _REFUSED


def patience_for(intent: Intent, patience: Patience, reason: str = NOT_REACHED) -> Patience:
    """Less patience with a panel where another may take its place for this `reason`.

    What was kept of the choice may be damaged: an outcome must not be lost over that.
    """
    try:
        choice = choice_of(intent) if reason in _UNSENT else None
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return patience
    if choice is None or not is_left_to_us(choice) or not choice.left((intent.panel,)):
        return patience
    return replace(
        patience,
        attempts=min(patience.attempts, patience.attempts_beside_others),
        waiting=min(patience.waiting, patience.waiting_beside_others),
    )
