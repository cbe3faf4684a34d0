"""Steps that act: refill, cancel and reorder → drafts of intents.

A draft whose parameters can't be made carries the failure and is never sent: no garbage is bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from smm_rules.engine.buying import MAX_RATE_INCREASE, REFERENCE_RATE, SERVICE
from smm_rules.engine.choosing import CHOSEN_BY, Way
from smm_rules.engine.firing import Choosing, Firing, IntentDraft
from smm_rules.engine.rendering import TemplateContext
from smm_rules.facts import EntityKind, Facts
from smm_rules.rules.model import Step, StepKind
from smm_rules.rules.templates import TemplateFailed

#: Parameters that are no template's: the client's own, and what the ledger notes of a choice.
_RESERVED = frozenset({"key", "action", REFERENCE_RATE})
_LONGEST_QUANTITY = 12


class ParameterUnusable(Exception):
    """A rendered parameter is no use for a paid action. The message is a sentence for the operator."""


def intent_draft(firing: Firing, step: Step, place: str, context: TemplateContext) -> IntentDraft:
    """The action that the acting `step` at `place` (such as `do.0`) asks for.

    Its `failure` is set when a template failed or came to something a panel can't be asked.
    """
    panel = firing.entity.panel
    try:
        if step.kind is StepKind.REORDER:
            return _reorder(firing, step, place, context)
        return IntentDraft(place, step.kind, panel, {"order": _order_id(firing)})
    except (TemplateFailed, ParameterUnusable) as failure:
        return IntentDraft(place, step.kind, panel, {}, failure=str(failure))


def _order_id(firing: Firing) -> str:
    if firing.entity.kind is EntityKind.ORDER:
        return firing.entity.id
    order = firing.facts.get("order.id")
    if firing.entity.kind is EntityKind.REFILL and isinstance(order, str) and order:
        return order
    raise ParameterUnusable(f"no order is known that {firing.entity} belongs to")


def _reorder(firing: Firing, step: Step, place: str, context: TemplateContext) -> IntentDraft:
    _order_id(firing)  # Only what belongs to an order can be ordered again.
    panel = _panel(firing, step, context)
    parameters = _overrides(step, context)
    way = _way(panel, firing, parameters)
    if way in (Way.CHEAPEST, Way.NEXT):
        # The ledger finds panel, service and price when it plans this.
        return IntentDraft(place, step.kind, firing.entity.panel, parameters, choosing=Choosing(way))
    estimate = _estimate(firing.facts, parameters) if panel == firing.entity.panel else None
    currency = _currency(firing.facts) if estimate is not None else None
    choosing = None if way is None else Choosing(way)
    return IntentDraft(place, step.kind, panel, parameters, estimate, currency, choosing=choosing)


def _way(panel: str, firing: Firing, parameters: Mapping[str, str]) -> Way | None:
    """How the service is found on the panel asked for; None where the order's or the rule's own is meant."""
    if panel in CHOSEN_BY:
        if SERVICE in parameters:
            raise ParameterUnusable(f"`panel: {panel}` takes the mapping's service; leave `service` out")
        return CHOSEN_BY[panel]
    return Way.NAMED if panel != firing.entity.panel and SERVICE not in parameters else None


def _panel(firing: Firing, step: Step, context: TemplateContext) -> str:
    asked = context.parameter(step.parameters.get("panel", "same"))
    return firing.entity.panel if asked == "same" else asked


def _overrides(step: Step, context: TemplateContext) -> dict[str, str]:
    given = step.parameters
    nested = given.get("parameters", {})
    if not isinstance(nested, Mapping):
        raise ParameterUnusable("`parameters` of a reorder must be names with values")
    texts = {str(name): context.parameter(value) for name, value in nested.items()}
    texts |= {
        name: context.parameter(given[name]) for name in ("service", "link", "quantity") if name in given
    }
    reserved = sorted(_RESERVED & texts.keys())
    if reserved:
        raise ParameterUnusable(f"`{reserved[0]}` can't be a parameter of a reorder")
    if "quantity" in texts:
        texts["quantity"] = _quantity(texts["quantity"])
    if MAX_RATE_INCREASE in given:
        texts[MAX_RATE_INCREASE] = _share(context.parameter(given[MAX_RATE_INCREASE]))
    return texts


def _quantity(text: str) -> str:
    stripped = text.strip()
    digits = stripped.isascii() and stripped.isdigit() and len(stripped) <= _LONGEST_QUANTITY
    if not digits or int(stripped) == 0:
        raise ParameterUnusable(f"quantity came to {text!r}, which is not a positive whole number")
    return str(int(stripped))


def _share(text: str) -> str:
    """A share such as `0.1`; the loader made it of a percentage."""
    try:
        share = Decimal(text.strip())
    except InvalidOperation:
        share = Decimal("NaN")
    if not share.is_finite() or share < 0:
        raise ParameterUnusable(f"{MAX_RATE_INCREASE} came to {text!r}, which is not a share such as 0.1")
    return format(share, "f")


def _estimate(facts: Facts, overrides: Mapping[str, str]) -> Decimal | None:
    """What the reorder will cost, None where the price can't be told yet.

    `rate` is the price of 1000. A package has one price whatever its size, and another service than the
    order's has another rate: the catalogue is asked for those when the action's turn comes.
    """
    rate, kind = facts.get("service.rate"), facts.get("service.type")
    quantity = overrides.get("quantity", facts.get("quantity", facts.get("order.quantity")))
    if overrides.get("service", facts.get("service.id")) != facts.get("service.id"):
        return None
    if not isinstance(rate, Decimal) or quantity is None or "package" in str(kind).casefold():
        return None
    return rate * Decimal(str(quantity)) / 1000


def _currency(facts: Facts) -> str | None:
    for name in ("balance.currency", "currency", "order.currency"):
        currency = facts.get(name)
        if isinstance(currency, str) and currency:
            return currency
    return None
