"""The episode machine, one test for each reason an evaluation can end with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smm_rules.engine.evaluate import evaluate
from smm_rules.engine.firing import Occasion
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.rules.model import NO_LIMITS, FirstSeen, Limits
from tests.engine.looks import (
    HOUR,
    MINUTE,
    NOTIFY,
    ORDER,
    REFILL,
    RULE,
    START,
    UNTIL,
    Look,
    play,
    reasons,
    snapshot,
    with_hold,
)

HELD = with_hold(10 * MINUTE)
REMINDING = replace(RULE, remind=HOUR)
PAID = replace(RULE, first_seen=FirstSeen.IGNORE)


def looks(*script: tuple[int, bool | None]) -> list[Look]:
    return [Look(minutes * MINUTE, when) for minutes, when in script]


# -- before firing -------------------------------------------------------------------------------------
def test_a_false_condition_begins_nothing() -> None:
    evaluation = evaluate(RULE, snapshot(False), BLANK, START, HOUR)
    assert (evaluation.reason, evaluation.firing, evaluation.wake_at) == (Reason.NOT_TRUE, None, None)
    assert evaluation.memory is BLANK


def test_a_rule_without_a_hold_fires_at_once() -> None:
    evaluation = evaluate(RULE, snapshot(True), BLANK, START, HOUR)
    assert evaluation.reason is Reason.FIRED
    assert evaluation.memory == Memory(true_since=START, fired_at=START, last_fired=START, firings=1)


def test_the_firing_carries_what_the_rule_asks_and_the_known_facts() -> None:
    rule = replace(RULE, otherwise=(NOTIFY,), limit=Limits(per_chain=2))
    firing = evaluate(rule, snapshot(True), BLANK, START, HOUR).firing
    assert firing is not None
    assert (firing.rule, firing.entity, firing.root, firing.episode) == ("stuck", ORDER, ORDER, START)
    assert (firing.occasion, firing.ordinal, firing.at) == (Occasion.FIRED, 0, START)
    assert (firing.steps, firing.otherwise) == ((REFILL, NOTIFY), (NOTIFY,))
    assert firing.limits == Limits(per_chain=2)
    assert firing.facts["age"] == HOUR
    assert "remains" not in firing.facts


def test_a_hold_waits_and_says_until_when() -> None:
    evaluation = evaluate(HELD, snapshot(True), BLANK, START, HOUR)
    assert (evaluation.reason, evaluation.firing) == (Reason.HOLDING, None)
    assert evaluation.wake_at == START + 10 * MINUTE
    assert evaluation.memory == Memory(true_since=START)


def test_a_hold_fires_when_it_is_over_named_by_its_beginning() -> None:
    seen = play(HELD, looks((0, True), (9, True), (1, True)))
    assert [look.evaluation.reason for look in seen] == [Reason.HOLDING, Reason.HOLDING, Reason.FIRED]
    firing = seen[-1].evaluation.firing
    assert firing is not None
    assert (firing.episode, firing.at) == (START, START + 10 * MINUTE)


def test_a_condition_that_clears_before_its_hold_is_forgotten() -> None:
    script = looks((0, True), (5, False), (1, True), (9, True), (1, True))
    expected = [Reason.HOLDING, Reason.NOT_TRUE, Reason.HOLDING, Reason.HOLDING, Reason.FIRED]
    assert reasons(HELD, script) == expected


def test_until_is_not_asked_before_the_rule_fired() -> None:
    rule = replace(HELD, until=UNTIL)
    assert reasons(rule, [Look(0 * MINUTE, True, True), Look(MINUTE, False, False)]) == [
        Reason.HOLDING,
        Reason.NOT_TRUE,
    ]


# -- unknown and unseen --------------------------------------------------------------------------------
def test_unknown_begins_nothing() -> None:
    evaluation = evaluate(RULE, snapshot(None), BLANK, START, HOUR)
    assert (evaluation.reason, evaluation.memory) == (Reason.UNKNOWN, BLANK)


def test_unknown_within_a_hold_freezes_it_and_notes_since_when() -> None:
    seen = play(HELD, looks((0, True), (5, None), (5, None)))
    assert [look.evaluation.reason for look in seen[1:]] == [Reason.UNKNOWN, Reason.UNKNOWN]
    assert seen[-1].evaluation.memory == Memory(true_since=START, unknown_since=START + 5 * MINUTE)
    assert seen[-1].evaluation.wake_at is None


def test_a_hold_goes_on_when_the_fact_is_known_again_within_the_gap() -> None:
    seen = play(HELD, looks((0, True), (5, None), (5, True)), gap=5 * MINUTE)
    assert seen[-1].evaluation.reason is Reason.FIRED
    assert seen[-1].evaluation.memory.unknown_since is None


def test_an_unknown_stretch_longer_than_the_gap_restarts_the_hold() -> None:
    seen = play(HELD, looks((0, True), (1, None), (3, None), (3, True)), gap=5 * MINUTE)
    last = seen[-1].evaluation
    assert (last.reason, last.memory) == (Reason.GAP_RESTARTED, Memory(true_since=START + 7 * MINUTE))
    assert last.wake_at == START + 17 * MINUTE


def test_a_gap_in_observation_restarts_the_hold() -> None:
    seen = play(HELD, looks((0, True), (6, True)), gap=5 * MINUTE)
    assert seen[-1].evaluation.reason is Reason.GAP_RESTARTED
    assert seen[-1].evaluation.memory.true_since == START + 6 * MINUTE


def test_an_entity_forgotten_and_seen_anew_restarts_its_hold() -> None:
    memory = Memory(true_since=START - HOUR)
    evaluation = evaluate(HELD, snapshot(True, previous_at=None), memory, START, HOUR)
    assert evaluation.reason is Reason.GAP_RESTARTED


def test_a_gap_never_makes_a_fired_episode_fire_again() -> None:
    script = looks((0, True), (500, True), (1, None), (500, True), (500, True))
    expected = [
        Reason.FIRED,
        Reason.ALREADY_FIRED,
        Reason.UNKNOWN,
        Reason.ALREADY_FIRED,
        Reason.ALREADY_FIRED,
    ]
    assert reasons(RULE, script, gap=5 * MINUTE) == expected


def test_an_unknown_stretch_ends_for_a_fired_episode_too() -> None:
    seen = play(RULE, looks((0, True), (1, None), (1, True)))
    assert seen[1].evaluation.memory.unknown_since == START + MINUTE
    assert seen[2].evaluation.memory.unknown_since is None


def test_a_memory_that_does_not_change_is_the_very_same() -> None:
    quiet = [
        *play(RULE, looks((0, True), (1, True), (1, None), (1, None)))[1::2],
        *play(HELD, looks((0, True), (1, True)))[1:],
        *play(PAID, looks((0, None), (1, None)), imported=True)[1:],
        *play(PAID, looks((0, True), (1, True)), imported=True)[1:],
        *play(RULE, looks((0, True), (1, False), (1, False)))[2:],
    ]
    assert [look.evaluation.memory is look.before for look in quiet] == [True] * 6


# -- after firing --------------------------------------------------------------------------------------
def test_an_episode_fires_once() -> None:
    assert reasons(RULE, looks((0, True), (1, True))) == [Reason.FIRED, Reason.ALREADY_FIRED]


def test_a_resolution_carries_what_is_done_then() -> None:
    rule = replace(RULE, done=(NOTIFY,), otherwise=(NOTIFY,), limit=Limits(per_order=3))
    last = play(rule, looks((0, True), (1, False)))[-1].evaluation
    assert last.reason is Reason.RESOLVED
    assert last.memory == Memory(last_fired=START, firings=1)
    assert last.firing is not None
    assert (last.firing.occasion, last.firing.episode) == (Occasion.RESOLVED, START)
    assert (last.firing.steps, last.firing.otherwise, last.firing.limits) == ((NOTIFY,), (), NO_LIMITS)


def test_a_resolution_without_done_is_quiet() -> None:
    last = play(RULE, looks((0, True), (1, False)))[-1].evaluation
    assert (last.reason, last.firing) == (Reason.RESOLVED, None)


def test_until_keeps_an_episode_open_between_its_two_thresholds() -> None:
    rule = replace(RULE, until=UNTIL, done=(NOTIFY,))
    script = [
        Look(0 * MINUTE, True),
        Look(MINUTE, False),
        Look(MINUTE, True),
        Look(MINUTE, False),
        Look(MINUTE, False, True),
    ]
    expected = [Reason.FIRED, Reason.CLEARING, Reason.ALREADY_FIRED, Reason.CLEARING, Reason.RESOLVED]
    assert reasons(rule, script) == expected


def test_until_ends_nothing_while_the_condition_still_holds() -> None:
    rule = replace(RULE, until=UNTIL)
    script = [Look(0 * MINUTE, True), Look(MINUTE, True, True), Look(MINUTE, True, True)]
    assert reasons(rule, script) == [Reason.FIRED, Reason.ALREADY_FIRED, Reason.ALREADY_FIRED]


@pytest.mark.parametrize(
    ("when", "until", "reason"),
    [
        (False, None, Reason.UNKNOWN),
        (None, False, Reason.UNKNOWN),
        (None, None, Reason.UNKNOWN),
        (None, True, Reason.RESOLVED),
        (True, None, Reason.ALREADY_FIRED),
    ],
)
def test_a_fired_episode_with_until_ends_only_on_what_is_known(
    when: bool | None, until: bool | None, reason: Reason
) -> None:
    rule = replace(RULE, until=UNTIL)
    assert reasons(rule, [Look(0 * MINUTE, True), Look(MINUTE, when, until)]) == [Reason.FIRED, reason]


# -- reminders -----------------------------------------------------------------------------------------
def test_a_reminder_tells_again_and_acts_no_more() -> None:
    seen = play(REMINDING, looks((0, True), (59, True), (1, True)))
    assert [look.evaluation.reason for look in seen[1:]] == [Reason.ALREADY_FIRED, Reason.REMINDED]
    assert seen[0].evaluation.wake_at == START + HOUR
    firing = seen[-1].evaluation.firing
    assert firing is not None
    assert (firing.occasion, firing.ordinal, firing.steps) == (Occasion.REMINDED, 1, (NOTIFY,))
    assert firing.limits == NO_LIMITS


def test_reminders_grow_apart_up_to_eight_times() -> None:
    seen = play(REMINDING, looks((0, True), *((30, True) for _ in range(80))))
    told = [look.now - START for look in seen if look.evaluation.reason is Reason.REMINDED]
    assert told == [HOUR * hours for hours in (1, 3, 7, 15, 23, 31, 39)]


def test_a_reminder_missed_in_an_outage_is_told_once() -> None:
    seen = play(REMINDING, looks((0, True), (60 * 24 * 7, True), (1, True)))
    assert [look.evaluation.reason for look in seen] == [
        Reason.FIRED,
        Reason.REMINDED,
        Reason.ALREADY_FIRED,
    ]
    assert seen[-1].evaluation.wake_at == seen[1].now + 2 * HOUR


def test_a_clearing_episode_still_reminds() -> None:
    rule = replace(REMINDING, until=UNTIL)
    assert reasons(rule, looks((0, True), (60, False))) == [Reason.FIRED, Reason.REMINDED]


def test_an_unknown_episode_does_not_remind() -> None:
    assert reasons(REMINDING, looks((0, True), (60, None))) == [Reason.FIRED, Reason.UNKNOWN]


def test_a_rule_that_tells_nothing_has_nothing_to_remind_of() -> None:
    last = play(replace(REMINDING, do=(REFILL,)), looks((0, True), (60, True)))[-1].evaluation
    assert (last.reason, last.wake_at) == (Reason.ALREADY_FIRED, None)


def test_reminders_count_anew_in_the_next_episode() -> None:
    seen = play(REMINDING, looks((0, True), (60, True), (1, False), (1, True), (60, True)))
    firing = seen[-1].evaluation.firing
    assert firing is not None
    assert (firing.ordinal, firing.episode) == (1, START + 62 * MINUTE)


# -- first seen ----------------------------------------------------------------------------------------
def test_what_was_so_at_first_sight_is_ignored_until_it_ends() -> None:
    rule = replace(PAID, done=(NOTIFY,), remind=HOUR)
    script = looks((0, True), (1, True), (600, None), (1, True), (1, False), (1, True))
    seen = play(rule, script, imported=True)
    assert [look.evaluation.reason for look in seen] == [
        Reason.FIRST_SEEN,
        Reason.FIRST_SEEN,
        Reason.UNKNOWN,
        Reason.FIRST_SEEN,
        Reason.NOT_TRUE,
        Reason.FIRED,
    ]
    assert [look.evaluation.firing for look in seen[:-1]] == [None] * 5


def test_what_becomes_so_after_first_sight_acts() -> None:
    assert reasons(PAID, looks((0, False), (1, True)), imported=True) == [Reason.NOT_TRUE, Reason.FIRED]


@pytest.mark.parametrize(
    ("known_as", "expected"),
    [
        (True, [Reason.UNKNOWN, Reason.UNKNOWN, Reason.FIRST_SEEN, Reason.NOT_TRUE, Reason.FIRED]),
        (False, [Reason.UNKNOWN, Reason.UNKNOWN, Reason.NOT_TRUE, Reason.NOT_TRUE, Reason.FIRED]),
    ],
)
def test_what_is_unknown_at_first_sight_is_decided_when_first_known(
    known_as: bool, expected: list[Reason]
) -> None:
    script = looks((0, None), (1, None), (1, known_as), (1, False), (1, True))
    seen = play(PAID, script, imported=True)
    assert [look.evaluation.reason for look in seen] == expected
    assert [look.evaluation.memory.undecided for look in seen] == [True, True, False, False, False]


def test_a_rule_added_later_acts_on_what_it_finds() -> None:
    evaluation = evaluate(PAID, snapshot(True, imported=True), BLANK, START, HOUR)
    assert evaluation.reason is Reason.FIRED


def test_an_order_tracked_again_is_not_at_its_first_sight() -> None:
    known_before = Memory(last_fired=START - HOUR, firings=1)
    taken = snapshot(True, previous_at=None, imported=True)
    assert evaluate(PAID, taken, known_before, START, HOUR).reason is Reason.FIRED


@pytest.mark.parametrize(("rule", "imported"), [(PAID, False), (RULE, True)])
def test_first_sight_acts_on_the_daemons_own_orders_and_where_told_to(rule: object, imported: bool) -> None:
    assert reasons(rule, looks((0, True)), imported=imported) == [Reason.FIRED]  # type: ignore[arg-type]


# -- limits --------------------------------------------------------------------------------------------
def test_per_order_counts_firings_over_all_episodes() -> None:
    rule = replace(RULE, limit=Limits(per_order=2))
    seen = play(rule, looks((0, True), (1, False), (1, True), (1, False), (1, True), (1, True)))
    assert [look.evaluation.reason for look in seen[::2]] == [
        Reason.FIRED,
        Reason.FIRED,
        Reason.LIMIT_PER_ORDER,
    ]
    last = seen[-1].evaluation
    assert (last.firing, last.wake_at, last.memory.stopped_by) == (None, None, Reason.LIMIT_PER_ORDER)
    assert (last.memory.firings, last.memory.fired_at) == (2, None)
    assert last.memory is seen[-1].before


def test_every_stops_until_its_window_ends_and_then_the_episode_fires() -> None:
    rule = replace(RULE, limit=Limits(every=HOUR))
    seen = play(rule, looks((0, True), (1, False), (1, True), (57, True), (1, True)))
    assert [look.evaluation.reason for look in seen[2:]] == [
        Reason.LIMIT_EVERY,
        Reason.LIMIT_EVERY,
        Reason.FIRED,
    ]
    assert seen[2].evaluation.wake_at == START + HOUR
    assert seen[2].evaluation.memory.stopped_by is Reason.LIMIT_EVERY
    assert seen[-1].evaluation.memory.stopped_by is None


def test_a_stopped_episode_whose_hold_grew_is_no_longer_stopped() -> None:
    stopped = Memory(true_since=START, stopped_by=Reason.LIMIT_PER_SWEEP)
    now = START + MINUTE
    evaluation = evaluate(HELD, snapshot(True, now, START), stopped, now, HOUR)
    assert (evaluation.reason, evaluation.memory) == (Reason.HOLDING, Memory(true_since=START))


def test_an_episode_that_ends_while_stopped_resolves_nothing() -> None:
    rule = replace(RULE, limit=Limits(per_order=0), done=(NOTIFY,))
    last = play(rule, looks((0, True), (1, False)))[-1].evaluation
    assert (last.reason, last.firing, last.memory) == (Reason.NOT_TRUE, None, BLANK)


def test_a_firing_a_guard_stops_has_not_fired_and_asks_again() -> None:
    evaluation = evaluate(RULE, snapshot(True), BLANK, START, HOUR)
    stopped = evaluation.memory_if_stopped(Reason.LIMIT_PER_SWEEP)
    assert stopped == Memory(true_since=START, stopped_by=Reason.LIMIT_PER_SWEEP)
    now = START + MINUTE
    again = evaluate(RULE, snapshot(True, now, START), stopped, now, HOUR)
    assert again.reason is Reason.FIRED
    assert again.memory.stopped_by is None
    assert again.firing is not None
    assert again.firing.episode == START
    assert again.memory_if_stopped(Reason.LIMIT_PER_SWEEP) == stopped


def test_a_stopped_reminder_is_not_counted() -> None:
    evaluation = play(REMINDING, looks((0, True), (60, True)))[-1].evaluation
    assert evaluation.memory.reminders == 1
    stopped = evaluation.memory_if_stopped(Reason.DRY_RUN)
    assert (stopped.reminders, stopped.fired_at) == (0, START)


def test_a_stopped_resolution_stays_resolved() -> None:
    evaluation = play(replace(RULE, done=(NOTIFY,)), looks((0, True), (1, False)))[-1].evaluation
    stopped = evaluation.memory_if_stopped(Reason.DRY_RUN)
    assert stopped == Memory(last_fired=START, firings=1, stopped_by=Reason.DRY_RUN)


# -- the clock goes backwards --------------------------------------------------------------------------
@pytest.mark.parametrize("hold", [timedelta(), 10 * MINUTE])
def test_a_clock_set_back_before_the_beginning_fires_nothing_early(hold: timedelta) -> None:
    memory = Memory(true_since=START + HOUR)
    evaluation = evaluate(with_hold(hold), snapshot(True), memory, START, 2 * HOUR)
    assert (evaluation.reason, evaluation.firing) == (Reason.HOLDING, None)
    assert evaluation.wake_at == START + HOUR + hold


def test_a_clock_set_back_behind_a_firing_neither_reminds_nor_passes_every() -> None:
    fired = Memory(true_since=START + HOUR, fired_at=START + HOUR, last_fired=START + HOUR, firings=1)
    assert evaluate(REMINDING, snapshot(True), fired, START, HOUR).reason is Reason.ALREADY_FIRED
    rule = replace(RULE, limit=Limits(every=MINUTE))
    over = Memory(last_fired=START + HOUR, firings=1)
    assert evaluate(rule, snapshot(True), over, START, HOUR).reason is Reason.LIMIT_EVERY
