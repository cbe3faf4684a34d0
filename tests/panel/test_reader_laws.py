"""Whatever a panel writes, a reader answers or raises one of the typed errors."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.panel import wire
from smm_rules.panel.errors import PanelError, Unreadable
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.shapes import Entries

# Members that mean something, so that the search gets behind the first check of a shape.
NAMES = st.sampled_from(
    [
        "1",
        "2",
        "3",
        "0",
        "order",
        "orders",
        "order_id",
        "refill",
        "cancel",
        "status",
        "error",
        "errors",
        "message",
        "success",
        "charge",
        "remains",
        "start_count",
        "currency",
        "balance",
        "service",
        "name",
        "type",
        "rate",
        "min",
        "max",
        "runs",
        "posts",
        "expiry",
        "retry_after",
    ]
)
WORDS = st.sampled_from(
    [
        "Partial",
        "Completed",
        "fail",
        "success",
        "Incorrect order ID",
        "Rate limit",
        "1",
        "1,000",
        "-5",
        "NaN",
        "",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=1, max_value=3)
    | st.decimals()
    | WORDS
    | st.text(st.characters(), max_size=20)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
ASKED = st.sampled_from([["1"], ["1", "2"], ["1", "2", "3", "x-9"]])

READERS: tuple[Callable[[object, list[str]], object], ...] = (
    lambda document, ids: wire.read_balance(document),
    lambda document, ids: wire.read_new_order(document),
    lambda document, ids: wire.read_catalogue(document),
    lambda document, ids: wire.read_refill(document, ids[0]),
)
ENTRY_READERS: tuple[Callable[[object, list[str]], Entries[Any]], ...] = (
    wire.read_order_states,
    wire.read_refill_states,
    wire.read_refills,
    wire.read_cancels,
)


@given(DOCUMENTS, ASKED)
@settings(max_examples=300)
def test_any_document_is_read_or_refused_in_a_typed_way(document: object, ids: list[str]) -> None:
    for reader in READERS:
        with contextlib.suppress(PanelError):
            reader(document, ids)


@given(DOCUMENTS, ASKED)
@settings(max_examples=300)
def test_entries_are_of_ids_asked_for_and_never_both_found_and_unreadable(
    document: object, ids: list[str]
) -> None:
    for reader in ENTRY_READERS:
        with contextlib.suppress(PanelError):
            entries = reader(document, ids)
            assert entries.found.keys() <= set(ids)
            assert entries.found.keys().isdisjoint(entries.unreadable)


STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 408, 429, 500, 502, 503])
EFFECTS = st.sampled_from([(), ("order", "order_id"), ("refill",), ("cancel",)])


@given(STATUSES, st.text(max_size=60) | DOCUMENTS.map(lambda it: json.dumps(it, default=str)), EFFECTS)
@settings(max_examples=300)
def test_any_body_with_any_status_is_judged_in_a_typed_way(
    status: int, body: str, effects: tuple[str, ...]
) -> None:
    with contextlib.suppress(PanelError):
        judge(Reply(status, body), effects)
        assert 200 <= status < 300


@given(st.integers(min_value=1, max_value=10**9), st.text(min_size=1, max_size=30), STATUSES)
def test_an_error_beside_an_order_is_never_a_refusal(order: int, words: str, status: int) -> None:
    body = json.dumps({"order": order, "error": f"x{words}"})
    with pytest.raises(Unreadable):
        judge(Reply(status, body), ("order",))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=5))
def test_money_in_json_never_passes_through_a_float(amount: Decimal) -> None:
    document = judge(Reply(200, f'{{"balance": {amount:f}}}'))
    assert wire.read_balance(document).amount == amount


VALUES = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["157", "-3", "1,000", "0.27", "", "x", "[]"])
)
STATE = st.fixed_dictionaries(
    {"status": st.sampled_from(["Partial", "In progress", "Error", "Refunded"])},
    optional={
        **dict.fromkeys(("remains", "start_count", "charge", "runs", "posts"), VALUES),
        "currency": st.sampled_from(["USD", "usd", "euro", ""]) | st.none(),
        "expiry": st.sampled_from(["31/12/2026", ""]) | st.none(),
        "orders": st.lists(st.integers(1, 9), max_size=2) | st.none(),
        "error": st.sampled_from(["", "Incorrect order ID"]),
        "1": st.just("7"),
    },
)


@given(STATE)
def test_a_state_is_the_same_by_the_short_way_and_the_long(entry: dict[str, object]) -> None:
    """A status that isn't written as most panels write it is looked into."""
    long = entry | {"status": f" {str(entry['status']).upper()}"}
    found = wire.read_order_states({"8": entry}, ["8"])
    assert found == wire.read_order_states({"8": long}, ["8"])
    assert found.found or found.unreadable
