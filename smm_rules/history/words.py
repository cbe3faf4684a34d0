"""Changes of services in words."""

from __future__ import annotations

from decimal import Decimal

from smm_rules.facts import Facts, Known
from smm_rules.history.changes import Difference, Event, ServiceChange

_UNSAID = "not said"
#: What a service may offer, by its fact.
FLAGS = {"refill": "refill", "cancel": "cancel", "dripfeed": "drip-feed"}


def differences_in_words(change: ServiceChange, currency: str | None) -> tuple[str, ...]:
    """A phrase for each difference: `rate 1.00 → 1.20 USD (+20 %)`, `refill no longer`."""
    if change.event in (Event.NEW, Event.PASSED):
        return (_offer(change, currency),)
    told = tuple(difference_in_words(one, currency) for one in change.differences)
    if change.incomplete and not told:
        return ("what it was before isn't kept any more",)
    return told


def difference_in_words(difference: Difference, currency: str | None) -> str:
    """One of them."""
    name, before, after = difference.name, difference.before, difference.after
    if isinstance(after, bool) and (before is None or isinstance(before, bool)):
        return f"{FLAGS[name]} {'now' if after else 'no longer'}"
    unit = f" {currency}" if name == "rate" and currency and after is not None else ""
    text = f"{name} {written(before)} → {written(after)}{unit}"
    increase = difference.increase
    return text if increase is None else f"{text} ({percent(increase)})"


def percent(share: Decimal) -> str:
    """`+20 %`, `-2.5 %`, `+0.04 %`: to a tenth, or the first digit where that would be nothing."""
    value = share * 100
    rounded = value.quantize(Decimal("0.1"))
    if not rounded:
        rounded = value.quantize(Decimal(1).scaleb(value.adjusted())) if value else Decimal(0)
    text = f"{rounded:f}"
    return f"{'+' if rounded >= 0 else ''}{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _offer(change: ServiceChange, currency: str | None) -> str:
    facts = change.facts
    rate = facts.get("rate")
    price = "price not said" if rate is None else f"{written(rate)} {currency or ''}".rstrip() + " for 1000"
    return f"{price}, {quantities(facts)}"


def quantities(facts: Facts) -> str:
    """What one order may be of: `10 to 5000`, `at least 10`."""
    least, most = facts.get("min"), facts.get("max")
    if least is None and most is None:
        return "quantities not said"
    if least is None or most is None:
        return f"at least {least}" if most is None else f"at most {most}"
    return f"{least} to {most}"


def written(value: Known | None) -> str:
    """A fact as people read it."""
    if value is None:
        return _UNSAID
    return format(value, "f") if isinstance(value, Decimal) else str(value)
