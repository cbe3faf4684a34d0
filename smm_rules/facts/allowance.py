"""How much may be spent or done per order, chain, hour, day or month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class Per(StrEnum):
    """What an allowance is for. Hours, days and months are those of the calendar in UTC; the rest has no end.

    `ORDER` is one order with all its refills, `CHAIN` an order, its reorder, that one's reorder and so on.
    """

    ORDER = "order"
    CHAIN = "chain"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


#: The units that begin anew by themselves.
PERIODS = frozenset({Per.HOUR, Per.DAY, Per.MONTH})


@dataclass(frozen=True, slots=True)
class Allowance:
    """So much money, in the panel's own currency, or so many actions, per unit."""

    amount: Decimal
    per: Per

    def __str__(self) -> str:
        return f"{self.amount:f}/{self.per}"


def begun_at(per: Per, now: datetime) -> datetime | None:
    """When the unit that `now` lies in began; None for one that has no end."""
    at = now.astimezone(UTC)
    match per:
        case Per.HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        case Per.DAY:
            return at.replace(hour=0, minute=0, second=0, microsecond=0)
        case Per.MONTH:
            return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return None


def ends_at(per: Per, now: datetime) -> datetime | None:
    """When the unit that `now` lies in ends and the next begins; None for one that has no end."""
    begun = begun_at(per, now)
    if begun is None:
        return None
    if per is Per.MONTH:
        return (begun + timedelta(days=32)).replace(day=1)
    return begun + (timedelta(hours=1) if per is Per.HOUR else timedelta(days=1))
