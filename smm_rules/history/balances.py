"""A panel's balance over time, from the ledger's history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from smm_rules.charts.svg import Point
from smm_rules.facts import Entity
from smm_rules.ledger.records import Observation, Watched

#: More movements of a balance than this within the time shown aren't read.
_MOST = 50_000
#: How far back the reading before the time shown is looked for, the nearest first: most balances move daily.
_LOOK_BACK = (timedelta(days=1), timedelta(days=14), timedelta(days=400))


class BalanceReader(Protocol):
    """What is read of the ledger."""

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]: ...

    async def watched(self, entity: Entity) -> Watched | None: ...


async def balance_points(
    ledger: BalanceReader, balance: Entity, since: datetime, until: datetime
) -> Sequence[Point]:
    """The balance from `since` on, with the last value before it where that can be had.

    Amounts are those of the currency that the panel counts in now: across currencies they are no one line.
    """
    return _points(await _readings(ledger, balance, since, until)) or await _now(ledger, balance, until)


async def _readings(
    ledger: BalanceReader, balance: Entity, since: datetime, until: datetime
) -> Sequence[Observation]:
    inside = await ledger.history(balance, since, until, _MOST)
    if inside and inside[0].at == since:
        return inside
    for span in _LOOK_BACK:
        earlier = await ledger.history(balance, since - span, since, _MOST)
        if earlier:
            return [earlier[-1], *inside]
    return inside


async def _now(ledger: BalanceReader, balance: Entity, until: datetime) -> Sequence[Point]:
    """The present value alone, where the history doesn't go back to its last movement."""
    watched = await ledger.watched(balance)
    amount = watched.facts.get("amount") if watched is not None else None
    return [Point(until, amount)] if isinstance(amount, Decimal) else []


def _points(history: Sequence[Observation]) -> list[Point]:
    return [
        Point(seen.at, amount)
        for seen in _in_last_currency(history)
        if isinstance(amount := seen.facts.get("amount"), Decimal)
    ]


def _in_last_currency(history: Sequence[Observation]) -> Sequence[Observation]:
    """Those at the end of which none is known to be in another currency than the last one that said it."""
    kept: list[Observation] = []
    currency: object = None
    for seen in reversed(history):
        said = seen.facts.get("currency")
        if said is not None and currency is not None and said != currency:
            break
        currency = currency or said
        kept.append(seen)
    return kept[::-1]
