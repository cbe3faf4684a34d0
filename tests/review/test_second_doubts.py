"""An action that is tried once more and falls into doubt again, or is held again, is a new question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions import Suggestion, approve, collect_evidence
from smm_rules.actions.brakes import Brakes
from smm_rules.actions.evidence import BALANCE_AFTER, SUGGESTS, tell_in_doubt
from smm_rules.actions.proving import prove
from smm_rules.actions.resolve import resolve_did_not
from smm_rules.engine.firing import IntentDraft
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.answers import Balance
from smm_rules.panel.errors import Ambiguous
from smm_rules.rules.model import ApprovalNeed, RuleGuards, StepKind
from smm_rules.standing.evidence import suggestion_in_words
from tests.actions.world import MINUTE, PANEL, T0, World, order
from tests.ledger.builders import planned
from tests.ledger.contract.test_guards import firing_of

TIMED_OUT = Ambiguous("read timed out")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(ledger)


def voice(world: World) -> OperatorVoice:
    return OperatorVoice(world.ledger, "ops")


async def in_doubt(world: World) -> int:
    await world.know()
    await world.track()
    reorder = await world.reorder()
    world.panel.script = [TIMED_OUT]
    await world.run()
    assert await world.state(reorder) is IntentState.UNKNOWN
    return reorder


async def again(world: World, intent: int) -> None:
    """The operator says that it didn't happen and has it tried once more; again there is no answer."""
    await resolve_did_not(world.ledger, voice(world), intent, world.clock.now(), "ann", retry=True)
    world.panel.script = [TIMED_OUT]
    await world.run()
    assert await world.state(intent) is IntentState.UNKNOWN


async def read_balance(world: World, amount: str) -> None:
    """A reading that was asked for now and answered a minute later, kept as every look does."""
    asked_at = world.clock.now()
    world.clock.move(MINUTE)
    await world.know(balance=amount)
    await collect_evidence(world.ledger, PANEL, Balance(Decimal(amount), "USD"), asked_at, world.clock.now())


async def test_the_operator_is_told_of_each_doubt(world: World) -> None:
    intent = await in_doubt(world)
    await again(world, intent)
    await again(world, intent)
    await tell_in_doubt(world.ledger, voice(world), world.clock.now())

    told = [key for key in await world.messages() if key.startswith("operator:unknown:")]
    assert told == [
        f"operator:unknown:{intent}",
        f"operator:unknown:{intent}:2",
        f"operator:unknown:{intent}:3",
    ]


async def test_a_balance_read_before_the_second_attempt_says_nothing_of_it(world: World) -> None:
    intent = await in_doubt(world)
    world.clock.move(MINUTE)
    await read_balance(world, "100")
    first = await world.intent(intent)
    assert first.evidence[SUGGESTS] == Suggestion.DID_NOT
    world.clock.move(MINUTE)
    await again(world, intent)

    second = await world.intent(intent)
    assert (suggestion_in_words(second), second.evidence[BALANCE_AFTER]) == ("", "")
    world.clock.move(MINUTE)
    await read_balance(world, "98")
    assert (await world.intent(intent)).evidence[SUGGESTS] == Suggestion.HAPPENED


async def test_a_balance_read_before_the_second_attempt_proves_nothing_of_it(world: World) -> None:
    """It fell by the price after the first attempt, by the operator's own purchase on the panel's page."""
    intent = await in_doubt(world)
    world.clock.move(MINUTE)
    await read_balance(world, "98")
    assert (await world.intent(intent)).evidence[SUGGESTS] == Suggestion.HAPPENED
    await again(world, intent)

    assert await prove(world.ledger, voice(world), ("balance",), world.clock.now()) == 0
    assert await world.state(intent) is IntentState.UNKNOWN


async def test_an_approval_that_is_asked_for_again_is_told_again(world: World) -> None:
    """Approved at one price, and dearer than that when it was to be sent."""
    await world.know()
    await world.track()
    guards = RuleGuards(approval=ApprovalNeed(Decimal("1.00"), timedelta(hours=2)))
    draft = IntentDraft("do.0", StepKind.REORDER, PANEL, {}, Decimal("1.50"), "USD")
    firing = firing_of("again", order(), order(), T0, guards, None)
    recorded = await world.ledger.record(Sweep(T0, firings=(planned(firing, draft),)))
    [intent] = recorded.intents
    brakes = Brakes(world.ledger, voice(world), lambda _: None)
    await brakes.mind(world.clock.now())
    await approve(world.ledger, intent, world.clock.now(), "ann")
    await world.run()
    assert await world.state(intent) is IntentState.HELD
    world.clock.move(MINUTE)
    await brakes.mind(world.clock.now())

    bodies = [one.body for one in await world.ledger.messages((), 10)]
    assert [text in body for text, body in zip(("2.00 USD", "1.50 USD"), bodies, strict=True)] == [True, True]
