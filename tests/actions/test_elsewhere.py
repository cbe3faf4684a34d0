"""Reorders whose panel is chosen: which one, why, and when another takes its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions import Patience, Why, approve, resolve_did_not
from smm_rules.actions.failover import patience_for
from smm_rules.engine.choosing import Fitness, Way
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.engine.memory import BLANK
from smm_rules.engine.steps import begin
from smm_rules.facts import Entity, EntityKind
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.records import Intent, IntentState, NewOrder, PlannedFiring, Sweep
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.matching.exchange import ExchangeRates
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import Ambiguous, NotSent, RefusalReason, Rejected
from smm_rules.rules.model import Limits, Step, StepKind
from tests.actions.panels import Panels, calls, panels_over
from tests.actions.world import PANEL, T0, order

RATES = ExchangeRates("USD", T0.date(), timedelta(days=30), {"EUR": Decimal("1.10")})
HASTY = Patience(attempts=2, attempts_beside_others=2)
INTENT = Intent(
    1, 1, "top-up", order(), T0, "do.0", StepKind.REORDER, "south", {}, IntentState.SENDING, "", "",
    None, None, 1, None, T0, T0, None, "", "daemon", {},
)  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Panels]:
    made = await panels_over(tmp_path / "ledger.db", rates=RATES)
    async with made.ledger:
        yield made


def reasons(world_choice: object) -> dict[str, str]:
    return {one.member.panel: one.why for one in world_choice.considered}  # type: ignore[attr-defined]


# -- which panel -----------------------------------------------------------------------------------------
async def test_the_cheapest_panel_is_chosen_and_ordered_from(world: Panels) -> None:
    await world.offer_all(north="2.00", south="1.50", east="1.80")
    await world.canceled()

    intent_id = await world.again()
    planned = await world.intent(intent_id)
    await world.run()

    assert (planned.panel, planned.parameters["service"]) == ("south", "70")
    assert (planned.reserved, planned.currency) == (Decimal("1.50000"), "USD")
    assert await world.state(intent_id) == IntentState.CONFIRMED
    assert world.panels["south"].calls == [
        ("add", {"service": "70", "link": "https://example.com/a", "quantity": "1000"})
    ]
    assert calls(world.panels) == {"north": 0, "south": 1, "east": 0}
    made = await world.ledger.order(Entity(EntityKind.ORDER, "south", "9001"))
    assert made is not None
    assert (made.parent, made.root, made.service) == (order(), order(), "70")
    choice = await world.choice(intent_id)
    assert choice.group == "followers"
    assert [(one.member.panel, one.compared, one.fitness) for one in choice.considered] == [
        ("north", Decimal("2.00"), Fitness.FITS),
        ("south", Decimal("1.50"), Fitness.FITS),
        ("east", Decimal("1.80"), Fitness.FITS),
    ]


async def test_next_goes_round_the_group_and_never_back_to_where_the_chain_has_been(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    first = await world.again("next")
    await world.run()
    second_order = order(9001, "south")
    await world.status("Canceled", 9001, "south")
    second = await world.again("next", entity=second_order, episode=T0 + timedelta(minutes=1))
    await world.run()
    await world.status("Canceled", 9001, "east")
    third = await world.again("next", entity=order(9001, "east"), episode=T0 + timedelta(minutes=2))
    await world.run()

    assert [(await world.intent(one)).panel for one in (first, second)] == ["south", "east"]
    assert (await world.intent(third)).reason == Why.NO_PANEL
    assert calls(world.panels) == {"north": 0, "south": 1, "east": 1}


async def test_a_named_panel_takes_its_service_from_the_mapping(world: Panels) -> None:
    await world.offer_all(east="2.10")
    await world.canceled()

    intent_id = await world.again("east")
    await world.run()

    assert (await world.choice(intent_id)).way is Way.NAMED
    assert world.panels["east"].calls[0][1]["service"] == "700"


async def test_a_named_panel_whose_service_is_of_another_type_is_refused(world: Panels) -> None:
    """A package has no quantity: it would be bought whatever was asked for."""
    await world.offer("north")
    await world.offer("east", type="Package")
    await world.canceled()

    intent_id = await world.again("east")
    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.NO_PANEL)
    assert "it is of type Package, the order's service of Default" in intent.message
    assert world.bought == []


async def test_currencies_are_compared_by_the_rates_given(world: Panels) -> None:
    """1.90 EUR are 2.09 USD: the number is lower, the price is not."""
    await world.offer("north", "2.00")
    await world.offer("south", "1.90", currency="EUR")
    await world.offer("east", "2.05")
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "north"
    assert choice.unit == "USD"
    assert [one.compared for one in choice.considered] == [
        Decimal("2.00"),
        Decimal("2.0900"),
        Decimal("2.05"),
    ]


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (None, "only by `exchange_rates`"),
        (ExchangeRates("USD", T0.date() - timedelta(days=31), timedelta(days=30), RATES.rates), "older than"),
        (ExchangeRates("USD", T0.date() + timedelta(days=1), timedelta(days=30), RATES.rates), "yet to come"),
        (
            ExchangeRates("USD", T0.date(), timedelta(days=30), {"GBP": Decimal(1)}),
            "no exchange rate for EUR",
        ),
    ],
)
async def test_without_a_rate_that_counts_currencies_are_not_compared(
    tmp_path: Path, rates: ExchangeRates | None, words: str
) -> None:
    world = await panels_over(tmp_path / "ledger.db", rates=rates)
    async with world.ledger:
        await world.offer("north", "2.00")
        await world.offer("south", "0.10", currency="EUR")
        await world.canceled()

        choice = await world.choice(await world.again())

    if rates is None:  # neither is known to be the cheaper one
        assert choice.chosen is None
        assert words in choice.why
    else:
        assert choice.chosen is not None
        assert choice.chosen.panel == "north"
        assert words in reasons(choice)["south"]


async def test_a_panel_that_names_no_currency_is_compared_with_nothing(world: Panels) -> None:
    await world.offer("north", "2.00")
    await world.offer("south", "0.10", currency=None)
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "north"
    assert "doesn't say in which currency" in reasons(choice)["south"]


async def test_what_does_not_fit_is_not_chosen_and_it_says_why(world: Panels) -> None:
    await world.offer("north", "1.00", min=5000)
    await world.offer("south", "1.10", balance="0.50")
    await world.offer("east", "1.90")
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "east"
    assert "takes 5000 at least" in reasons(choice)["north"]
    assert "0.50 are left" in reasons(choice)["south"]


async def test_a_panel_that_does_not_answer_or_is_paused_is_not_chosen(world: Panels) -> None:
    await world.offer_all(north="1.00", south="1.10")
    await world.health("north", reachable=False, failing_since=T0)
    await world.ledger.stop(StopKind.PAUSE, StopScope.PANEL, "south", "holiday", "ann", T0)
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "east"
    assert "doesn't answer since 2026-03-01 12:00" in reasons(choice)["north"]
    assert "stopped: holiday" in reasons(choice)["south"]


async def test_a_service_that_is_gone_or_of_another_type_is_not_chosen(world: Panels) -> None:
    await world.offer("north", "1.00", gone=True)
    await world.offer("south", "1.10", type="Package")
    await world.offer("east", "1.90")
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "east"


async def test_a_catalogue_read_long_ago_is_no_ground_to_choose_by(world: Panels) -> None:
    await world.offer("south", "1.00")
    world.clock.move(timedelta(days=3))
    await world.offer("north", "2.00")
    await world.canceled()

    choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "north"
    assert "last read 3d ago" in reasons(choice)["south"]


async def test_a_panel_whose_budget_is_spent_is_not_chosen(tmp_path: Path) -> None:
    spend = Bounds(spend=(Allowance(Decimal("1.00"), Per.DAY),))
    world = await panels_over(tmp_path / "ledger.db", Guards(panels={"south": spend}))
    async with world.ledger:
        await world.offer_all(south="1.50")
        await world.canceled()

        choice = await world.choice(await world.again())

    assert choice.chosen is not None
    assert choice.chosen.panel == "north"
    assert "may spend 1.00" in reasons(choice)["south"]


async def test_a_panel_dearer_than_the_rule_allows_waits_for_the_operator(world: Panels) -> None:
    """The first price was 2.00 USD; the others are 2.30 and, in EUR, 2.189 of them."""
    await world.offer("north", "2.00")
    await world.offer("south", "2.30")
    await world.offer("east", "1.99", currency="EUR")  # 2.189 USD
    await world.canceled()

    dear = await world.again("next", max_rate_increase="0.05")
    await world.run()

    assert (await world.intent(dear)).panel == "south"
    assert (await world.intent(dear)).reason == Why.RATE_INCREASE
    assert world.bought == []
    await approve(world.ledger, dear, world.clock.now(), "ann")
    await world.run()
    assert calls(world.panels) == {"north": 0, "south": 1, "east": 0}


async def test_the_bound_on_prices_goes_by_the_first_price_in_the_panels_own_currency(world: Panels) -> None:
    await world.offer("north", "2.00")
    await world.offer("south", "2.30")
    await world.offer("east", "1.99", currency="EUR")
    await world.canceled()

    intent_id = await world.again("next", max_rate_increase="0.10")
    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.panel, intent.state) == ("east", IntentState.CONFIRMED)
    assert Decimal(intent.parameters["reference_rate"]).quantize(Decimal("0.0001")) == Decimal("1.8182")
    assert "reference_rate" not in world.panels["east"].calls[0][1]


async def test_a_service_without_a_group_is_refused_with_a_way_out(world: Panels) -> None:
    await world.offer_all()
    await world.canceled(service="8")

    intent_id = await world.again()
    await world.run()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.NO_PANEL)
    assert "smm-rules services match" in intent.message
    assert world.bought == []


async def test_the_choice_stands_whatever_becomes_cheaper_later(world: Panels) -> None:
    await world.offer_all(south="1.50")
    await world.canceled()
    intent_id = await world.again()

    await world.offer("east", "0.10")
    await world.run()

    assert (await world.intent(intent_id)).panel == "south"
    assert world.bought == ["south"]


# -- not before the first one is over --------------------------------------------------------------------
async def test_nothing_is_ordered_elsewhere_while_the_order_is_under_way(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    await world.status("In progress")
    intent_id = await world.again("next")

    await world.run()
    waiting = await world.intent(intent_id)
    world.clock.move(timedelta(minutes=1))
    await world.status("Canceled")
    await world.run()

    assert (waiting.state, waiting.reason) == (IntentState.PLANNED, Why.ORDER_UNDER_WAY)
    assert await world.state(intent_id) == IntentState.CONFIRMED
    assert world.bought == ["south"]


@pytest.mark.parametrize("status", ["Processing", "Pending", "Active", "Some new word"])
async def test_an_order_that_is_never_over_is_given_up_and_told(world: Panels, status: str) -> None:
    await world.offer_all()
    await world.canceled()
    await world.status(status)
    intent_id = await world.again()

    await world.run_until_calm()

    intent = await world.intent(intent_id)
    assert (intent.state, intent.reason) == (IntentState.NOT_SENT, Why.ORDER_UNDER_WAY)
    assert len(await world.all_intents()) == 1
    assert world.bought == []
    assert any(
        "not_sent" in key or "given_up" in key or str(intent_id) in key for key in await world.messages()
    )


async def test_an_order_completed_after_the_rule_fired_needs_no_other(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    await world.status("Completed")

    intent_id = await world.again("next", facts={"status": "In progress"})
    await world.run()

    assert (await world.intent(intent_id)).reason == Why.ORDER_COMPLETED
    assert world.bought == []


async def test_less_is_missing_than_was_when_the_rule_fired(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    await world.status("Partial", remains=300)

    intent_id = await world.again("next", facts={"status": "In progress"})
    await world.run()

    held = await world.intent(intent_id)
    assert (held.state, held.reason) == (IntentState.HELD, Why.MORE_THAN_ORDERED)
    assert "300 of it are missing now" in held.message
    await approve(world.ledger, intent_id, world.clock.now(), "ann")
    await world.run()
    assert world.bought == ["south"]


async def test_what_was_replaced_by_an_order_that_lives_is_not_replaced_again(world: Panels) -> None:
    """The panel says Canceled, In progress and Canceled again: two episodes, and one replacement alive."""
    await world.offer_all()
    await world.canceled()
    await world.again("next")
    await world.run()

    again = await world.again("next", episode=T0 + timedelta(hours=1))
    await world.run()

    held = await world.intent(again)
    assert (held.state, held.reason) == (IntentState.HELD, Why.REPLACED)
    assert world.bought == ["south"]


# -- failover --------------------------------------------------------------------------------------------
DOWN = [NotSent("no route to host")] * 9


async def test_a_panel_that_can_not_be_reached_is_left_for_another(world: Panels) -> None:
    await world.offer_all(south="1.50", east="1.80")
    world.panels["south"].script = [*DOWN]
    await world.canceled()
    first = await world.again()

    await world.run_until_calm(HASTY)

    one, other = await world.all_intents()
    assert (one.id, one.panel, one.state, one.attempts) == (first, "south", IntentState.NOT_SENT, 2)
    assert (other.step, other.panel, other.state) == ("do.0+1", "east", IntentState.CONFIRMED)
    assert (other.firing, other.episode) == (one.firing, one.episode)
    choice = await world.choice(other.id)
    assert choice.after == "south: no route to host"
    assert [one.member.panel for one in choice.considered] == ["north", "east"]


async def test_every_panel_is_tried_once_and_then_it_is_given_up(world: Panels) -> None:
    await world.offer_all()
    for panel in world.panels.values():
        panel.script = [*DOWN]
    await world.canceled()
    await world.again()

    await world.run_until_calm(HASTY)

    assert [(one.step, one.panel, one.state.value) for one in await world.all_intents()] == [
        ("do.0", "north", "not_sent"),
        ("do.0+1", "south", "not_sent"),
        ("do.0+2", "east", "not_sent"),
    ]


@pytest.mark.parametrize(
    "reason",
    [
        RefusalReason.NOT_ENOUGH_FUNDS,
        RefusalReason.INCORRECT_SERVICE,
        RefusalReason.INCORRECT_QUANTITY,
        RefusalReason.INVALID_KEY,
    ],
)
async def test_a_panel_that_can_not_is_left_for_another(world: Panels, reason: RefusalReason) -> None:
    await world.offer_all(south="1.50", east="1.80")
    world.panels["south"].script = [Rejected("no", reason)]
    await world.canceled()
    await world.again()

    await world.run_until_calm()

    assert [(one.panel, one.state.value) for one in await world.all_intents()] == [
        ("south", "rejected"),
        ("east", "confirmed"),
    ]


@pytest.mark.parametrize(
    "reason",
    [RefusalReason.DUPLICATE_ORDER, RefusalReason.INCORRECT_LINK, RefusalReason.UNRECOGNISED],
)
async def test_a_refusal_of_the_order_itself_is_an_end(world: Panels, reason: RefusalReason) -> None:
    """That a link has an order under way already is no reason to buy another elsewhere."""
    await world.offer_all()
    world.panels["north"].script = [Rejected("no", reason)]
    await world.canceled()
    told = Step(StepKind.NOTIFY, {"channel": "ops", "message": "{{ refusal }}"})
    await world.again(otherwise=(told,))

    await world.run_until_calm()

    assert [one.state.value for one in await world.all_intents()] == ["rejected"]
    assert any("otherwise.0" in key for key in await world.messages())


async def test_otherwise_comes_after_the_last_panel_refused(world: Panels) -> None:
    await world.offer_all()
    for panel in world.panels.values():
        panel.script = [Rejected("not enough funds", RefusalReason.NOT_ENOUGH_FUNDS)]
    await world.canceled()
    told = Step(StepKind.NOTIFY, {"channel": "ops", "message": "{{ refusal }}"})
    await world.again(otherwise=(told,))

    await world.run_until_calm()

    assert [one.state.value for one in await world.all_intents()] == ["rejected"] * 3
    assert sum("otherwise.0" in key for key in await world.messages()) == 1


async def test_the_steps_after_it_go_on_from_the_panel_that_did_it(world: Panels) -> None:
    await world.offer_all()
    world.panels["north"].script = [Rejected("not enough funds", RefusalReason.NOT_ENOUGH_FUNDS)]
    await world.canceled()
    told = Step(StepKind.NOTIFY, {"channel": "ops", "message": "made {{ result }}"})
    await world.again("cheapest", told)

    await world.run_until_calm()

    bodies = [message.body for message in await world.ledger.messages((), 100)]
    assert "made 9001" in bodies


async def test_what_is_in_doubt_is_never_tried_elsewhere(world: Panels) -> None:
    await world.offer_all()
    world.panels["north"].script = [Ambiguous("no answer in time")]
    await world.canceled()
    intent_id = await world.again()

    await world.run_until_calm()

    assert [one.state.value for one in await world.all_intents()] == ["unknown"]
    voice = OperatorVoice(world.ledger, "ops")
    await resolve_did_not(world.ledger, voice, intent_id, world.clock.now(), "ann")
    await world.run_until_calm()
    assert [one.state.value for one in await world.all_intents()] == ["not_sent"]
    assert calls(world.panels) == {"north": 1, "south": 0, "east": 0}


async def test_what_was_once_in_doubt_is_tried_on_its_own_panel_alone(world: Panels) -> None:
    await world.offer_all()
    world.panels["north"].script = [Ambiguous("no answer in time"), *DOWN]
    await world.canceled()
    intent_id = await world.again()
    await world.run()
    voice = OperatorVoice(world.ledger, "ops")
    await resolve_did_not(world.ledger, voice, intent_id, world.clock.now(), "ann", retry=True)

    await world.run_until_calm(HASTY)

    assert [(one.panel, one.state.value) for one in await world.all_intents()] == [("north", "not_sent")]


async def test_a_denied_action_is_an_end(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    intent_id = await world.again()
    await world.ledger.hold(intent_id, "withdrawn", "", world.clock.now())
    await world.ledger.deny(intent_id, world.clock.now(), "ann")

    await world.run_until_calm()

    assert [one.state.value for one in await world.all_intents()] == ["denied"]
    assert world.bought == []


async def test_a_named_panel_is_never_left_for_another(world: Panels) -> None:
    await world.offer_all()
    world.panels["east"].script = [*DOWN]
    await world.canceled()
    await world.again("east")

    await world.run_until_calm(HASTY)

    assert [(one.panel, one.state.value) for one in await world.all_intents()] == [("east", "not_sent")]


async def test_the_balance_ran_out_and_the_next_panel_takes_over(world: Panels) -> None:
    await world.offer_all(south="1.50")
    await world.canceled()
    await world.again()
    await world.offer("south", "1.50", balance="0.10")

    await world.run_until_calm()

    assert [(one.panel, one.state.value, one.reason) for one in await world.all_intents()] == [
        ("south", "not_sent", Why.BALANCE_LOW.value),
        ("north", "confirmed", "accepted"),
    ]


async def test_the_limit_over_a_chain_counts_on_whichever_panel(world: Panels) -> None:
    """Two firings on three panels: the chain is one, whoever made its orders."""
    await world.offer_all()
    await world.canceled()
    await world.again("next")
    first = await world.ledger.firing(1)
    assert first is not None
    await world.run()
    await world.status("Canceled", 9001, "south")
    south = replace(
        first,
        entity=order(9001, "south"),
        root=order(),
        limits=Limits(per_chain=1),
        episode=T0 + timedelta(minutes=5),
    )

    recorded = await world.ledger.record(
        Sweep(world.clock.now(), firings=(PlannedFiring(south, begin(south), BLANK),))
    )

    assert recorded.intents == ()
    assert [stopped.reason.value for stopped in recorded.stopped] == ["limit_per_chain"]


async def test_an_order_imported_twice_is_still_one_thing(world: Panels) -> None:
    """A replacement that the operator tracks by hand keeps its parent, and counts as one."""
    await world.offer_all()
    await world.canceled()
    await world.again("next")
    await world.run()
    await world.ledger.track([NewOrder(order(9001, "south"), "70")], world.clock.now())

    assert [one.entity for one in await world.ledger.replacements(order())] == [order(9001, "south")]


def test_rates_are_dated_days() -> None:
    assert ExchangeRates("USD", date(2026, 3, 1), timedelta(days=1)).refused(T0) == ""
    assert ExchangeRates("USD", date(2026, 3, 1), timedelta(days=1)).refused(T0 + timedelta(days=2)) != ""
    assert PANEL == "north"


# -- ways to pay twice that were looked for --------------------------------------------------------------
async def test_what_a_replacement_delivered_is_not_ordered_again(world: Panels) -> None:
    """The panel says Canceled, then something else, then Canceled again, long after another delivered."""
    await world.offer_all()
    await world.canceled()
    await world.again("next")
    await world.run()
    await world.status("Completed", 9001, "south")

    again = await world.again("next", episode=T0 + timedelta(hours=1))
    await world.run()

    assert (await world.intent(again)).reason == Why.REPLACED
    assert world.bought == ["south"]


async def test_what_lives_further_down_the_chain_counts(world: Panels) -> None:
    """1 was replaced by 9001 on south, which was canceled and replaced by 9001 on east, which lives."""
    await world.offer_all()
    await world.canceled()
    await world.again("next")
    await world.run()
    await world.status("Canceled", 9001, "south")
    await world.again("next", entity=order(9001, "south"))
    await world.run()
    await world.status("In progress", 9001, "east")

    again = await world.again("cheapest", episode=T0 + timedelta(hours=1))
    await world.run()

    held = await world.intent(again)
    assert (held.state, held.reason) == (IntentState.HELD, Why.REPLACED)
    assert "order/east/9001" in held.message
    assert sorted(world.bought) == ["east", "south"]


async def test_two_rules_order_one_canceled_order_again_once(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    await world.again("cheapest", rule="one")
    await world.again("next", rule="other")

    await world.run_until_calm()

    assert [(one.rule, one.state.value) for one in await world.all_intents()] == [
        ("one", "confirmed"),
        ("other", "held"),
    ]
    assert len(world.bought) == 1


async def test_a_price_that_no_rate_compares_waits_for_the_operator_also_by_the_default_bound(
    tmp_path: Path,
) -> None:
    world = await panels_over(tmp_path / "ledger.db", rate_increase=Decimal("0.25"))
    async with world.ledger:
        await world.offer("north", "2.00")
        await world.offer("south", "150.00", currency="INR")
        await world.canceled()

        intent_id = await world.again("next")
        await world.run()

        held = await world.intent(intent_id)
        assert (held.panel, held.state, held.reason) == ("south", IntentState.HELD, Why.RATE_INCREASE)
        assert "only by `exchange_rates`" in reasons(await world.choice(intent_id))["south"]
        assert world.bought == []


async def test_a_choice_that_can_not_be_read_holds_the_action_and_loses_no_outcome(world: Panels) -> None:
    await world.offer_all()
    await world.canceled()
    intent_id = await world.again()
    await world.ledger.note(intent_id, {"choice": "{damaged"})

    await world.run()

    assert (await world.intent(intent_id)).reason == Why.CHECK_FAILED
    assert world.bought == []


@pytest.mark.parametrize("damaged", ["{damaged", "{}", '{"way":"none"}'])
def test_patience_is_ordinary_where_the_choice_can_not_be_read(damaged: str) -> None:
    intent = replace(INTENT, evidence={"choice": damaged})

    assert patience_for(intent, HASTY) is HASTY
