"""Most looks at most rules come to nothing: those leave no trace in a sweep, and all others do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from smm_rules.document.problem import Position
from smm_rules.engine.memory import Memory, Reason
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot
from smm_rules.ledger.records import Observed, Remembered
from smm_rules.polling.decisions import Belts, Look, decide
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.model import Rule, Step, StepKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORDER = Entity(EntityKind.ORDER, "north", "23501")
BELTS = Belts(live=True, gap=timedelta(hours=1))
FACTS: Facts = {"id": "23501", "status": "Partial", "remains": 157}


def rule(name: str, when: str, hold: timedelta = timedelta()) -> Rule:
    condition = compile_condition(when, EntityKind.ORDER, Position(Path("rules.yaml"), 1, 1))
    return Rule(
        name, EntityKind.ORDER, condition, (Step(StepKind.LOG, {"message": "seen"}),), "v1", hold=hold
    )


def look(*, same: bool = False) -> Look:
    snapshot = Snapshot(ORDER, complete(EntityKind.ORDER, FACTS, {}), NOW, NOW - MINUTE, ORDER)
    return Look(snapshot, FACTS, False, 5 * MINUTE, same=same)


def test_a_rule_that_does_not_hold_or_is_unknown_leaves_no_verdict() -> None:
    rules = (rule("other-status", 'status == "Canceled"'), rule("unknown", "service.refill"))
    decided = decide([look()], rules, {}, NOW, BELTS)
    assert decided.verdicts == ()
    assert decided.sweep.remembered == ()
    assert decided.sweep.observed == (Observed(ORDER, FACTS, False, NOW + 5 * MINUTE),)


def test_a_hold_that_goes_on_changes_nothing_and_still_wakes_the_order() -> None:
    holding = rule("holding", "remains > 0", hold=3 * MINUTE)
    memories = {("holding", ORDER): Memory(true_since=NOW - MINUTE)}
    decided = decide([look()], (holding,), memories, NOW, BELTS)
    assert [verdict.evaluation.reason for verdict in decided.verdicts] == [Reason.HOLDING]
    assert decided.sweep.remembered == ()
    assert decided.sweep.observed[0].due_at == NOW + 2 * MINUTE


def test_an_end_is_remembered() -> None:
    ended = rule("ended", "remains == 0", hold=3 * MINUTE)
    memories = {("ended", ORDER): Memory(true_since=NOW - MINUTE)}
    decided = decide([look()], (ended,), memories, NOW, BELTS)
    assert decided.sweep.remembered == (Remembered("ended", ORDER, Memory()),)


def test_the_same_facts_are_handed_on_as_the_same() -> None:
    decided = decide([look(same=True)], (), {}, NOW, BELTS)
    assert decided.sweep.observed == (Observed(ORDER, FACTS, False, NOW + 5 * MINUTE, same=True),)
