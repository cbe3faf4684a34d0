"""What other tests of the contract pass over: who did it, how long it counts, where it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smm_rules.engine.firing import Continuation, Occasion
from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import EntityKind, Facts
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import REFUSAL, IntentState, NewOrder, Remembered, Rest, Sweep
from smm_rules.rules.model import ApprovalNeed, Limits, RuleGuards, StepKind
from tests.ledger.builders import (
    DAY,
    MINUTE,
    NOTHING,
    T0,
    bring_to,
    draft,
    ended,
    fired,
    firing,
    message,
    new_order,
    observed,
    order,
    planned,
    refill,
)

S = IntentState
LATER = T0 + 5 * MINUTE
HOURS = timedelta(hours=3)


# -- who asked for what follows -------------------------------------------------------------------------
async def test_what_follows_is_planned_by_whoever_settled(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    await ledger.settle(intent.id, ended(S.REJECTED), Continuation(intent=draft("otherwise.0")), LATER, "d1")
    [following] = await ledger.intents([S.PLANNED], 10)
    assert [change.by for change in await ledger.transitions(following.id)] == ["d1"]


async def test_what_follows_a_refusal_by_the_catalogue_is_planned_by_its_rule(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.PLANNED)
    await ledger.refuse(intent.id, ended(S.NOT_SENT), Continuation(intent=draft("otherwise.0")), LATER)
    [following] = await ledger.intents([S.PLANNED], 10)
    assert [change.by for change in await ledger.transitions(following.id)] == [intent.rule]


async def test_what_stands_in_for_a_refused_action_knows_the_panels_words(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    step = replace(draft("otherwise.0"), refusal="Refill is not available")
    await ledger.settle(intent.id, ended(S.REJECTED), Continuation(intent=step), LATER, "d1")
    [following] = await ledger.intents([S.PLANNED], 10)
    assert following.evidence == {REFUSAL: "Refill is not available"}
    first = await ledger.intent(intent.id)
    assert first is not None
    assert first.evidence == {}


async def test_what_was_planned_before_is_not_told_of_a_refusal_again(ledger: Ledger) -> None:
    """The same step of the same episode is there already: it is another action's."""
    [first] = (await ledger.record(fired(planned(firing(), draft())))).intents
    asked = replace(firing(), occasion=Occasion.REMINDED, ordinal=1)
    [second] = (await ledger.record(fired(planned(asked, draft("remind.0"))))).intents
    await ledger.claim(second, "d1", LATER, {})
    again = replace(draft(), refusal="no")
    await ledger.settle(second, ended(S.REJECTED), Continuation(intent=again), LATER, "d1")
    found = await ledger.intent(first)
    assert found is not None
    assert (found.evidence, len(await ledger.intents([], 10))) == ({}, 2)


# -- deadlines of approvals -----------------------------------------------------------------------------
async def _waiting(ledger: Ledger) -> int:
    """An intent that can be approved until three hours after it was planned."""
    guards = RuleGuards(approval=ApprovalNeed(expires=HOURS))
    what = replace(firing(), guards=guards, at=T0)
    return (await ledger.record(fired(planned(what, draft()), at=T0))).intents[0]


async def test_an_approval_comes_too_late_even_where_nothing_has_expired_it(ledger: Ledger) -> None:
    intent_id = await _waiting(ledger)
    before = await ledger.intent(intent_id)
    with pytest.raises(StateConflict, match="could be approved until 2026-03-01 15:00 UTC; it is never sent"):
        await ledger.approve(intent_id, T0 + HOURS + MINUTE, "ann")
    assert await ledger.intent(intent_id) == before
    assert (await ledger.approve(intent_id, T0 + HOURS, "ann")).state is S.PLANNED


async def test_what_was_approved_has_no_deadline_any_more(ledger: Ledger) -> None:
    intent_id = await _waiting(ledger)
    assert (await ledger.approve(intent_id, T0, "ann")).expires_at is None
    held = await ledger.hold(intent_id, "dry_run", "", T0)
    assert held.expires_at is None
    assert (await ledger.approve(intent_id, T0 + 9 * HOURS, "ann")).state is S.PLANNED


async def test_only_what_waits_for_approval_has_a_deadline(ledger: Ledger) -> None:
    guards = RuleGuards(approval=ApprovalNeed(expires=HOURS))
    what = replace(firing(), guards=guards)
    [intent_id] = (await ledger.record(fired(planned(what, draft(), hold=Reason.DRY_RUN)))).intents
    held = await ledger.intent(intent_id)
    assert held is not None
    assert (held.reason, held.expires_at) == ("dry_run", None)


async def test_an_approval_without_a_deadline_waits_for_ever(ledger: Ledger) -> None:
    what = replace(firing(), guards=RuleGuards(approval=ApprovalNeed()))
    [intent_id] = (await ledger.record(fired(planned(what, draft())))).intents
    held = await ledger.intent(intent_id)
    assert held is not None
    assert (held.reason, held.expires_at) == ("approval", None)
    assert await ledger.expired(T0 + 10_000 * DAY, 10) == ()


# -- limits over refills --------------------------------------------------------------------------------
ONCE_AN_ORDER = Limits(per_order=1)


async def _refilled(ledger: Ledger, number: int, of: int = 1) -> None:
    """A refill that the panel accepted for an order."""
    intent = await ledger.ask(draft(f"ask.{number}"), order(of), T0 + number * MINUTE, "ann")
    await ledger.claim(intent.id, "d1", LATER, {})
    await ledger.settle(intent.id, ended(S.CONFIRMED, refill=refill(number)), NOTHING, LATER, "d1")


async def _stopped(ledger: Ledger, number: int, limits: Limits = ONCE_AN_ORDER) -> list[Reason]:
    """What stops a rule that watches refills from firing for this one."""
    what = firing(refill(number), limits=limits, episode=LATER + number * MINUTE)
    return [one.reason for one in (await ledger.record(fired(planned(what, draft())))).stopped]


async def test_a_rule_that_watches_refills_acts_on_an_order_as_often_as_it_may(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    for number, of in ((1, 1), (2, 1), (3, 1), (4, 2)):
        await _refilled(ledger, number, of)
    assert await _stopped(ledger, 1) == []
    assert await _stopped(ledger, 2) == [Reason.LIMIT_PER_ORDER]
    assert await _stopped(ledger, 3, Limits(per_order=2)) == []
    assert await _stopped(ledger, 3, Limits()) == []
    assert await _stopped(ledger, 4) == []


@pytest.mark.parametrize(
    ("facts", "stopped"),
    [
        ({"order.id": "1"}, [Reason.LIMIT_PER_ORDER]),
        ({"order.id": "2"}, []),
        ({"order.id": 1}, []),
        ({}, []),
    ],
)
async def test_a_refill_the_ledger_has_no_order_of_counts_for_the_one_its_facts_name(
    ledger: Ledger, facts: Facts, stopped: list[Reason]
) -> None:
    first = replace(firing(refill(1), limits=ONCE_AN_ORDER), facts={"order.id": "1"})
    second = replace(firing(refill(2), limits=ONCE_AN_ORDER), facts=facts)
    recorded = await ledger.record(fired(planned(first, draft()), planned(second, draft())))
    assert [one.reason for one in recorded.stopped] == stopped


async def test_what_was_counted_by_the_facts_counts_when_the_order_is_known(ledger: Ledger) -> None:
    first = replace(firing(refill(9), limits=ONCE_AN_ORDER), facts={"order.id": "1"})
    await ledger.record(fired(planned(first, draft())))
    await ledger.track([new_order(1)], T0)
    await _refilled(ledger, 1)
    assert await _stopped(ledger, 1) == [Reason.LIMIT_PER_ORDER]


async def test_orders_nobody_tracked_count_in_the_chain_their_firing_names(ledger: Ledger) -> None:
    once = Limits(per_chain=1)
    firings = [
        replace(firing(order(number), limits=once), root=order(root)) for number, root in ((5, 1), (6, 1))
    ]
    other = replace(firing(order(7), limits=once), root=order(2))
    recorded = await ledger.record(fired(*(planned(what, draft()) for what in (*firings, other))))
    assert [one.firing.entity for one in recorded.stopped] == [order(6)]


@pytest.mark.parametrize(("before", "after"), [(None, None), (Reason.LIMIT_EVERY, Reason.LIMIT_PER_ORDER)])
async def test_a_stopped_firing_remembers_the_limit_that_stopped_it(
    ledger: Ledger, before: Reason | None, after: Reason | None
) -> None:
    await ledger.track([new_order(1)], T0)
    await _refilled(ledger, 1)
    none = Limits(per_order=0)
    what = planned(firing(refill(1), limits=none), draft(), memory_if_stopped=Memory(T0, stopped_by=before))
    await ledger.record(fired(what))
    assert await ledger.memories([refill(1)]) == {("top-up", refill(1)): Memory(T0, stopped_by=after)}


PAST = Memory(true_since=T0, fired_at=T0, last_fired=T0, firings=1)
ONLY_NOW = Memory(true_since=T0)


@pytest.mark.parametrize(
    ("of", "left"),
    [(1, {"once": Memory(last_fired=T0, firings=1)}), (2, {})],
)
async def test_of_a_refill_id_given_again_only_limits_over_the_same_order_are_remembered(
    ledger: Ledger, of: int, left: dict[str, Memory]
) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await _refilled(ledger, 1)
    remembered = (Remembered("once", refill(1), PAST), Remembered("now", refill(1), ONLY_NOW))
    await ledger.record(Sweep(T0, remembered=remembered))
    intent = await ledger.ask(draft("ask.again"), order(of), LATER, "ann")
    await ledger.claim(intent.id, "d1", LATER, {})
    await ledger.settle(intent.id, ended(S.CONFIRMED, refill=refill(1)), NOTHING, LATER, "d1")
    assert await ledger.memories([refill(1)]) == {(rule, refill(1)): memory for rule, memory in left.items()}
    watched = await ledger.watched(refill(1))
    assert watched is not None
    assert watched.order is not None
    assert watched.order.entity == order(of)


async def test_a_firing_that_is_stopped_keeps_none_of_the_others_from_acting(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    stopped, free = firing(order(1), limits=Limits(per_chain=0)), firing(order(2))
    known = firing(order(2), "known")
    await ledger.record(fired(planned(known, draft())))
    recorded = await ledger.record(fired(*(planned(what, draft()) for what in (known, stopped, free))))
    assert ([one.firing for one in recorded.stopped], len(recorded.intents)) == ([stopped], 1)


async def test_an_order_that_has_a_parent_keeps_it_whatever_a_panel_answers(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(9), new_order(2, order(9))], T0)
    intent = await ledger.ask(draft(kind=StepKind.REORDER), order(1), T0, "ann")
    await ledger.claim(intent.id, "d1", T0, {})
    made = ended(S.CONFIRMED, tracked=NewOrder(order(2), parent=order(1)))
    await ledger.settle(intent.id, made, NOTHING, T0, "d1")
    known = await ledger.order(order(2))
    assert known is not None
    assert (known.parent, known.root, known.depth) == (order(9), order(9), 1)


async def test_an_order_that_hangs_on_a_circle_is_the_first_of_its_chain(ledger: Ledger) -> None:
    circle = [new_order(4, order(5)), new_order(5, order(6)), new_order(6, order(5))]
    assert await ledger.track(circle, T0) == 3
    fourth = await ledger.order(order(4))
    assert fourth is not None
    assert (fourth.parent, fourth.root, fourth.depth) == (None, order(4), 0)


# -- what is remembered ---------------------------------------------------------------------------------
async def test_a_memory_of_what_nobody_watches_keeps_none_of_the_others_from_being_stored(
    ledger: Ledger,
) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    remembered = tuple(Remembered("a", order(number), PAST) for number in (1, 9, 2))
    await ledger.record(Sweep(T0, remembered=remembered))
    assert await ledger.memories([order(1), order(2), order(9)]) == {
        ("a", order(1)): PAST,
        ("a", order(2)): PAST,
    }


# -- orders that rest ----------------------------------------------------------------------------------
async def _resting(ledger: Ledger) -> dict[str, bool]:
    """Whether each order rests, by its ID."""
    return {one.id: one.answer is not None for one in await ledger.due_orders("north", T0 + DAY, 10)}


async def test_an_order_whose_chain_becomes_longer_at_its_beginning_is_looked_at_anew(ledger: Ledger) -> None:
    await ledger.track([new_order(3, order(2)), new_order(4, order(3)), new_order(9)], T0)
    await _at_rest(ledger, 3, 4, 9)
    assert await _resting(ledger) == {"3": True, "4": True, "9": True}
    await ledger.track([new_order(2, order(1))], T0)
    assert await _resting(ledger) == {"2": False, "3": False, "4": False, "9": True}


async def _at_rest(ledger: Ledger, *numbers: int) -> None:
    rest = Rest(answer=1, context=2, until=T0 + 9 * DAY, pace=MINUTE, changes=0)
    looks = [observed(order(number), {"remains": 5}, due_at=LATER) for number in numbers]
    await ledger.record(Sweep(T0, tuple(replace(look, rest=rest) for look in looks)))


async def test_an_order_that_turns_out_to_be_a_reorder_is_looked_at_anew(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2), new_order(3)], T0)
    await _at_rest(ledger, 1, 2, 3)
    intent = await ledger.ask(draft(kind=StepKind.REORDER), order(1), T0, "ann")
    await ledger.claim(intent.id, "d1", T0, {})
    made = ended(S.CONFIRMED, tracked=NewOrder(order(2), parent=order(1)))
    await ledger.settle(intent.id, made, NOTHING, T0, "d1")
    assert await _resting(ledger) == {"1": True, "2": False, "3": True}


async def test_an_order_with_one_more_refill_is_looked_at_anew(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await _at_rest(ledger, 1, 2)
    await _refilled(ledger, 7)
    assert await _resting(ledger) == {"1": False, "2": True}


async def test_only_orders_that_are_due_are_given_where_no_batch_is_asked_for(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await ledger.postpone([order(2)], LATER)
    assert [one.id for one in await ledger.due_orders("north", T0, 10)] == ["1"]


# -- a clock that was ahead -----------------------------------------------------------------------------
async def test_what_a_clock_that_was_ahead_put_off_is_done_at_once(ledger: Ledger) -> None:
    now = T0 + MINUTE
    await ledger.track([new_order(1), new_order(2)], T0)
    usual = observed(order(1), {"status": "Partial"}, due_at=LATER)
    await ledger.record(Sweep(T0, (usual,)))
    ahead = observed(order(2), {"status": "Partial"}, due_at=T0 + HOURS + MINUTE)
    await ledger.record(Sweep(T0 + HOURS, (ahead,)))
    intent = await bring_to(ledger, S.SENDING)
    again = ended(S.NOT_SENT, retry_at=T0 + 2 * HOURS)
    await ledger.settle(intent.id, again, NOTHING, T0 + HOURS, "d1")
    await ledger.enqueue(message(), T0 + HOURS)
    assert await ledger.clock_set_back(now) == 1
    due = [one.due_at for one in await ledger.watched_page(EntityKind.ORDER, None, None, 9)]
    assert due == [LATER, now]
    assert [one.id for one in await ledger.claimable(now, 9)] == [intent.id]
    assert [one.dedup_key for one in await ledger.deliverable(now, 9)] == ["key"]
    assert await ledger.clock_set_back(now) == 0


# -- answers that are yes or no -------------------------------------------------------------------------
async def test_whether_anything_was_done_is_a_plain_answer(ledger: Ledger) -> None:
    assert await ledger.rules_in_force([], T0, "daemon") is True
    assert await ledger.rules_in_force([], T0, "daemon") is False
    assert await ledger.enqueue(message(), T0) is True
    assert await ledger.enqueue(message(), T0) is False
    assert await ledger.unseen() == 0


# -- what an action says of itself ----------------------------------------------------------------------
async def test_an_action_that_follows_is_asked_for_with_its_own_price_in_the_record(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING, draft(estimate="2.00"))
    step = draft("otherwise.0", StepKind.REORDER)
    done = ended(S.REJECTED, result="", message="no")
    await ledger.settle(intent.id, done, Continuation(intent=step), LATER, "d1")
    _, asked = await ledger.audit_page(AuditQuery(kinds=("intent",)), 0, 10)
    assert (asked.by, asked.data["reserved"], asked.data["currency"]) == ("d1", None, None)
