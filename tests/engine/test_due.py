"""When an entity is asked about next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smm_rules.engine.due import next_look
from smm_rules.facts import EntityKind, Facts

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
INTERVAL, SETTLE = 10 * MINUTE, 7 * DAY


def look(kind: EntityKind, facts: Facts, *wakes: datetime | None) -> datetime | None:
    return next_look(kind, facts, NOW, INTERVAL, SETTLE, wakes)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (EntityKind.ORDER, "Completed"),
        (EntityKind.ORDER, "Partial"),
        (EntityKind.ORDER, "Canceled"),
        (EntityKind.ORDER, "Refunded"),
        (EntityKind.REFILL, "Rejected"),
        (EntityKind.REFILL, "Error"),
    ],
)
def test_an_end_that_stayed_is_settled_unless_a_rule_waits(kind: EntityKind, status: str) -> None:
    facts: Facts = {"status": status, "changed_at": NOW - SETTLE}
    assert look(kind, facts, None) is None
    assert look(kind, facts, None, NOW + DAY) == NOW + INTERVAL
    assert look(kind, facts, NOW + MINUTE) == NOW + MINUTE


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (EntityKind.ORDER, {"status": "Completed", "changed_at": NOW - SETTLE + MINUTE}),
        (EntityKind.ORDER, {"status": "Error", "changed_at": NOW - 9 * DAY}),
        (EntityKind.ORDER, {"status": "Archived", "status_known": False, "changed_at": NOW - 9 * DAY}),
        (EntityKind.ORDER, {"error": "Incorrect order ID"}),
        (EntityKind.REFILL, {"status": "Pending", "changed_at": NOW - 9 * DAY}),
        (EntityKind.BALANCE, {"changed_at": NOW - 9 * DAY}),
    ],
)
def test_all_else_is_asked_about_after_the_interval(kind: EntityKind, facts: Facts) -> None:
    assert look(kind, facts) == NOW + INTERVAL


def test_the_earliest_wake_comes_first() -> None:
    assert look(EntityKind.ORDER, {}, NOW + 5 * MINUTE, None, NOW + MINUTE) == NOW + MINUTE
