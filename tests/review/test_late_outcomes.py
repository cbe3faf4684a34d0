"""An outcome that is written down late says what became of its own attempt, never of a later one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from smm_rules.actions.resolve import resolve_did_not
from smm_rules.engine.firing import Continuation
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import Ambiguous, NotSent
from tests.actions.world import MINUTE, ScriptedPanel, World

AWAY = NotSent("no connection")


class PatchyLedger(SqliteLedger):
    """The ledger over a connection that breaks as an outcome is written: before it is, or after."""

    breaks = ""

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        breaks, self.breaks = self.breaks, ""
        if breaks == "before":
            raise LedgerError("the connection was lost")
        settled = await super().settle(intent_id, outcome, then, now, by, attempt)
        if breaks == "after":
            raise LedgerError("the connection was lost; whether it was written isn't known")
        return settled


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(ledger)


async def other(world: World) -> World:
    """Another worker on the same ledger, panel and clock, whose connection may break."""
    await world.know()
    await world.track()
    return World(PatchyLedger(world.ledger._writer), world.panel, world.clock)


async def taken_for_dead(world: World, owner: str) -> None:
    await world.ledger.recover(world.clock.now(), owner, world.clock.now())


async def planned_once_more(world: World, intent: int) -> None:
    voice = OperatorVoice(world.ledger, "ops")
    await resolve_did_not(world.ledger, voice, intent, world.clock.now(), "ann", retry=True)


async def test_what_was_written_after_all_does_not_take_back_the_next_attempt(world: World) -> None:
    """Its first attempt never left, and nobody told the worker that this was written. Another worker tries
    again, and while its request is under way the first one offers its outcome once more."""
    late = await other(world)
    reorder = await world.reorder()
    assert isinstance(late.ledger, PatchyLedger)
    late.ledger.breaks = "after"
    world.panel.script = [AWAY]
    slow = late.executor("slow")
    await slow.run_one(reorder)
    assert await world.state(reorder) is IntentState.PLANNED

    world.clock.move(MINUTE)
    world.panel.gate = asyncio.Event()
    world.panel.reached.clear()
    under_way = asyncio.create_task(world.run(owner="fast"))
    await world.panel.reached.wait()
    await slow.settle_again()
    while_under_way = await world.state(reorder)
    world.clock.move(MINUTE)
    world.panel.gate.set()
    await world.run(owner="third")
    await under_way

    assert while_under_way is IntentState.SENDING
    assert await world.state(reorder) is IntentState.CONFIRMED
    assert len(world.panel.calls) == 2, "the one that didn't get there, and the one that bought"


async def test_a_late_outcome_is_no_proof_about_a_later_attempt(world: World) -> None:
    late = await other(world)
    reorder = await world.reorder()
    assert isinstance(late.ledger, PatchyLedger)
    late.ledger.breaks = "before"
    world.panel.script = [AWAY, Ambiguous("read timed out")]
    slow = late.executor("slow")
    await slow.run_one(reorder)
    await taken_for_dead(world, "slow")
    await planned_once_more(world, reorder)
    await world.run(owner="fast")
    assert await world.state(reorder) is IntentState.UNKNOWN

    await slow.settle_again()

    intent = await world.intent(reorder)
    assert (intent.state, intent.reason) == (IntentState.UNKNOWN, "ambiguous")
    assert "not_sent" in intent.evidence["late_answer"]


async def test_a_lost_claim_is_no_proof_about_a_later_attempt(world: World) -> None:
    """It waited for the panel's budget so long that it was taken for dead; meanwhile it was tried again."""
    late = await other(world)
    reorder = await world.reorder()
    world.panel.door = asyncio.Event()
    waiting = asyncio.create_task(late.run(owner="slow"))
    await world.panel.at_door.wait()
    await taken_for_dead(world, "slow")
    await planned_once_more(world, reorder)
    door, world.panel.door = world.panel.door, None
    world.panel.script = [Ambiguous("read timed out")]
    await world.run(owner="fast")
    assert await world.state(reorder) is IntentState.UNKNOWN

    door.set()
    await waiting

    assert await world.state(reorder) is IntentState.UNKNOWN
    assert len(world.panel.calls) == 1


class BusyPanel(ScriptedPanel):
    """Has no room for a call until it is let go."""

    free: asyncio.Event
    asked: asyncio.Event

    async def ready(self) -> None:
        self.asked.set()
        await self.free.wait()


async def test_what_was_tried_by_another_while_it_waited_for_the_panel_is_sent_all_the_same(
    world: World,
) -> None:
    """It was read before the other one's attempt, so its own is the second and not the first."""
    await other(world)
    reorder = await world.reorder()
    busy = BusyPanel(world.panel.script, world.panel.calls)
    busy.free, busy.asked = asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(world.run(owner="slow", panels={"north": busy}))
    await busy.asked.wait()
    world.panel.script.append(AWAY)
    await world.run(owner="fast")
    world.clock.move(MINUTE)
    busy.free.set()
    await waiting

    intent = await world.intent(reorder)
    assert (intent.state, intent.attempts, len(world.panel.calls)) == (IntentState.CONFIRMED, 2, 2)


async def bought_after_all(world: World, *, tried_again: bool) -> int:
    """The panel's answer could not be written down; the operator, who sees an action in doubt, finds nothing
    on the panel. Then the ledger is back."""
    late = await other(world)
    reorder = await world.reorder()
    assert isinstance(late.ledger, PatchyLedger)
    late.ledger.breaks = "before"
    slow = late.executor("slow")
    await slow.run_one(reorder)
    await taken_for_dead(world, "slow")
    voice = OperatorVoice(world.ledger, "ops")
    await resolve_did_not(world.ledger, voice, reorder, world.clock.now(), "ann", retry=tried_again)
    if tried_again:
        await world.run(owner="fast")
    await slow.settle_again()
    return reorder


@pytest.mark.parametrize("tried_again", [False, True])
async def test_an_order_that_was_bought_after_all_is_told(world: World, tried_again: bool) -> None:
    """Nobody watches it, and no guard counts it: the operator has to know."""
    reorder = await bought_after_all(world, tried_again=tried_again)

    intent = await world.intent(reorder)
    assert intent.result == ("9002" if tried_again else "")
    assert "9001" in intent.evidence["late_answer"]
    [told] = [one for one in await world.ledger.messages((), 10) if "late" in one.dedup_key]
    assert "smm-rules orders track" in told.body
    assert "9001" in told.body


async def test_what_was_written_as_it_is_told_late_is_no_news(world: World) -> None:
    late = await other(world)
    reorder = await world.reorder()
    assert isinstance(late.ledger, PatchyLedger)
    late.ledger.breaks = "after"
    slow = late.executor("slow")
    await slow.run_one(reorder)
    await slow.settle_again()

    assert (await world.intent(reorder)).result == "9001"
    assert [key for key in await world.messages() if "late" in key] == []


async def test_what_is_planned_once_more_is_held_when_it_had_happened(world: World) -> None:
    late = await other(world)
    reorder = await world.reorder()
    assert isinstance(late.ledger, PatchyLedger)
    late.ledger.breaks = "before"
    slow = late.executor("slow")
    await slow.run_one(reorder)
    await taken_for_dead(world, "slow")
    await planned_once_more(world, reorder)
    await slow.settle_again()
    await world.run(owner="fast")

    intent = await world.intent(reorder)
    assert (intent.state, intent.reason, len(world.panel.calls)) == (IntentState.HELD, "late_answer", 1)
    assert "9001" in intent.message


async def test_nothing_is_told_of_what_another_has_done_meanwhile(world: World) -> None:
    """The price rose after that: an action that is done isn't held any more."""
    await world.know()
    await world.track(link="https://example.com/a", quantity="1000", rate="2.00")
    reorder = await world.reorder({"max_rate_increase": "0.1"})
    busy = BusyPanel()
    busy.free, busy.asked = asyncio.Event(), asyncio.Event()
    waiting = asyncio.create_task(world.run(owner="slow", panels={"north": busy}))
    await busy.asked.wait()
    await world.run(owner="fast")
    await world.know({"rate": "5.00"})
    busy.free.set()
    await waiting

    assert (await world.state(reorder), busy.calls) == (IntentState.CONFIRMED, [])
    assert await world.messages() == []
