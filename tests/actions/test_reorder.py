"""What a reorder sends, and what keeps it from being sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.actions import Why, approve
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import IntentState, NewOrder, Observed, OrderSource, Sweep
from smm_rules.panel.errors import Ambiguous
from smm_rules.panel.order_types import ORDER_TYPES
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import MINUTE, PANEL, T0, ScriptedPanel, World, order

LINK = "https://example.com/a"
VALUES = {
    "link": LINK,
    "quantity": "100",
    "runs": "2",
    "interval": "60",
    "comments": "\n".join(f"comment {number}" for number in range(20)),
    "usernames": "\n".join(f"user{number}" for number in range(20)),
    "hashtags": "#a\n#b",
    "hashtag": "#a",
    "username": "somebody",
    "media": LINK,
    "answer_number": "2",
    "groups": "group",
    "keywords": "word",
    "country": "US",
    "device": "1",
    "type_of_traffic": "3",
    "google_keyword": "word",
    "referring_url": LINK,
    "min": "10",
    "max": "20",
    "delay": "5",
    "posts": "0",
    "old_posts": "1",
    "expiry": "31/12/2030",
}


@pytest.mark.parametrize("type_name", sorted(ORDER_TYPES))
async def test_every_service_type_is_ordered_again_with_all_it_takes_and_no_more(
    world: World, type_name: str
) -> None:
    known = ORDER_TYPES[type_name]
    await world.know({"type": type_name})
    # The original knows more than the type takes, as an import with many columns does.
    await world.track(**VALUES, unheard_of="x", rate="2.00")
    intent_id = await world.reorder()

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED
    assert world.panel.calls == [
        ("add", {name: VALUES[name] for name in known.parameters} | {"service": "7"}),
    ]


async def test_an_unknown_type_passes_everything_through(world: World) -> None:
    await world.know({"type": "Votes of Tomorrow"})
    await world.track(link=LINK, quantity="100", unheard_of="x")
    await world.reorder()

    await world.run()

    assert world.panel.calls == [
        ("add", {"link": LINK, "quantity": "100", "unheard_of": "x", "service": "7"}),
    ]


async def test_what_the_rule_says_outweighs_the_original(world: World) -> None:
    await world.know()
    await world.know({"id": "8"})
    await world.track()
    await world.reorder({"service": "8", "quantity": "{{ order.remains }}", "link": LINK + "b"})

    await world.run()

    assert world.panel.calls == [("add", {"service": "8", "quantity": "157", "link": LINK + "b"})]


async def refusal(world: World, intent_id: int) -> tuple[str, str]:
    await world.run()
    intent = await world.intent(intent_id)
    assert intent.state == IntentState.NOT_SENT
    assert world.panel.calls == []
    assert await world.messages() == [f"operator:not_sent:{intent_id}:0"]
    return intent.reason, intent.message


async def test_an_import_without_link_says_how_to_give_it(world: World) -> None:
    await world.know()
    await world.track(quantity="100")

    reason, message = await refusal(world, await world.reorder())

    assert reason == Why.PARAMETERS
    assert "link is missing" in message
    assert "smm-rules orders forget north/1, then smm-rules orders track north/1" in message


async def test_an_order_of_an_unknown_service_says_how_to_give_it(world: World) -> None:
    await world.know()
    await world.track(service=None)

    reason, message = await refusal(world, await world.reorder())

    assert reason == Why.SERVICE_UNKNOWN
    assert "--service" in message


async def test_another_panel_needs_its_own_service(world: World) -> None:
    await world.know()
    await world.track()
    other = ScriptedPanel()
    intent_id = await world.reorder({"panel": "south"})

    await world.run(panels={PANEL: world.panel, "south": other})

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.SERVICE_UNKNOWN)
    assert "services of north have other numbers on south" in intent.message
    assert other.calls == []


async def test_another_panel_with_its_own_service(world: World) -> None:
    await world.know({"id": "31"}, panel="south")
    await world.track()
    other = ScriptedPanel(["500"])
    await world.reorder({"panel": "south", "service": "31"})

    await world.run(panels={PANEL: world.panel, "south": other})

    assert other.calls == [("add", {"service": "31", "link": LINK, "quantity": "1000"})]
    made = await world.ledger.order(order(500, "south"))
    assert made is not None
    assert (made.parent, made.depth) == (order(1), 1)


@pytest.mark.parametrize("facts", [{"gone": True}, {"id": "8"}])
async def test_a_service_gone_from_the_catalogue_is_refused(world: World, facts: dict[str, object]) -> None:
    await world.know(facts)
    await world.track()

    reason, _ = await refusal(world, await world.reorder())

    assert reason == Why.SERVICE_GONE


@pytest.mark.parametrize(
    ("quantity", "words"), [("9", "takes 10 at least, 9 were"), ("10001", "takes 10000 at most, 10001 were")]
)
async def test_a_quantity_outside_the_bounds_is_never_changed(
    world: World, quantity: str, words: str
) -> None:
    await world.know()
    await world.track()

    reason, message = await refusal(world, await world.reorder({"quantity": quantity}))

    assert reason == Why.QUANTITY
    assert words in message


@pytest.mark.parametrize("quantity", ["10", "10000"])
async def test_a_quantity_on_the_bound_is_sent(world: World, quantity: str) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder({"quantity": quantity})

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_comments_are_counted_against_the_bounds(world: World) -> None:
    await world.know({"type": "Custom Comments"})
    await world.track(link=LINK, comments="one\ntwo")

    reason, message = await refusal(world, await world.reorder())

    assert reason == Why.QUANTITY
    assert "2 were asked for" in message


async def test_the_rest_of_a_drip_feed_is_not_multiplied_by_its_runs(world: World) -> None:
    await world.know()
    await world.track(link=LINK, quantity="100", runs="10", interval="60")

    reason, message = await refusal(world, await world.reorder({"quantity": "157"}))

    assert reason == Why.PARAMETERS
    assert "would be ordered 10 times" in message


async def test_a_forgotten_order_is_left_alone(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder()
    await world.ledger.forget(order(1), T0)

    reason, _ = await refusal(world, intent_id)

    assert reason == Why.ORDER_FORGOTTEN


async def test_a_panel_gone_from_the_configuration_is_refused(world: World) -> None:
    await world.track()
    intent_id = await world.refill()

    await world.run(panels={})

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.PANEL_UNKNOWN)


async def test_a_refill_rule_orders_the_refilled_order_again(world: World) -> None:
    await world.know()
    await world.track()
    await world.refill()
    world.panel.script = ["55", "1002"]
    await world.run()
    refill = Entity(EntityKind.REFILL, PANEL, "55")
    await world.reorder(entity=refill, rule="refill-rejected")

    await world.run()

    made = await world.ledger.order(order(1002))
    assert made is not None
    assert made.parent == order(1)


# -- the catalogue -----------------------------------------------------------------------------------------
async def test_a_catalogue_never_read_is_waited_for(world: World) -> None:
    await world.track()
    intent_id = await world.reorder()
    await world.run()
    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, Why.CATALOGUE_UNREAD)

    await world.know()
    world.clock.move(MINUTE)
    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_a_stale_catalogue_is_waited_for(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder()
    world.clock.move(timedelta(days=2, seconds=1))

    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, Why.CATALOGUE_STALE)


# -- money -------------------------------------------------------------------------------------------------
async def test_a_low_balance_is_waited_for_until_it_is_topped_up(world: World) -> None:
    await world.know(balance="1.99")
    await world.track()
    intent_id = await world.reorder()
    await world.run()
    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, Why.BALANCE_LOW)
    assert "it costs 2.00" in intent.message

    world.clock.move(MINUTE)
    await world.know(balance="2.00")
    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_a_balance_that_stays_low_ends_the_waiting_and_is_told(world: World) -> None:
    await world.know(balance="1")
    await world.track()
    intent_id = await world.reorder()
    for _ in range(40):
        await world.run()
        world.clock.move(timedelta(minutes=5))

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.BALANCE_LOW)
    assert intent.message.startswith("waited 2h")
    assert await world.messages() == [f"operator:not_sent:{intent_id}:0"]
    assert world.panel.calls == []


async def test_two_orders_do_not_count_on_the_same_money(world: World) -> None:
    await world.know(balance="3")
    for number in (1, 2):
        await world.track(number)
    first = await world.reorder(entity=order(1), rule="again")
    second = await world.reorder(entity=order(2), rule="again")

    await world.run()

    assert await world.state(first) == IntentState.CONFIRMED
    intent = await world.intent(second)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, Why.BALANCE_LOW)
    assert "beside 2.00" in intent.message


async def test_money_in_doubt_in_another_currency_may_be_all_there_is(world: World) -> None:
    """The panel came to count in euros while an order placed in dollars was in doubt."""
    await world.know(balance="3")
    for number in (1, 2):
        await world.track(number)
    world.panel.script = [Ambiguous("timed out")]
    await world.reorder(entity=order(1), rule="again")
    await world.run()
    world.clock.move(MINUTE)
    euros: Facts = {"amount": Decimal(100), "currency": "EUR"}
    balance = Observed(Entity(EntityKind.BALANCE, PANEL), euros, True, None)
    await world.ledger.record(Sweep(world.clock.now(), (balance,)))
    second = await world.reorder(entity=order(2), rule="again")

    await world.run()

    intent = await world.intent(second)
    assert (intent.state, intent.reason) == (IntentState.PLANNED, Why.BALANCE_LOW)


async def test_what_a_later_balance_shows_is_not_counted_twice(world: World) -> None:
    await world.know(balance="3")
    await world.track(1)
    await world.reorder(entity=order(1), rule="again")
    await world.run()
    world.clock.move(MINUTE)
    await world.know(balance="2")
    await world.track(2)
    second = await world.reorder(entity=order(2), rule="again")

    await world.run()

    assert await world.state(second) == IntentState.CONFIRMED


# -- the price ---------------------------------------------------------------------------------------------
async def held_for_price(world: World, rate: str, **facts: object) -> int:
    await world.know({"rate": Decimal(rate)})
    await world.track(link=LINK, quantity="1000", rate="2.00")
    intent_id = await world.reorder({"max_rate_increase": "0.1"}, facts=facts)
    await world.run()
    return intent_id


async def test_a_price_within_the_bound_is_paid(world: World) -> None:
    intent_id = await held_for_price(world, "2.20")
    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_a_price_beyond_the_bound_is_held_and_told(world: World) -> None:
    intent_id = await held_for_price(world, "2.21")
    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.HELD, Why.RATE_INCREASE)
    assert "costs 2.21 for 1000, 2.00 before: dearer by 10.5 %, 10 % are allowed" in intent.message
    assert await world.messages() == [f"operator:held:{intent_id}:0:rate_increase:2.21"]


async def test_an_approved_price_is_paid(world: World) -> None:
    intent_id = await held_for_price(world, "2.21")
    await approve(world.ledger, intent_id, T0, "ann")

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_an_approval_holds_up_to_its_price_only(world: World) -> None:
    intent_id = await held_for_price(world, "2.21")
    await approve(world.ledger, intent_id, T0, "ann")
    world.clock.move(MINUTE)
    await world.know({"rate": Decimal("3")})

    await world.run()

    assert await world.state(intent_id) == IntentState.HELD
    assert len(await world.messages()) == 2
    assert world.panel.calls == []


async def test_the_chain_is_measured_by_its_first_price(world: World) -> None:
    await world.know({"rate": Decimal("2.30")})
    await world.track(1, rate="2.00", link=LINK, quantity="1000")
    child = NewOrder(
        order(2),
        "7",
        {"link": LINK, "quantity": "1000", "rate": "2.20"},
        T0,
        "",
        OrderSource.REORDERED,
        order(1),
    )
    await world.ledger.track([child], T0)
    intent_id = await world.reorder({"max_rate_increase": "0.1"}, entity=order(2))

    await world.run()

    assert await world.state(intent_id) == IntentState.HELD


async def test_without_a_known_price_the_firings_own_is_the_measure(world: World) -> None:
    await world.know({"rate": Decimal("2.30")})
    await world.track()
    facts = {"service.id": "7", "service.rate": Decimal("2.00")}
    intent_id = await world.reorder({"max_rate_increase": "0.1"}, facts=facts)

    await world.run()

    assert await world.state(intent_id) == IntentState.HELD


async def test_a_rise_nobody_can_judge_is_held_until_approved(world: World) -> None:
    await world.know()
    await world.track()
    intent_id = await world.reorder({"max_rate_increase": "0.1"})
    await world.run()
    assert (await world.intent(intent_id)).reason == Why.RATE_INCREASE
    await approve(world.ledger, intent_id, T0, "ann")

    await world.run()

    assert await world.state(intent_id) == IntentState.CONFIRMED


async def test_the_bound_of_a_step_is_not_sent_to_the_panel(world: World) -> None:
    await world.know()
    await world.track()
    await world.fire(
        Step(StepKind.REORDER, {"max_rate_increase": "0.1"}),
        facts={"service.id": "7", "service.rate": Decimal("2.00")},
    )

    await world.run()

    assert world.panel.calls == [("add", {"service": "7", "link": LINK, "quantity": "1000"})]
