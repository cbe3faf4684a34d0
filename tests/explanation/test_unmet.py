"""What it would take for a false condition to hold, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.document import Position
from smm_rules.explanation.unmet import unmet
from smm_rules.facts import EntityKind, Value
from smm_rules.rules.condition.kleene import truth
from smm_rules.rules.expression import CompiledCondition, compile_condition

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FACTS: dict[str, Value] = {
    "status": "Completed",
    "status_known": True,
    "remains": 0,
    "service.refill": False,
    "placed_at": NOW - timedelta(hours=1),
    "label": "x",
    "charge": Decimal("0.5"),
    "currency": "USD",
    "service.rate": Decimal(2),
}


def compiled(source: str) -> CompiledCondition:
    return compile_condition(source, EntityKind.ORDER, Position(Path("r.yaml"), 1, 1))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('status == "Partial"', 'status must be "Partial": it is "Completed"'),
        ("remains > 0", "remains must be above 0: it is 0"),
        ("0 < remains", "remains must be above 0: it is 0"),
        ("remains >= 5", "remains must be 5 at least: it is 0"),
        ("remains != 0", "remains must not be 0: it is 0"),
        ("0 < remains <= 10", "remains must be above 0: it is 0"),
        ("service.refill", "service.refill must be true: it is false"),
        ("not status_known", "status_known must be false: it is true"),
        ("age > 2h", "age must be above 2h: it is 1h; wait 1h more"),
        ("age < 30m", "age must be below 30m: it is 1h, and it only grows"),
        ('status in ("Partial", "Canceled")', 'status must be "Partial" or "Canceled": it is "Completed"'),
        ('status not in ("Completed",)', 'status must not be "Completed": it is "Completed"'),
        ('not (status == "Completed")', 'status must not be "Completed": it is "Completed"'),
        ("not (remains < 5)", "remains must be 5 at least: it is 0"),
        (
            "not (0 <= remains < 5)",
            "remains must be below 0: it is 0, or remains must be 5 at least: it is 0",
        ),
        (
            "remains > 0 or age > 3d",
            "remains must be above 0: it is 0, or age must be above 3d: it is 1h; wait 2d23h more",
        ),
        (
            "remains > 0 and service.refill",
            "remains must be above 0: it is 0 and service.refill must be true: it is false",
        ),
        ("charge > 5 USD", "charge must be above 5 USD: it is 0.5"),
        ("charge > service.rate", "charge must be above service.rate (2): it is 0.5"),
        ('contains(label, "vip")', 'contains(label, "vip") must be true: label is "x"'),
        ("known(start_count)", "start_count must be known"),
        ("not known(label)", "label must not be known"),
    ],
)
def test_a_false_condition_says_what_it_wants(source: str, expected: str) -> None:
    condition = compiled(source)
    assert condition.holds(FACTS, NOW) is False
    assert unmet(condition.node, FACTS, NOW) == expected


@pytest.mark.parametrize("source", ["remains == 0", "start_count > 5", "not (start_count > 5)"])
def test_what_is_true_or_unknown_wants_nothing(source: str) -> None:
    assert unmet(compiled(source).node, FACTS, NOW) == ""


ATOMS = st.sampled_from(
    ["remains > 0", "remains <= 3", "service.refill", "age > 2h", "known(start_count)", "start_count > 1",
     'status == "Partial"', 'status in ("Canceled", "Completed")', "0 < remains < 9"]
)  # fmt: skip
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=5,
)


@given(SOURCES, st.integers(-1, 10), st.booleans())
def test_every_false_condition_and_no_other_wants_something(source: str, remains: int, refill: bool) -> None:
    facts = FACTS | {"remains": remains, "service.refill": refill}
    node = compiled(source).node
    assert bool(unmet(node, facts, NOW)) is (truth(node, facts, NOW) is False)
