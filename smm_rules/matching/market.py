"""What a reorder may choose among: equal services, exchange rates, and the bound of a rise of prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smm_rules.config.exchange import ExchangeRateSettings
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError
from smm_rules.matching.equal import NO_EQUALS, EqualServices
from smm_rules.matching.exchange import ExchangeRates
from smm_rules.matching.file import load_mapping


@dataclass(frozen=True, slots=True)
class Market:
    """`rate_increase` is for a reorder that states no bound itself, as a share; None for any price.

    `alone` says that every panel that is to be chosen is the order's own, as where rules are rehearsed.
    `trouble` says why there are no equal services although there should be some; else it is empty.
    """

    equal: EqualServices = NO_EQUALS
    rates: ExchangeRates | None = None
    rate_increase: Decimal | None = None
    trouble: str = ""
    alone: bool = False


NO_MARKET = Market()


def market_of(configuration: Configuration) -> Market:
    """What the configuration and its mapping file, which is read here, let reorders choose among.

    A mapping that can't be read is none: whoever wants a panel chosen is told so then.
    """
    equal, trouble = NO_EQUALS, ""
    if configuration.services is not None:
        try:
            panels = [panel.name for panel in configuration.panels]
            equal = load_mapping(configuration.services, panels).equal
        except DocumentError as error:
            trouble = f"the mapping can't be used: {error.problems[0]}"
    rates = configuration.exchange_rates
    return Market(
        equal,
        None if rates is None else exchange_rates(rates),
        configuration.guards.max_rate_increase,
        trouble,
    )


def exchange_rates(settings: ExchangeRateSettings) -> ExchangeRates:
    """The rates of the configuration."""
    return ExchangeRates(settings.base, settings.as_of, settings.max_age, dict(settings.rates))
