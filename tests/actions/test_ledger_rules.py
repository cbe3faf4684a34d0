"""The seven rules of the ledger, each by its name, as the executor keeps them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions import collect_evidence, resolve_did_not, resolve_happened, tell_in_doubt
from smm_rules.actions.circumstances import BALANCE_BEFORE, COST
from smm_rules.actions.made import parameters_from
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.answers import Balance
from smm_rules.panel.errors import Ambiguous, NotSent, Rejected
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, NOTIFY, T0, World, order


async def test_rule_1_plan_the_next_step_is_planned_in_the_transaction_that_settles(world: World) -> None:
    await world.know()
    await world.track()
    first = await world.fire(Step(StepKind.CANCEL), NOTIFY, Step(StepKind.REORDER))

    await world.run()

    (planned,) = await world.ledger.intents((IntentState.PLANNED,), 10)
    assert (planned.kind, planned.step, planned.id) == (StepKind.REORDER, "do.2", first + 1)
    assert len(await world.messages()) == 1


async def test_rule_2_claim_is_durable_before_any_byte_leaves(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with await SqliteLedger.open(path) as ledger, await SqliteLedger.open(path) as witness:
        world = World(ledger)
        await world.know()
        await world.track()
        intent_id = await world.reorder()
        seen = []
        add = world.panel.add

        async def watched_add(parameters: dict[str, str]) -> str:
            seen.append(await witness.intent(intent_id))
            return await add(parameters)

        world.panel.add = watched_add  # type: ignore[method-assign]  # the panel as a witness
        await world.run()

    (intent,) = seen
    assert intent is not None
    assert (intent.state, intent.owner, intent.attempts) == (IntentState.SENDING, "daemon", 1)
    assert parameters_from(intent.evidence["sent"]) == {
        "service": "7",
        "link": "https://example.com/a",
        "quantity": "1000",
    }
    assert (Decimal(intent.evidence[COST]), intent.evidence[BALANCE_BEFORE]) == (Decimal(2), "100")


@pytest.mark.parametrize(
    "error", [NotSent("refused"), Rejected("no"), Ambiguous("timed out"), RuntimeError("bug")]
)
async def test_rule_3_send_is_one_attempt(world: World, error: Exception) -> None:
    await world.track()
    await world.refill()
    world.panel.script = [error, "must not be asked for"]

    await world.run()

    assert len(world.panel.calls) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (NotSent("dns"), IntentState.PLANNED),
        (Rejected("Incorrect order ID"), IntentState.REJECTED),
        ("55", IntentState.CONFIRMED),
        (Ambiguous("500 after effect"), IntentState.UNKNOWN),
    ],
)
async def test_rule_4_settle_each_end_has_its_state(
    world: World, answer: Exception | str, state: IntentState
) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [answer]

    await world.run()

    assert await world.state(intent_id) == state


async def test_rule_5_boot_what_was_sending_is_in_doubt_and_never_sent_again(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    assert await world.ledger.claim(intent_id, "daemon", T0, {})

    await world.ledger.recover(T0, "daemon", T0)
    for _ in range(3):
        await world.run()
        world.clock.move(60 * MINUTE)

    assert await world.state(intent_id) == IntentState.UNKNOWN
    assert world.panel.calls == []


async def test_rule_6_unknown_keeps_its_money_tells_the_operator_and_collects_evidence(world: World) -> None:
    await world.know(balance="10")
    await world.track()
    intent_id = await world.reorder(facts={"service.rate": Decimal(2), "quantity": 1000})
    world.panel.script = [Ambiguous("timed out")]

    await world.run()
    world.clock.move(MINUTE)
    await collect_evidence(
        world.ledger, "north", Balance(Decimal(8), "USD"), world.clock.now(), world.clock.now()
    )

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reserved) == (IntentState.UNKNOWN, Decimal(2))
    assert await world.messages() == [f"operator:unknown:{intent_id}"]
    assert intent.evidence["suggests"] == "happened"


async def happened(world: World, intent_id: int) -> None:
    await resolve_happened(world.ledger, OperatorVoice(world.ledger, "ops"), intent_id, "55", T0, "ann")


async def did_not(world: World, intent_id: int) -> None:
    await resolve_did_not(world.ledger, OperatorVoice(world.ledger, "ops"), intent_id, T0, "ann")


@pytest.mark.parametrize(
    ("verdict", "state"), [(happened, IntentState.CONFIRMED), (did_not, IntentState.NOT_SENT)]
)
async def test_rule_6_unknown_ends_by_the_operators_word(
    world: World, verdict: Callable[[World, int], object], state: IntentState
) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [Ambiguous("timed out")]
    await world.run()

    await verdict(world, intent_id)  # type: ignore[misc]  # both are coroutines
    await world.run()

    assert await world.state(intent_id) == state
    assert len(world.panel.calls) == 1


async def test_rule_7_notifications_are_queued_with_the_outcome_and_told_once(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    world.panel.script = [Ambiguous("timed out")]
    await world.run()
    voice = OperatorVoice(world.ledger, "ops")

    told = [await tell_in_doubt(world.ledger, voice, T0) for _ in range(2)]

    assert told == [0, 0]
    assert await world.messages() == [f"operator:unknown:{intent_id}"]


async def test_rule_7_a_crash_before_the_telling_is_made_good_at_boot(world: World) -> None:
    await world.track()
    intent_id = await world.refill()
    await world.ledger.claim(intent_id, "daemon", T0, {})
    await world.ledger.recover(T0, "daemon", T0)
    voice = OperatorVoice(world.ledger, "ops")

    assert await tell_in_doubt(world.ledger, voice, T0) == 1
    assert await tell_in_doubt(world.ledger, voice, T0) == 0
    assert order() == (await world.intent(intent_id)).entity
