"""The balance of each panel as it was read last, with the dates of question and answer."""

from __future__ import annotations

from decimal import Decimal

from smm_rules.facts import Facts
from smm_rules.ledger.codec import from_micros, storable, to_micros
from smm_rules.ledger.records import DatedBalance
from smm_rules.ledger.sql.query import Connection, changed, first

#: Whatever was read last counts, not what was asked for last: a clock may have been set back.
_KEEP = """
  INSERT INTO balances (panel, amount, currency, asked_at, answered_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (panel) DO UPDATE SET
    amount = excluded.amount, currency = excluded.currency, asked_at = excluded.asked_at,
    answered_at = excluded.answered_at
"""
_FORGET = "DELETE FROM balances WHERE panel = ?"
_BALANCE = "SELECT amount, currency, asked_at, answered_at FROM balances WHERE panel = ?"


def keep(connection: Connection, panel: str, reading: DatedBalance) -> None:
    currency = None if reading.currency is None else storable(reading.currency)
    dates = (to_micros(reading.asked_at), to_micros(reading.answered_at))
    changed(connection, _KEEP, (storable(panel), str(reading.amount), currency, *dates))


def observe(connection: Connection, panel: str, facts: Facts, asked_at: int, answered_at: int) -> None:
    """Keep what a sweep read; facts without an amount say that it isn't known any more."""
    amount, currency = facts.get("amount"), facts.get("currency")
    if not isinstance(amount, Decimal | int):
        changed(connection, _FORGET, (storable(panel),))
        return
    known = currency if isinstance(currency, str) else None
    reading = DatedBalance(Decimal(amount), known, from_micros(asked_at), from_micros(answered_at))
    keep(connection, panel, reading)


def balance(connection: Connection, panel: str) -> DatedBalance | None:
    row = first(connection, _BALANCE, (storable(panel),))
    if row is None:
        return None
    amount, currency, asked_at, answered_at = row
    return DatedBalance(Decimal(amount), currency, from_micros(asked_at), from_micros(answered_at))
