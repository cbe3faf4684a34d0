"""What an intent's evidence means, in words."""

from __future__ import annotations

from smm_rules.actions import Suggestion
from smm_rules.actions.circumstances import BALANCE_BEFORE, COST, CURRENCY, RATE, SENT
from smm_rules.actions.evidence import BALANCE_AFTER, BALANCE_DIFFERENCE, OTHER_SPENDING, SUGGESTS
from smm_rules.actions.made import parameters_from
from smm_rules.ledger.records import Intent

_SUGGESTIONS = {
    Suggestion.HAPPENED: "it probably happened: the balance fell by just what it costs. "
    "No proof, for others may use the account too",
    Suggestion.DID_NOT: "it probably didn't happen: the balance moved only by what else was bought. "
    "No proof, for the panel may charge late",
    Suggestion.UNCLEAR: "the balance says nothing clear: look at the panel",
}

#: Evidence that is shown in words of its own, or says nothing to people.
_TOLD_ELSEWHERE = frozenset(
    {
        "sent", "cost", "currency", "rate", "suggests", "balance_before", "balance_after",
        "balance_difference", "other_spending", "waiting_since", "choice",
    }
)  # fmt: skip


def sent_parameters(intent: Intent) -> dict[str, str]:
    """What was sent to the panel; empty while nothing was."""
    return parameters_from(intent.evidence.get(SENT))


def money_in_words(intent: Intent) -> dict[str, str]:
    """What it costs, is reserved, and the balance before and after."""
    evidence = intent.evidence
    currency = evidence.get(CURRENCY) or intent.currency or ""
    is_open = intent.settled_at is None
    words = {
        "rate": _money(evidence.get(RATE), currency, " for 1000"),
        "cost": _money(evidence.get(COST), currency),
        "reserved": _money(_reserved(intent), currency, "" if is_open else " (released)"),
        "balance before": _money(evidence.get(BALANCE_BEFORE), currency),
        "balance after": _money(evidence.get(BALANCE_AFTER), currency),
        "difference": _money(evidence.get(BALANCE_DIFFERENCE), currency),
        "other actions": _money(evidence.get(OTHER_SPENDING), currency, " spent meanwhile"),
    }
    return {name: text for name, text in words.items() if text}


def suggestion_in_words(intent: Intent) -> str:
    """What the balance suggests of an action in doubt; empty where there was no reading."""
    suggests = intent.evidence.get(SUGGESTS)
    return _SUGGESTIONS.get(Suggestion(suggests), suggests) if suggests else ""


def other_evidence(intent: Intent) -> dict[str, str]:
    """The evidence that has no words of its own, by its name."""
    return {name: text for name, text in intent.evidence.items() if name not in _TOLD_ELSEWHERE and text}


def _reserved(intent: Intent) -> str | None:
    return None if intent.reserved is None else format(intent.reserved, "f")


def _money(amount: str | None, currency: str, more: str = "") -> str:
    return "" if not amount else f"{amount} {currency}".rstrip() + more
