"""Prices as written on the command line."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from smm_rules.history.wanted import Price


def read_price(_: click.Context, __: click.Parameter, value: str | None) -> Price | None:
    """`1.50`, or `1.50 USD`."""
    if value is None:
        return None
    amount, _space, currency = value.strip().partition(" ")
    try:
        number = Decimal(amount)
    except InvalidOperation:
        number = Decimal("NaN")
    currency = currency.strip().upper()
    if not number.is_finite() or number < 0 or (currency and not (len(currency) == 3 and currency.isalpha())):
        raise click.BadParameter(f'{value!r} is no price; write it like 1.50 or "1.50 USD"')
    return Price(number, currency or None)
