"""Planning: a sweep's firings, guards over chains, what the operator asks for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from smm_rules.engine.firing import Occasion
from smm_rules.engine.memory import Memory, Reason
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import (
    Intent,
    IntentState,
    Recorded,
    Remembered,
    Stopped,
    Sweep,
    Transition,
)
from smm_rules.rules.model import Limits, StepKind
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    T0,
    draft,
    fired,
    firing,
    message,
    new_order,
    order,
    planned,
)

TWICE_A_CHAIN = Limits(per_chain=2)


async def test_a_firing_plans_its_intent_and_queues_its_messages(ledger: Ledger) -> None:
    recorded = await ledger.record(
        fired(planned(firing(), draft(estimate="1.50"), [message("a"), message("b")]))
    )
    [intent_id] = recorded.intents
    assert recorded == Recorded((intent_id,), 2, ())
    assert await ledger.intent(intent_id) == Intent(
        id=intent_id,
        firing=1,
        rule="top-up",
        entity=order(),
        episode=T0,
        step="do.0",
        kind=StepKind.REFILL,
        panel="north",
        parameters={"quantity": "10"},
        state=IntentState.PLANNED,
        reason="",
        message="",
        reserved=Decimal("1.50"),
        currency="USD",
        attempts=0,
        not_before=None,
        planned_at=T0 + MINUTE,
        claimed_at=None,
        settled_at=None,
        result="",
        owner="",
        evidence={},
    )
    assert await ledger.transitions(intent_id) == (
        Transition(T0 + MINUTE, "", IntentState.PLANNED, "", "", "top-up"),
    )
    queued = await ledger.messages([], 10)
    assert [(one.dedup_key, one.created_at) for one in queued] == [("b", T0 + MINUTE), ("a", T0 + MINUTE)]


async def test_a_firing_keeps_its_own_steps_and_facts(ledger: Ledger) -> None:
    what = replace(firing(), limits=Limits(3, DAY, 2, 50), facts={"charge": Decimal("0.10"), "age": MINUTE})
    [intent_id] = (await ledger.record(fired(planned(what, draft())))).intents
    intent = await ledger.intent(intent_id)
    assert intent is not None
    assert intent.firing is not None
    assert await ledger.firing(intent.firing) == what
    assert await ledger.firing(intent.firing + 1) is None


async def test_a_firing_that_only_tells_plans_nothing(ledger: Ledger) -> None:
    assert await ledger.record(fired(planned(firing(BALANCE), messages=[message()]))) == Recorded((), 1, ())
    assert await ledger.intents([], 10) == ()


async def test_the_same_firing_is_written_once(ledger: Ledger) -> None:
    sweep = fired(planned(firing(), draft(), [message("a")]))
    await ledger.record(sweep)
    again = fired(planned(firing(), draft("do.1"), [message("b")]))
    assert await ledger.record(again) == Recorded((), 0, ())
    assert len(await ledger.intents([], 10)) == 1
    assert len(await ledger.messages([], 10)) == 1


async def test_another_episode_occasion_or_entity_is_another_firing(ledger: Ledger) -> None:
    different = [
        firing(),
        firing(episode=T0 + DAY),
        firing(order(2)),
        firing(rule="other"),
    ]
    recorded = await ledger.record(fired(*(planned(what, draft()) for what in different)))
    assert len(recorded.intents) == len(different)
    ending = replace(firing(), occasion=Occasion.RESOLVED)
    recorded = await ledger.record(fired(planned(ending, draft("done.0"))))
    assert len(recorded.intents) == 1


async def test_the_same_step_of_an_episode_is_planned_once(ledger: Ledger) -> None:
    first = await ledger.record(fired(planned(firing(), draft())))
    reminder = replace(firing(), occasion=Occasion.REMINDED, ordinal=1)
    assert (await ledger.record(fired(planned(reminder, draft())))).intents == ()
    assert [intent.id for intent in await ledger.intents([], 10)] == list(first.intents)


async def test_a_message_is_queued_once_by_its_key(ledger: Ledger) -> None:
    first = planned(firing(), messages=[message("a"), message("a")])
    assert (await ledger.record(fired(first))).messages == 1
    second = planned(firing(episode=T0 + DAY), messages=[message("a", "differently")])
    assert (await ledger.record(fired(second))).messages == 0
    assert [one.body for one in await ledger.messages([], 10)] == ["told"]


async def test_a_held_firing_writes_its_intent_as_held(ledger: Ledger) -> None:
    recorded = await ledger.record(fired(planned(firing(), draft(), hold=Reason.DRY_RUN)))
    intent = await ledger.intent(recorded.intents[0])
    assert intent is not None
    assert (intent.state, intent.reason, intent.settled_at) == (IntentState.HELD, "dry_run", None)
    assert await ledger.claimable(T0 + DAY, 10) == ()


@pytest.mark.parametrize("hold", [None, Reason.DRY_RUN])
async def test_a_draft_whose_template_failed_is_never_sent(ledger: Ledger, hold: Reason | None) -> None:
    failed = draft(estimate="5", failure="order.remians is not known")
    [intent_id] = (await ledger.record(fired(planned(firing(), failed, hold=hold)))).intents
    intent = await ledger.intent(intent_id)
    assert intent is not None
    assert (intent.state, intent.reason, intent.message, intent.settled_at) == (
        IntentState.NOT_SENT,
        "template_failed",
        "order.remians is not known",
        T0 + MINUTE,
    )
    assert await ledger.claim(intent_id, "d1", T0 + DAY, {}) is False
    assert (await ledger.totals(T0)).reserved == {}


# -- the guard over chains --------------------------------------------------------------------------------
async def test_a_chain_is_stopped_at_its_limit_and_keeps_only_the_memory_for_that(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2, order(1)), new_order(3, order(2))], T0)
    for number in (1, 2):
        recorded = await ledger.record(fired(planned(firing(order(number), limits=TWICE_A_CHAIN), draft())))
        assert len(recorded.intents) == 1
    third = firing(order(3), limits=TWICE_A_CHAIN)
    stopped = Memory(true_since=T0, stopped_by=Reason.LIMIT_PER_CHAIN)
    sweep = Sweep(
        T0 + MINUTE,
        remembered=(Remembered("top-up", order(3), Memory(true_since=T0, fired_at=T0, firings=1)),),
        firings=(planned(third, draft(), [message()], stopped),),
    )
    assert await ledger.record(sweep) == Recorded((), 0, (Stopped(third, Reason.LIMIT_PER_CHAIN),))
    assert await ledger.memories([order(3)]) == {("top-up", order(3)): stopped}
    assert len(await ledger.intents([], 10)) == 2
    assert await ledger.messages([], 10) == ()


async def test_a_stopped_firing_may_fire_later_when_the_limit_is_raised(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2, order(1))], T0)
    once = Limits(per_chain=1)
    await ledger.record(fired(planned(firing(order(1), limits=once), draft())))
    assert (await ledger.record(fired(planned(firing(order(2), limits=once), draft())))).intents == ()
    recorded = await ledger.record(fired(planned(firing(order(2), limits=TWICE_A_CHAIN), draft())))
    assert len(recorded.intents) == 1


async def test_a_chain_is_counted_within_one_sweep_too(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2, order(1)), new_order(3, order(2))], T0)
    firings = [planned(firing(order(number), limits=TWICE_A_CHAIN), draft()) for number in (1, 2, 3)]
    recorded = await ledger.record(fired(*firings))
    assert len(recorded.intents) == 2
    assert [stopped.firing.entity for stopped in recorded.stopped] == [order(3)]


async def test_a_chain_counts_each_rule_by_itself_and_other_chains_not_at_all(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2, order(1)), new_order(9)], T0)
    once = Limits(per_chain=1)
    await ledger.record(fired(planned(firing(order(1), limits=once), draft())))
    others = [firing(order(2), rule="other", limits=once), firing(order(9), limits=once)]
    assert len((await ledger.record(fired(*(planned(what, draft()) for what in others)))).intents) == 2


async def test_only_firings_proper_are_counted_and_stopped(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    once = Limits(per_chain=1)
    occasions = (Occasion.REMINDED, Occasion.RESOLVED, Occasion.FIRED, Occasion.REMINDED)
    for number, occasion in enumerate(occasions):
        what = replace(firing(order(1), occasion=occasion, limits=once), ordinal=number)
        recorded = await ledger.record(fired(planned(what, messages=[message(str(number))])))
        assert (recorded.messages, recorded.stopped) == (1, ())


async def test_chain_counts_outlive_the_firings_that_are_pruned(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2, order(1))], T0)
    once = Limits(per_chain=1)
    await ledger.record(fired(planned(firing(order(1), limits=once), messages=[message()])))
    assert (await ledger.prune(T0 + DAY))["firings"] == 1
    recorded = await ledger.record(fired(planned(firing(order(2), limits=once), draft())))
    assert [stopped.reason for stopped in recorded.stopped] == [Reason.LIMIT_PER_CHAIN]


async def test_a_chain_that_becomes_known_late_brings_its_count_along(ledger: Ledger) -> None:
    once = Limits(per_chain=1)
    await ledger.track([new_order(3, order(2))], T0)
    await ledger.record(fired(planned(firing(order(3), limits=once), draft())))
    await ledger.track([new_order(2, order(1)), new_order(1)], T0)
    recorded = await ledger.record(fired(planned(firing(order(1), limits=once), draft())))
    assert [stopped.reason for stopped in recorded.stopped] == [Reason.LIMIT_PER_CHAIN]


async def test_a_firing_about_an_order_forgotten_meanwhile_is_dropped(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.forget(order(1), T0)
    assert await ledger.record(fired(planned(firing(), draft(), [message()]))) == Recorded()


# -- the operator -------------------------------------------------------------------------------------------
async def test_the_operator_may_ask_for_an_action_outside_any_rule(ledger: Ledger) -> None:
    intent = await ledger.ask(draft(), order(), T0, "ann")
    assert (intent.firing, intent.rule, intent.episode, intent.state) == (
        None,
        "operator",
        T0,
        IntentState.PLANNED,
    )
    assert await ledger.transitions(intent.id) == (Transition(T0, "", IntentState.PLANNED, "", "", "ann"),)
    assert (await ledger.ask(draft(), order(), T0 + MINUTE, "ann")).id != intent.id


async def test_the_same_word_of_the_operator_plans_one_intent(ledger: Ledger) -> None:
    await ledger.ask(draft(), order(), T0, "ann")
    with pytest.raises(StateConflict, match="refill of order/north/1 was already asked for"):
        await ledger.ask(draft(), order(), T0, "ann")
    assert len(await ledger.intents([], 10)) == 1
