"""Which services are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smm_rules.facts import Facts


@dataclass(frozen=True, slots=True)
class Price:
    """At most so much for 1000; in any currency where none is given. Nothing is ever converted."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a service must be like; None and False stand for anything.

    `words` must all be in its ID, name or category, `quantity` within what one order may be of.
    """

    words: tuple[str, ...] = ()
    type: str | None = None
    category: str | None = None
    quantity: int | None = None
    dearest: Price | None = None
    refill: bool = False
    cancel: bool = False
    dripfeed: bool = False
    gone: bool = False

    def includes(self, facts: Facts, currency: str | None) -> bool:
        """Whether a service of a panel that counts in `currency` is among them."""
        return (
            (facts.get("gone") is True) == self.gone
            and self._has_words(facts)
            and (self.type is None or str(facts.get("type", "")).casefold() == self.type.casefold())
            and (self.category is None or _holds(facts, "category", self.category))
            and all(facts.get(flag) is True for flag in self._flags())
            and self._sells_the_quantity(facts)
            and self._is_cheap_enough(facts, currency)
        )

    def _has_words(self, facts: Facts) -> bool:
        text = " ".join(str(facts.get(name, "")) for name in ("id", "name", "category")).casefold()
        return all(word.casefold() in text for word in self.words)

    def _flags(self) -> list[str]:
        asked = {"refill": self.refill, "cancel": self.cancel, "dripfeed": self.dripfeed}
        return [name for name, is_asked in asked.items() if is_asked]

    def _sells_the_quantity(self, facts: Facts) -> bool:
        if self.quantity is None:
            return True
        least, most = facts.get("min"), facts.get("max")
        at_least = not isinstance(least, int) or least <= self.quantity
        return at_least and (not isinstance(most, int) or self.quantity <= most)

    def _is_cheap_enough(self, facts: Facts, currency: str | None) -> bool:
        if self.dearest is None:
            return True
        rate = facts.get("rate")
        same = self.dearest.currency is None or self.dearest.currency == currency
        return same and isinstance(rate, Decimal) and rate <= self.dearest.amount


def _holds(facts: Facts, name: str, text: str) -> bool:
    return text.casefold() in str(facts.get(name, "")).casefold()
