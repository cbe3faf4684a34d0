"""What refill and cancel have in common: they act on an order that exists."""

from __future__ import annotations

from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.verdict import Ready, Refuse, Verdict, Why
from smm_rules.facts import EntityKind
from smm_rules.ledger.records import Intent

ORDER = "order"


def check_existing(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Ready with the order's ID, unless the operator has had the order forgotten since a rule asked."""
    order = intent.parameters.get(ORDER) or _own_id(intent)
    if not order:
        return Refuse(Why.ORDER_UNKNOWN, f"it isn't known which order {intent.entity} belongs to")
    if intent.firing is not None and not circumstances.watched:
        return Refuse(Why.ORDER_FORGOTTEN, f"order {order} is no longer tracked, so rules don't act on it")
    return Ready({ORDER: order})


def _own_id(intent: Intent) -> str:
    return intent.entity.id if intent.entity.kind is EntityKind.ORDER else ""
