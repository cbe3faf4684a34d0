"""Random conditions over few facts with few values, so that they often collide, and random facts for them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from smm_rules.document.problem import Position
from smm_rules.facts import EntityKind, OrderStatus, Value
from smm_rules.rules.expression import CompiledCondition, compile_condition

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = Position(Path("rules.yaml"), 1, 1)
_STATUSES = ("Partial", "Canceled", "Completed")
_ORDERED = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_EQUAL = st.sampled_from(["==", "!="])


def _compared(
    names: list[str], relations: st.SearchStrategy[str], values: list[str]
) -> st.SearchStrategy[str]:
    return st.builds("{} {} {}".format, st.sampled_from(names), relations, st.sampled_from(values))


_LISTS = st.lists(st.sampled_from(_STATUSES), min_size=1, max_size=3).map(
    lambda names: "(" + ", ".join(f'"{name}"' for name in names) + ")"
)
_ATOMS = st.one_of(
    _compared(["status"], _EQUAL, [f'"{name}"' for name in _STATUSES]),
    st.builds("status {} {}".format, st.sampled_from(["in", "not in"]), _LISTS),
    _compared(["remains", "order.quantity", "start_count", "remains + quantity"], _ORDERED, ["0", "1", "2"]),
    _compared(["progress", "refills"], _ORDERED, ["0", "1", "0.5"]),
    _compared(["2 - 1", "remains"], _ORDERED, ["quantity", "remains", "1"]),
    _compared(["age", "unchanged"], _ORDERED, ["0s", "1d", "2d"]),
    _compared(["charge"], _ORDERED, ["1 USD", "2 USD", "1 EUR", "1.5"]),
    _compared(["panel.failures"], _ORDERED, ["0", "1", "3"]),
    _compared(["0 < remains"], st.sampled_from(["<", "<=", "=="]), ["2", "quantity"]),
    _compared(["label"], _EQUAL, ['"a"', '"b"']),
    st.sampled_from(["service.refill", "status_known", "panel.reachable", 'contains(label, "a")', "true"]),
    st.sampled_from(["known(remains)", "known(age)", "known(panel.failing_for)", "service.refill == false"]),
    st.sampled_from(["panel.failing_for > 1d", "(remains > 1) == service.refill", "quantity / remains > 1"]),
)
SOURCES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


def condition(source: str) -> CompiledCondition:
    return compile_condition(source, EntityKind.ORDER, AT)


def worlds(seed: int, *, complete: bool, count: int = 24) -> list[dict[str, Value]]:
    """Several orders' facts."""
    choices = random.Random(seed)
    return [facts(choices, complete=complete) for _ in range(count)]


def facts(choices: random.Random, *, complete: bool) -> dict[str, Value]:
    """An order's facts as the daemon could hold them; incomplete ones leave some unknown."""

    def among(*values: Value) -> Value:
        return choices.choice(values)

    def ago(*days: float) -> datetime:
        return NOW - timedelta(days=choices.choice(days))

    status, reachable = among(*_STATUSES, "Frozen"), among(True, False)
    single: dict[str, Value] = {
        "label": among("a", "b"),
        "refills": among(0, 1),
        "service.refill": among(True, False),
        "start_count": among(0, 1, 2, 3),
        "charge": among(Decimal("1"), Decimal("1.7"), Decimal("3")),
        "currency": among("USD", "EUR"),
        "placed_at": ago(-1, 0, 1.5, 3),
    }
    said = {"status": status, "status_known": status in tuple(OrderStatus), "changed_at": ago(0, 1, 3)}
    delivery = {
        "remains": among(-1, 0, 1, 2, 3),
        "quantity": among(1, 2, 3),
        "progress": among(Decimal(0), Decimal("0.4"), 1),
    }
    panel = {"panel.reachable": reachable, "panel.failures": 0 if reachable else among(1, 2, 4)}
    if not reachable:
        panel["panel.failing_since"] = ago(0, 2)
    found = {name: value for name, value in single.items() if complete or choices.random() < 0.7}
    for group in (said, delivery, panel):
        if complete or choices.random() < 0.7:
            found |= group
    return found
