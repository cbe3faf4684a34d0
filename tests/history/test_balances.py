"""A panel's balance over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.history.balances import balance_points
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BALANCE = Entity(EntityKind.BALANCE, "north")


async def line(*readings: tuple[int, str, str | None], since: int = 0) -> list[tuple[int, str]]:
    """The points of a balance that was read so many hours after the first instant."""
    async with await SqliteLedger.in_memory() as ledger:
        for hours, amount, currency in readings:
            facts: Facts = {"amount": Decimal(amount)} | ({"currency": currency} if currency else {})
            await ledger.record(Sweep(T0 + hours * HOUR, (Observed(BALANCE, facts, True, None),)))
        points = await balance_points(ledger, BALANCE, T0 + since * HOUR, T0 + 100 * HOUR)
    return [((point.at - T0) // HOUR, str(point.value)) for point in points]


async def test_it_begins_with_the_last_value_before() -> None:
    assert await line((1, "9", "USD"), (5, "8", "USD"), since=3) == [(1, "9"), (5, "8")]
    assert await line((1, "9", "USD"), since=50) == [(1, "9")]
    assert await line() == []


@pytest.mark.parametrize(
    ("readings", "shown"),
    [
        (((1, "9", "USD"), (2, "8", "EUR"), (3, "7", "EUR")), [(2, "8"), (3, "7")]),
        (((1, "9", "USD"), (2, "8", None), (3, "7", "USD")), [(1, "9"), (2, "8"), (3, "7")]),
        (((1, "9", "USD"), (2, "8", "EUR"), (3, "7", None)), [(2, "8"), (3, "7")]),
        (((1, "9", "EUR"), (2, "8", "USD"), (3, "7", "EUR")), [(3, "7")]),
    ],
)
async def test_amounts_in_another_currency_are_no_part_of_the_line(
    readings: tuple[tuple[int, str, str | None], ...], shown: list[tuple[int, str]]
) -> None:
    assert await line(*readings) == shown
