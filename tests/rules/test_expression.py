"""The public face of conditions: clauses, names, hashing text, traces, currencies, missing facts."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path

import pytest

from smm_rules.document.problem import Position
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.rules.condition import generating
from smm_rules.rules.expression import (
    FUNCTIONS,
    CompiledCondition,
    SourceText,
    compile_condition,
    compile_conditions,
)

ORDER = EntityKind.ORDER
AT = Position(Path("rules.yaml"), 4, 11)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PARTIAL: dict[str, Value] = {"status": "Partial", "remains": 157, "service.refill": True}


def compiled(source: str, kind: EntityKind = ORDER) -> CompiledCondition:
    return compile_condition(source, kind, AT)


def holds(source: str, facts: dict[str, Value], kind: EntityKind = ORDER) -> bool | None:
    return compiled(source, kind).holds(facts, NOW)


def test_the_condition_of_the_first_rule() -> None:
    condition = compiled('status == "Partial" and remains > 0 and service.refill')
    assert condition.holds(PARTIAL, NOW) is True
    assert condition.holds(PARTIAL | {"remains": 0}, NOW) is False
    assert condition.holds(PARTIAL | {"service.refill": UNKNOWN}, NOW) is None
    assert condition.holds(PARTIAL | {"service.refill": UNKNOWN, "remains": 0}, NOW) is False


def test_a_condition_is_always_a_boolean_even_of_one_fact() -> None:
    assert holds("service.refill", {"service.refill": True}) is True
    assert holds("service.refill", {"service.refill": UNKNOWN}) is None
    assert holds("not service.refill", {"service.refill": UNKNOWN}) is None
    assert holds("status_known or service.refill", {"status_known": False, "service.refill": UNKNOWN}) is None


UNDECIDED = (
    'status == "Partial"',
    "not remains > 0",
    "0 < remains < quantity < 100",
    "remains * 2 + 1 > abs(quantity)",
    "age > 3d",
    "charge < 5 USD",
    'status in ("Partial", "Canceled") and (remains > 0 or not service.refill)',
    'contains(lower(label), "shop") or min(remains, quantity) > 1',
)


@pytest.mark.parametrize("source", UNDECIDED)
def test_unknown_facts_are_dealt_with_by_the_generated_code_alone(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generating, "truth", lambda node, facts, now: pytest.fail("evaluated the slow way"))
    condition = compiled(source)
    assert condition.holds(dict.fromkeys(condition.stored_names, UNKNOWN), NOW) is None


def test_a_false_part_of_a_chain_decides_it_whatever_is_unknown_in_the_other() -> None:
    assert holds("0 < remains < quantity", {"remains": 0, "quantity": UNKNOWN}) is False
    assert holds("remains < quantity < 5", {"remains": UNKNOWN, "quantity": 5}) is False
    assert holds("0 < remains < quantity", {"remains": 1, "quantity": UNKNOWN}) is None
    assert holds("not 0 < remains < quantity", {"remains": 1, "quantity": UNKNOWN}) is None


def test_a_fact_without_a_key_is_unknown() -> None:
    assert holds("remains > 0", {}) is None
    assert holds("known(remains)", {}) is False
    assert holds("age > 3d", {}) is None


def test_known_asks_without_being_unknown() -> None:
    assert holds("known(age)", {"placed_at": NOW}) is True
    assert holds("known(age)", {"placed_at": UNKNOWN}) is False
    assert holds("known(start_count) and start_count > 10", {"start_count": UNKNOWN}) is False


def test_a_duration_runs_with_the_clock() -> None:
    condition = compiled("age >= 3d and unchanged < 1h30m")
    facts: dict[str, Value] = {"placed_at": NOW - timedelta(days=3), "changed_at": NOW - timedelta(hours=1)}
    assert condition.holds(facts, NOW) is True
    assert condition.holds(facts, NOW - timedelta(seconds=1)) is False
    assert condition.holds(facts, NOW + timedelta(minutes=30)) is False
    assert condition.names == {"age", "unchanged"}
    assert condition.stored_names == {"placed_at", "changed_at"}


def test_statuses_compare_over_known_spellings() -> None:
    assert holds('status == "cancelled"', {"status": "Canceled"}) is True
    assert holds('status in ("IN PROGRESS", "pending")', {"status": "In progress"}) is True
    assert holds('status not in ["complete"]', {"status": "Awaiting"}) is True
    assert holds('lower(status) == "awaiting"', {"status": "Awaiting"}) is True
    assert holds('status in ("Partial")', {"status": "Partial"}) is True


@pytest.mark.parametrize(
    ("source", "facts", "expected"),
    [
        ("amount < 20 USD", {"amount": Decimal(19), "currency": "USD"}, True),
        ("amount < 20 USD", {"amount": Decimal(19), "currency": "EUR"}, None),
        ("amount < 20 USD", {"amount": Decimal(19), "currency": UNKNOWN}, None),
        ("amount < 20", {"amount": Decimal(19), "currency": "EUR"}, True),
        ("not amount < 20 USD", {"amount": Decimal(19), "currency": "EUR"}, None),
        ("amount in (19 USD, 20USD)", {"amount": Decimal(19), "currency": "USD"}, True),
        ("10 USD < amount + 1 USD < 20 USD", {"amount": Decimal("18.99"), "currency": "USD"}, True),
        (
            "amount < 20 USD or amount < 18 EUR",
            {"amount": Decimal(17), "currency": "EUR"},
            True,
        ),
    ],
)
def test_money_compares_within_its_currency_only(
    source: str, facts: dict[str, Value], expected: bool | None
) -> None:
    assert holds(source, facts, EntityKind.BALANCE) is expected


def test_a_rate_is_in_the_currency_of_the_balance() -> None:
    facts: dict[str, Value] = {"rate": Decimal("0.90"), "balance.currency": "USD"}
    condition = compiled("rate < 1 USD", EntityKind.SERVICE)
    assert condition.holds(facts, NOW) is True
    assert condition.names == {"rate", "balance.currency"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0.1 + 0.2 == 0.3", True),
        ("10% == 0.1", True),
        ("1 / 3 * 3 == 1", False),
        ("7 / 2 == 3.5", True),
        ("1_000 == 1000", True),
        ("-3 < -2 < -1", True),
        ("round(2.5) == 3 and round(-2.5) == -3", True),
        ("3d - 1d == 48h", True),
        ("1d * 0.5 == 12h and 1d / 2 == 12h and 1d / 12h == 2", True),
        ("1 / 0 == 1", None),
        ("not 1 / 0 == 1", None),
        ("1 / 0 == 1 or true", True),
        ("1d / 0 > 1d", None),
        ("0 / 0 in (1, 2)", None),
    ],
)
def test_arithmetic_is_exact_and_never_raises(source: str, expected: bool | None) -> None:
    assert holds(source, {}) is expected


def test_what_can_not_be_worked_out_is_unknown() -> None:
    huge = " * ".join(["999999999999999999999999999999"] * 30)
    assert holds(f"{huge} > 0", {}) is True
    assert holds("placed_at + 3600d * 3600 > placed_at", {"placed_at": NOW}) is None
    assert holds("remains * 3d > 1d", {"remains": 10**40}) is None
    assert holds("charge > 0", {"charge": Decimal("NaN")}) is None


def test_arithmetic_does_not_depend_on_the_context_of_the_thread() -> None:
    condition = compiled("charge * 3 == 3.703703703703703703703703701")
    with localcontext(Context(prec=3)):
        assert condition.holds({"charge": Decimal("1.234567901234567901234567900")}, NOW) is False
        assert condition.holds({"charge": Decimal("1.234567901234567901234567900333")}, NOW) is True


def test_clauses_keep_their_own_places() -> None:
    second = SourceText("remains > 0\n  and service.refill", Position(AT.file, 5, 9))
    condition = compile_conditions((SourceText('status == "Partial"', AT), second), ORDER)
    assert [(clause.source, str(clause.position)) for clause in condition.clauses] == [
        ('status == "Partial"', "rules.yaml:4:11"),
        ("remains > 0", "rules.yaml:5:9"),
        ("service.refill", "rules.yaml:6:7"),
    ]
    assert [clause.names for clause in condition.clauses] == [{"status"}, {"remains"}, {"service.refill"}]
    assert [clause.holds(PARTIAL, NOW) for clause in condition.clauses] == [True, True, True]


def test_a_list_means_and_also_where_a_part_says_or() -> None:
    parts = ('status == "Partial" or remains > 0', "service.refill")
    condition = compile_conditions([SourceText(part, AT) for part in parts], ORDER)
    assert condition.source == '(status == "Partial" or remains > 0) and service.refill'
    assert condition.holds(PARTIAL | {"service.refill": False}, NOW) is False
    assert condition.canonical == compiled(condition.source).canonical


def test_a_list_of_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compile_conditions((), ORDER)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('status=="cancelled"', '( order.status  ==  "Canceled" )'),
        ("progress < 10%", "progress < 0.10"),
        ("age > 60m", "age > 1h"),
        ("remains in (1, 2)", "remains in [1,2,]"),
        ("remains > 1_000.0", "remains > 1000"),
        ("service.refill == True", "service.refill == true"),
        ("remains > 0\nand service.refill", "remains > 0 and (service.refill)"),
    ],
)
def test_equal_meanings_have_one_canonical_text(one: str, other: str) -> None:
    assert compiled(one).canonical == compiled(other).canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("charge < 1 USD", "charge < 1 EUR"),
        ("charge < 1", "charge < 1 USD"),
        ("remains > 0", "remains >= 0"),
        ('label == "1"', 'label == "1 "'),
        ("not (status_known and service.refill)", "not status_known and service.refill"),
        ("remains - (quantity - 1) > 0", "remains - quantity - 1 > 0"),
    ],
)
def test_different_meanings_have_different_canonical_texts(one: str, other: str) -> None:
    assert compiled(one).canonical != compiled(other).canonical


def test_a_trace_names_the_missing_fact() -> None:
    condition = compiled('status == "Partial" and start_count * 2 > 10')
    trace = condition.trace({"status": "Partial", "start_count": UNKNOWN}, NOW)
    assert (trace.source, trace.truth, trace.missing) == (condition.source, None, ("start_count",))
    status, count = trace.parts
    assert (status.source, status.truth, status.facts) == ('status == "Partial"', True, {"status": "Partial"})
    assert (count.source, count.truth, count.value) == ("start_count * 2 > 10", None, UNKNOWN)
    assert [part.source for part in count.parts] == ["start_count * 2"]


def test_a_trace_shows_values_worked_out() -> None:
    trace = compiled("quantity - remains >= 10").trace({"quantity": 100, "remains": 95}, NOW)
    assert (trace.truth, trace.parts[0].value) == (False, 5)
    assert [(part.source, part.value) for part in trace.parts[0].parts] == [
        ("quantity", 100),
        ("remains", 95),
    ]


def test_a_trace_tells_of_a_currency_that_differs() -> None:
    facts: dict[str, Value] = {"amount": Decimal(1), "currency": "EUR"}
    trace = compiled("amount < 20 USD", EntityKind.BALANCE).trace(facts, NOW)
    assert (trace.truth, trace.facts) == (None, facts)


def test_a_condition_is_frozen_and_compares_by_what_it_says() -> None:
    condition = compiled("remains > 0")
    assert condition == compiled("remains > 0")
    assert condition != compiled("remains > 1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        condition.source = "true"  # type: ignore[misc]  # that is what must fail


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_example_of_the_table_of_functions_compiles(name: str) -> None:
    assert f"{name}(" in compiled(FUNCTIONS[name].example).canonical
