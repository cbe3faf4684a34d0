"""Heartbeat, totals, and what may be dropped."""

from __future__ import annotations

import pytest

from smm_rules.engine.firing import Continuation
from smm_rules.engine.memory import Memory
from smm_rules.facts import EntityKind
from smm_rules.ledger.port import Ledger, LedgerError
from smm_rules.ledger.records import Heartbeat, IntentState, NewOrder, Remembered, Sweep, Totals
from tests.ledger.builders import (
    BALANCE,
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
    plan,
    planned,
)

S = IntentState
FINAL = (S.CONFIRMED, S.REJECTED, S.NOT_SENT, S.DENIED)


async def test_the_last_heartbeat_is_kept(ledger: Ledger) -> None:
    assert await ledger.heartbeat() is None
    await ledger.beat(Heartbeat("d1", T0, T0, {"orders": "1"}))
    last = Heartbeat("d2", T0 + DAY, T0 + 2 * DAY, {"orders": "2", "state": "running"})
    await ledger.beat(last)
    assert await ledger.heartbeat() == last


async def test_an_empty_ledger_has_nothing(ledger: Ledger) -> None:
    assert await ledger.totals(T0) == Totals(0, 0, {}, {}, {})


async def test_what_is_due_is_counted_over_all_panels(ledger: Ledger) -> None:
    panels = ("east", "north", "west")
    await ledger.track([NewOrder(order(number, panel)) for panel in panels for number in (1, 2)], T0)
    await ledger.postpone([order(2, "north"), order(1, "west"), order(2, "west")], T0 + DAY)
    assert [(await ledger.totals(at)).due for at in (T0 - DAY, T0, T0 + DAY)] == [0, 3, 6]


async def test_totals_count_everything(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2), new_order(3)], T0)
    await ledger.postpone([order(2)], T0 + DAY)
    await ledger.forget(order(3), T0)
    await ledger.record(Sweep(T0, (observed(BALANCE, {"amount": 3}, due_at=T0),)))
    await ledger.record(fired(planned(firing(), draft(), [message("a"), message("b")])))
    await ledger.record(fired(planned(firing(order(2)), draft())))
    await ledger.hold(1, "approval", "", T0)
    await ledger.delivered(1, T0)
    assert await ledger.totals(T0) == Totals(
        orders=2,
        due=1,
        intents={"held": 1, "planned": 1},
        messages={"delivered": 1, "pending": 1},
        reserved={},
    )
    assert await ledger.observations() == 1


async def test_pruning_keeps_what_was_so_at_the_instant_before_which_it_prunes(ledger: Ledger) -> None:
    """Else the first change after it would have no before."""
    await ledger.track([new_order(1)], T0)
    for day in (0, 1, 9):
        await ledger.record(Sweep(T0 + day * DAY, (observed(order(1), {"remains": day}),)))
    assert (await ledger.prune(T0 + 5 * DAY))["history"] == 1
    kept = await ledger.history(None, T0, T0 + 9 * DAY, 10)
    assert [seen.facts["remains"] for seen in kept] == [1, 9]


async def test_pruning_keeps_the_latest_observation_of_each_entity(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    for minute in range(3):
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(order(1), {"remains": minute}),)))
    await ledger.record(Sweep(T0, (observed(order(2), {"remains": 9}),)))
    assert (await ledger.prune(T0 + MINUTE))["history"] == 1
    assert (await ledger.prune(T0 + DAY))["history"] == 1
    kept = await ledger.history(None, T0, T0 + DAY, 10)
    assert [(seen.entity, seen.facts["remains"]) for seen in kept] == [(order(2), 9), (order(1), 2)]


async def test_pruning_drops_delivered_messages_only(ledger: Ledger) -> None:
    for key in "abc":
        await ledger.enqueue(message(key), T0)
    first, second, _ = await ledger.deliverable(T0, 10)
    await ledger.delivered(first.id, T0)
    await ledger.delivered(second.id, T0 + DAY)
    assert (await ledger.prune(T0 + DAY))["messages"] == 1
    assert [one.dedup_key for one in await ledger.messages([], 10)] == ["c", "b"]


@pytest.mark.parametrize("state", list(IntentState))
async def test_pruning_drops_an_old_intent_only_when_it_is_settled(
    ledger: Ledger, state: IntentState
) -> None:
    intent = await bring_to(ledger, state)
    counts = await ledger.prune(T0 + DAY)
    gone = state in FINAL
    assert (counts["intents"], counts["firings"]) == (int(gone), int(gone))
    assert (await ledger.intent(intent.id) is None) is gone
    assert (await ledger.transitions(intent.id) == ()) is gone


async def test_pruning_leaves_what_is_not_old_enough(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.CONFIRMED)
    assert intent.settled_at is not None
    assert (await ledger.prune(intent.settled_at))["intents"] == 0
    assert (await ledger.prune(intent.settled_at + MINUTE))["intents"] == 1


async def test_pruning_keeps_a_firing_whole_while_any_of_it_is_open(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.SENDING)
    then = Continuation(intent=draft("otherwise.0"))
    await ledger.settle(intent.id, ended(S.REJECTED), then, T0, "d1")
    nothing = dict.fromkeys(
        (
            "history",
            "messages",
            "intents",
            "firings",
            "traces",
            "stops",
            "alerts",
            "silences",
            "received",
            "bad_rows",
        ),
        0,
    )
    assert await ledger.prune(T0 + DAY) == nothing
    [following] = await ledger.claimable(T0 + DAY, 10)
    await ledger.refuse(following.id, ended(S.NOT_SENT), NOTHING, T0)
    assert await ledger.prune(T0 + DAY) == nothing | {"intents": 2, "firings": 1}


async def test_the_id_of_a_pruned_intent_is_not_given_again(ledger: Ledger) -> None:
    intent = await bring_to(ledger, S.CONFIRMED)
    await ledger.prune(T0 + DAY)
    assert await plan(ledger, episode=T0 + DAY) > intent.id


async def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    await ledger.aclose()
    await ledger.aclose()
    with pytest.raises(LedgerError, match="has been closed"):
        await ledger.totals(T0)


async def test_an_unfired_episode_of_an_edited_rule_is_due_at_once(ledger: Ledger) -> None:
    holding, fired_one, ignored, blank, other = (order(number) for number in range(1, 6))
    await ledger.track([new_order(number) for number in range(1, 6)], T0)
    memories = {
        holding: Memory(true_since=T0),
        fired_one: Memory(true_since=T0, fired_at=T0, firings=1),
        ignored: Memory(true_since=T0, ignored=True),
        blank: Memory(firings=2),
    }
    remembered = [Remembered("edited", entity, memory) for entity, memory in memories.items()]
    remembered.append(Remembered("another", other, Memory(true_since=T0)))
    looks = tuple(observed(entity, {}, due_at=T0 + DAY) for entity in (*memories, other))
    await ledger.record(Sweep(T0, looks, tuple(remembered)))
    assert await ledger.wake(["edited"], T0 + MINUTE) == 1
    due = await ledger.due(EntityKind.ORDER, "north", T0 + MINUTE, 10)
    assert [item.entity for item in due] == [holding]
    assert await ledger.wake(["edited"], T0 + 2 * MINUTE) == 0
    assert await ledger.wake([], T0) == 0


async def test_what_is_forgotten_is_not_woken(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    look = observed(order(1), {}, due_at=T0 + DAY)
    await ledger.record(Sweep(T0, (look,), (Remembered("edited", order(1), Memory(true_since=T0)),)))
    await ledger.forget(order(1), T0)
    assert await ledger.wake(["edited"], T0 + MINUTE) == 0
