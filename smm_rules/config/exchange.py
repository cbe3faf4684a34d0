"""Exchange rates that the user gives, so that prices of several currencies can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from smm_rules.document.types import Duration, Settings, at_least, refuse, written

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        refuse(f"must be a currency of three letters like USD, not {written(value)}")
    return value.upper()


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        refuse(f"must be the day the rates are of, like 2026-11-20, not {written(value)}")


def _rate(value: Any) -> Decimal:
    plain = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not plain or value <= 0:
        refuse(f"must be a rate above 0 like 1.08, not {written(value)}")
    return Decimal(value)


Currency = Annotated[
    str, BeforeValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$"})
]
_Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
_Rate = Annotated[Decimal, BeforeValidator(_rate), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]


def _each_once(rates: Any) -> Any:
    """Before they are read: of two spellings of one currency the last would win."""
    if isinstance(rates, dict) and len({str(name).upper() for name in rates}) < len(rates):
        refuse("must not name a currency twice")
    return rates


class ExchangeRateSettings(Settings):
    """One unit of each currency of `rates` is worth so many of `base`, as of the day `as_of` (UTC).

    They count for `max_age` from then on. Without them prices in different currencies are never compared.
    """

    hints: ClassVar[Mapping[str, str]] = {
        "date": "Write as_of: 2026-11-20",
        "dated": "Write as_of: 2026-11-20",
    }

    base: Currency
    as_of: _Day
    max_age: Annotated[Duration, at_least(timedelta(days=1))] = timedelta(days=30)
    rates: Annotated[dict[Currency, _Rate], BeforeValidator(_each_once), Field(min_length=1)]

    @model_validator(mode="after")
    def _base_is_one(self) -> ExchangeRateSettings:
        if self.base in self.rates:
            refuse(f"`rates` must not name {self.base}: it is the base, and worth one of itself")
        return self
