"""Minding the brakes: each thing is told once, whatever is done again; what is over ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.actions.brakes import Brakes
from smm_rules.engine.firing import Continuation, IntentDraft
from smm_rules.engine.memory import Reason
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.records import IntentState, Outcome, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.notify.operator import OperatorVoice
from smm_rules.rules.model import ApprovalNeed, RuleGuards, Step, StepKind
from tests.actions.world import MINUTE, PANEL, T0, World, order
from tests.ledger.builders import planned
from tests.ledger.contract.test_guards import firing_of

DEAR = RuleGuards(spend=(Allowance(Decimal("1.00"), Per.DAY),))
ASKS = RuleGuards(approval=ApprovalNeed(Decimal("1.00"), timedelta(hours=2)))


class Minded:
    """The brakes over a world; `answered` is when the panel last answered a look."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.answered: datetime | None = None
        self.brakes = self.new()

    def new(self) -> Brakes:
        """The brakes of a daemon that has just been started."""
        voice = OperatorVoice(self.world.ledger, "ops")
        return Brakes(self.world.ledger, voice, lambda panel: self.answered if panel == PANEL else None)

    async def mind(self) -> bool:
        return await self.brakes.mind(self.world.clock.now())

    async def told(self) -> dict[str, str]:
        """Every message's text by its key, oldest first."""
        messages = reversed(await self.world.ledger.messages((), 100))
        return {message.dedup_key.removeprefix("operator:"): message.body for message in messages}

    async def asked(self, guards: RuleGuards, *numbers: int, rule: str = "again") -> list[int]:
        """Reorders of these orders, 2.00 each, in one sweep; the IDs of their intents."""
        now = self.world.clock.now()
        draft = IntentDraft("do.0", StepKind.REORDER, PANEL, {}, Decimal("2.00"), "USD")
        firings = tuple(
            planned(firing_of(rule, order(number), order(number), now, guards, None), draft)
            for number in numbers
        )
        return list((await self.world.ledger.record(Sweep(now, firings=firings))).intents)


@pytest.fixture
def minded(world: World) -> Minded:
    return Minded(world)


async def test_what_a_guard_holds_is_one_message_a_window(minded: Minded) -> None:
    await minded.asked(DEAR, 1, 2, 3)
    assert await minded.mind() is True
    [(key, body)] = (await minded.told()).items()
    assert key == "guard:spend_per_day:rule again:2026-03-01T00:00:00+00:00"
    assert "3 actions wait for you (6.00 USD): rule again may spend 1.00 USD per day" in body
    assert "smm-rules intents approve --rule again --all" in body

    await minded.asked(DEAR, 4, 5)
    assert await minded.mind() is True
    assert await minded.mind() is False
    assert len(await minded.told()) == 1
    await minded.asked(DEAR, 4, rule="other")
    await minded.mind()
    minded.world.clock.move(timedelta(hours=12))
    await minded.asked(DEAR, 6)
    await minded.mind()
    assert [key.partition(":2026")[0] for key in await minded.told()] == [
        "guard:spend_per_day:rule again",
        "guard:spend_per_day:rule other",
        "guard:spend_per_day:rule again",
    ]


async def test_each_question_is_asked_with_its_commands(minded: Minded) -> None:
    [first] = await minded.asked(ASKS, 1)
    await minded.mind()
    second, third = await minded.asked(ASKS, 2, 3)
    await minded.mind()
    one, two = (await minded.told()).values()
    assert f"smm-rules intents approve {first}\n  smm-rules intents deny {first}" in one
    assert "What isn't approved by 2026-03-01 14:00 UTC is denied." in one
    assert f"smm-rules intents approve {second}\n  smm-rules intents approve {third}" in two


async def test_what_waited_too_long_is_denied_and_told(minded: Minded) -> None:
    [late] = await minded.asked(ASKS, 1)
    await minded.mind()
    minded.world.clock.move(timedelta(hours=2) - MINUTE)
    await minded.mind()
    assert await minded.world.state(late) is IntentState.HELD
    minded.world.clock.move(MINUTE)
    assert await minded.mind() is True
    intent = await minded.world.intent(late)
    assert (intent.state, intent.reason) == (IntentState.DENIED, "expired")
    assert "waited for your approval until 2026-03-01 14:00 UTC" in (await minded.told())[f"expired:{late}:0"]
    assert (await minded.world.ledger.transitions(late))[-1].by == "smm-rules"


async def test_a_pause_ends_by_itself_at_its_time(minded: Minded) -> None:
    ledger, clock = minded.world.ledger, minded.world.clock
    stop = await ledger.stop(
        StopKind.PAUSE, StopScope.RULE, "again", "a look", "operator:ann", clock.now(), T0 + 5 * MINUTE
    )
    assert await minded.mind() is False
    clock.move(5 * MINUTE)
    assert await minded.mind() is True
    assert await ledger.stops() == ()
    assert (
        "rule again: the pause is over (stopped by operator:ann: a look)"
        in (await minded.told())[f"stop_ended:{stop.id}"]
    )


async def test_a_pause_without_an_end_lasts(minded: Minded) -> None:
    await minded.world.ledger.stop(StopKind.PAUSE, StopScope.ALL, "", "a look", "ann", T0)
    minded.world.clock.move(timedelta(days=400))
    assert await minded.mind() is False
    assert len(await minded.world.ledger.stops()) == 1


async def test_a_panels_breaker_closes_by_an_answer_after_its_pause(minded: Minded) -> None:
    ledger, clock = minded.world.ledger, minded.world.clock
    until = T0 + 30 * MINUTE
    await ledger.stop(StopKind.BREAKER, StopScope.PANEL, PANEL, "too many failed", "smm-rules", T0, until)
    rule = await ledger.stop(StopKind.BREAKER, StopScope.RULE, "again", "in doubt", "smm-rules", T0)
    gone = await ledger.stop(StopKind.BREAKER, StopScope.PANEL, "gone", "failed", "smm-rules", T0, until)
    await minded.mind()
    assert [key.partition(":")[0] for key in await minded.told()] == ["stop"] * 3
    for moved, answered, left in (
        (29 * MINUTE, T0 + 29 * MINUTE, 3),  # an answer within the pause
        (2 * MINUTE, T0 + 29 * MINUTE, 3),  # the pause is over, and nothing answered since
        (MINUTE, T0 + 31 * MINUTE, 2),
    ):
        clock.move(moved)
        minded.answered = answered
        await minded.mind()
        assert len(await ledger.stops()) == left
    assert await ledger.stops() == (rule, gone)


async def test_what_trips_is_told_once_over_restarts(minded: Minded) -> None:
    await minded.world.ledger.stop(StopKind.PANIC, StopScope.ALL, "", "panic", "operator:ann", T0)
    assert await minded.mind() is True
    assert await minded.mind() is False
    minded.brakes = minded.new()
    assert await minded.mind() is False
    [body] = (await minded.told()).values()
    assert "Nothing is sent any more for all rules and panels: panic" in body
    assert "smm-rules resume all" in body


async def test_an_approval_at_the_last_moment_goes_before(
    minded: Minded, monkeypatch: pytest.MonkeyPatch
) -> None:
    [late] = await minded.asked(ASKS, 1)
    await minded.mind()
    minded.world.clock.move(timedelta(hours=2))
    now = minded.world.clock.now()
    found = await minded.world.ledger.expired(now, 10)
    await minded.world.ledger.approve(late, now, "ann")

    async def as_before(_: SqliteLedger, now: datetime, limit: int) -> object:
        return found

    monkeypatch.setattr(SqliteLedger, "expired", as_before)
    assert await minded.mind() is False
    assert await minded.world.state(late) is IntentState.PLANNED


# -- through the executor --------------------------------------------------------------------------------
async def test_a_guard_judges_the_real_price_before_the_call(world: World) -> None:
    """The catalogue says 2.00 for 1000; the estimate of the firing was lower."""
    await world.know()
    await world.track()
    guards = RuleGuards(spend=(Allowance(Decimal("1.50"), Per.DAY),))
    draft = IntentDraft("do.0", StepKind.REORDER, PANEL, {}, Decimal("1.00"), "USD")
    firing = firing_of("again", order(1), order(1), T0, guards, None)
    [intent_id] = (await world.ledger.record(Sweep(T0, firings=(planned(firing, draft),)))).intents
    await world.run()
    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason, intent.reserved) == (
        IntentState.HELD,
        "spend_per_day",
        Decimal("2.00"),
    )
    assert world.panel.calls == []
    await world.ledger.approve(intent_id, T0, "ann")
    await world.run()
    assert await world.state(intent_id) is IntentState.CONFIRMED
    assert len(world.panel.calls) == 1


async def test_nothing_is_even_looked_at_while_all_is_stopped(world: World) -> None:
    await world.know()
    await world.track()
    refill = await world.refill()
    stop = await world.ledger.stop(StopKind.PANIC, StopScope.ALL, "", "panic", "ann", T0)
    await world.run()
    assert (await world.executor().run_one(refill)) == await world.intent(refill)
    assert (await world.state(refill), world.panel.calls) == (IntentState.PLANNED, [])
    await world.ledger.end_stop(stop.id, T0, "ann")
    await world.run()
    assert await world.state(refill) is IntentState.CONFIRMED


@pytest.mark.parametrize(("rate", "state"), [("2.50", IntentState.CONFIRMED), ("2.51", IntentState.HELD)])
async def test_a_reorder_without_a_bound_takes_a_quarter_more_at_most(
    world: World, rate: str, state: IntentState
) -> None:
    await world.know({"rate": Decimal(rate)})
    await world.track(link="https://example.com/a", quantity="1000", rate="2.00")
    reorder = await world.reorder()
    await world.run()
    assert await world.state(reorder) is state


async def test_a_default_bound_judges_nothing_where_no_price_is_known(world: World) -> None:
    await world.know()
    await world.track()
    reorder = await world.fire(Step(StepKind.REORDER), facts={"service.id": "other"})
    await world.run()
    assert await world.state(reorder) is IntentState.CONFIRMED


async def test_a_paused_panels_actions_keep_nobody_elses_waiting(world: World) -> None:
    """Five hundred that wait for a paused panel don't fill the batch of what may be sent."""
    await world.ledger.stop(StopKind.PAUSE, StopScope.PANEL, "south", "a look", "ann", T0)
    for number in range(3):
        what = firing_of("again", order(number, "south"), order(number, "south"), T0, RuleGuards(), None)
        draft = IntentDraft("do.0", StepKind.REFILL, "south", {"order": str(number)})
        await world.ledger.record(Sweep(T0, firings=(planned(what, draft),)))
    await world.track()
    refill = await world.refill()
    assert [intent.id for intent in await world.ledger.claimable(T0, 1)] == [refill]


async def test_an_answer_that_comes_after_a_panic_is_settled(world: World) -> None:
    await world.track()
    refill = await world.refill()
    assert await world.ledger.claim(refill, "daemon", T0, {})
    await world.ledger.stop(StopKind.PANIC, StopScope.ALL, "", "panic", "ann", T0)
    outcome = Outcome(IntentState.CONFIRMED, "accepted", result="9")
    await world.ledger.settle(refill, outcome, Continuation(), T0, "daemon")
    assert await world.state(refill) is IntentState.CONFIRMED


# -- a clock that was ahead -----------------------------------------------------------------------------
YEAR, HALF_HOUR = timedelta(days=365), timedelta(minutes=30)


async def stop_ahead(minded: Minded, kind: StopKind, until: datetime | None) -> int:
    """A stop made by a clock a year ahead, which has been set back since."""
    reason, by = "errors", "ann"
    ledger = minded.world.ledger
    stop = await ledger.stop(kind, StopScope.PANEL, PANEL, reason, by, T0 + YEAR, until)
    return stop.id


async def test_a_breaker_of_a_clock_that_was_ahead_lasts_its_time_from_now_on(minded: Minded) -> None:
    stop_id = await stop_ahead(minded, StopKind.BREAKER, T0 + YEAR + HALF_HOUR)
    await minded.mind()
    [stop] = await minded.world.ledger.stops()
    assert (stop.since, stop.until) == (T0, T0 + HALF_HOUR)

    minded.answered = T0 + YEAR  # an answer of before, dated by the same clock
    minded.world.clock.move(HALF_HOUR)
    await minded.mind()
    assert len(await minded.world.ledger.stops()) == 1
    minded.answered = T0 + HALF_HOUR
    await minded.mind()
    assert await minded.world.ledger.stops() == ()
    assert list(await minded.told()) == [f"stop:{stop_id}", f"stop_ended:{stop_id}"]


async def test_a_pause_of_a_clock_that_was_ahead_keeps_its_end_and_is_told(minded: Minded) -> None:
    stop_id = await stop_ahead(minded, StopKind.PAUSE, T0 + YEAR + HALF_HOUR)
    for _ in range(2):
        await minded.mind()
        minded.brakes = minded.new()
    [stop] = await minded.world.ledger.stops()
    assert (stop.since, stop.until) == (T0, T0 + YEAR + HALF_HOUR)
    [(key, body)] = (await minded.told()).items()
    assert key == f"stop_redated:{stop_id}"
    assert "keeps its end, 2027-03-01 12:30 UTC" in body
    assert f"smm-rules resume panel {PANEL}" in body
    entries = await minded.world.ledger.audit_page(AuditQuery(kinds=("pause",)), 0, 10)
    assert [entry.data["what"] for entry in entries] == ["stopped", "redated"]


async def test_a_stop_without_an_end_is_left_as_it_is(minded: Minded) -> None:
    await stop_ahead(minded, StopKind.PANIC, None)
    await minded.mind()
    [stop] = await minded.world.ledger.stops()
    assert stop.since == T0 + YEAR


async def test_machines_whose_clocks_differ_a_little_redate_nothing(minded: Minded) -> None:
    ledger, since = minded.world.ledger, T0 + timedelta(seconds=30)
    await ledger.stop(StopKind.PAUSE, StopScope.ALL, "", "look", "ann", since, T0 + HALF_HOUR)
    await minded.mind()
    [stop] = await ledger.stops()
    assert (stop.since, await minded.told()) == (since, {})


async def test_a_rule_stopped_by_a_sweep_is_told_once_with_the_way_on(minded: Minded) -> None:
    now = minded.world.clock.now()
    draft = IntentDraft("do.0", StepKind.REFILL, PANEL, {})
    for number in range(2):
        what = firing_of("again", order(number), order(number), now, RuleGuards(), None)
        sweep = Sweep(now, firings=(planned(what, draft, hold=Reason.LIMIT_PER_SWEEP),))
        await minded.world.ledger.record(sweep)
        await minded.mind()
        minded.brakes = minded.new()
    [body] = (await minded.told()).values()
    assert "smm-rules intents list --state held" in body
    assert "smm-rules resume rule again" in body
