"""The intent state machine: every state against every change, and what follows from an outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import pytest

from smm_rules.engine.firing import Continuation
from smm_rules.facts import EntityKind
from smm_rules.ledger.port import Ledger, LedgerError, StateConflict
from smm_rules.ledger.records import DOUBTED, IntentState, NewOrder, OrderSource, Outcome, Transition
from smm_rules.rules.model import StepKind
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
    order,
    plan,
    planned,
    refill,
)
from tests.ledger.conftest import Opener

S = IntentState
LATER = T0 + 5 * MINUTE


@dataclass(frozen=True)
class Case:
    """A change as a test makes it: where it may start, where it leads, what it leaves as transitions."""

    name: str
    start: IntentState
    after: IntentState
    make: Callable[[Ledger, int], Awaitable[object]]
    through: tuple[IntentState, ...] = ()


def _settle(outcome: Outcome) -> Callable[[Ledger, int], Awaitable[object]]:
    return lambda ledger, intent: ledger.settle(intent, outcome, NOTHING, LATER, "me")


def _resolve(outcome: Outcome) -> Callable[[Ledger, int], Awaitable[object]]:
    return lambda ledger, intent: ledger.resolve(intent, outcome, NOTHING, LATER, "me")


def _refuse(outcome: Outcome) -> Callable[[Ledger, int], Awaitable[object]]:
    return lambda ledger, intent: ledger.refuse(intent, outcome, NOTHING, LATER)


RETRY = ended(S.NOT_SENT, retry_at=LATER + MINUTE)
CASES = [
    Case("settle confirmed", S.SENDING, S.CONFIRMED, _settle(ended(S.CONFIRMED))),
    Case("settle rejected", S.SENDING, S.REJECTED, _settle(ended(S.REJECTED))),
    Case("settle not_sent", S.SENDING, S.NOT_SENT, _settle(ended(S.NOT_SENT))),
    Case("settle not_sent, again", S.SENDING, S.PLANNED, _settle(RETRY), (S.NOT_SENT,)),
    Case("settle unknown", S.SENDING, S.UNKNOWN, _settle(ended(S.UNKNOWN))),
    Case("refuse", S.PLANNED, S.NOT_SENT, _refuse(ended(S.NOT_SENT))),
    Case("refuse, again", S.PLANNED, S.PLANNED, _refuse(RETRY), (S.NOT_SENT,)),
    Case("hold", S.PLANNED, S.HELD, lambda ledger, intent: ledger.hold(intent, "because", "", LATER)),
    Case("approve", S.HELD, S.PLANNED, lambda ledger, intent: ledger.approve(intent, LATER, "me")),
    Case("deny", S.HELD, S.DENIED, lambda ledger, intent: ledger.deny(intent, LATER, "me")),
    Case("resolve confirmed", S.UNKNOWN, S.CONFIRMED, _resolve(ended(S.CONFIRMED))),
    Case("resolve not_sent", S.UNKNOWN, S.NOT_SENT, _resolve(ended(S.NOT_SENT))),
    Case("resolve not_sent, again", S.UNKNOWN, S.PLANNED, _resolve(RETRY), (S.NOT_SENT,)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_allowed_change_is_made_and_written_down(ledger: Ledger, case: Case) -> None:
    intent = await bring_to(ledger, case.start, draft(estimate="2"))
    before = await ledger.transitions(intent.id)
    result = await case.make(ledger, intent.id)
    after = await ledger.intent(intent.id)
    assert after is not None
    assert result == after
    assert after.state == case.after
    final = case.after in (S.CONFIRMED, S.REJECTED, S.NOT_SENT, S.DENIED)
    assert after.settled_at == (LATER if final else None)
    assert (await ledger.totals(LATER)).reserved == ({} if final else {"USD": Decimal(2)})
    steps = (case.start, *case.through, case.after)
    new = (await ledger.transitions(intent.id))[len(before) :]
    assert [(change.before, change.after, change.at) for change in new] == [
        (left, reached, LATER) for left, reached in pairwise(steps)
    ]


@pytest.mark.parametrize(
    ("case", "state"),
    [
        pytest.param(case, state, id=f"{case.name} when {state}")
        for case in CASES
        for state in IntentState
        if state is not case.start
    ],
)
async def test_a_change_from_any_other_state_is_refused_and_changes_nothing(
    ledger: Ledger, case: Case, state: IntentState
) -> None:
    intent = await bring_to(ledger, state)
    transitions = await ledger.transitions(intent.id)
    with pytest.raises(StateConflict, match=f"it is {state}, and "):
        await case.make(ledger, intent.id)
    assert await ledger.intent(intent.id) == intent
    assert await ledger.transitions(intent.id) == transitions


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_change_of_an_intent_that_does_not_exist_says_so(ledger: Ledger, case: Case) -> None:
    with pytest.raises(LedgerError, match="there is no intent 77"):
        await case.make(ledger, 77)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (S.PLANNED, "it is planned, and it can only be claimed or refused or held"),
        (S.HELD, "it is held, and it can only be approved or denied"),
        (S.SENDING, "it is sending, and it can only be settled"),
        (S.CONFIRMED, "it is confirmed, and that is final"),
    ],
)
async def test_a_conflict_says_what_is_allowed(ledger: Ledger, state: IntentState, words: str) -> None:
    intent = await bring_to(ledger, state)
    with pytest.raises(StateConflict, match=words):
        await ledger.resolve(intent.id, ended(S.CONFIRMED), NOTHING, LATER, "me")


@pytest.mark.parametrize("state", list(IntentState))
async def test_only_what_is_planned_can_be_claimed(ledger: Ledger, state: IntentState) -> None:
    intent = await bring_to(ledger, state)
    claimed = await ledger.claim(intent.id, "d9", LATER, {"balance": "3"})
    assert claimed is (state is S.PLANNED)
    after = await ledger.intent(intent.id)
    if not claimed:
        assert after == intent
        return
    assert after == replace(
        intent, state=S.SENDING, attempts=1, claimed_at=LATER, owner="d9", evidence={"balance": "3"}
    )
    assert (await ledger.transitions(intent.id))[-1] == Transition(LATER, "planned", S.SENDING, "", "", "d9")


async def test_an_intent_that_does_not_exist_cannot_be_claimed(ledger: Ledger) -> None:
    assert await ledger.claim(77, "d1", T0, {}) is False


BAD_OUTCOMES = [
    ("settle", _settle(ended(S.PLANNED))),
    ("settle", _settle(ended(S.HELD))),
    ("settle", _settle(ended(S.SENDING))),
    ("settle", _settle(ended(S.DENIED))),
    ("settle", _settle(ended(S.REJECTED, retry_at=LATER))),
    ("settle", _settle(ended(S.UNKNOWN, tracked=new_order(5)))),
    ("settle", _settle(ended(S.REJECTED, refill=refill(5)))),
    ("refuse", _refuse(ended(S.REJECTED))),
    ("refuse", _refuse(ended(S.CONFIRMED))),
    ("resolve", _resolve(ended(S.REJECTED))),
    ("resolve", _resolve(ended(S.UNKNOWN))),
]


@pytest.mark.parametrize(("name", "make"), BAD_OUTCOMES)
async def test_an_outcome_that_makes_no_sense_is_refused(
    ledger: Ledger, name: str, make: Callable[[Ledger, int], Awaitable[object]]
) -> None:
    starts = {"settle": S.SENDING, "refuse": S.PLANNED, "resolve": S.UNKNOWN}
    intent = await bring_to(ledger, starts[name])
    with pytest.raises(ValueError, match=r"an intent can be|only what was not sent|made nothing"):
        await make(ledger, intent.id)
    assert await ledger.intent(intent.id) == intent


# -- what an outcome carries -----------------------------------------------------------------------------
async def test_a_settlement_keeps_result_message_and_evidence(ledger: Ledger) -> None:
    intent_id = await plan(ledger)
    await ledger.claim(intent_id, "d1", T0, {"balance": "3", "seen": "a"})
    outcome = Outcome(S.CONFIRMED, "accepted", "thanks", "881", evidence={"seen": "b", "after": "2"})
    intent = await ledger.settle(intent_id, outcome, NOTHING, LATER, "d1")
    assert (intent.reason, intent.message, intent.result) == ("accepted", "thanks", "881")
    assert intent.evidence == {"balance": "3", "seen": "b", "after": "2"}
    change = (await ledger.transitions(intent_id))[-1]
    assert change == Transition(LATER, "sending", S.CONFIRMED, "accepted", "thanks", "d1")


async def test_an_outcome_is_taken_for_that_of_its_own_attempt_alone(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    with pytest.raises(StateConflict, match="by what became of attempt 2: it is sending for attempt 1"):
        await ledger.settle(intent.id, RETRY, NOTHING, LATER, "d1", 2)
    doubt = await ledger.settle(intent.id, ended(S.UNKNOWN), NOTHING, LATER, "d1", 1)
    with pytest.raises(StateConflict, match="by what became of attempt 0: it is unknown for attempt 1"):
        await ledger.resolve(intent.id, RETRY, NOTHING, LATER, "ann", 0)
    assert await ledger.intent(intent.id) == doubt
    again = await ledger.resolve(intent.id, RETRY, NOTHING, LATER, "ann", 1)
    assert (again.state, again.evidence[DOUBTED]) == (S.PLANNED, "1")


async def test_what_was_not_sent_waits_for_its_next_attempt(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    again = await ledger.settle(
        intent.id, ended(S.NOT_SENT, "connect", retry_at=LATER), NOTHING, T0 + 2 * MINUTE, "d1"
    )
    assert (again.state, again.reason, again.not_before, again.attempts) == (S.PLANNED, "connect", LATER, 1)
    early = LATER - MINUTE
    assert await ledger.claimable(early, 10) == ()
    assert await ledger.claim(intent.id, "d1", early, {}) is False
    assert [one.id for one in await ledger.claimable(LATER, 10)] == [intent.id]
    assert await ledger.claim(intent.id, "d1", LATER, {}) is True
    claimed = await ledger.intent(intent.id)
    assert claimed is not None
    assert (claimed.attempts, claimed.not_before) == (2, None)


async def test_claimable_intents_come_oldest_first(ledger: Ledger) -> None:
    ids = [await plan(ledger, episode=T0 + number * DAY) for number in range(3)]
    await ledger.hold(ids[1], "approval", "", T0)
    assert [one.id for one in await ledger.claimable(T0 + DAY, 10)] == [ids[0], ids[2]]
    assert [one.id for one in await ledger.claimable(T0 + DAY, 1)] == [ids[0]]


async def test_what_follows_is_planned_with_the_settlement(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    then = Continuation((message("told"),), draft("otherwise.0", StepKind.REORDER, "3"))
    await ledger.settle(intent.id, ended(S.REJECTED), then, LATER, "d1")
    [following] = await ledger.intents([S.PLANNED], 10)
    assert (following.firing, following.rule, following.entity, following.episode, following.step) == (
        intent.firing,
        intent.rule,
        intent.entity,
        intent.episode,
        "otherwise.0",
    )
    assert (following.kind, following.reserved, following.planned_at) == (StepKind.REORDER, Decimal(3), LATER)
    assert [one.dedup_key for one in await ledger.messages([], 10)] == ["told"]


@pytest.mark.parametrize("start", [S.PLANNED, S.UNKNOWN])
async def test_what_follows_a_refusal_or_a_resolution_is_planned_too(
    ledger: Ledger, start: IntentState
) -> None:
    intent = await bring_to(ledger, start)
    then = Continuation((message("told"),), draft("otherwise.0"))
    if start is S.PLANNED:
        await ledger.refuse(intent.id, ended(S.NOT_SENT), then, LATER)
    else:
        await ledger.resolve(intent.id, ended(S.NOT_SENT), then, LATER, "ann")
    assert [one.step for one in await ledger.intents([S.PLANNED], 10)] == ["otherwise.0"]
    assert len(await ledger.messages([], 10)) == 1


async def test_a_conflicting_settlement_plans_and_tells_nothing(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.UNKNOWN)
    then = Continuation((message("told"),), draft("do.1"))
    outcome = ended(S.CONFIRMED, tracked=new_order(5))
    with pytest.raises(StateConflict):
        await ledger.settle(intent.id, outcome, then, LATER, "d1")
    assert [one.id for one in await ledger.intents([], 10)] == [intent.id]
    assert await ledger.messages([], 10) == ()
    assert await ledger.order(order(5)) is None


# -- what an action made ---------------------------------------------------------------------------------
async def _confirm(ledger: Ledger, kind: StepKind, outcome: Outcome, episode_day: int = 0) -> None:
    intent_id = await plan(ledger, draft(kind=kind), T0 + episode_day * DAY)
    await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
    await ledger.settle(intent_id, outcome, NOTHING, LATER, "d1")


async def test_a_reorder_is_watched_in_its_chain(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    made = NewOrder(order(2), "7", {"quantity": "3"}, LATER, "", OrderSource.REORDERED, order(1))
    await _confirm(ledger, StepKind.REORDER, ended(S.CONFIRMED, result="2", tracked=made))
    watched = await ledger.watched(order(2))
    assert watched is not None
    assert watched.due_at == LATER
    assert watched.order is not None
    assert (watched.order.parent, watched.order.root, watched.order.depth, watched.order.source) == (
        order(1),
        order(1),
        1,
        OrderSource.REORDERED,
    )


async def test_a_reorder_tracked_by_somebody_faster_still_joins_its_chain(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    made = NewOrder(order(2), source=OrderSource.REORDERED, parent=order(1))
    await _confirm(ledger, StepKind.REORDER, ended(S.CONFIRMED, tracked=made))
    known = await ledger.order(order(2))
    assert known is not None
    assert (known.root, known.depth, known.source) == (order(1), 1, OrderSource.REORDERED)
    assert known.parameters == new_order(2).parameters


async def test_a_reorder_that_was_tracked_and_reordered_already_brings_its_own_reorders(
    ledger: Ledger,
) -> None:
    await ledger.track([new_order(1), new_order(2), new_order(3, order(2))], T0)
    made = NewOrder(order(2), source=OrderSource.REORDERED, parent=order(1))
    await _confirm(ledger, StepKind.REORDER, ended(S.CONFIRMED, tracked=made))
    known = await ledger.order(order(3))
    assert known is not None
    assert (known.parent, known.root, known.depth) == (order(2), order(1), 2)


@pytest.mark.parametrize("answered", [1, 2])
async def test_a_panel_that_answers_with_an_older_order_of_the_chain_makes_no_circle(
    ledger: Ledger, answered: int
) -> None:
    await ledger.track([new_order(1), new_order(2, order(1))], T0)
    made = NewOrder(order(answered), source=OrderSource.REORDERED, parent=order(2))
    await _confirm(ledger, StepKind.REORDER, ended(S.CONFIRMED, tracked=made))
    found = [await ledger.order(order(number)) for number in (1, 2)]
    assert [(known.root, known.depth) for known in found if known] == [(order(1), 0), (order(1), 1)]


async def test_an_accepted_refill_is_watched_and_counted(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED, result="51", refill=refill(51)))
    [watched] = await ledger.due(EntityKind.REFILL, "north", LATER, 10)
    assert watched.entity == refill(51)
    assert watched.facts == {"id": "51", "requested_at": LATER}
    assert watched.order is not None
    assert (watched.order.entity, watched.order.refills) == (order(1), 1)


async def test_a_refill_asked_for_by_a_rule_that_watches_refills_belongs_to_the_order(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED, result="51", refill=refill(51)))
    again = replace(draft(kind=StepKind.REFILL), parameters={"order": "1"})
    recorded = await ledger.record(fired(planned(firing(refill(51)), again)))
    await ledger.claim(recorded.intents[0], "d1", T0 + MINUTE, {})
    outcome = ended(S.CONFIRMED, result="52", refill=refill(52))
    await ledger.settle(recorded.intents[0], outcome, NOTHING, LATER, "d1")
    watched = await ledger.watched(refill(52))
    assert watched is not None
    assert watched.order is not None
    assert (watched.order.entity, watched.order.refills) == (order(1), 2)


async def test_a_refill_without_an_id_is_counted_as_well(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    for day in range(2):
        await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED), day)
    [watched] = await ledger.due(EntityKind.ORDER, "north", LATER, 10)
    assert watched.order is not None
    assert watched.order.refills == 2


async def test_only_accepted_refills_count(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await _confirm(ledger, StepKind.CANCEL, ended(S.CONFIRMED), 0)
    await _confirm(ledger, StepKind.REFILL, ended(S.REJECTED), 1)
    await _confirm(ledger, StepKind.REFILL, ended(S.UNKNOWN), 2)
    known = await ledger.order(order(1))
    assert known is not None
    assert known.refills == 0


async def test_a_resolution_watches_what_was_made(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    intent = await bring_to(ledger, S.UNKNOWN)
    outcome = ended(S.CONFIRMED, result="51", refill=refill(51))
    await ledger.resolve(intent.id, outcome, NOTHING, LATER, "ann")
    known = await ledger.order(order(1))
    assert known is not None
    assert known.refills == 1
    assert await ledger.watched(refill(51)) is not None


async def test_a_refill_id_given_twice_is_asked_about_anew(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    for day in range(2):
        await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED, refill=refill(1)), day)
        [watched] = await ledger.due(EntityKind.REFILL, "north", LATER, 10)
        assert watched.entity == refill(1)
        await ledger.postpone([refill(1)], LATER + 9 * DAY)


async def test_forgetting_an_order_forgets_its_refills(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED, refill=refill(1)))
    await ledger.forget(order(1), LATER)
    assert await ledger.due(EntityKind.REFILL, "north", LATER + DAY, 10) == ()


async def test_the_refill_of_an_order_nobody_tracked_is_watched_by_itself(ledger: Ledger) -> None:
    await _confirm(ledger, StepKind.REFILL, ended(S.CONFIRMED, refill=refill(1)))
    watched = await ledger.watched(refill(1))
    assert watched is not None
    assert watched.order is None


# -- notes, lists, money ---------------------------------------------------------------------------------
async def test_notes_are_added_to_the_evidence(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.UNKNOWN)
    await ledger.note(intent.id, {"balance_before": "3.00"})
    await ledger.note(intent.id, {"balance_after": "2.00"})
    after = await ledger.intent(intent.id)
    assert after == replace(intent, evidence={"balance_before": "3.00", "balance_after": "2.00"})
    with pytest.raises(LedgerError, match="there is no intent 77"):
        await ledger.note(77, {"a": "b"})


async def test_intents_are_listed_newest_first_by_state_rule_and_entity(ledger: Ledger) -> None:
    firings = [firing(order(1)), firing(order(2), rule="other"), firing(order(1), episode=T0 + DAY)]
    recorded = await ledger.record(fired(*(planned(what, draft()) for what in firings)))
    first, second, third = recorded.intents
    await ledger.hold(third, "approval", "", T0)

    async def ids(*states: IntentState, **more: object) -> list[int]:
        found = await ledger.intents(states, **({"limit": 10} | more))  # type: ignore[arg-type]
        return [intent.id for intent in found]

    assert await ids() == [third, second, first]
    assert await ids(limit=2) == [third, second]
    assert await ids(S.PLANNED) == [second, first]
    assert await ids(S.PLANNED, S.HELD) == [third, second, first]
    assert await ids(rule="other") == [second]
    assert await ids(entity=order(1)) == [third, first]
    assert await ids(S.PLANNED, rule="top-up", entity=order(1)) == [first]
    assert await ids(S.DENIED) == []


async def test_reserved_money_is_what_a_balance_must_bear(ledger: Ledger) -> None:
    await bring_to(ledger, S.UNKNOWN, draft(estimate="1.10"))
    for number, state in enumerate((S.PLANNED, S.CONFIRMED, S.HELD, S.SENDING), 1):
        intent_id = await plan(ledger, draft(estimate="0.20"), T0 + number * DAY)
        if state is S.HELD:
            await ledger.hold(intent_id, "approval", "", T0)
        if state in (S.SENDING, S.CONFIRMED):
            await ledger.claim(intent_id, "d1", T0, {})
        if state is S.CONFIRMED:
            await ledger.settle(intent_id, ended(S.CONFIRMED), NOTHING, T0, "d1")
    await plan(ledger, replace(draft(estimate="7", panel="south"), currency="EUR"), T0 + 10 * DAY)
    await plan(ledger, draft(), T0 + 11 * DAY)
    assert await ledger.reserved("north") == {"USD": Decimal("1.50")}
    assert await ledger.reserved("south") == {"EUR": Decimal(7)}
    assert await ledger.reserved("west") == {}
    assert (await ledger.totals(T0)).reserved == {"USD": Decimal("1.70"), "EUR": Decimal(7)}


async def test_money_of_an_unknown_currency_is_reserved_under_no_name(ledger: Ledger) -> None:
    await plan(ledger, replace(draft(estimate="7"), currency=None))
    assert await ledger.reserved("north") == {"": Decimal(7)}


# -- boot ------------------------------------------------------------------------------------------------
async def test_at_boot_what_was_being_sent_is_in_doubt(ledger: Ledger, open_ledger: Opener) -> None:
    intent = await bring_to(ledger, S.SENDING, draft(estimate="2"))
    await ledger.aclose()
    again = await open_ledger()
    [found] = await again.recover(LATER, "d1", T0)
    assert (found.id, found.state, found.reason, found.settled_at) == (
        intent.id,
        S.UNKNOWN,
        "interrupted",
        None,
    )
    assert found.reserved == Decimal(2)
    assert (await again.transitions(intent.id))[-1].after == S.UNKNOWN
    assert await again.recover(LATER, "d1", T0) == ()
    assert await again.claimable(LATER + DAY, 10) == ()
    await again.aclose()


@pytest.mark.parametrize("state", [state for state in IntentState if state is not S.SENDING])
async def test_recovery_leaves_every_other_state_alone(ledger: Ledger, state: IntentState) -> None:
    intent = await bring_to(ledger, state)
    assert await ledger.recover(LATER, "d1", LATER + DAY) == ()
    assert await ledger.intent(intent.id) == intent


async def test_another_commands_fresh_claim_is_not_recovered(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    assert intent.claimed_at == T0 + MINUTE
    assert await ledger.recover(LATER, "d2", T0 + MINUTE) == ()
    assert [one.id for one in await ledger.recover(LATER, "d2", T0 + 2 * MINUTE)] == [intent.id]


# -- several at once -------------------------------------------------------------------------------------
async def test_of_many_claims_at_once_one_succeeds(open_ledger: Opener) -> None:
    ledgers = [await open_ledger() for _ in range(4)]
    for day in range(5):
        intent_id = await plan(ledgers[0], episode=T0 + day * DAY)
        claims = (one.claim(intent_id, f"d{number}", LATER, {}) for number, one in enumerate(ledgers * 3))
        assert sorted(await asyncio.gather(*claims)) == [False] * 11 + [True]
        assert len(await ledgers[0].recover(LATER, "d0", LATER + MINUTE)) == 1
    for one in ledgers:
        await one.aclose()


@pytest.mark.parametrize("state", [S.CONFIRMED, S.NOT_SENT, S.UNKNOWN])
async def test_of_two_about_one_order_one_is_sent_at_a_time(open_ledger: Opener, state: S) -> None:
    """Each was found ready by a worker of its own, on a panel of its own, while the other was planned."""
    ledger, another = await open_ledger(), await open_ledger()
    first = await plan(ledger, draft())
    second = await plan(ledger, draft(panel="south"), T0 + DAY)
    claims = (ledger.claim(first, "d1", LATER, {}), another.claim(second, "d2", LATER, {}))
    assert sorted(await asyncio.gather(*claims)) == [False, True]
    [sent], [waits] = [
        await ledger.intents((wanted,), 9) for wanted in (IntentState.SENDING, IntentState.PLANNED)
    ]
    await ledger.settle(sent.id, ended(state), NOTHING, LATER, sent.owner)
    assert await another.claim(waits.id, "d2", LATER, {})
    await ledger.aclose()
    await another.aclose()


async def test_no_note_is_lost_between_two_that_write_at_once(open_ledger: Opener) -> None:
    ledgers = [await open_ledger() for _ in range(3)]
    intent_id = await plan(ledgers[0])
    notes = [(number, one) for number in range(20) for one in ledgers]
    await asyncio.gather(
        *(one.note(intent_id, {f"{number}-{ledgers.index(one)}": "seen"}) for number, one in notes)
    )
    intent = await ledgers[0].intent(intent_id)
    assert intent is not None
    assert len(intent.evidence) == len(notes)
    for one in ledgers:
        await one.aclose()


async def test_two_openers_see_each_others_changes(ledger: Ledger, open_ledger: Opener) -> None:
    other = await open_ledger()
    await ledger.track([new_order(1)], T0)
    assert await other.order(order(1)) is not None
    intent_id = await plan(other)
    assert await ledger.claim(intent_id, "d1", T0, {}) is True
    assert await other.claim(intent_id, "d2", T0, {}) is False
    await other.aclose()
