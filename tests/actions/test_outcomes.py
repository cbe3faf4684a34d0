"""Each way an attempt can end, and the state it leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smm_rules.actions import Patience
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState, Observed, OrderSource, Sweep
from smm_rules.panel.errors import (
    Ambiguous,
    NotSent,
    RateLimited,
    RefusalReason,
    Rejected,
    Unreadable,
)
from smm_rules.panel.refusals import refusal_reason
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, NOTIFY, PANEL, T0, World, order


async def test_an_accepted_refill_is_confirmed_and_watched(world: World) -> None:
    await world.track()
    intent_id = await world.fire(Step(StepKind.REFILL), NOTIFY)
    world.panel.script = ["55"]

    report = await world.executor().run_due(T0)

    intent = await world.intent(intent_id)
    assert (intent.state, intent.result, intent.attempts) == (IntentState.CONFIRMED, "55", 1)
    assert dict(report.ended) == {IntentState.CONFIRMED: 1}
    refill = await world.ledger.watched(Entity(EntityKind.REFILL, PANEL, "55"))
    assert refill is not None
    assert refill.order is not None
    assert refill.order.entity == order()
    assert [message.body for message in await world.ledger.messages((), 10)] == ["55 done"]


async def test_a_refill_without_an_id_is_confirmed_and_nothing_is_watched(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [""]

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED
    assert await world.ledger.watched_page(EntityKind.REFILL, PANEL, None, 10) == ()


async def test_an_accepted_cancel_is_confirmed(world: World) -> None:
    await world.track()
    intent_id = await world.fire(Step(StepKind.CANCEL))
    world.panel.script = ["77"]

    await world.run()

    assert world.panel.calls == [("cancel", {"orders": "1"})]
    assert (await world.intent(intent_id)).result == "77"


@pytest.mark.parametrize(
    ("words", "state", "reason"),
    [
        ("refused:Cancel is not available", IntentState.REJECTED, RefusalReason.CANCEL_UNAVAILABLE),
        ("silent", IntentState.UNKNOWN, "unreadable"),
        ("refused:Too many requests", IntentState.PLANNED, "rate_limited"),
    ],
)
async def test_what_a_cancel_answer_means(world: World, words: str, state: IntentState, reason: str) -> None:
    await world.track()
    intent_id = await world.fire(Step(StepKind.CANCEL))
    world.panel.script = [words]

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (state, reason)


async def test_a_reorder_is_tracked_as_a_child_with_what_it_was_placed_with(world: World) -> None:
    await world.know()
    await world.track()
    await world.reorder({"quantity": "{{ order.remains }}"})
    world.panel.script = ["1002"]

    await world.run()

    made = await world.ledger.order(order(1002))
    assert made is not None
    assert (made.parent, made.root, made.depth) == (order(1), order(1), 1)
    assert (made.source, made.service, made.placed_at, made.label) == (OrderSource.REORDERED, "7", T0, "mine")
    assert made.parameters == {"link": "https://example.com/a", "quantity": "157", "rate": "2.00"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Ambiguous("read timed out"), "ambiguous"),
        (TimeoutError(), "ambiguous"),
        (Unreadable("an HTML page"), "unreadable"),
        (RuntimeError("a bug of the client"), "unexpected"),
        (KeyError("also a bug"), "unexpected"),
    ],
)
async def test_whatever_is_not_known_to_be_harmless_is_in_doubt(
    world: World, error: Exception, reason: str
) -> None:
    await world.track()
    intent_id = await world.refill(otherwise=(NOTIFY,))
    world.panel.script = [error]

    await world.run()
    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.UNKNOWN, reason)
    assert len(world.panel.calls) == 1
    assert await world.messages() == [f"operator:unknown:{intent_id}"]
    assert world.balances_wanted == [PANEL]


async def test_a_refusal_is_rejected_with_the_panels_words_and_otherwise_goes_on(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.refill(otherwise=(Step(StepKind.REORDER, {"quantity": "{{ order.remains }}"}),))
    world.panel.script = [Rejected("Refill not available", RefusalReason.REFILL_UNAVAILABLE), "1002"]

    await world.run()
    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason, intent.message) == (
        IntentState.REJECTED,
        "refill_unavailable",
        "Refill not available",
    )
    assert [name for name, _ in world.panel.calls] == ["refill", "add"]


async def test_what_is_told_after_the_action_of_otherwise_still_knows_the_refusal(world: World) -> None:
    await world.know()
    await world.track()
    told = Step(StepKind.LOG, {"message": "because {{ refusal }}, ordered as {{ result }}"})
    rest = Step(StepKind.REORDER, {"quantity": "{{ order.remains }}"})
    await world.refill(otherwise=(rest, told))
    world.panel.script = [Rejected("Refill not available", RefusalReason.REFILL_UNAVAILABLE), "1002"]

    await world.run()
    await world.run()

    bodies = [message.body for message in await world.ledger.messages((), 10)]
    assert "because Refill not available, ordered as 1002" in bodies


EARLY = Rejected("Refill already in progress", RefusalReason.REFILL_TOO_EARLY)
REORDER_REST = Step(StepKind.REORDER, {"quantity": "{{ order.remains }}"})


async def test_a_refill_asked_too_early_is_asked_again_and_nothing_is_bought(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.refill(otherwise=(REORDER_REST,))
    world.panel.script = [EARLY]

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, "refill_too_early")
    assert intent.message == "too early for a refill, the panel says: Refill already in progress"
    assert intent.not_before == T0 + 30 * MINUTE
    assert await world.messages() == []

    world.clock.move(30 * MINUTE)
    await world.ledger.record(Sweep(world.clock.now(), (Observed(order(1), {"remains": 157}, False, None),)))
    world.panel.script = ["55"]
    await world.run()

    assert (await world.intent(intent_id)).result == "55"
    assert [name for name, _ in world.panel.calls] == ["refill", "refill"]


async def test_a_refill_that_stays_too_early_is_given_up_and_told_but_never_bought_instead(
    world: World,
) -> None:
    await world.know()
    await world.track()
    intent_id = await world.refill(otherwise=(REORDER_REST,))
    patience = Patience(attempts=2)
    world.panel.script = [EARLY, EARLY]

    await world.run(patience=patience)
    world.clock.move(30 * MINUTE)
    await world.ledger.record(Sweep(world.clock.now(), (Observed(order(1), {"remains": 157}, False, None),)))
    await world.run(patience=patience)
    await world.run(patience=patience)

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, "refill_too_early")
    assert await world.messages() == [f"operator:not_sent:{intent_id}:2"]
    assert [name for name, _ in world.panel.calls] == ["refill", "refill"]


@pytest.mark.parametrize(
    ("words", "pause"),
    [
        ("Refill will be available in 22 hours", timedelta(hours=22)),
        ("You can ask for a refill after 24 hours", timedelta(hours=24)),
        ("Refill: please wait 45 min", timedelta(minutes=45)),
        ("Refill possible in 2 days", timedelta(days=2)),
        ("Refill already requested", timedelta(minutes=30)),
        ("Refill in 0 hours", timedelta(minutes=30)),
        # So long nobody waits for; the words may be about something else, such as a guarantee.
        ("Refill within 30 days only", timedelta(minutes=30)),
    ],
)
async def test_a_refill_waits_as_long_as_the_panel_says(world: World, words: str, pause: timedelta) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [Rejected(words, RefusalReason.REFILL_TOO_EARLY)]

    await world.run()

    assert (await world.intent(intent_id)).not_before == T0 + pause


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Please wait 24 hours", IntentState.PLANNED),
        ("Already in progress", IntentState.PLANNED),
        ("Too early", IntentState.PLANNED),
        ("Not available", IntentState.REJECTED),
        ("Order not found", IntentState.REJECTED),
        ("No", IntentState.REJECTED),
    ],
)
async def test_what_a_panel_says_to_a_refill_is_about_the_refill(
    world: World, words: str, state: IntentState
) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [Rejected(words, refusal_reason(words))]

    await world.run()

    assert await world.state(intent_id) == state


async def test_a_reorder_is_never_too_early(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder()
    world.panel.script = [Rejected("Please wait 24 hours")]

    await world.run()

    assert await world.state(intent_id) == IntentState.REJECTED


def test_the_pauses_of_a_refill_grow_to_six_hours() -> None:
    patience = Patience()
    pauses = [patience.refill_at(attempts, T0, None) for attempts in (1, 2, 5, 9, 10)]
    assert [at and at - T0 for at in pauses] == [
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(hours=6),
        None,
    ]


async def test_an_account_without_money_is_told_once_a_day(world: World) -> None:
    await world.know()
    for number in (1, 2):
        await world.track(number)
        await world.reorder(entity=order(number), rule="again")
    world.panel.script = [Rejected("Not enough funds", RefusalReason.NOT_ENOUGH_FUNDS)] * 2

    await world.run()

    assert await world.messages() == ["operator:account:north:not_enough_funds:2026-03-01"]


async def test_not_reached_is_tried_again_with_growing_pauses_and_given_up_at_last(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    patience = Patience(attempts=4)
    pauses = []
    for _ in range(3):
        world.panel.script = [NotSent("connection refused")]
        await world.run(patience=patience)
        intent = await world.intent(intent_id)
        assert intent.state == IntentState.PLANNED
        assert intent.not_before is not None
        pauses.append(intent.not_before - world.clock.now())
        world.clock.move(pauses[-1])
    world.panel.script = [NotSent("connection refused")]

    await world.run(patience=patience)

    intent = await world.intent(intent_id)
    assert pauses == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert (intent.state, intent.reason, intent.attempts) == (IntentState.NOT_SENT, "not_reached", 4)
    assert await world.messages() == [f"operator:not_sent:{intent_id}:4"]


def test_pauses_have_an_end() -> None:
    patience = Patience()
    assert patience.pause(1) == timedelta(seconds=30)
    assert patience.pause(10) == timedelta(minutes=30)
    assert patience.pause(10_000) == timedelta(minutes=30)


async def test_it_is_not_claimed_before_its_pause_is_over(world: World) -> None:
    await world.track()
    await world.refill()
    world.panel.script = [NotSent("connection refused")]

    await world.run()
    world.clock.move(timedelta(seconds=29))
    await world.run()
    assert len(world.panel.calls) == 1
    world.clock.move(timedelta(seconds=1))
    await world.run()

    assert len(world.panel.calls) == 2


async def test_a_rate_limit_waits_as_long_as_the_panel_says(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [RateLimited("slow down", retry_after=7 * MINUTE)]

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.not_before) == (IntentState.PLANNED, T0 + 7 * MINUTE)


async def test_steps_that_cannot_be_worked_out_lose_no_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such step")

    monkeypatch.setattr("smm_rules.actions.continuing.follow", broken)
    await world.track()
    intent_id = await world.refill()

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_an_id_that_cannot_be_written_down_is_kept_as_evidence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("smm_rules.actions.executor.confirmed", broken)
    await world.track()
    intent_id = await world.refill()
    world.panel.script = ["55"]

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.evidence["answer"]) == (IntentState.UNKNOWN, "55")
