"""A panel is chosen inside the transaction that plans the action, once, by what the ledger knows then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from smm_rules.engine.choosing import Choice, Way, choice_from
from smm_rules.engine.firing import Choosing, Continuation, IntentDraft
from smm_rules.engine.guards import NO_GUARDS
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import CHOICE, Intent, IntentState, NewOrder, Observed, Sweep
from smm_rules.matching.equal import EqualServices, Group, Member
from smm_rules.matching.market import Market
from smm_rules.rules.model import StepKind
from tests.ledger.builders import MINUTE, T0, ended, fired, firing, order, planned
from tests.ledger.conftest import Opener

EQUAL = EqualServices(
    (Group("likes", (Member("north", "7"), Member("south/1", "70"), Member("east", "700"))),)
)
CHEAPEST = IntentDraft("do.0", StepKind.REORDER, "north", {}, choosing=Choosing(Way.CHEAPEST))


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger(replace(NO_GUARDS, market=Market(EQUAL)))
    given = {"link": "https://example.com/a", "quantity": "1000", "rate": "2.00"}
    await opened.track([NewOrder(order(), "7", given)], T0)
    await offer(opened, north="2.00", south="1.00", east="1.50")
    yield opened
    await opened.aclose()


async def offer(ledger: Ledger, **rates: str) -> None:
    observed = []
    for name, rate in rates.items():
        group = EQUAL.groups[0]
        [member] = [one for one in group.members if one.panel.startswith(name)]
        row: Facts = {"id": member.service, "type": "Default", "rate": Decimal(rate), "min": 10, "max": 5000}
        money: Facts = {"amount": Decimal(100), "currency": "USD"}
        observed += [
            Observed(Entity(EntityKind.SERVICE, member.panel, member.service), row, True, None),
            Observed(Entity(EntityKind.BALANCE, member.panel), money, True, None),
        ]
    await ledger.record(Sweep(T0, tuple(observed)))


async def plan(ledger: Ledger, draft: IntentDraft = CHEAPEST) -> Intent:
    recorded = await ledger.record(fired(planned(firing(), draft)))
    return await the(ledger, recorded.intents[0])


async def the(ledger: Ledger, intent_id: int) -> Intent:
    found = await ledger.intent(intent_id)
    assert found is not None
    return found


def chosen(intent: Intent) -> Choice:
    found = choice_from(intent.evidence.get(CHOICE))
    assert found is not None
    return found


async def test_panel_service_and_price_are_fixed_as_it_is_planned(ledger: Ledger) -> None:
    intent = await plan(ledger)

    assert (intent.panel, intent.parameters["service"]) == ("south/1", "70")
    assert (intent.reserved, intent.currency) == (Decimal("1.00000"), "USD")
    assert Decimal(intent.parameters["reference_rate"]) == Decimal("2.00")
    choice = chosen(intent)
    assert choice.chosen == Member("south/1", "70")
    assert [str(one.member) for one in choice.considered] == ["north/7", "south/1/70", "east/700"]
    await offer(ledger, east="0.01")
    assert await the(ledger, intent.id) == intent


async def test_a_firing_that_is_known_chooses_no_second_time(ledger: Ledger) -> None:
    first = await plan(ledger)
    await offer(ledger, east="0.01")

    again = await ledger.record(fired(planned(firing(), CHEAPEST)))

    assert again.intents == ()
    assert [one.id for one in await ledger.intents((), 10)] == [first.id]


async def test_what_takes_its_place_is_planned_with_its_end_in_one_transaction(ledger: Ledger) -> None:
    first = await plan(ledger)
    assert await ledger.claim(first.id, "d1", T0 + MINUTE, {})
    other = replace(CHEAPEST, step="do.0+1", choosing=Choosing(Way.CHEAPEST, "south/1: no route"))
    end = ended(IntentState.NOT_SENT, "not_reached")

    await ledger.settle(first.id, end, Continuation(intent=other), T0 + 2 * MINUTE, "d1")

    second, first = await ledger.intents((), 10)
    assert (first.state, second.state) == (IntentState.NOT_SENT, IntentState.PLANNED)
    assert (second.step, second.panel) == ("do.0+1", "east")
    assert chosen(second).after == "south/1: no route"
    assert [str(one.member) for one in chosen(second).considered] == ["north/7", "east/700"]


async def test_the_same_place_is_taken_once(ledger: Ledger) -> None:
    """Two ends that both ask for another panel make one action: its name is taken."""
    first = await plan(ledger)
    await ledger.claim(first.id, "d1", T0 + MINUTE, {})
    other = replace(CHEAPEST, step="do.0+1")
    then = Continuation(intent=other)
    await ledger.settle(first.id, ended(IntentState.NOT_SENT, "not_reached"), then, T0 + 2 * MINUTE, "d1")
    second = (await ledger.intents((), 10))[0]
    await ledger.claim(second.id, "d1", T0 + 3 * MINUTE, {})

    await ledger.settle(second.id, ended(IntentState.NOT_SENT, "not_reached"), then, T0 + 4 * MINUTE, "d1")

    assert [one.step for one in await ledger.intents((), 10)] == ["do.0+1", "do.0"]


async def test_another_mapping_counts_from_the_next_plan_on(ledger: Ledger) -> None:
    ledger.use_equal_services(EqualServices())

    intent = await plan(ledger)

    choice = chosen(intent)
    assert (choice.chosen, intent.panel) == (None, "north")
    assert "no confirmed group of the mapping has service 7 of north" in choice.why


async def test_next_leaves_out_where_the_chain_has_been(ledger: Ledger) -> None:
    child = Entity(EntityKind.ORDER, "south/1", "5")
    await ledger.track([NewOrder(child, "70", {"quantity": "1000", "link": "x"}, parent=order())], T0)

    draft, choice = await ledger.consider(
        replace(CHEAPEST, choosing=Choosing(Way.NEXT)), firing(entity=child), T0
    )

    assert choice is not None
    assert (draft.panel, [one.member.panel for one in choice.considered]) == ("east", ["east"])


async def test_considering_writes_nothing(ledger: Ledger) -> None:
    draft, choice = await ledger.consider(CHEAPEST, firing(), T0)

    assert choice is not None
    assert (draft.panel, draft.estimate) == ("south/1", Decimal("1.00000"))
    assert await ledger.intents((), 10) == ()


async def test_the_orders_made_for_another_are_found_forgotten_or_not(ledger: Ledger) -> None:
    children = [Entity(EntityKind.ORDER, panel, "5") for panel in ("south/1", "east")]
    await ledger.track([NewOrder(one, "70", {}, parent=order()) for one in children], T0)
    grandchild = Entity(EntityKind.ORDER, "east", "6")
    await ledger.track([NewOrder(grandchild, "700", {}, parent=children[1])], T0)
    await ledger.forget(children[0], T0)

    assert {one.entity for one in await ledger.replacements(order())} == {*children, grandchild}
    assert [one.entity for one in await ledger.replacements(children[1])] == [grandchild]
    assert await ledger.replacements(grandchild) == ()
    assert await ledger.replacements(order(99)) == ()
