"""What waits or is held again is waited for and told of again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smm_rules.actions import approve, resolve_happened
from smm_rules.engine.memory import Reason
from smm_rules.ledger.records import IntentState
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import NotSent
from tests.actions.world import MINUTE, World, order


async def test_a_wait_that_ended_does_not_shorten_the_next_one(world: World) -> None:
    await world.know(balance="0")
    await world.track()
    intent_id = await world.reorder()
    await world.run()
    world.clock.move(timedelta(hours=1, minutes=59))
    await world.know(balance="100")
    world.panel.script = [NotSent("connection refused")]
    await world.run()
    world.clock.move(2 * MINUTE)
    await world.know(balance="0")

    await world.run()

    intent = await world.intent(intent_id)
    assert (len(world.panel.calls), intent.state, intent.reason) == (1, IntentState.PLANNED, "balance_low")


async def test_what_is_held_again_for_the_same_reason_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval that came to nothing must not leave the action held without a word."""
    await world.track()
    intent_id = await world.refill()

    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("smm_rules.actions.executor.gather", broken)
    await world.run()
    told_once = await world.messages()
    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()

    assert await world.state(intent_id) is IntentState.HELD
    assert (len(told_once), len(await world.messages())) == (1, 2)


async def test_an_add_that_answers_with_an_order_known_before_is_in_doubt(world: World) -> None:
    """Such an ID proves no new order: the panel may have none, or may have named the wrong one."""
    await world.know()
    await world.track()
    await world.track(2)
    intent_id = await world.reorder()
    world.clock.move(MINUTE)
    world.panel.script = ["2"]

    await world.run()

    intent = await world.intent(intent_id)
    other = await world.ledger.order(order(2))
    assert other is not None
    assert (intent.state, intent.reason, intent.evidence["answer"]) == (
        IntentState.UNKNOWN,
        "known_order",
        "2",
    )
    assert (other.parent, other.root) == (None, order(2))
    assert await world.messages() == [f"operator:unknown:{intent_id}"]


async def test_an_add_that_answers_with_the_very_order_to_be_repeated_is_in_doubt(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder()
    world.clock.move(MINUTE)
    world.panel.script = ["1"]

    await world.run()

    assert await world.state(intent_id) is IntentState.UNKNOWN


async def test_an_order_tracked_while_the_answer_was_on_its_way_is_the_new_one(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder()

    async def imported_meanwhile(parameters: object) -> str:
        world.clock.move(MINUTE)
        await world.track(77)
        return "77"

    world.panel.add = imported_meanwhile  # type: ignore[assignment,method-assign]  # the panel is watched
    await world.run()

    made = await world.ledger.order(order(77))
    assert made is not None
    assert (await world.state(intent_id), made.parent) == (IntentState.CONFIRMED, order(1))


async def test_a_made_order_that_had_been_forgotten_takes_its_place_in_the_chain(world: World) -> None:
    """Or limits over the chain could be got around."""
    await world.know()
    await world.track()
    await world.track(2)
    await world.ledger.forget(order(2), world.clock.now())
    intent_id = await world.reorder(hold=Reason.LIMIT_PER_SWEEP)
    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    world.clock.move(MINUTE)
    world.panel.script = ["2"]
    await world.run()

    voice = OperatorVoice(world.ledger, "ops")
    await resolve_happened(world.ledger, voice, intent_id, "2", world.clock.now(), "ann")

    made = await world.ledger.order(order(2))
    assert made is not None
    assert (made.parent, made.root, made.depth) == (order(1), order(1), 1)
