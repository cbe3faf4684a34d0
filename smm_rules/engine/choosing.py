"""On which panel to order again. Pure: the caller says what is known of each candidate, this judges.

A choice is made once, when the action is planned, and kept with all candidates and why each was taken or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from smm_rules.engine.buying import OLDEST_CATALOGUE, Unorderable, call_parameters, outside_bounds
from smm_rules.facts import Facts, format_duration
from smm_rules.matching.equal import Member
from smm_rules.matching.exchange import ExchangeRates, NoRate, converted, same_currency
from smm_rules.matching.offered import same_type
from smm_rules.panel.order_params import cost


class Way(StrEnum):
    """How the panel of a reorder is chosen: the cheapest, the next of the group, or the one named."""

    CHEAPEST = "cheapest"
    NEXT = "next"
    NAMED = "named"


#: The words for `panel:` by which another panel than a named one is chosen.
CHOSEN_BY = {way.value: way for way in (Way.CHEAPEST, Way.NEXT)}


class Fitness(StrEnum):
    """Whether a candidate can be ordered from: at once, not now (wait, or ask the operator), or never."""

    FITS = "fits"
    NOT_NOW = "not_now"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Offer:
    """What is known of one candidate. `stopped` and `unreachable` are sentences, empty where it isn't so.

    `left` is the panel's balance less what other actions may have spent of it, None where it isn't known.
    """

    member: Member
    facts: Facts | None
    read_at: datetime | None
    currency: str | None
    left: Decimal | None = None
    stopped: str = ""
    unreachable: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """The price of 1000 that the chain of orders began with, and where."""

    rate: Decimal
    panel: str
    currency: str | None


@dataclass(frozen=True, slots=True)
class Want:
    """What is to be ordered. `service_type` is that of the order's own service, None where it isn't known.

    `bound` is how much dearer than the reference it may be, as a share; `stated` says that the rule has it
    and not the configuration.
    """

    inherited: Mapping[str, str]
    asked: Mapping[str, str]
    service_type: str | None = None
    reference: Reference | None = None
    bound: Decimal | None = None
    stated: bool = False


@dataclass(frozen=True, slots=True)
class Considered:
    """A candidate and what was made of it. Money is in the panel's `currency`; `compared` is the price of
    1000 in the currency of the comparison. `reference` is the chain's first price in the panel's currency."""

    member: Member
    fitness: Fitness
    why: str = ""
    rate: Decimal | None = None
    currency: str | None = None
    cost: Decimal | None = None
    compared: Decimal | None = None
    reference: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen and among what. Without `chosen` the sentence `why` says what to do.

    `after` says what came of the panel that was chosen before, where this one stands in for it. `unit` is
    the currency of the comparison, empty where nothing was compared.
    """

    way: Way
    group: str = ""
    chosen: Member | None = None
    considered: tuple[Considered, ...] = ()
    why: str = ""
    after: str = ""
    unit: str = ""

    @property
    def taken(self) -> Considered | None:
        """The chosen candidate with what was made of it."""
        return next((one for one in self.considered if one.member == self.chosen), None)

    def left(self, tried: Iterable[str]) -> tuple[Considered, ...]:
        """The candidates that another attempt may choose among, once those panels have been tried."""
        gone = frozenset(tried)
        return tuple(
            one
            for one in self.considered
            if one.fitness is not Fitness.NEVER and one.member.panel not in gone
        )


def consider(offer: Offer, want: Want, rates: ExchangeRates | None, now: datetime) -> Considered:
    """One candidate by itself: what the catalogue, the panel and the price say."""
    never = Considered(offer.member, Fitness.NEVER, currency=offer.currency)
    facts = offer.facts
    if facts is None or facts.get("gone") is True:
        if facts is None and offer.read_at is None:
            return replace(never, fitness=Fitness.NOT_NOW, why="its catalogue hasn't been read yet")
        return replace(never, why=f"service {offer.member.service} is not in its catalogue")
    service_type = str(facts.get("type", "Default"))
    if want.service_type is not None and not same_type(service_type, want.service_type):
        return replace(never, why=f"it is of type {service_type}, the order's service of {want.service_type}")
    try:
        parameters = call_parameters(offer.member.service, service_type, want.inherited, want.asked)
    except Unorderable as error:
        return replace(never, why=str(error))
    outside = outside_bounds(facts, service_type, parameters)
    if outside:
        return replace(never, why=outside)
    rate = facts.get("rate")
    price = rate if isinstance(rate, Decimal) else None
    priced = replace(never, rate=price, cost=cost(price, parameters, service_type))
    reference, unjudged = _reference(offer, want, rates, now)
    why = (
        offer.stopped
        or offer.unreachable
        or _stale(offer, now)
        or _too_dear(want, price, reference, unjudged)
        or _short(offer, priced.cost)
    )
    fitness = Fitness.NOT_NOW if why else Fitness.FITS
    return replace(priced, fitness=fitness, why=why, reference=reference)


def _stale(offer: Offer, now: datetime) -> str:
    if offer.read_at is None:
        return "its catalogue hasn't been read yet"
    age = now - offer.read_at
    if age <= OLDEST_CATALOGUE:
        return ""
    return f"its catalogue was last read {format_duration(age)} ago; prices may have changed"


def _reference(
    offer: Offer, want: Want, rates: ExchangeRates | None, now: datetime
) -> tuple[Decimal | None, str]:
    """The chain's first price in the offer's currency; None, and why it can't be told."""
    first = want.reference
    if first is None:
        return None, "the price the order was placed at isn't known"
    if first.panel == offer.member.panel:
        return first.rate, ""
    try:
        return converted(first.rate, first.currency, offer.currency, rates, now), ""
    except NoRate as reason:
        return None, str(reason)


def _too_dear(want: Want, rate: Decimal | None, reference: Decimal | None, unjudged: str) -> str:
    if want.bound is None:
        return ""
    if rate is None or reference is None:
        why = "its price isn't known" if rate is None else unjudged
        judged = want.stated or (reference is None and want.reference is not None)
        return f"its rise in price can't be judged: {why}" if judged else ""
    if rate <= reference * (1 + want.bound):
        return ""
    allowed = f"{(want.bound * 100).normalize():f} %"
    return f"it costs {rate:f} for 1000, and {allowed} more than {reference.normalize():f} are allowed"


def _short(offer: Offer, price: Decimal | None) -> str:
    if price is None or offer.left is None or price <= offer.left:
        return ""
    return f"it costs {price:f}, and {offer.left:f} are left of its balance"


def compared(
    found: Sequence[Considered], rates: ExchangeRates | None, now: datetime
) -> tuple[tuple[Considered, ...], str]:
    """`found` with prices in one currency, and that currency. What can't be compared is never the cheapest.

    Prices in one currency need no rate. Where there are several, all are compared in the base of the rates.
    """
    usable = [one for one in found if one.fitness is not Fitness.NEVER]
    currencies = {one.currency.upper() for one in usable if one.currency is not None}
    unit = next(iter(currencies), "") if len(currencies) <= 1 else ("" if rates is None else rates.base)
    alone = len(usable) == 1
    return tuple(_compared(one, unit, rates, now, alone=alone) for one in found), unit


def _compared(
    one: Considered, unit: str, rates: ExchangeRates | None, now: datetime, *, alone: bool
) -> Considered:
    if one.fitness is Fitness.NEVER:
        return one
    if one.rate is None:
        return one if alone else replace(one, fitness=Fitness.NEVER, why="its price isn't known")
    if alone or (one.currency is not None and unit and same_currency(one.currency, unit)):
        return replace(one, compared=one.rate)
    try:
        if not unit and one.currency is not None:
            raise NoRate(
                "prices in several currencies are compared only by `exchange_rates` of the configuration"
            )
        return replace(one, compared=converted(one.rate, one.currency, unit or None, rates, now))
    except NoRate as reason:
        return replace(one, fitness=Fitness.NEVER, why=f"its price can't be compared: {reason}")


def pick(way: Way, found: Sequence[Considered]) -> Considered | None:
    """The candidate to take: of those that fit, else of those that don't now. Ties go to what stands first.

    None where none can be ordered from.
    """
    for fitness in (Fitness.FITS, Fitness.NOT_NOW):
        there = [one for one in found if one.fitness is fitness]
        if there and way is Way.CHEAPEST:
            return min(there, key=lambda one: (one.compared is None, one.compared or Decimal(0)))
        if there:
            return there[0]
    return None


def none_fits(found: Sequence[Considered]) -> str:
    """What to tell where nothing can be chosen: each candidate with what is wrong with it."""
    if not found:
        return "every panel of its group was tried or used; add one to the mapping, or order by hand"
    each = "; ".join(f"{one.member}: {one.why}" for one in found)
    return f"no panel can take it ({each})"


def following(panel: str, members: Sequence[Member]) -> tuple[Member, ...]:
    """`members` from the one after `panel`'s own on, round to it."""
    places = [index for index, member in enumerate(members) if member.panel == panel]
    start = places[0] + 1 if places else 0
    return (*members[start:], *members[:start])


# -- as evidence -----------------------------------------------------------------------------------------
def choice_text(choice: Choice) -> str:
    """A choice as the ledger keeps it among an action's evidence."""
    told: dict[str, object] = {
        "way": choice.way.value,
        "group": choice.group,
        "chosen": None if choice.chosen is None else [choice.chosen.panel, choice.chosen.service],
        "considered": [_told(one) for one in choice.considered],
        "why": choice.why,
        "after": choice.after,
        "unit": choice.unit,
    }
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def _told(one: Considered) -> dict[str, object]:
    money = ("rate", "cost", "compared", "reference")
    amounts = {name: getattr(one, name) for name in money}
    return {
        "panel": one.member.panel,
        "service": one.member.service,
        "fitness": one.fitness.value,
        "why": one.why,
        "currency": one.currency,
        **{name: None if amount is None else format(amount, "f") for name, amount in amounts.items()},
    }


def choice_from(text: str | None) -> Choice | None:
    """The choice that `choice_text` wrote; None where none was kept."""
    if not text:
        return None
    told = json.loads(text)
    return Choice(
        Way(told["way"]),
        told["group"],
        None if told["chosen"] is None else Member(*told["chosen"]),
        tuple(_considered(one) for one in told["considered"]),
        told["why"],
        told["after"],
        told["unit"],
    )


def _considered(told: Mapping[str, str | None]) -> Considered:
    def money(name: str) -> Decimal | None:
        amount = told[name]
        return None if amount is None else Decimal(amount)

    return Considered(
        Member(str(told["panel"]), str(told["service"])),
        Fitness(str(told["fitness"])),
        str(told["why"]),
        money("rate"),
        told["currency"],
        money("cost"),
        money("compared"),
        money("reference"),
    )
