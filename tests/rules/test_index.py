"""Rules found by the plain values they ask for: never one too few, and few too many."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.document.problem import Position
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.index import RuleIndex, WatchedRules, index_of, terms
from smm_rules.rules.model import Rule, RuleSet, Step, StepKind

ORDER = EntityKind.ORDER
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def rule(name: str, when: str, kind: EntityKind = ORDER) -> Rule:
    condition = compile_condition(when, kind, Position(Path("rules.yaml"), 1, 1))
    return Rule(name, kind, condition, (Step(StepKind.LOG, {"message": "seen"}),), "v1")


def names(rules: list[Rule], facts: dict[str, Value], remembered: tuple[str, ...] = ()) -> list[str]:
    return [rule.name for rule in RuleIndex(rules).candidates(facts, remembered)]


@pytest.mark.parametrize(
    ("when", "asked"),
    [
        ('status == "Partial"', {"status": {"Partial"}}),
        ('"partial" == status', {"status": {"Partial"}}),
        ('status in ("Partial", "Canceled") and remains > 0', {"status": {"Partial", "Canceled"}}),
        ('status == "Partial" or status == "Canceled"', {"status": {"Partial", "Canceled"}}),
        ('status == "Partial" or (status in ("Canceled"))', {"status": {"Partial", "Canceled"}}),
        ('status in ("Partial", "Canceled") and status == "Partial"', {"status": {"Partial"}}),
        ('(service.id == "7" and service.refill) and not status_known',
         {"service.id": {"7"}, "service.refill": {True}, "status_known": {False}}),
        ("service.refill == false", {"service.refill": {False}}),
        ('order.label == "shop" and panel.name == "north"', {"label": {"shop"}, "panel.name": {"north"}}),
        # What asks for no plain values, or might be true or unknown without them.
        ('status != "Partial"', {}),
        ('status not in ("Partial")', {}),
        ('status == "Partial" or remains > 0', {}),
        ('status == "Partial" or label == "shop"', {}),
        ('not (status == "Partial")', {}),
        ("not not service.refill", {}),
        ('lower(status) == "partial"', {}),
        ("label == service.name", {}),
        ("charge == 5 USD", {}),
        ("remains == 0", {}),
        ("age == 3d", {}),
        ("known(label)", {}),
        ("service.refill == service.cancel", {}),
    ],
)  # fmt: skip
def test_what_a_condition_asks_of_single_facts(when: str, asked: dict[str, set[object]]) -> None:
    assert terms(rule("one", when)) == asked


def test_only_rules_that_could_match_are_found_in_file_order() -> None:
    rules = [
        rule("last-of-two", 'service.id == "2" and status == "Partial"'),
        rule("always", "remains > 0"),
        rule("canceled", 'status == "Canceled"'),
        rule("first", 'service.id == "1" and status == "Partial"'),
    ]
    facts: dict[str, Value] = {"status": "Partial", "service.id": "2"}
    assert names(rules, facts) == ["last-of-two", "always"]
    assert names(rules, facts | {"service.id": "1"}) == ["always", "first"]
    assert names(rules, facts | {"service.id": "3"}) == ["always"]
    assert names(rules, {"status": "Canceled", "service.id": "3"}) == ["always", "canceled"]


def test_an_unknown_fact_leaves_no_rule_out() -> None:
    rules = [rule("one", 'service.id == "1"'), rule("two", 'service.id == "2"'), rule("three", "remains > 0")]
    assert names(rules, {"service.id": UNKNOWN}) == ["one", "two", "three"]
    assert names(rules, {}) == ["one", "two", "three"]


def test_what_has_begun_is_found_whatever_the_facts_are() -> None:
    rules = [rule("one", 'service.id == "1"'), rule("two", 'service.id == "2"'), rule("three", "remains > 0")]
    assert names(rules, {"service.id": "9"}, ("two",)) == ["two", "three"]
    assert names(rules, {"service.id": "9"}, ("three",)) == ["three"]
    assert names(rules, {"service.id": "9"}, ("gone", "one")) == ["one", "three"]
    assert names(rules, {"service.id": "2"}, ("gone",)) == ["two", "three"]


def test_a_condition_that_can_never_be_true_is_found_by_nothing_but_an_unknown_fact() -> None:
    rules = [rule("never", 'status == "Partial" and status == "Canceled"')]
    assert names(rules, {"status": "Partial"}) == []
    assert names(rules, {"status": UNKNOWN}) == ["never"]


def test_of_several_values_the_rarest_stands_for_a_rule() -> None:
    rules = [
        rule(f"rule-{number}", f'status == "Partial" and service.id == "{number}"') for number in range(50)
    ]
    assert names(rules, {"status": "Partial", "service.id": "17"}) == ["rule-17"]


def test_answers_kept_for_another_time_are_dropped_when_they_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.rules.index._MOST_KEPT", 5)
    rules = [rule(f"rule-{number}", f'service.id == "{number}"') for number in range(20)]
    index = RuleIndex(rules)
    for number in (*range(20), *range(20)):
        assert index.candidates({"service.id": str(number)}, ()) == (rules[number],)
        assert len(index._kept) <= 4


def test_a_set_of_rules_makes_its_index_once_for_each_kind_and_panel() -> None:
    balance = rule("balance", "amount < 20", EntityKind.BALANCE)
    rules = RuleSet((rule("one", 'status == "Partial"'), balance))
    watching = rules.watching(ORDER, "north")
    assert watching == (rules.rules[0],)
    assert rules.watching(ORDER, "north") is watching
    assert isinstance(watching, WatchedRules)
    assert index_of(watching) is index_of(rules.watching(ORDER, "north"))
    assert index_of(rules.watching(EntityKind.BALANCE, "north")).candidates({}, ()) == (balance,)
    assert rules == RuleSet(rules.rules)


CLAUSES = st.sampled_from(
    [
        'status == "Partial"', 'status in ("Partial", "Canceled")', 'status != "Partial"', 'label == "a"',
        'label in ("a", "b")', 'service.id == "1"', "service.refill", "not service.refill", "remains > 0",
        '(status == "Completed" or status == "Partial")', '(status == "Completed" or label == "a")',
    ]
)  # fmt: skip
CONDITIONS = st.lists(CLAUSES, min_size=1, max_size=4, unique=True).map(" and ".join)
VALUES: dict[str, list[Value]] = {
    "status": ["Partial", "Canceled", "Completed", "Frozen", UNKNOWN],
    "label": ["a", "b", "", UNKNOWN],
    "service.id": ["1", "2", UNKNOWN],
    "service.refill": [True, False, UNKNOWN],
    "remains": [0, 5, UNKNOWN],
}
# By their places, for Hypothesis would hash them, which an unknown fact refuses.
FACTS = st.fixed_dictionaries(
    {name: st.integers(0, len(values) - 1).map(values.__getitem__) for name, values in VALUES.items()}
)


@given(st.lists(CONDITIONS, max_size=6), st.lists(FACTS, min_size=1, max_size=4))
def test_what_is_left_out_is_certain_to_be_false(
    conditions: list[str], several: list[dict[str, Value]]
) -> None:
    rules = [rule(f"rule-{number}", when) for number, when in enumerate(conditions)]
    index = RuleIndex(rules)
    for facts in several:
        found = index.candidates(facts, ())
        left_out = [each for each in rules if each not in found]
        assert [each.when.holds(facts, NOW) for each in left_out] == [False] * len(left_out)
        assert list(found) == [each for each in rules if each in found]
