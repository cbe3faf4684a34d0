"""No false alarms: what a warning says of a condition is so for any facts."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, assume, given, settings

from smm_rules.facts import EntityKind
from smm_rules.rules.analysis.conditions import condition_warnings, until_warnings
from smm_rules.rules.analysis.reading import Kept, Reading, always
from tests.rules.analysis.generated import NOW, SOURCES, condition, worlds

ORDER = EntityKind.ORDER
LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 1 << 32)
SEVERAL = st.lists(SOURCES, min_size=2, max_size=3)


def joined(sources: list[str], word: str) -> str:
    return f" {word} ".join(f"({source})" for source in sources)


@LAW
@given(SEVERAL, SEEDS)
def test_what_is_warned_of_as_never_true_is_never_true(sources: list[str], seed: int) -> None:
    compiled = condition(joined(sources, "and"))
    assume(Reading(compiled, Kept(ORDER)).never())
    assert [world for world in worlds(seed, complete=False) if compiled.holds(world, NOW)] == []


@LAW
@given(SEVERAL, SEEDS)
def test_what_is_warned_of_as_always_true_is_true_of_complete_facts(sources: list[str], seed: int) -> None:
    compiled = condition(joined(sources, "or"))
    assume(always(compiled.node, ORDER))
    # A panel that answers has no start of failures: `panel.failing_for` is never complete.
    complete = {True, None} if "failing_for" in compiled.source else {True}
    assert {compiled.holds(world, NOW) for world in worlds(seed, complete=True)} <= complete


@LAW
@given(SEVERAL, SEEDS)
def test_a_clause_that_changes_nothing_changes_nothing(sources: list[str], seed: int) -> None:
    compiled = condition(joined(sources, "and"))
    warned = {
        found.position
        for found in condition_warnings(Reading(compiled, Kept(ORDER)), "when")
        if "says it already" in found.message
    }
    kept = [clause for clause in compiled.clauses if clause.position not in warned]
    assume(len(kept) < len(compiled.clauses))
    for world in worlds(seed, complete=False):
        with_all = all(clause.holds(world, NOW) for clause in compiled.clauses)
        assert all(clause.holds(world, NOW) for clause in kept) is with_all


@LAW
@given(SOURCES, SOURCES, SEEDS)
def test_an_until_said_to_be_true_while_when_is_never_false_then(when: str, until: str, seed: int) -> None:
    first, second = condition(when), condition(until)
    assume(
        any(
            "already while" in found.message
            for found in until_warnings(Reading(first, Kept(ORDER)), Reading(second, Kept(ORDER)))
        )
    )
    told = [second.holds(world, NOW) for world in worlds(seed, complete=False) if first.holds(world, NOW)]
    assert False not in told
