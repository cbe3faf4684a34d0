"""What an `add` would be sent with, and whether a service takes it. Shared by choosing and checking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from smm_rules.facts import Facts
from smm_rules.panel.order_params import OrderParameterError, order_parameters, ordered_quantity
from smm_rules.panel.order_types import order_type

#: A catalogue older than this says nothing of today's prices.
OLDEST_CATALOGUE = timedelta(days=2)
#: Among what is ordered with: the service, and the operator's own text, which the panel is never told.
SERVICE, LABEL = "service", "label"
#: The bound of a reorder that says how much dearer the service may have become, as a share: `0.1`.
MAX_RATE_INCREASE = "max_rate_increase"
#: The price of 1000 that the chain began with, in the currency of the panel that was chosen.
REFERENCE_RATE = "reference_rate"
#: What an order keeps of the price of 1000 it was placed at.
PLACED_RATE = "rate"
#: What an intent or an order carries among its parameters that is not the panel's, or is given apart.
_OUR_OWN = frozenset({SERVICE, LABEL, PLACED_RATE, MAX_RATE_INCREASE, REFERENCE_RATE})


class Unorderable(Exception):
    """These parameters can't be ordered with. The message is a sentence; `missing` says that some lack."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


def of_the_panel(parameters: Mapping[str, str]) -> dict[str, str]:
    """What of an intent's or an order's parameters is the panel's; an empty one is none."""
    return {name: text for name, text in parameters.items() if name not in _OUR_OWN and text}


def money(value: object) -> Decimal | None:
    """A fact or a stored text as money; None when it is none."""
    try:
        amount = Decimal(value) if isinstance(value, str | int | Decimal) else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def call_parameters(
    service: str, service_type: str, inherited: Mapping[str, str], asked: Mapping[str, str]
) -> dict[str, str]:
    """The parameters of the call: the original's as far as the type takes them, with the asked ones.

    Raises `Unorderable`.
    """
    if "quantity" in asked and "runs" in inherited and "runs" not in asked:
        runs = inherited["runs"]
        raise Unorderable(
            f"the original order was drip-fed in {runs} runs, so the quantity asked for would be ordered "
            f"{runs} times; give `runs` and `interval` as well, or leave `quantity` out"
        )
    known = order_type(service_type)
    kept = {name: text for name, text in inherited.items() if known is None or name in known.parameters}
    try:
        return order_parameters(service_type, {**kept, **asked, SERVICE: service})
    except OrderParameterError as error:
        missing = any("is missing" in each for each in error.problems)
        raise Unorderable(f"service {service} can't be ordered: {error}", missing=missing) from error


def outside_bounds(service: Facts, service_type: str, parameters: Mapping[str, str]) -> str:
    """What is wrong with the quantity; a package is one thing, whatever its row says."""
    known = order_type(service_type)
    quantity = ordered_quantity(service_type, parameters)
    if quantity is None or (known is not None and known.package):
        return ""
    least, most = service.get("min"), service.get("max")
    name = f"service {service.get('id', parameters[SERVICE])}"
    if isinstance(least, int) and quantity < least:
        return f"{name} takes {least} at least, {quantity} were asked for; it isn't rounded up by itself"
    if isinstance(most, int) and quantity > most:
        return f"{name} takes {most} at most, {quantity} were asked for; it isn't cut by itself"
    return ""
