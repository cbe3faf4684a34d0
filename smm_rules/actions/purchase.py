"""The check of anything that costs money: today's catalogue, bounds, price and balance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from smm_rules.actions.circumstances import HELD_RATE, Circumstances
from smm_rules.actions.verdict import Hold, Later, Ready, Refuse, Verdict, Why
from smm_rules.engine.buying import OLDEST_CATALOGUE, Unorderable, call_parameters, money, outside_bounds
from smm_rules.facts import format_duration
from smm_rules.panel.order_params import cost


@dataclass(frozen=True, slots=True)
class RateBound:
    """How much dearer than its reference a service may be: 0.1 for ten percent.

    One that wasn't `stated` by the rule judges only where both prices are known.
    """

    share: Decimal
    stated: bool = True


@dataclass(frozen=True, slots=True)
class Basket:
    """An order to be placed. What is `asked` outweighs what is `inherited` from the original.

    `missing_help` ends the sentence on parameters that were never given. Without `bound` any price will do.
    """

    panel: str
    service: str
    inherited: Mapping[str, str]
    asked: Mapping[str, str]
    missing_help: str
    bound: RateBound | None


def check_purchase(basket: Basket, circumstances: Circumstances) -> Verdict:
    """Ready with the call's parameters and its price, or why not.

    Price and bounds are today's. A price that rose beyond the bound is held for the operator, whose
    approval holds up to the price it was given for. A balance that doesn't cover the cost, with what other
    actions have claimed already, is waited for: it costs nothing, a top-up may come, and a call the panel
    is bound to refuse would end the rule's firing.
    """
    unread = _catalogue_trouble(basket, circumstances)
    if unread is not None:
        return unread
    service = circumstances.service
    if service is None or service.get("gone") is True:
        return Refuse(
            Why.SERVICE_GONE,
            f"service {basket.service} is not in {basket.panel}'s catalogue; name another service",
        )
    service_type = str(service.get("type", "Default"))
    parameters = _parameters(basket, service_type)
    if isinstance(parameters, Refuse):
        return parameters
    outside = outside_bounds(service, service_type, parameters)
    if outside:
        return Refuse(Why.QUANTITY, outside)
    rate = money(service.get("rate"))
    price = cost(rate, parameters, service_type)
    dearer = _dearer(basket, rate, circumstances)
    if dearer is not None:
        return dearer
    short = _short_of_money(basket, price, circumstances)
    return short if short is not None else Ready(parameters, price, circumstances.currency, rate)


def _catalogue_trouble(basket: Basket, circumstances: Circumstances) -> Later | None:
    read_at = circumstances.catalogue_read_at
    if read_at is None:
        return Later(Why.CATALOGUE_UNREAD, f"{basket.panel}'s catalogue hasn't been read yet")
    age = circumstances.now - read_at
    if age > OLDEST_CATALOGUE:
        return Later(
            Why.CATALOGUE_STALE,
            f"{basket.panel}'s catalogue was last read {format_duration(age)} ago; prices may have changed",
        )
    return None


def _parameters(basket: Basket, service_type: str) -> dict[str, str] | Refuse:
    """The parameters of the call, or what they lack with how to give it."""
    try:
        return call_parameters(basket.service, service_type, basket.inherited, basket.asked)
    except Unorderable as error:
        ending = f"; {basket.missing_help}" if error.missing else ""
        return Refuse(Why.PARAMETERS, f"{error}{ending}")


def _dearer(basket: Basket, rate: Decimal | None, circumstances: Circumstances) -> Hold | None:
    """Held when the price rose too far, or when nobody can tell whether it did."""
    if basket.bound is None:
        return None
    reference = circumstances.reference_rate
    approval = circumstances.approved(Why.RATE_INCREASE)
    if (rate is None or reference is None) and not basket.bound.stated:
        return None
    if rate is None or reference is None:
        if approval is not None and approval.rate == rate:
            return None
        what = "today's price" if rate is None else "the price it was ordered at"
        return _held(f"{what} of service {basket.service} isn't known, so its rise can't be judged", rate)
    if rate <= reference * (1 + basket.bound.share):
        return None
    if approval is not None and approval.rate is not None and rate <= approval.rate:
        return None
    rise = "from nothing" if not reference else f"{(rate / reference - 1) * 100:.1f} %"
    allowed = f"{(basket.bound.share * 100).normalize():f} %"
    return _held(
        f"service {basket.service} costs {rate:f} for 1000, {reference:f} before: "
        f"dearer by {rise}, {allowed} are allowed",
        rate,
    )


def _held(message: str, rate: Decimal | None) -> Hold:
    return Hold(Why.RATE_INCREASE, message, {HELD_RATE: "" if rate is None else format(rate, "f")})


def _short_of_money(basket: Basket, price: Decimal | None, circumstances: Circumstances) -> Later | None:
    if price is None or circumstances.balance is None:
        return None
    amount, committed = circumstances.balance.amount, circumstances.committed
    if price + committed <= amount:
        return None
    others = f" beside {committed:f} that other actions may have spent" if committed else ""
    currency = f" {circumstances.currency}" if circumstances.currency else ""
    return Later(
        Why.BALANCE_LOW,
        f"it costs {price:f}{others}, {basket.panel} has {amount:f}{currency} left; top it up",
    )
