"""The operator's verdicts on actions in doubt and on held ones."""

from __future__ import annotations

import pytest

from smm_rules.actions import approve, deny, resolve_did_not, resolve_happened
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake import Unacceptable
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import IntentState, OrderSource
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import Ambiguous
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, NOTIFY, PANEL, T0, World, order


@pytest.fixture
def voice(world: World) -> OperatorVoice:
    return OperatorVoice(world.ledger, "ops")


async def doubtful(world: World, *steps: Step) -> int:
    await world.know()
    await world.track()
    intent_id = await world.fire(*steps)
    world.panel.script = [Ambiguous("timed out")]
    await world.run()
    world.clock.move(5 * MINUTE)
    return intent_id


async def test_a_reorder_that_happened_is_tracked_as_it_was_sent(world: World, voice: OperatorVoice) -> None:
    intent_id = await doubtful(world, Step(StepKind.REORDER, {"quantity": "157"}), NOTIFY)

    settled = await resolve_happened(world.ledger, voice, intent_id, "#1002", world.clock.now(), "ann")

    assert (settled.state, settled.result) == (IntentState.CONFIRMED, "1002")
    made = await world.ledger.order(order(1002))
    assert made is not None
    assert (made.parent, made.source, made.service, made.placed_at) == (
        order(1),
        OrderSource.REORDERED,
        "7",
        T0,
    )
    assert made.parameters == {"link": "https://example.com/a", "quantity": "157", "rate": "2.00"}
    assert (await world.ledger.messages((), 10))[0].body == "1002 done"


async def test_a_refill_that_happened_is_watched(world: World, voice: OperatorVoice) -> None:
    intent_id = await doubtful(world, Step(StepKind.REFILL))

    await resolve_happened(world.ledger, voice, intent_id, "55", T0, "ann")

    assert await world.ledger.watched(Entity(EntityKind.REFILL, PANEL, "55")) is not None


async def test_a_refill_that_happened_may_have_no_id(world: World, voice: OperatorVoice) -> None:
    intent_id = await doubtful(world, Step(StepKind.REFILL))

    settled = await resolve_happened(world.ledger, voice, intent_id, "", T0, "ann")

    assert settled.state == IntentState.CONFIRMED


@pytest.mark.parametrize("made", ["", "1", "not an id", "#1"])
async def test_an_id_that_cannot_be_right_is_refused(world: World, voice: OperatorVoice, made: str) -> None:
    intent_id = await doubtful(world, Step(StepKind.REORDER))

    with pytest.raises(Unacceptable):
        await resolve_happened(world.ledger, voice, intent_id, made, T0, "ann")

    assert await world.state(intent_id) == IntentState.UNKNOWN


async def test_what_did_not_happen_ends_the_firing(world: World, voice: OperatorVoice) -> None:
    intent_id = await doubtful(world, Step(StepKind.REORDER), NOTIFY)
    before = await world.messages()

    settled = await resolve_did_not(world.ledger, voice, intent_id, T0, "ann")
    await world.run()

    assert settled.state == IntentState.NOT_SENT
    assert len(world.panel.calls) == 1
    assert await world.messages() == before


async def test_what_did_not_happen_may_be_tried_again(world: World, voice: OperatorVoice) -> None:
    intent_id = await doubtful(world, Step(StepKind.REORDER), NOTIFY)

    await resolve_did_not(world.ledger, voice, intent_id, T0, "ann", retry=True)
    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED
    assert len(world.panel.calls) == 2


async def test_only_what_is_in_doubt_can_be_resolved(world: World, voice: OperatorVoice) -> None:
    await world.track()
    intent_id = await world.refill()
    await world.run()

    with pytest.raises(StateConflict, match="is confirmed, not in doubt"):
        await resolve_did_not(world.ledger, voice, intent_id, T0, "ann")
    with pytest.raises(StateConflict, match="there is no intent 99"):
        await resolve_happened(world.ledger, voice, 99, "5", T0, "ann")


async def test_a_denied_action_is_never_sent(world: World) -> None:
    await world.track()
    intent_id = await world.refill(hold=Reason.DRY_RUN)

    await deny(world.ledger, intent_id, T0, "ann")
    await world.run()

    assert await world.state(intent_id) == IntentState.DENIED
    assert world.panel.calls == []
    with pytest.raises(StateConflict):
        await approve(world.ledger, intent_id, T0, "ann")
