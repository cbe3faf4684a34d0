"""Order, side by side, races, stopping and a ledger that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from smm_rules.actions import Executor, Why, approve
from smm_rules.engine.firing import Continuation
from smm_rules.engine.memory import Reason
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe import correlation_of
from smm_rules.panel.errors import Ambiguous, NotSent
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, NOTIFY, PANEL, T0, ScriptedPanel, World, order


async def test_intents_about_one_order_go_one_after_the_other_oldest_first(world: World) -> None:
    await world.track()
    world.panel.gate = asyncio.Event()
    await world.fire(Step(StepKind.REFILL), rule="a")
    await world.fire(Step(StepKind.CANCEL), rule="b")
    run = asyncio.create_task(world.executor().run_due(T0))
    await world.panel.reached.wait()
    assert [name for name, _ in world.panel.calls] == ["refill"]

    world.panel.gate.set()
    await run

    assert [name for name, _ in world.panel.calls] == ["refill", "cancel"]


async def test_a_later_action_waits_over_runs_for_one_that_is_to_be_tried_again(world: World) -> None:
    await world.track()
    first = await world.fire(Step(StepKind.REFILL), rule="a")
    second = await world.fire(Step(StepKind.CANCEL), rule="b")
    world.panel.script = [NotSent("connection refused")]

    await world.run()
    report = await world.executor().run_due(T0)

    assert report.waiting == 1
    assert [name for name, _ in world.panel.calls] == ["refill"]
    world.clock.move(MINUTE)
    await world.run()
    assert [await world.state(number) for number in (first, second)] == [IntentState.CONFIRMED] * 2
    assert [name for name, _ in world.panel.calls] == ["refill", "refill", "cancel"]


async def test_a_later_action_is_held_while_an_earlier_one_is_in_doubt(world: World) -> None:
    await world.track()
    await world.fire(Step(StepKind.REFILL), rule="a")
    second = await world.fire(Step(StepKind.CANCEL), rule="b")
    world.panel.script = [Ambiguous("read timed out")]

    await world.run()

    intent = await world.intent(second)
    assert (intent.state, intent.reason) == (IntentState.HELD, Why.EARLIER_IN_DOUBT)
    assert len(world.panel.calls) == 1
    await approve(world.ledger, second, T0, "ann")
    await world.run()
    assert await world.state(second) == IntentState.CONFIRMED


async def test_an_earlier_action_that_is_held_stops_nobody(world: World) -> None:
    await world.track()
    await world.fire(Step(StepKind.REFILL), rule="a", hold=Reason.LIMIT_PER_SWEEP)
    second = await world.fire(Step(StepKind.CANCEL), rule="b")

    await world.run()

    assert await world.state(second) == IntentState.CONFIRMED


async def test_different_orders_go_side_by_side_up_to_the_panels_bound(world: World) -> None:
    world.panel.gate = asyncio.Event()
    for number in range(1, 8):
        await world.track(number)
        await world.fire(Step(StepKind.REFILL), entity=order(number))
    run = asyncio.create_task(world.executor().run_due(T0))
    await world.panel.reached_by_four.wait()
    sending = await world.ledger.intents((IntentState.SENDING,), 100)
    assert len(sending) == 4

    world.panel.gate.set()
    report = await run

    assert report.ended == {IntentState.CONFIRMED: 7}


class TellingLedger(SqliteLedger):
    """Says when an intent has been settled."""

    settled: asyncio.Event

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        intent = await super().settle(intent_id, outcome, then, now, by, attempt)
        self.settled.set()
        return intent


async def test_a_slow_panel_does_not_stop_another(tmp_path: Path) -> None:
    opened = await SqliteLedger.open(tmp_path / "ledger.db")
    ledger = TellingLedger(opened._writer)
    ledger.settled = asyncio.Event()
    async with ledger:
        world = World(ledger)
        slow = ScriptedPanel(gate=asyncio.Event())
        await world.track(1, panel="slow")
        await world.track(2)
        await world.fire(Step(StepKind.REFILL), entity=order(1, "slow"))
        quick = await world.fire(Step(StepKind.REFILL), entity=order(2))
        executor = world.executor(panels={"slow": slow, PANEL: world.panel})

        run = asyncio.create_task(executor.run_due(T0))
        await ledger.settled.wait()

        assert await world.state(quick) == IntentState.CONFIRMED
        assert not run.done()
        assert slow.gate is not None
        slow.gate.set()
        await run


async def test_two_executors_on_one_ledger_never_send_the_same_intent_twice(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    async with await SqliteLedger.open(path) as one, await SqliteLedger.open(path) as other:
        world = World(one)
        for number in range(1, 31):
            await world.track(number)
            await world.fire(Step(StepKind.REFILL), entity=order(number))
        voice = OperatorVoice(other, "ops")
        second = Executor(other, {PANEL: world.panel}, "second", world.clock, voice)

        reports = await asyncio.gather(world.executor("first").run_due(T0), second.run_due(T0))

        asked = sorted(int(parameters["order"]) for _, parameters in world.panel.calls)
        assert asked == list(range(1, 31))
        assert sum(report.ended[IntentState.CONFIRMED] for report in reports) == 30


async def test_run_one_carries_out_that_one(world: World) -> None:
    await world.track(1)
    await world.track(2)
    first = await world.fire(Step(StepKind.REFILL), entity=order(1))
    second = await world.fire(Step(StepKind.REFILL), entity=order(2))

    done = await world.executor().run_one(second)

    assert done is not None
    assert done.state == IntentState.CONFIRMED
    assert await world.state(first) == IntentState.PLANNED
    assert await world.executor().run_one(second) == done
    assert await world.executor().run_one(99) is None
    assert len(world.panel.calls) == 1


# -- dry run -----------------------------------------------------------------------------------------------
async def test_an_executor_that_is_not_live_sends_nothing(world: World) -> None:
    await world.track()
    intent_id = await world.refill()

    await world.run(live=False)
    await approve(world.ledger, intent_id, T0, "ann")
    await world.run(live=False)

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.HELD, Reason.DRY_RUN)
    assert world.panel.calls == []
    assert await world.messages() == []


async def test_what_was_held_by_a_dry_run_goes_ahead_when_approved(world: World) -> None:
    await world.track()
    intent_id = await world.refill(hold=Reason.DRY_RUN)
    await world.run()
    assert world.panel.calls == []
    await approve(world.ledger, intent_id, T0, "ann")

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


# -- stopping ----------------------------------------------------------------------------------------------
async def test_cancelled_while_sending_is_in_doubt(world: World) -> None:
    await world.track()
    intent_id = await world.fire(Step(StepKind.REFILL), NOTIFY)
    world.panel.gate = asyncio.Event()
    run = asyncio.create_task(world.executor().run_due(T0))
    await world.panel.reached.wait()

    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.UNKNOWN, "interrupted")
    assert await world.messages() == [f"operator:unknown:{intent_id}"]


class SlowLedger(SqliteLedger):
    """Lets a test stop a run in the middle of a claim or a settlement."""

    slow = ""

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool:
        await self._pause("claim")
        return await super().claim(intent_id, owner, now, evidence, cost, currency)

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        await self._pause("settle")
        return await super().settle(intent_id, outcome, then, now, by, attempt)

    async def _pause(self, method: str) -> None:
        if method == self.slow:
            self.reached.set()
            await self.go_on.wait()

    reached: asyncio.Event
    go_on: asyncio.Event


@pytest.mark.parametrize(
    ("slow", "state", "calls"),
    [("claim", IntentState.PLANNED, 0), ("settle", IntentState.CONFIRMED, 1)],
)
async def test_cancelled_while_writing_loses_nothing(
    tmp_path: Path, slow: str, state: IntentState, calls: int
) -> None:
    ledger = await SlowLedger.open(tmp_path / "ledger.db")
    assert isinstance(ledger, SqliteLedger)
    slowed = SlowLedger(ledger._writer)
    slowed.slow, slowed.reached, slowed.go_on = slow, asyncio.Event(), asyncio.Event()
    async with slowed:
        world = World(slowed)
        await world.track()
        intent_id = await world.refill()
        run = asyncio.create_task(world.executor().run_due(T0))
        await slowed.reached.wait()
        for _ in range(3):
            run.cancel()
            await asyncio.sleep(0)
        slowed.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await run

        assert await world.state(intent_id) == state
        assert len(world.panel.calls) == calls


async def test_after_stop_nothing_more_is_claimed_and_what_is_under_way_ends(world: World) -> None:
    for number in range(1, 8):
        await world.track(number)
        await world.fire(Step(StepKind.REFILL), entity=order(number))
    world.panel.gate = asyncio.Event()
    executor = world.executor()
    run = asyncio.create_task(executor.run_due(T0))
    await world.panel.reached_by_four.wait()

    executor.stop()
    world.panel.gate.set()
    report = await run

    assert report.ended == {IntentState.CONFIRMED: 4}
    assert len(await world.ledger.intents((IntentState.PLANNED,), 100)) == 3


async def test_a_librarys_own_cancellation_is_only_a_failed_call(world: World) -> None:
    def cancelled() -> str:
        raise asyncio.CancelledError

    await world.track()
    intent_id = await world.refill()
    world.panel.script = [cancelled]

    report = await world.executor().run_due(T0)

    assert report.ended == {IntentState.UNKNOWN: 1}
    assert await world.state(intent_id) == IntentState.UNKNOWN


# -- a ledger that fails -----------------------------------------------------------------------------------
class FailingLedger(SqliteLedger):
    """Fails to settle, as on a full disk."""

    settles = False

    async def settle(
        self,
        intent_id: int,
        outcome: Outcome,
        then: Continuation,
        now: datetime,
        by: str,
        attempt: int | None = None,
    ) -> Intent:
        if not self.settles:
            raise LedgerError("the disk is full")
        return await super().settle(intent_id, outcome, then, now, by, attempt)


async def test_an_outcome_the_ledger_would_not_take_is_written_by_the_next_run(tmp_path: Path) -> None:
    opened = await SqliteLedger.open(tmp_path / "ledger.db")
    async with FailingLedger(opened._writer) as ledger:
        world = World(ledger)
        await world.track()
        intent_id = await world.refill()
        world.panel.script = ["55"]
        executor = world.executor()

        await executor.run_due(T0)
        assert await world.state(intent_id) == IntentState.SENDING
        assert [settlement.outcome.result for settlement in executor.unwritten] == ["55"]
        ledger.settles = True
        await executor.run_due(T0)

        assert (await world.intent(intent_id)).result == "55"
        assert executor.unwritten == ()
        assert len(world.panel.calls) == 1


async def test_an_answer_to_an_attempt_taken_for_dead_settles_the_doubt(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.gate = asyncio.Event()
    world.panel.script = ["55"]
    run = asyncio.create_task(world.executor("first").run_due(T0))
    await world.panel.reached.wait()
    assert len(await world.ledger.recover(T0, "second", T0 + MINUTE)) == 1

    world.panel.gate.set()
    await run

    intent = await world.intent(intent_id)
    assert (intent.state, intent.result) == (IntentState.CONFIRMED, "55")


async def test_a_late_answer_does_not_outweigh_the_operators_word(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.gate = asyncio.Event()
    world.panel.script = ["55"]
    run = asyncio.create_task(world.executor("first").run_due(T0))
    await world.panel.reached.wait()
    await world.ledger.recover(T0, "second", T0 + MINUTE)
    await world.ledger.resolve(
        intent_id, Outcome(IntentState.NOT_SENT, "operator_says"), Continuation(), T0, "ann"
    )

    world.panel.gate.set()
    await run

    intent = await world.intent(intent_id)
    assert (intent.state, intent.evidence["late_answer"]) == (IntentState.NOT_SENT, "confirmed 55")


async def test_a_check_that_fails_itself_is_held_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("smm_rules.actions.executor.check", broken)
    await world.track()
    intent_id = await world.refill()

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.HELD, Why.CHECK_FAILED)
    assert world.panel.calls == []


async def test_all_that_is_logged_about_an_action_has_the_correlation_of_its_episode(world: World) -> None:
    await world.track()
    number = await world.fire(Step(StepKind.REFILL))
    with capture_logs(processors=[merge_contextvars]) as logs:
        await world.run()
    intent = await world.ledger.intent(number)
    assert intent is not None
    story = correlation_of(intent.rule, intent.entity, intent.episode)
    told = [(line["event"], line.get("correlation"), line.get("intent")) for line in logs]
    assert ("action.confirmed", story, number) in told
    assert {correlation for _, correlation, _ in told} == {story}
