"""Complete snapshots: every readable stored fact has a key, and running durations have none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.snapshots import complete, known_facts, related
from smm_rules.facts import UNKNOWN, EntityKind, readable_fields

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("kind", list(EntityKind))
def test_a_snapshot_of_nothing_has_every_readable_field_unknown(kind: EntityKind) -> None:
    facts = complete(kind, {}, {})
    expected = {field.name for field in readable_fields(kind).values() if field.since is None}
    assert facts.keys() == expected
    assert {repr(value) for value in facts.values()} == {"unknown"}


def test_own_facts_are_bare_and_related_ones_dotted() -> None:
    service = related(EntityKind.SERVICE, {"rate": Decimal(2), "refill": True})
    facts = complete(EntityKind.ORDER, {"status": "Partial", "remains": 157}, service)
    assert (facts["status"], facts["remains"]) == ("Partial", 157)
    assert (facts["service.rate"], facts["service.refill"]) == (Decimal(2), True)
    assert facts["charge"] is UNKNOWN
    assert facts["service.min"] is UNKNOWN


def test_one_snapshot_leaves_no_trace_in_the_next() -> None:
    complete(EntityKind.ORDER, {"status": "Partial"}, {"service.refill": True})
    facts = complete(EntityKind.ORDER, {}, {})
    assert facts["status"] is UNKNOWN
    assert facts["service.refill"] is UNKNOWN


def test_known_facts_are_those_known_and_the_durations_that_run() -> None:
    panel = related(EntityKind.PANEL, {"name": "acme", "catalogue_read_at": NOW - 2 * DAY})
    facts = complete(EntityKind.ORDER, {"id": "23501", "placed_at": NOW - DAY}, panel)
    assert known_facts(EntityKind.ORDER, facts, NOW) == {
        "id": "23501",
        "placed_at": NOW - DAY,
        "age": DAY,
        "panel.name": "acme",
        "panel.catalogue_read_at": NOW - 2 * DAY,
        "panel.catalogue_age": 2 * DAY,
    }
