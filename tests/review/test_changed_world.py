"""An action that waited is not sent into a world that has changed: the rule's condition must hold still."""

from __future__ import annotations

from datetime import datetime, timedelta

from smm_rules.actions import approve
from smm_rules.engine.memory import Memory, Reason
from smm_rules.ledger.records import IntentState, Observed, Remembered, Sweep
from smm_rules.panel.errors import NotSent, Rejected
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, T0, World, order

RULE = "top-up"
ONGOING = Memory(true_since=T0, fired_at=T0, last_fired=T0, firings=1)
OVER = Memory(last_fired=T0, firings=1)
REORDER = Step(StepKind.REORDER)


async def look(world: World, status: str, memory: Memory, due_at: datetime | None = None) -> None:
    """Let the order have been read just now, and the rule have come to `memory`."""
    now = world.clock.now()
    seen = Observed(order(), {"id": "1", "status": status}, True, due_at)
    await world.ledger.record(Sweep(now, (seen,), (Remembered(RULE, order(), memory),)))


async def test_an_approval_that_comes_when_the_order_has_recovered_buys_nothing(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING)
    intent_id = await world.reorder(hold=Reason.LIMIT_PER_SWEEP)
    world.clock.move(MINUTE)
    await look(world, "In progress", OVER)

    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()

    intent = await world.intent(intent_id)
    assert (world.panel.calls, intent.state, intent.reason) == ([], IntentState.NOT_SENT, "no_longer_holds")
    assert await world.messages() == [f"operator:not_sent:{intent_id}:0"]


async def test_an_approval_while_the_episode_goes_on_is_sent(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING)
    intent_id = await world.reorder(hold=Reason.LIMIT_PER_SWEEP)

    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()

    assert await world.state(intent_id) is IntentState.CONFIRMED


async def test_an_order_that_left_the_state_and_came_back_is_another_episode(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder(hold=Reason.LIMIT_PER_SWEEP)
    await look(world, "Canceled", Memory(true_since=T0 + MINUTE, last_fired=T0, firings=1))

    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()

    assert (world.panel.calls, await world.state(intent_id)) == ([], IntentState.NOT_SENT)


async def test_an_attempt_that_never_arrived_is_not_repeated_once_the_order_has_completed(
    world: World,
) -> None:
    await world.track()
    await look(world, "Partial", ONGOING)
    intent_id = await world.refill()
    world.panel.script = [NotSent("connection refused")]
    await world.run()
    world.clock.move(MINUTE)
    await look(world, "Completed", OVER)

    await world.run()

    assert (len(world.panel.calls), await world.state(intent_id)) == (1, IntentState.NOT_SENT)


async def test_a_step_after_one_that_was_done_is_sent_though_that_ended_the_condition(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "In progress", ONGOING)
    await world.fire(Step(StepKind.CANCEL), REORDER)
    await world.run()
    await look(world, "Canceled", OVER)

    await world.run()

    assert [action for action, _ in world.panel.calls] == ["cancel", "add"]


async def test_otherwise_is_not_sent_once_the_order_has_recovered(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "Partial", ONGOING)
    await world.fire(Step(StepKind.REFILL), otherwise=(REORDER,))
    world.panel.script = [Rejected("Refill is not available")]
    await world.run()
    await look(world, "Completed", OVER)

    await world.run()

    assert [action for action, _ in world.panel.calls] == ["refill"]


async def test_what_was_not_looked_at_for_long_is_looked_at_first(world: World) -> None:
    """A daemon that was down for a day finds a planned action: the order is read before it is sent."""
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING)
    intent_id = await world.reorder()
    world.clock.move(timedelta(days=1))
    await world.know()

    await world.run()

    intent = await world.intent(intent_id)
    watched = await world.ledger.watched(order())
    assert watched is not None
    assert (world.panel.calls, intent.state, intent.reason) == ([], IntentState.PLANNED, "not_looked_at")
    assert watched.due_at == world.clock.now()

    world.clock.move(MINUTE)
    await look(world, "Canceled", ONGOING)
    await world.run()
    assert await world.state(intent_id) is IntentState.CONFIRMED


async def test_what_is_overdue_keeps_its_place_among_the_overdue(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING, due_at=T0 + MINUTE)
    await world.reorder()
    world.clock.move(timedelta(days=1))

    await world.run()

    watched = await world.ledger.watched(order())
    assert watched is not None
    assert watched.due_at == T0 + MINUTE


async def test_an_order_that_can_no_longer_be_read_is_not_acted_on_and_that_is_told(world: World) -> None:
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING)
    intent_id = await world.reorder()
    world.clock.move(timedelta(days=1))
    for _ in range(12):
        await world.run()
        world.clock.move(15 * MINUTE)

    intent = await world.intent(intent_id)
    assert (world.panel.calls, intent.state, intent.reason) == ([], IntentState.NOT_SENT, "not_looked_at")
    assert await world.messages() == [f"operator:not_sent:{intent_id}:0"]


async def test_a_look_begins_the_wait_for_the_next_one_anew(world: World) -> None:
    """A long queue of approved actions is worked through, however often its orders must be read."""
    await world.know()
    await world.track()
    await look(world, "Canceled", ONGOING)
    intent_id = await world.reorder()
    for _ in range(8):
        world.clock.move(20 * MINUTE)
        await world.run()
        await look(world, "Canceled", ONGOING)

    assert await world.state(intent_id) is IntentState.PLANNED
