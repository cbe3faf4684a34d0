"""Rules that act on the same things are found without holding every two against each other."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document import Problem
from smm_rules.document.problem import Position
from smm_rules.facts import EntityKind
from smm_rules.rules.analysis import overlap
from smm_rules.rules.analysis.reading import Kept, Reading
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.model import Rule, Step, StepKind

REFILL = (Step(StepKind.REFILL),)


def acting(name: str, when: str, panels: frozenset[str] | None = None) -> overlap.Acting:
    condition = compile_condition(when, EntityKind.ORDER, Position(Path("rules.yaml"), 1, 1))
    rule = Rule(name, EntityKind.ORDER, condition, REFILL, "v1", panels=panels)
    return overlap.Acting(rule, Reading(condition, Kept(EntityKind.ORDER)))


def told(several: list[overlap.Acting]) -> list[Problem]:
    return list(overlap.overlap_warnings(several))


def test_two_of_many_rules_that_meet_are_found() -> None:
    several = [acting(f"rule-{number}", f'service.id == "{number}" and remains > 0') for number in range(400)]
    several.append(acting("the-last", 'service.id in ("7", "401")'))
    with mock.patch.object(overlap, "_example", wraps=overlap._example) as compared:
        warnings = told(several)
    assert [warning.message.partition(" can both")[0] for warning in warnings] == ['"the-last" and "rule-7"']
    assert compared.call_count == 1


def test_no_more_pairs_are_looked_at_than_can_be_in_good_time() -> None:
    several = [acting(f"rule-{number}", "remains > 0") for number in range(5)]
    with mock.patch.object(overlap, "MOST_PAIRS", 7):
        assert len(told(several)) == 7
    assert len(told(several)) == 10


CLAUSES = st.sampled_from(
    [
        'status == "Partial"', 'status in ("Partial", "Canceled")', 'status != "Partial"', "remains > 5",
        'service.id == "1"', 'service.id in ("1", "2")', "service.refill", "not service.refill",
        "remains < 3",
        '(status == "Completed" or service.refill)', '(status == "Completed" or status == "Canceled")',
    ]
)  # fmt: skip
CONDITIONS = st.lists(CLAUSES, min_size=1, max_size=3, unique=True).map(" and ".join)
PANELS = st.none() | st.sampled_from([frozenset({"north"}), frozenset({"south"})])


@given(st.lists(st.tuples(CONDITIONS, PANELS), max_size=7))
@settings(max_examples=100, deadline=None)
def test_what_is_told_is_what_holding_every_two_together_would_tell(
    rules: list[tuple[str, frozenset[str] | None]],
) -> None:
    several = [acting(f"rule-{number}", *rule) for number, rule in enumerate(rules)]
    with mock.patch.object(overlap, "_choices_of", return_value={}):
        whole = told(several)
    assert told(several) == whole
