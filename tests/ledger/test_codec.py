"""What the ledger writes reads back as it was, type and all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.engine.memory import BLANK, Memory
from smm_rules.facts import FIELDS, Entity, EntityKind, Facts, FactType, OrderStatus
from smm_rules.ledger import codec
from smm_rules.rules.model import Limits, Step, StepKind

instants = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
durations = st.timedeltas()
money = st.decimals(allow_nan=False)
#: Any text, half surrogate pairs and NUL included, as JSON from a panel may hold.
texts = st.text(st.characters(exclude_categories=()))
#: Text that every database can hold.
names = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
known = st.booleans() | st.integers() | money | texts | instants | durations
facts = st.dictionaries(texts | st.sampled_from(["$at", "$decimal", "$map"]), known)
plain = st.recursive(
    known | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(texts | st.sampled_from(["$at", "$for", "$map"]), inner),
    max_leaves=12,
)
steps = st.builds(Step, st.sampled_from(StepKind), st.dictionaries(texts, plain, max_size=3))


def typed(value: object) -> object:
    """`value` with the type of every leaf beside it: True and 1 are equal to Python, not to a condition."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, str(value) if isinstance(value, Decimal) else value


@given(facts)
def test_facts_keep_their_types(value: Facts) -> None:
    assert typed(codec.decode_facts(codec.encode_facts(value))) == typed(value)


@given(facts)
def test_equal_facts_are_equal_text(value: Facts) -> None:
    assert codec.encode_facts(dict(reversed(value.items()))) == codec.encode_facts(value)


_OF_TYPE = {
    FactType.BOOLEAN: st.booleans(),
    FactType.NUMBER: st.integers(),
    FactType.MONEY: money,
    FactType.TEXT: texts,
    FactType.ORDER_STATUS: texts | st.sampled_from([status.value for status in OrderStatus]),
    FactType.TIME: instants,
}
_OF_ORDERS = {
    name: _OF_TYPE[field.type]
    for name, field in FIELDS[EntityKind.ORDER].items()
    if field.type in _OF_TYPE and name != "progress"
}
order_facts = st.fixed_dictionaries({}, optional=_OF_ORDERS | {"progress": st.integers() | money})


def test_every_fact_of_an_order_has_a_place() -> None:
    stored = {name for name, field in FIELDS[EntityKind.ORDER].items() if field.since is None}
    assert set(codec.ORDER_FACTS) == stored
    assert len(codec.ORDER_FACTS) == len(stored)


def test_the_places_of_an_orders_facts_never_change() -> None:
    written = (
        '["Partial",true,157,"0.27",null,3572,"",843,"0.843",1767268800000000,1767268800000001,0,1,'
        '"7",1000,"https://example.com/7","label",1767268800000002,1767268800000003,2,3,"31/12/2026",4]'
    )
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    read: Facts = {
        "status": "Partial",
        "status_known": True,
        "remains": 157,
        "charge": Decimal("0.27"),
        "start_count": 3572,
        "error": "",
        "delivered": 843,
        "progress": Decimal("0.843"),
        "changed_at": at,
        "status_since": at + moment,
        "refills": 0,
        "chain_depth": 1,
        "id": "7",
        "quantity": 1000,
        "link": "https://example.com/7",
        "label": "label",
        "tracked_at": at + 2 * moment,
        "placed_at": at + 3 * moment,
        "runs": 2,
        "posts": 3,
        "expiry": "31/12/2026",
        "suborders": 4,
    }
    assert typed(codec.decode_facts(written)) == typed(read)
    assert codec.encode_order_facts(read) == written


@given(order_facts)
def test_the_facts_of_an_order_keep_their_types_by_their_places(value: Facts) -> None:
    text = codec.encode_order_facts(value)
    assert typed(codec.decode_facts(text)) == typed(value)
    assert text.startswith("[")
    assert codec.encode_order_facts(dict(reversed(value.items()))) == text


@given(st.dictionaries(st.sampled_from(codec.ORDER_FACTS) | texts, known))
def test_facts_that_would_not_be_known_by_their_places_are_named(value: Facts) -> None:
    assert typed(codec.decode_facts(codec.encode_order_facts(value))) == typed(value)


@given(plain)
def test_any_plain_value_comes_back(value: object) -> None:
    assert typed(codec.from_json(codec.to_json(value))) == typed(value)


@settings(max_examples=30)
@given(st.lists(steps, max_size=3).map(tuple))
def test_steps_come_back(value: tuple[Step, ...]) -> None:
    assert codec.decode_steps(codec.encode_steps(value)) == value


@given(st.builds(Limits))
def test_limits_come_back(value: Limits) -> None:
    assert codec.decode_limits(codec.encode_limits(value)) == value


@given(
    st.builds(
        Memory,
        true_since=st.none() | instants,
        unknown_since=st.none() | instants,
        fired_at=st.none() | instants,
        last_fired=st.none() | instants,
        reminded_at=st.none() | instants,
    )
)
def test_memories_come_back(value: Memory) -> None:
    assert codec.decode_memory(codec.encode_memory(value)) == value


def test_a_blank_memory_says_nothing() -> None:
    assert codec.encode_memory(BLANK) == "{}"


def test_a_memory_from_another_version_keeps_what_is_known() -> None:
    assert codec.decode_memory('{"firings":2,"mood":"good"}') == replace(BLANK, firings=2)


@given(instants)
def test_instants_are_whole_microseconds(value: datetime) -> None:
    assert codec.from_micros(codec.to_micros(value)) == value
    assert codec.from_micros(codec.to_micros(value)).tzinfo is UTC


def test_an_instant_is_the_same_in_every_zone() -> None:
    there = datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert codec.from_micros(codec.to_micros(there)) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        codec.to_micros(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


@given(st.sampled_from(EntityKind), names.filter(bool), names)
def test_entities_come_back_whatever_they_are_called(kind: EntityKind, panel: str, identifier: str) -> None:
    entity = Entity(kind, panel, identifier)
    assert codec.entity_from_text(codec.entity_text(entity)) == entity


@given(texts)
def test_storable_text_is_utf8_without_nul_and_otherwise_unchanged(value: str) -> None:
    stored = codec.storable(value)
    assert len(stored) == len(value)
    assert codec.storable(stored.encode().decode()) == stored
    assert all(
        kept == given or (kept == "?" and (given == "\0" or "\ud800" <= given <= "\udfff"))
        for kept, given in zip(stored, value, strict=True)
    )


def test_a_status_reads_back_as_the_text_it_is() -> None:
    assert codec.decode_facts(codec.encode_facts({"status": OrderStatus.PARTIAL})) == {"status": "Partial"}


@pytest.mark.parametrize("value", [1.5, {"a": [1.5]}, {1: "a"}, object(), {"a": {1, 2}}])
def test_what_the_ledger_does_not_keep_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="the ledger"):
        codec.to_json(value)


def test_a_limit_that_a_newer_program_wrote_is_passed_over() -> None:
    assert codec.decode_limits('{"per_order":1,"per_moon":2}') == Limits(per_order=1)


def test_only_a_name_that_begins_like_a_tag_is_wrapped() -> None:
    assert codec.to_json({"us$": 1}) == '{"us$":1}'
    assert codec.to_json({"$us": 1}) == '{"$map":[["$us",1]]}'


@given(st.dictionaries(texts | st.sampled_from(["$at", "$map"]), texts))
def test_texts_are_written_as_any_value_is_and_read_back(given: dict[str, str]) -> None:
    assert codec.encode_texts(given) == codec.to_json(given)
    assert codec.decode_texts(codec.encode_texts(given)) == given
