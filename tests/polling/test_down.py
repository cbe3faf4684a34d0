"""Which panels count as being down: those that were told of and are still tried in vain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smm_rules.polling.standing import FAILURES_TOLD, NOT_TRIED_ANY_MORE, Outage, down

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("failures", "paused_until", "is_down"),
    [
        (FAILURES_TOLD, NOW + timedelta(minutes=5), True),
        (FAILURES_TOLD, NOW - NOT_TRIED_ANY_MORE, True),
        (FAILURES_TOLD, NOW - NOT_TRIED_ANY_MORE - INSTANT, False),
        (FAILURES_TOLD - 1, NOW + timedelta(minutes=5), False),
    ],
)
def test_a_panel_is_down_while_its_failures_were_told_and_it_is_tried(
    failures: int, paused_until: datetime, is_down: bool
) -> None:
    outage = Outage(NOW - timedelta(days=1), failures, "refused", paused_until)
    known = {"north": {"refills": outage, "orders": Outage(NOW, 1, "x", NOW)}, "south": {}}
    assert down(known, NOW) == (frozenset({"north"}) if is_down else frozenset())
