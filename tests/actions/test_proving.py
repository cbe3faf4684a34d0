"""The policy on actions in doubt: it proves that something happened, or nothing at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.actions import collect_evidence, resolve_did_not
from smm_rules.actions.proving import prove
from smm_rules.engine.firing import Continuation
from smm_rules.facts import Facts
from smm_rules.ledger.records import DatedBalance, IntentState, NewOrder, Observed, Outcome, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.answers import Balance
from smm_rules.panel.errors import Ambiguous, Unreadable
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, NOTIFY, PANEL, T0, World, order

BOTH = ("balance", "status")


async def proved(world: World, *by: str) -> int:
    return await prove(world.ledger, OperatorVoice(world.ledger, "ops"), by or BOTH, world.clock.now())


async def bought_in_doubt(world: World, quantity: str = "1000", number: int = 1) -> int:
    """A reorder that costs 2.00 and never got its answer; the ID of its intent."""
    await world.track(number, link="https://example.com/a", quantity=quantity)
    world.panel.script = [Ambiguous("no answer")]
    reorder = await world.fire(Step(StepKind.REORDER), NOTIFY, entity=order(number))
    await world.run()
    assert await world.state(reorder) is IntentState.UNKNOWN
    return reorder


async def read_balance(world: World, amount: str) -> None:
    world.clock.move(MINUTE)
    now = world.clock.now()
    await collect_evidence(world.ledger, PANEL, Balance(Decimal(amount), "USD"), now, now)


@pytest.mark.parametrize(
    ("balance", "by", "state"),
    [
        ("98.00", ("balance",), IntentState.CONFIRMED),
        ("98.00", ("status",), IntentState.UNKNOWN),
        ("98.00", (), IntentState.UNKNOWN),
        ("98.01", ("balance",), IntentState.UNKNOWN),
        ("97.99", ("balance",), IntentState.UNKNOWN),
        ("100.00", ("balance",), IntentState.UNKNOWN),
    ],
)
async def test_a_balance_that_fell_by_exactly_the_price(
    world: World, balance: str, by: tuple[str, ...], state: IntentState
) -> None:
    await world.know()
    reorder = await bought_in_doubt(world)
    await read_balance(world, balance)
    count = await prove(world.ledger, OperatorVoice(world.ledger, "ops"), by, world.clock.now())
    intent = await world.intent(reorder)
    assert (count, intent.state) == (int(state is IntentState.CONFIRMED), state)
    reserved = await world.ledger.reserved(PANEL)
    assert reserved == ({} if count else {"USD": Decimal("2.00")})


async def test_what_was_proved_goes_on_and_is_told(world: World) -> None:
    await world.know()
    reorder = await bought_in_doubt(world)
    await read_balance(world, "98.00")
    assert await proved(world) == 1
    assert await proved(world) == 0
    intent = await world.intent(reorder)
    assert (intent.reason, intent.result, intent.evidence["proved_by"]) == (
        "proved_by_balance",
        "",
        "balance",
    )
    assert (await world.ledger.transitions(reorder))[-1].by == "policy"
    assert f"operator:proved:{reorder}" in await world.messages()
    assert any(key.endswith("do.1") for key in await world.messages())  # the rule's own next step


async def test_another_purchase_in_the_window_proves_nothing(world: World) -> None:
    await world.know()
    reorder = await bought_in_doubt(world)
    await world.track(2, link="https://example.com/b", quantity="1000")
    world.panel.script = []
    world.clock.move(MINUTE)
    await world.reorder(entity=order(2))
    await world.run()
    await read_balance(world, "96.00")
    assert (await world.intent(reorder)).evidence["suggests"] == "happened"
    assert await proved(world) == 0


async def read_before(world: World, asked: timedelta, answered: timedelta) -> None:
    """A first balance of 100.00, asked for and answered so long ago."""
    now = world.clock.now()
    reading = DatedBalance(Decimal("100.00"), "USD", now - asked, now - answered)
    await world.ledger.note_balance(PANEL, reading)


async def bought(world: World, number: int) -> None:
    """Another reorder, answered by the panel at once."""
    await world.track(number)
    world.panel.script = []
    await world.reorder(entity=order(number))
    await world.run()


@pytest.mark.parametrize(("asked", "proves"), [(2 * MINUTE, False), (MINUTE, False), (MINUTE / 2, True)])
async def test_a_purchase_booked_between_question_and_answer_proves_nothing(
    world: World, asked: timedelta, proves: bool
) -> None:
    """The fall may be that of the other: it is counted from the question on, and from no sooner."""
    await world.know(balance=None)
    await bought(world, 2)
    world.clock.move(MINUTE)
    await read_before(world, asked, timedelta())
    world.clock.move(MINUTE)
    reorder = await bought_in_doubt(world)
    await read_balance(world, "98.00")
    assert await proved(world) == int(proves)
    assert await world.state(reorder) is (IntentState.CONFIRMED if proves else IntentState.UNKNOWN)


async def test_a_reading_whose_question_is_undated_proves_nothing(world: World) -> None:
    """As an action has it that was sent before questions were dated."""
    await world.know()
    reorder = await bought_in_doubt(world)
    await world.ledger.note(reorder, {"balance_before_asked_at": ""})
    await read_balance(world, "98.00")
    assert (await world.intent(reorder)).evidence["suggests"] == "unclear"
    assert await proved(world) == 0


async def test_a_reading_from_the_future_proves_nothing(world: World) -> None:
    """It was dated by a clock that has been set back since."""
    await world.know(balance=None)
    await read_before(world, -MINUTE, -2 * MINUTE)
    await bought_in_doubt(world)
    await read_balance(world, "98.00")
    assert await proved(world) == 0


async def test_a_long_history_keeps_no_proof_back(world: World) -> None:
    await world.know()
    orders = [order(number) for number in range(10, 1_020)]
    await world.ledger.track([NewOrder(one) for one in orders], T0)
    for entity in orders:
        intent_id = await world.refill(entity=entity)
        assert await world.ledger.claim(intent_id, "d", T0, {})
        done = Outcome(IntentState.CONFIRMED, "accepted")
        await world.ledger.settle(intent_id, done, Continuation(), T0, "d")
    world.clock.move(MINUTE)
    await world.know()
    await bought_in_doubt(world)
    await read_balance(world, "98.00")
    assert await proved(world) == 1


async def test_two_in_doubt_prove_nothing_for_each_other(world: World) -> None:
    await world.know()
    await bought_in_doubt(world)
    await bought_in_doubt(world, number=2)
    await read_balance(world, "98.00")
    assert await proved(world) == 0


async def test_a_call_under_way_proves_nothing(world: World) -> None:
    await world.know()
    reorder = await bought_in_doubt(world)
    await world.track(2)
    other = await world.reorder(entity=order(2))
    assert await world.ledger.claim(other, "command", world.clock.now(), {}, Decimal("2.00"), "USD")
    await read_balance(world, "98.00")
    assert await proved(world) == 0
    assert await world.state(reorder) is IntentState.UNKNOWN


async def cancel_in_doubt(world: World) -> int:
    await world.track()
    world.panel.script = [Unreadable("garbage")]
    cancel = await world.fire(Step(StepKind.CANCEL))
    await world.run()
    assert await world.state(cancel) is IntentState.UNKNOWN
    return cancel


async def see(world: World, status: str, since: datetime, error: str = "") -> None:
    facts: Facts = {"status": status, "status_since": since, "error": error}
    await world.ledger.record(Sweep(world.clock.now(), (Observed(order(), facts, True, None),)))


@pytest.mark.parametrize(
    ("status", "since", "error", "proves"),
    [
        ("Canceled", T0 + 2 * MINUTE, "", True),
        ("Canceled", T0, "", False),  # it was so before
        ("Canceled", T0 + 2 * MINUTE, "Incorrect order ID", False),
        ("Partial", T0 + 2 * MINUTE, "", False),
        ("Completed", T0 + 2 * MINUTE, "", False),
    ],
)
async def test_an_order_that_became_canceled(
    world: World, status: str, since: datetime, error: str, proves: bool
) -> None:
    cancel = await cancel_in_doubt(world)
    world.clock.move(3 * MINUTE)
    await see(world, status, since, error)
    assert await proved(world, "balance") == 0
    assert await proved(world, "status") == int(proves)
    assert await world.state(cancel) is (IntentState.CONFIRMED if proves else IntentState.UNKNOWN)


async def test_a_refill_is_never_proved(world: World) -> None:
    """Without its ID nothing can be asked about it."""
    await world.know()
    await world.track()
    world.panel.script = [Ambiguous("no answer")]
    refill = await world.refill()
    await world.run()
    await read_balance(world, "100.00")
    assert await proved(world) == 0
    assert await world.state(refill) is IntentState.UNKNOWN


async def test_the_operators_word_goes_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.know()
    reorder = await bought_in_doubt(world)
    await read_balance(world, "98.00")
    in_doubt = await world.ledger.intents((IntentState.UNKNOWN,), 10)
    await resolve_did_not(world.ledger, OperatorVoice(world.ledger, "ops"), reorder, T0, "operator:ann")

    async def as_before(*_: object, **__: object) -> object:
        return in_doubt

    monkeypatch.setattr(SqliteLedger, "intents", as_before)
    assert await proved(world) == 0
    assert await world.state(reorder) is IntentState.NOT_SENT


cents = st.integers(0, 20_000).map(lambda n: Decimal(n) / 100)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents, st.booleans())
async def test_no_evidence_ever_proves_that_it_did_not_happen(balance: Decimal, other: bool) -> None:
    async with await SqliteLedger.in_memory() as ledger:
        world = World(ledger)
        await world.know()
        reorder = await bought_in_doubt(world)
        if other:
            made = NewOrder(order(77))
            asked = await world.reorder(entity=order(2))
            await ledger.claim(asked, "d", world.clock.now() + timedelta(seconds=1), {}, Decimal(1), "USD")
            settled = Outcome(IntentState.CONFIRMED, "accepted", result="77", tracked=made)
            await ledger.settle(asked, settled, Continuation(), world.clock.now(), "d")
        await read_balance(world, str(balance))
        await proved(world)
        state = await world.state(reorder)
        assert state is (
            IntentState.CONFIRMED if balance == Decimal(98) and not other else IntentState.UNKNOWN
        )
