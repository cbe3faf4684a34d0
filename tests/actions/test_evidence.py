"""What a balance says of an action in doubt."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.actions import Suggestion, collect_evidence
from smm_rules.ledger.records import DatedBalance
from smm_rules.panel.answers import Balance
from smm_rules.panel.errors import Ambiguous
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, PANEL, World, order


async def doubtful(world: World, *others: str) -> int:
    """A reorder of 2.00 in doubt, and others that ended as scripted, all after one balance of 10."""
    await world.know(balance="10")
    world.clock.move(MINUTE)
    for number in range(1, 2 + len(others)):
        await world.track(number)
    world.panel.script = [Ambiguous("timed out")]
    intent_id = await world.reorder()
    await world.run()
    for number, other in enumerate(others, 2):
        world.panel.script = [Ambiguous("timed out") if other == "unknown" else other]
        await world.reorder(entity=order(number))
        await world.run()
    world.clock.move(MINUTE)
    return intent_id


async def collect(world: World, amount: str, panel: str = PANEL, asked: timedelta = timedelta()) -> int:
    """Collect a balance that was asked for `asked` ago."""
    now = world.clock.now()
    return await collect_evidence(world.ledger, panel, Balance(Decimal(amount), "USD"), now - asked, now)


async def read(world: World, intent_id: int, amount: str) -> str:
    await collect(world, amount)
    return (await world.intent(intent_id)).evidence["suggests"]


@pytest.mark.parametrize(
    ("amount", "suggestion"),
    [
        ("8", Suggestion.HAPPENED),
        ("8.000", Suggestion.HAPPENED),
        ("10", Suggestion.DID_NOT),
        ("7", Suggestion.UNCLEAR),
        ("30", Suggestion.UNCLEAR),
    ],
)
async def test_the_difference_is_held_against_the_cost(
    world: World, amount: str, suggestion: Suggestion
) -> None:
    intent_id = await doubtful(world)
    assert await read(world, intent_id, amount) == suggestion


@pytest.mark.parametrize("amount", ["8", "10"])
async def test_a_balance_in_another_currency_says_nothing(world: World, amount: str) -> None:
    intent_id = await doubtful(world)
    now = world.clock.now()
    await collect_evidence(world.ledger, PANEL, Balance(Decimal(amount), "EUR"), now, now)
    assert (await world.intent(intent_id)).evidence["suggests"] == Suggestion.UNCLEAR


async def test_what_another_spent_in_another_currency_makes_it_unclear(world: World) -> None:
    intent_id = await doubtful(world, "1002")
    await world.ledger.note(intent_id + 1, {"currency": "EUR"})
    assert await read(world, intent_id, "6") == Suggestion.UNCLEAR


@pytest.mark.parametrize(("amount", "suggestion"), [("6", Suggestion.HAPPENED), ("8", Suggestion.DID_NOT)])
async def test_what_others_spent_is_taken_off(world: World, amount: str, suggestion: Suggestion) -> None:
    intent_id = await doubtful(world, "1002")
    assert await read(world, intent_id, amount) == suggestion


async def test_another_action_in_doubt_makes_it_unclear(world: World) -> None:
    intent_id = await doubtful(world, "unknown")
    assert await read(world, intent_id, "8") == Suggestion.UNCLEAR


async def test_the_first_reading_counts(world: World) -> None:
    intent_id = await doubtful(world)
    await read(world, intent_id, "8")
    world.clock.move(MINUTE)

    again = await collect(world, "1")

    assert again == 0
    assert (await world.intent(intent_id)).evidence["balance_after"] == "8"


async def test_a_reading_of_another_panel_says_nothing(world: World) -> None:
    await doubtful(world)
    assert await collect(world, "8", "south") == 0


async def test_a_balance_asked_for_before_the_doubt_says_nothing(world: World) -> None:
    """The panel may have read its books before it acted: such a reading would speak for "did not"."""
    intent_id = await doubtful(world)

    assert await collect(world, "10", asked=2 * MINUTE) == 0
    assert "suggests" not in (await world.intent(intent_id)).evidence
    assert await read(world, intent_id, "8") == Suggestion.HAPPENED


async def test_a_purchase_made_while_the_balance_was_asked_for_makes_it_unclear(world: World) -> None:
    """Nobody knows whether the reading has seen it."""
    intent_id = await doubtful(world)
    await world.track(2)
    world.panel.script = ["1002"]
    await world.reorder(entity=order(2))
    await world.run()

    assert await collect(world, "8", asked=MINUTE / 2) == 1
    assert (await world.intent(intent_id)).evidence["suggests"] == Suggestion.UNCLEAR


async def test_a_purchase_made_while_the_first_balance_was_asked_for_makes_it_unclear(world: World) -> None:
    await world.know(balance=None)
    await world.track(2)
    await world.reorder(entity=order(2))
    await world.run()
    now = world.clock.now()
    reading = DatedBalance(Decimal(10), "USD", now - MINUTE, now + MINUTE)
    await world.ledger.note_balance(PANEL, reading)
    world.clock.move(2 * MINUTE)
    await world.track()
    world.panel.script = [Ambiguous("timed out")]
    intent_id = await world.reorder()
    await world.run()
    world.clock.move(MINUTE)

    assert await read(world, intent_id, "8") == Suggestion.UNCLEAR


async def test_without_a_balance_before_it_is_unclear(world: World) -> None:
    await world.track()
    world.panel.script = [Ambiguous("timed out")]
    intent_id = await world.fire(Step(StepKind.REFILL))
    await world.run()
    world.clock.move(MINUTE)

    assert await read(world, intent_id, "8") == Suggestion.UNCLEAR
