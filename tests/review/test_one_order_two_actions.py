"""Two actions about one order: what may have been done of it by either keeps the other back."""

from __future__ import annotations

import asyncio

from smm_rules.actions import approve
from smm_rules.actions.resolve import resolve_did_not
from smm_rules.ledger.records import IntentState
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import Ambiguous
from tests.actions.world import World

TIMED_OUT = Ambiguous("read timed out")


async def held_and_overtaken(world: World) -> tuple[int, int]:
    """An older reorder that waits for the operator, and a newer one by another rule."""
    await world.know()
    await world.track()
    older = await world.reorder(rule="first")
    await world.ledger.hold(older, "approval", "it costs 2.00 USD", world.clock.now())
    newer = await world.reorder(rule="second")
    return older, newer


async def test_what_was_held_is_not_sent_beside_a_newer_one_in_doubt(world: World) -> None:
    """The newer one overtook it and may have bought the order. The approval was given without knowing."""
    older, newer = await held_and_overtaken(world)
    world.panel.script = [TIMED_OUT]
    await world.run()
    assert await world.state(newer) is IntentState.UNKNOWN
    await approve(world.ledger, older, world.clock.now(), "ann")

    await world.run()

    intent = await world.intent(older)
    assert (len(world.panel.calls), intent.state, intent.reason) == (
        1,
        IntentState.HELD,
        "earlier_in_doubt",
    )


async def test_approved_with_that_known_it_is_sent(world: World) -> None:
    older, _ = await held_and_overtaken(world)
    world.panel.script = [TIMED_OUT]
    await world.run()
    for _ in range(2):
        await approve(world.ledger, older, world.clock.now(), "ann")
        await world.run()

    assert (len(world.panel.calls), await world.state(older)) == (2, IntentState.CONFIRMED)


async def test_what_was_held_waits_for_a_newer_one_that_is_being_sent(world: World) -> None:
    """By another worker, say: whether it will be in doubt isn't known yet."""
    older, newer = await held_and_overtaken(world)
    gate = world.panel.gate = asyncio.Event()
    world.panel.script = [TIMED_OUT]
    sending = asyncio.create_task(world.executor("another").run_one(newer))
    await world.panel.reached.wait()
    world.panel.gate = None
    await approve(world.ledger, older, world.clock.now(), "ann")

    await world.executor().run_one(older)

    assert (len(world.panel.calls), await world.state(older)) == (1, IntentState.PLANNED)
    gate.set()
    await sending
    await world.executor().run_one(older)
    assert (len(world.panel.calls), await world.state(older)) == (1, IntentState.HELD)


async def test_once_the_doubt_is_gone_it_is_sent(world: World) -> None:
    older, newer = await held_and_overtaken(world)
    world.panel.script = [TIMED_OUT]
    await world.run()
    await resolve_did_not(world.ledger, OperatorVoice(world.ledger, "ops"), newer, world.clock.now(), "ann")
    await approve(world.ledger, older, world.clock.now(), "ann")

    await world.run()

    assert (len(world.panel.calls), await world.state(older)) == (2, IntentState.CONFIRMED)


async def test_two_that_are_planned_go_one_after_the_other(world: World) -> None:
    """The older one doesn't wait for the newer one that waits for it."""
    await world.know()
    await world.track()
    older, newer = await world.reorder(rule="first"), await world.reorder(rule="second")

    await world.run()

    assert [await world.state(one) for one in (older, newer)] == [IntentState.CONFIRMED] * 2
