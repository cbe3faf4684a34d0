"""What a statement of account is drawn up from, for one panel and a span of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smm_rules.ledger.records import Intent


@dataclass(frozen=True, slots=True)
class BalanceReading:
    """A balance when it was seen to have moved. `currency` is None where the panel doesn't say."""

    at: datetime
    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Refund:
    """An order's charge was seen to have fallen at `at`. `rule` placed it; empty where none did."""

    at: datetime
    order: str
    amount: Decimal
    currency: str | None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one panel.

    `balances` begin with the last reading before the span, where there is one. `sent` are the intents claimed
    and `refunds` those seen from then on, to the span's end. `held` are the actions that wait now and were
    asked for before the span's end.
    """

    panel: str
    balances: tuple[BalanceReading, ...] = ()
    sent: tuple[Intent, ...] = ()
    held: tuple[Intent, ...] = ()
    refunds: tuple[Refund, ...] = ()
