"""Right before the first byte: what was stopped or taken away while it waited isn't sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from smm_rules.engine.firing import Continuation
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.panel.answers import Accepted
from smm_rules.panel.client import Endpoint, PanelClient
from smm_rules.simulator import RunningSimulator
from tests.actions.world import PANEL, T0, World

NOTHING = Continuation()


async def claimed(world: World) -> tuple[int, asyncio.Task[None]]:
    """A reorder that is claimed and waits at the panel's door; its ID and its run."""
    await world.know()
    await world.track()
    world.panel.door = asyncio.Event()
    reorder = await world.reorder()
    run = asyncio.create_task(world.run())
    await world.panel.at_door.wait()
    assert await world.state(reorder) is IntentState.SENDING
    return reorder, run


async def go_on(world: World, run: asyncio.Task[None]) -> None:
    assert world.panel.door is not None
    world.panel.door.set()
    await run
    assert world.panel.calls == []


@pytest.mark.parametrize(
    ("kind", "scope", "name"),
    [
        (StopKind.PANIC, StopScope.ALL, ""),
        (StopKind.PAUSE, StopScope.PANEL, PANEL),
        (StopKind.PAUSE, StopScope.RULE, "top-up"),
        (StopKind.BREAKER, StopScope.PANEL, PANEL),
    ],
)
async def test_what_is_stopped_while_it_waits_is_planned_as_before(
    world: World, kind: StopKind, scope: StopScope, name: str
) -> None:
    reorder, run = await claimed(world)
    stop = await world.ledger.stop(kind, scope, name, "look", "ann", T0)
    await go_on(world, run)
    intent = await world.intent(reorder)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, "stopped")
    assert await world.messages() == []
    await world.run()
    assert await world.state(reorder) is IntentState.PLANNED
    await world.ledger.end_stop(stop.id, T0, "ann")
    await world.run()
    assert await world.state(reorder) is IntentState.CONFIRMED


async def put_in_doubt(world: World, reorder: int) -> None:
    await world.ledger.recover(T0, "daemon", T0)


async def resolved(world: World, reorder: int) -> None:
    await put_in_doubt(world, reorder)
    said = Outcome(IntentState.NOT_SENT, "operator_says")
    await world.ledger.resolve(reorder, said, NOTHING, T0, "ann")


async def claimed_again(world: World, reorder: int) -> None:
    await put_in_doubt(world, reorder)
    again = Outcome(IntentState.NOT_SENT, "operator_says", retry_at=T0)
    await world.ledger.resolve(reorder, again, NOTHING, T0, "ann")
    assert await world.ledger.claim(reorder, "other", T0, {})


@pytest.mark.parametrize(
    ("taken", "state", "reason"),
    [
        (put_in_doubt, IntentState.PLANNED, "claim_lost"),
        (resolved, IntentState.NOT_SENT, "operator_says"),
        (claimed_again, IntentState.SENDING, "operator_says"),
    ],
)
async def test_what_was_taken_for_dead_is_not_sent_and_not_settled_for_another(
    world: World, taken: Callable[[World, int], Awaitable[None]], state: IntentState, reason: str
) -> None:
    """Sent all the same it would be a second purchase: somebody may have been told that it wasn't made."""
    reorder, run = await claimed(world)
    await taken(world, reorder)
    await go_on(world, run)
    intent = await world.intent(reorder)
    assert (intent.state, intent.reason, intent.result) == (state, reason, "")


async def test_without_the_ledger_nothing_leaves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise LedgerError("the disk is gone")

    monkeypatch.setattr(type(world.ledger), "may_leave", broken)
    await world.know()
    await world.track()
    reorder = await world.reorder()
    await world.run()
    intent = await world.intent(reorder)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, "not_reached")


async def test_a_panic_after_the_claim_keeps_the_request_off_the_wire(
    world: World, smm_panel: RunningSimulator
) -> None:
    await world.track()

    class Waiting(PanelClient):
        async def refill(self, order: str) -> Accepted:
            await world.ledger.stop(StopKind.PANIC, StopScope.ALL, "", "look", "ann", T0)
            return await super().refill(order)

    async with Waiting(Endpoint(PANEL, smm_panel.url, smm_panel.key, 6_000)) as client:
        refill = await world.refill()
        await world.run(panels={PANEL: client})
    assert smm_panel.journal.requests("refill") == ()
    intent = await world.intent(refill)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, "stopped")
