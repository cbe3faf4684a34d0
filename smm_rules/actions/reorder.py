"""May an order be placed: again with what the original was placed with, or as the operator asks?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from smm_rules.actions.circumstances import WAITING_SINCE, Circumstances, service_of
from smm_rules.actions.elsewhere import check_elsewhere
from smm_rules.actions.purchase import Basket, RateBound, check_purchase
from smm_rules.actions.verdict import Hold, Refuse, Verdict, Why
from smm_rules.engine.buying import MAX_RATE_INCREASE, money, of_the_panel
from smm_rules.engine.firing import Firing
from smm_rules.engine.order_facts import whole_number
from smm_rules.engine.steps import OTHERWISE, place_of
from smm_rules.facts import format_duration
from smm_rules.ledger.records import Intent, TrackedOrder
from smm_rules.rules.templates import is_template

#: An order of the operator's that was never tried for so long was left over by a command that was killed.
LEFT_OVER_AFTER = timedelta(hours=1)


def check_reorder(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Ready with all parameters of the new order.

    The original's parameters with the rule's laid over them, less those of the original that the service's
    type doesn't take (a package takes no quantity). Nothing is ever changed to fit: a quantity outside the
    service's bounds, a service that is gone or a link that was never given is refused with a way out.
    """
    order = circumstances.order
    if order is None:
        return Refuse(
            Why.ORDER_UNKNOWN,
            f"nothing is known of the order that {intent.entity} belongs to, so it can't be repeated",
        )
    if intent.firing is not None and not circumstances.watched:
        return Refuse(
            Why.ORDER_FORGOTTEN, f"order {order.entity.id} is no longer tracked, so rules don't act on it"
        )
    not_elsewhere = check_elsewhere(intent, order, circumstances)
    if not_elsewhere is not None:
        return not_elsewhere
    service = service_of(intent, order)
    if service is None:
        return Refuse(Why.SERVICE_UNKNOWN, _how_to_give_service(intent, order))
    basket = Basket(
        panel=intent.panel,
        service=service,
        inherited=of_the_panel(order.parameters),
        asked=of_the_panel(intent.parameters),
        missing_help=_how_to_give(order),
        bound=_bound(intent, circumstances),
    )
    return _more_than_ordered(intent, order, circumstances) or check_purchase(basket, circumstances)


def check_add(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Ready with the parameters the operator gave, checked like a reorder's.

    The command that asks either sends it or leaves it to a running daemon. What lies about untried for long
    is left over from one that was killed, and may have been placed again since.
    """
    untried = not intent.attempts and not intent.evidence.get(WAITING_SINCE)
    age = circumstances.now - intent.planned_at
    if untried and age > LEFT_OVER_AFTER and not circumstances.approved(Why.ASKED_LONG_AGO):
        asked = f"it was asked for {format_duration(age)} ago and never tried"
        return Hold(Why.ASKED_LONG_AGO, f"{asked}; it may have been placed again since")
    service = service_of(intent, None)
    if service is None:
        return Refuse(Why.SERVICE_UNKNOWN, "it doesn't say which service to order; name one")
    basket = Basket(
        panel=intent.panel,
        service=service,
        inherited={},
        asked=of_the_panel(intent.parameters),
        missing_help="give them when placing the order",
        bound=None,
    )
    return check_purchase(basket, circumstances)


def _more_than_ordered(intent: Intent, order: TrackedOrder, circumstances: Circumstances) -> Hold | None:
    """Held when a panel's numbers came to more than the order had: some answer nonsense for `remains`.

    A number that stands in the rule itself is its author's word.
    """
    asked, had = (whole_number(each.parameters.get("quantity")) for each in (intent, order))
    if asked is None or had is None or asked <= had or not _is_worked_out(intent, circumstances.firing):
        return None
    if circumstances.approved(Why.MORE_THAN_ORDERED):
        return None
    return Hold(
        Why.MORE_THAN_ORDERED,
        f"the quantity came to {asked}, and order {order.entity.id} itself had {had}; "
        "the panel's numbers may be wrong",
    )


def _is_worked_out(intent: Intent, firing: Firing | None) -> bool:
    """Whether the quantity was worked out from facts by a template of the rule."""
    if firing is None:
        return False
    section, _, index = place_of(intent.step).partition(".")
    steps = firing.otherwise if section == OTHERWISE else firing.steps
    return is_template(str(steps[int(index)].parameters.get("quantity", "")))


def _bound(intent: Intent, circumstances: Circumstances) -> RateBound | None:
    written = intent.parameters.get(MAX_RATE_INCREASE)
    default = circumstances.default_rate_increase
    if written is None:
        return None if default is None else RateBound(default, stated=False)
    share = money(written)
    # A bound nobody can read must not mean "no bound".
    return RateBound(share if share is not None else Decimal(0))


def _how_to_give_service(intent: Intent, order: TrackedOrder) -> str:
    if order.entity.panel != intent.panel:
        return (
            f"services of {order.entity.panel} have other numbers on {intent.panel}; "
            "name the service in the rule: reorder: {panel: …, service: …}"
        )
    return f"it isn't known which service order {order.entity.id} was for; {_how_to_give(order, 'service')}"


def _how_to_give(order: TrackedOrder, what: str = "…") -> str:
    """A known order is left as it is by an import, so it is forgotten first."""
    order_id, panel = order.entity.id, order.entity.panel
    return (
        f"track it anew with them: smm-rules orders forget {panel}/{order_id}, then "
        f"smm-rules orders track {panel}/{order_id} --{what}, or import it with these columns"
    )
