"""Laws of the episode machine over random histories of looks, known and unknown, near and far apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.engine.episode import REMINDER_FACTOR_CAP
from smm_rules.engine.evaluate import evaluate
from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.memory import Reason
from smm_rules.rules.model import FirstSeen, Limits, Rule
from tests.engine.looks import (
    HOUR,
    MINUTE,
    NOTIFY,
    REFILL,
    RULE,
    UNTIL,
    Look,
    Seen,
    play,
    read_back,
    snapshot,
)

GAP = 20 * MINUTE
TRUTHS = st.sampled_from([True, True, True, False, None])
STEPS = st.sampled_from([1, 2, 5, 5, 10, 25, 90]).map(lambda minutes: minutes * MINUTE)
LOOKS = st.lists(st.builds(Look, STEPS, TRUTHS, TRUTHS), min_size=1, max_size=40)
BACKWARD_LOOKS = st.lists(
    st.builds(Look, st.integers(-60, 60).map(lambda minutes: minutes * MINUTE), TRUTHS, TRUTHS), max_size=40
)
HOLDS = st.sampled_from([0, 0, 5, 12, 30]).map(lambda minutes: minutes * MINUTE)
LIMITS = st.builds(
    Limits,
    per_order=st.sampled_from([None, None, 0, 1, 2]),
    every=st.sampled_from([None, None, 15 * MINUTE, 2 * HOUR]),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    return replace(
        RULE,
        hold=draw(HOLDS),
        until=draw(st.sampled_from([None, UNTIL])),
        remind=draw(st.sampled_from([None, 3 * MINUTE, 30 * MINUTE])),
        do=draw(st.sampled_from([(REFILL,), (REFILL, NOTIFY)])),
        done=draw(st.sampled_from([(), (NOTIFY,)])),
        limit=draw(LIMITS),
        first_seen=draw(st.sampled_from(list(FirstSeen))),
    )


def firings(seen: list[Seen], occasion: Occasion) -> list[Firing]:
    every = [look.evaluation.firing for look in seen]
    return [firing for firing in every if firing is not None and firing.occasion is occasion]


@given(rules(), LOOKS, st.booleans())
def test_an_episode_fires_at_most_once(rule: Rule, looks: list[Look], imported: bool) -> None:
    seen = play(rule, looks, GAP, imported)
    episodes = Counter(firing.episode for firing in firings(seen, Occasion.FIRED))
    assert [count for count in episodes.values() if count > 1] == []


@given(rules(), LOOKS, st.booleans())
def test_no_two_firings_share_a_name(rule: Rule, looks: list[Look], imported: bool) -> None:
    seen = play(rule, looks, GAP, imported)
    keys = Counter(look.evaluation.firing.key for look in seen if look.evaluation.firing is not None)
    assert [key for key, count in keys.items() if count > 1] == []


@given(rules(), BACKWARD_LOOKS, st.booleans())
def test_nothing_fires_before_its_hold_even_when_the_clock_jumps(
    rule: Rule, looks: list[Look], imported: bool
) -> None:
    seen = play(rule, looks, GAP, imported)
    assert [f for f in firings(seen, Occasion.FIRED) if f.at - f.episode < rule.hold] == []


@given(rules(), LOOKS, st.booleans())
def test_unknown_never_fires_and_changes_nothing_but_since_when_it_is_unknown(
    rule: Rule, looks: list[Look], imported: bool
) -> None:
    for look in play(rule, looks, GAP, imported):
        if look.evaluation.reason is not Reason.UNKNOWN:
            continue
        after = look.evaluation.memory
        frozen = replace(after, unknown_since=look.before.unknown_since, undecided=look.before.undecided)
        assert (frozen, look.evaluation.firing) == (look.before, None)


@given(rules(), LOOKS, st.booleans())
def test_an_unknown_condition_fires_reminds_and_resolves_nothing(
    rule: Rule, looks: list[Look], imported: bool
) -> None:
    for look in play(replace(rule, until=None), looks, GAP, imported):
        if look.look.when is None:
            assert (look.evaluation.reason, look.evaluation.firing) == (Reason.UNKNOWN, None)


@given(rules(), LOOKS, st.booleans())
def test_only_what_fired_resolves_and_once(rule: Rule, looks: list[Look], imported: bool) -> None:
    open_episodes: set[datetime] = set()
    for look in play(replace(rule, done=(NOTIFY,)), looks, GAP, imported):
        firing = look.evaluation.firing
        if firing is not None and firing.occasion is Occasion.FIRED:
            open_episodes.add(firing.episode)
        elif firing is not None:
            assert firing.episode in open_episodes
            if firing.occasion is Occasion.RESOLVED:
                open_episodes.remove(firing.episode)


@given(rules(), LOOKS, st.booleans())
def test_limits_hold(rule: Rule, looks: list[Look], imported: bool) -> None:
    fired_at = [firing.at for firing in firings(play(rule, looks, GAP, imported), Occasion.FIRED)]
    if rule.limit.per_order is not None:
        assert len(fired_at) <= rule.limit.per_order
    if rule.limit.every is not None:
        assert [pair for pair in pairwise(fired_at) if pair[1] - pair[0] < rule.limit.every] == []


@given(rules(), LOOKS, st.booleans())
def test_reminders_count_up_and_grow_apart(rule: Rule, looks: list[Look], imported: bool) -> None:
    seen = play(replace(rule, remind=3 * MINUTE, do=(NOTIFY,)), looks, GAP, imported)
    last: dict[datetime, Firing] = {f.episode: f for f in firings(seen, Occasion.FIRED)}
    for reminder in firings(seen, Occasion.REMINDED):
        before = last[reminder.episode]
        factor = min(2**before.ordinal, REMINDER_FACTOR_CAP)
        assert reminder.ordinal == before.ordinal + 1
        assert reminder.at - before.at >= 3 * MINUTE * factor
        last[reminder.episode] = reminder


@given(rules(), LOOKS, st.booleans())
def test_a_condition_known_to_hold_all_through_its_hold_has_fired(
    rule: Rule, looks: list[Look], imported: bool
) -> None:
    rule = replace(rule, limit=Limits(), first_seen=FirstSeen.ACT)
    run_began: datetime | None = None
    for look in play(rule, looks, GAP, imported):
        if not look.look.when:
            run_began = None
            continue
        if run_began is None or look.look.after > GAP:
            run_began = look.now
        if look.now - run_began >= rule.hold:
            assert look.evaluation.memory.fired_at is not None


@given(rules(), LOOKS, st.booleans())
def test_going_on_from_the_stored_memory_is_going_on(rule: Rule, looks: list[Look], imported: bool) -> None:
    kept = [look.evaluation for look in play(rule, looks, GAP, imported)]
    stored = [look.evaluation for look in play(rule, looks, GAP, imported, stored=True)]
    assert stored == kept


@given(rules(), LOOKS, HOLDS)
def test_an_edited_hold_counts_from_the_same_beginning(
    rule: Rule, looks: list[Look], hold: timedelta
) -> None:
    rule = replace(rule, limit=Limits(), hold=HOUR * 24)
    last = play(rule, looks, GAP)[-1]
    memory = last.evaluation.memory
    if memory.true_since is None or memory.unknown_since is not None or memory.ignored:
        return
    now = last.now + MINUTE
    edited = evaluate(replace(rule, hold=hold), snapshot(True, now, last.now), memory, now, GAP)
    expected = Reason.FIRED if now - memory.true_since >= hold else Reason.HOLDING
    assert edited.reason is expected


@given(rules(), LOOKS, st.booleans(), st.integers(1, 59))
def test_time_alone_changes_nothing_before_the_wake_and_something_at_it(
    rule: Rule, looks: list[Look], imported: bool, sixtieths: int
) -> None:
    last = play(rule, looks, GAP, imported)[-1]
    evaluation, wide = last.evaluation, timedelta(days=365)
    same = {"when": last.look.when, "until": last.look.until, "imported": imported}

    def look_again(now: datetime) -> Reason:
        seen = snapshot(now=now, previous_at=last.now, **same)  # type: ignore[arg-type]
        return evaluate(rule, seen, evaluation.memory, now, wide).reason

    waiting = {
        Reason.FIRED: Reason.ALREADY_FIRED if last.look.when else Reason.CLEARING,
        Reason.REMINDED: Reason.ALREADY_FIRED if last.look.when else Reason.CLEARING,
        Reason.GAP_RESTARTED: Reason.HOLDING,
        Reason.RESOLVED: Reason.NOT_TRUE if last.look.when is False else Reason.UNKNOWN,
    }.get(evaluation.reason, evaluation.reason)
    if evaluation.wake_at is None:
        assert look_again(last.now + timedelta(days=90)) is waiting
        return
    assert evaluation.wake_at > last.now
    assert look_again(last.now + (evaluation.wake_at - last.now) * sixtieths / 60) is waiting
    assert look_again(evaluation.wake_at) in {Reason.FIRED, Reason.REMINDED, Reason.LIMIT_EVERY} | (
        {Reason.LIMIT_PER_ORDER} if rule.limit.per_order is not None else set()
    )


@settings(max_examples=50)
@given(rules(), LOOKS, st.booleans())
def test_what_limits_count_outlives_every_episode(rule: Rule, looks: list[Look], imported: bool) -> None:
    seen = play(rule, looks, GAP, imported)
    fired = firings(seen, Occasion.FIRED)
    memory = read_back(seen[-1].evaluation.memory)
    assert memory.firings == len(fired)
    assert memory.last_fired == (fired[-1].at if fired else None)
