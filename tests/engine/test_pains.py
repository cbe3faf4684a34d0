"""What bites users of neighbouring systems, and the engine's promise to the contrary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smm_rules.engine.episode import reminder_due_at
from smm_rules.engine.evaluate import Evaluation, evaluate
from smm_rules.engine.guards import over_sweep_limit
from smm_rules.engine.memory import Memory, Reason
from smm_rules.rules.model import Limits
from tests.engine.looks import (
    HOUR,
    MINUTE,
    NOTIFY,
    RULE,
    START,
    UNTIL,
    Look,
    play,
    read_back,
    snapshot,
    with_hold,
)

HELD = with_hold(10 * MINUTE)


def after_restart(
    seen: Evaluation, minutes: int, when: bool | None = True, rule: object = HELD
) -> Evaluation:
    """The next look at an order, by a process that only has what was stored of the one before."""
    now = START + minutes * MINUTE
    memory = read_back(seen.memory)
    return evaluate(rule, snapshot(when, now, START), memory, now, HOUR)  # type: ignore[arg-type]


def test_a_hold_survives_a_restart() -> None:
    holding = evaluate(HELD, snapshot(True), Memory(), START, HOUR)
    assert after_restart(holding, 9).reason is Reason.HOLDING
    fired = after_restart(holding, 10)
    assert fired.reason is Reason.FIRED
    assert fired.firing is not None
    assert fired.firing.episode == START


def test_a_hold_survives_a_reload_of_an_equal_rule() -> None:
    holding = evaluate(HELD, snapshot(True), Memory(), START, HOUR)
    reloaded = replace(HELD, version="2", description="said better")
    assert after_restart(holding, 10, rule=reloaded).reason is Reason.FIRED


def test_an_edited_for_applies_at_once_both_ways() -> None:
    holding = evaluate(HELD, snapshot(True), Memory(), START, HOUR)
    assert after_restart(holding, 5, rule=with_hold(5 * MINUTE)).reason is Reason.FIRED
    longer = after_restart(holding, 10, rule=with_hold(20 * MINUTE))
    assert (longer.reason, longer.wake_at) == (Reason.HOLDING, START + 20 * MINUTE)


def test_an_edited_every_applies_at_once() -> None:
    over = Memory(last_fired=START, firings=1)
    now = START + HOUR
    for every, reason in ((30 * MINUTE, Reason.FIRED), (2 * HOUR, Reason.LIMIT_EVERY)):
        rule = replace(RULE, limit=Limits(every=every))
        assert evaluate(rule, snapshot(True, now), over, now, HOUR).reason is reason


def test_an_edited_remind_applies_at_once() -> None:
    fired = Memory(true_since=START, fired_at=START, last_fired=START, firings=1)
    for remind in (30 * MINUTE, 2 * HOUR):
        assert reminder_due_at(replace(RULE, remind=remind), fired) == START + remind


def test_nothing_is_told_twice_after_a_restart() -> None:
    fired = evaluate(RULE, snapshot(True), Memory(), START, HOUR)
    again = after_restart(fired, 600, rule=RULE)
    assert (again.reason, again.firing) == (Reason.ALREADY_FIRED, None)


def test_a_crash_before_the_memory_was_stored_repeats_the_same_firing_by_name() -> None:
    holding = evaluate(HELD, snapshot(True), Memory(), START, HOUR)
    lost, repeated = after_restart(holding, 10), after_restart(holding, 12)
    assert lost.firing is not None
    assert repeated.firing is not None
    assert lost.firing.key == repeated.firing.key


def test_the_end_of_a_hold_missed_in_an_outage_is_seen_late_and_not_lost() -> None:
    holding = evaluate(HELD, snapshot(True), Memory(), START, HOUR)
    assert after_restart(holding, 59).reason is Reason.FIRED


def test_an_end_missed_in_an_outage_is_told_when_it_is_seen() -> None:
    rule = replace(RULE, done=(NOTIFY,))
    fired = evaluate(rule, snapshot(True), Memory(), START, HOUR)
    resolved = after_restart(fired, 60 * 24, when=False, rule=rule)
    assert resolved.reason is Reason.RESOLVED
    assert resolved.firing is not None
    assert resolved.firing.steps == (NOTIFY,)


def test_missing_data_makes_no_condition_true_and_ends_nothing() -> None:
    rule = replace(RULE, until=UNTIL, done=(NOTIFY,))
    script = [
        Look(timedelta(), None),
        Look(MINUTE, True),
        Look(MINUTE, None, None),
        Look(HOUR * 9, False, None),
    ]
    reasons = [seen.evaluation.reason for seen in play(rule, script)]
    assert reasons == [Reason.UNKNOWN, Reason.FIRED, Reason.UNKNOWN, Reason.UNKNOWN]


def test_over_the_limit_of_a_sweep_none_has_fired_and_all_ask_again() -> None:
    limits = Limits(per_sweep=2)
    sweep = [evaluate(replace(RULE, limit=limits), snapshot(True), Memory(), START, HOUR) for _ in range(3)]
    assert over_sweep_limit(limits, len(sweep))
    stopped = [evaluation.memory_if_stopped(Reason.LIMIT_PER_SWEEP) for evaluation in sweep]
    assert {(memory.firings, memory.fired_at, memory.true_since) for memory in stopped} == {(0, None, START)}
