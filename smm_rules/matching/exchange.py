"""Exchange rates that the user gave: money of two currencies is compared by them, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from smm_rules.facts import format_duration


class NoRate(Exception):
    """Two currencies can't be compared. The message is the end of a sentence that says why."""


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    """One unit of each currency of `rates` is worth so many of `base`, as of a day (UTC).

    They count for `max_age` from that day on; those of a day to come count not at all.
    """

    base: str
    as_of: date
    max_age: timedelta
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def refused(self, now: datetime) -> str:
        """Why the rates don't count at `now`; empty when they do."""
        age = now.date() - self.as_of
        if age < timedelta():
            return f"the exchange rates are dated {self.as_of.isoformat()}, which is yet to come"
        if age > self.max_age:
            return (
                f"the exchange rates are of {self.as_of.isoformat()}, older than their max_age "
                f"({format_duration(self.max_age)})"
            )
        return ""

    def _worth(self, currency: str) -> Decimal:
        name = currency.upper()
        if name == self.base.upper():
            return Decimal(1)
        found = next((rate for each, rate in self.rates.items() if each.upper() == name), None)
        if found is None:
            raise NoRate(f"there is no exchange rate for {currency}")
        return found


def same_currency(one: str, other: str) -> bool:
    """Whether two names mean one currency."""
    return one.strip().upper() == other.strip().upper()


def converted(
    amount: Decimal, currency: str | None, into: str | None, rates: ExchangeRates | None, now: datetime
) -> Decimal:
    """`amount` of `currency` as money of `into`; `NoRate` where the user gave no rate that counts.

    A currency that isn't known may be any: it is compared with nothing.
    """
    if currency is None or into is None:
        raise NoRate("a panel doesn't say in which currency its prices are")
    if same_currency(currency, into):
        return amount
    if rates is None:
        raise NoRate(f"{currency} and {into} are compared only by `exchange_rates` of the configuration")
    refused = rates.refused(now)
    if refused:
        raise NoRate(refused)
    return amount * rates._worth(currency) / rates._worth(into)
