"""Where the sums that guards go by begin and end: which day, which panel, which currency, which process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import DatedBalance, IntentState, NewOrder, Observed, Sweep
from smm_rules.rules.model import NO_RULE_GUARDS, RuleGuards, StepKind
from tests.ledger.builders import BALANCE, order, planned
from tests.ledger.conftest import Opener
from tests.ledger.contract.test_guards import DAY, NOON, Books, Under, firing_of, per, standing

HOUR = timedelta(hours=1)
FIFTH = Bounds(share_of_orders=Decimal("0.2"))


@pytest.fixture
async def under(open_ledger: Opener) -> AsyncIterator[Under]:
    """Opens the ledger under guards."""
    opened: list[Ledger] = []

    async def open_(total: Bounds | None = None, **panels: Bounds) -> Books:
        opened.append(await open_ledger(Guards(total or Bounds(), panels)))
        return Books(opened[-1])

    yield open_
    for ledger in opened:
        await ledger.aclose()


async def _watching(books: Books, count: int, panel: str = "north") -> None:
    await books.ledger.track([NewOrder(order(n, panel)) for n in range(1, count + 1)], NOON - 3 * DAY)


async def _one_sweep(books: Books, *asked: tuple[str, str | None, str | None], rule: RuleGuards) -> list[str]:
    """The states of intents that one sweep asks for, each given as its panel, cost and currency."""
    firings = [
        planned(
            firing_of("again", order(number, panel), order(number, panel), NOON, rule, None, number),
            IntentDraft(
                "do.0", StepKind.REORDER, panel, {}, None if cost is None else Decimal(cost), currency
            ),
        )
        for number, (panel, cost, currency) in enumerate(asked)
    ]
    recorded = await books.ledger.record(Sweep(NOON, firings=tuple(firings)))
    return [str((await books.intent(intent_id)).state) for intent_id in recorded.intents]


# -- shares of orders -----------------------------------------------------------------------------------
async def test_orders_acted_on_earlier_today_take_from_the_share(under: Under) -> None:
    books = await under(FIFTH)
    await _watching(books, 40)
    for _ in range(8):
        await books.settle(await books.fire(None, kind=StepKind.REFILL), IntentState.CONFIRMED)
    later = await books.fire(None, kind=StepKind.REFILL, at=NOON + HOUR)
    assert standing(later) == ("held", "share_of_orders")
    tomorrow = await books.fire(None, kind=StepKind.REFILL, at=NOON + DAY)
    assert standing(tomorrow) == ("planned", "")


async def test_orders_that_were_seen_today_and_have_settled_since_are_shared_among_too(under: Under) -> None:
    books = await under(FIFTH)
    await _watching(books, 30)
    settled = tuple(Observed(order(n), {"status": "Completed"}, True, None) for n in range(1, 31))
    await books.ledger.record(Sweep(NOON - HOUR, settled))
    asked = [await books.fire(None, kind=StepKind.REFILL) for _ in range(7)]
    assert await books.states(*asked) == ["planned"] * 6 + ["held"]


async def test_orders_that_settled_before_today_are_not_shared_among(under: Under) -> None:
    books = await under(FIFTH)
    await _watching(books, 30)
    settled = tuple(Observed(order(n), {"status": "Completed"}, True, None) for n in range(1, 31))
    await books.ledger.record(Sweep(NOON - DAY, settled))
    asked = [await books.fire(None, kind=StepKind.REFILL) for _ in range(6)]
    assert await books.states(*asked) == ["planned"] * 5 + ["held"]  # so few are always allowed


async def test_a_share_is_judged_again_when_an_action_is_to_be_sent(under: Under) -> None:
    unbounded, bounded = await under(), await under(FIFTH)
    await _watching(unbounded, 10)
    asked = [await unbounded.fire(None, kind=StepKind.REFILL) for _ in range(6)]
    for one in asked[:5]:
        assert (await bounded.claim(one)).state is IntentState.SENDING
    assert standing(await bounded.claim(asked[5])) == ("held", "share_of_orders")


async def test_what_is_only_planned_takes_nothing_from_the_share_of_what_is_sent(under: Under) -> None:
    unbounded, bounded = await under(), await under(FIFTH)
    await _watching(unbounded, 10)
    asked = [await unbounded.fire(None, kind=StepKind.REFILL) for _ in range(9)]
    assert (await bounded.claim(asked[8])).state is IntentState.SENDING


async def test_a_share_is_of_the_panel_that_the_order_is_on(under: Under) -> None:
    books = await under(FIFTH)
    await _watching(books, 10)
    await _watching(books, 10, "south")
    balance = await books.fire(None, kind=StepKind.REFILL, entity=Entity(EntityKind.BALANCE, "north"))
    assert balance.state is IntentState.PLANNED  # it is about no order, and takes nothing from any share
    on_south = [await books.fire(None, kind=StepKind.REFILL, panel="south") for _ in range(6)]
    assert await books.states(*on_south) == ["planned"] * 5 + ["held"]
    on_north = [await books.fire(None, kind=StepKind.REFILL, panel="north") for _ in range(6)]
    assert await books.states(*on_north) == ["planned"] * 5 + ["held"]


async def test_an_order_placed_on_another_panel_is_of_the_share_of_its_own(under: Under) -> None:
    books = await under(FIFTH)
    await _watching(books, 10)
    await _watching(books, 40, "south")
    for number in range(1, 6):
        await books.fire(None, kind=StepKind.REFILL, entity=order(number))
    moved = await books.fire("1.00", panel="south", entity=order(6))
    assert standing(moved) == ("held", "share_of_orders")


# -- counts ---------------------------------------------------------------------------------------------
async def test_one_sweep_counts_the_actions_it_plans_itself(under: Under) -> None:
    books = await under(Bounds(actions=per("3/hour")), north=Bounds(actions=per("2/hour")))
    asked = [("north", "1", "USD"), ("south", "1", "USD"), ("north", "1", "USD"), ("south", "1", "USD")]
    assert await _one_sweep(books, *asked, rule=NO_RULE_GUARDS) == ["planned", "planned", "planned", "held"]


async def test_actions_planned_by_others_do_not_count_when_one_is_sent(under: Under) -> None:
    unbounded, bounded = await under(), await under(Bounds(actions=per("1/hour")))
    one, two = [await unbounded.fire() for _ in range(2)]
    assert (await bounded.claim(two)).state is IntentState.SENDING
    assert standing(await bounded.claim(one)) == ("held", "total_actions_per_hour")


# -- money ----------------------------------------------------------------------------------------------
async def test_one_sweep_adds_up_money_of_an_unknown_currency_with_any_other(under: Under) -> None:
    books = await under()
    asked = [("north", "2", None), ("south", "2", "USD"), ("south", "1", "EUR"), ("west", "0.01", None)]
    rule = RuleGuards(spend=per("3.00/day"))
    assert await _one_sweep(books, *asked, rule=rule) == ["planned", "held", "planned", "held"]


async def test_one_sweep_counts_money_of_an_unknown_currency_once(under: Under) -> None:
    books = await under()
    asked = [("north", "2", None), ("north", "1", None), ("north", "0.01", None)]
    rule = RuleGuards(spend=per("3.00/day"))
    assert await _one_sweep(books, *asked, rule=rule) == ["planned", "planned", "held"]


async def test_one_sweep_adds_up_money_of_one_currency_over_all_panels(under: Under) -> None:
    books = await under()
    asked = [("north", "2", "USD"), ("south", "2", "EUR"), ("west", "2", "USD"), ("south", "1", "USD")]
    rule = RuleGuards(spend=per("3.00/day"))
    assert await _one_sweep(books, *asked, rule=rule) == ["planned", "planned", "held", "planned"]


async def test_one_sweep_goes_by_each_orders_own_money(under: Under) -> None:
    books = await under()
    rule = RuleGuards(spend=per("3.00/order 9.00/day"))
    asked = [("north", "2", "USD"), ("north", "3", "USD"), ("north", "3.01", "USD"), ("north", "3", "USD")]
    assert await _one_sweep(books, *asked, rule=rule) == ["planned", "planned", "held", "planned"]


async def test_one_sweep_goes_by_each_panels_own_money(under: Under) -> None:
    books = await under(north=Bounds(spend=per("3/day")), south=Bounds(spend=per("3/day")))
    asked = [("north", "2", "USD"), ("south", "2", "USD"), ("north", "1", "USD"), ("south", "2", "USD")]
    assert await _one_sweep(books, *asked, rule=NO_RULE_GUARDS) == ["planned", "planned", "planned", "held"]


async def test_an_action_without_a_currency_is_in_that_of_its_panels_balance(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    await books.fire("3.00", panel="south", currency="USD")
    assert (await books.fire("1.00", panel="north", currency=None)).state is IntentState.HELD
    facts: Facts = {"amount": Decimal(9), "currency": "EUR"}
    await books.ledger.record(Sweep(NOON, (Observed(BALANCE, facts, True, None),)))
    assert (await books.fire("1.00", panel="north", currency=None)).state is IntentState.PLANNED
    assert (await books.fire("2.01", panel="west", currency="EUR")).state is IntentState.HELD
    asked = [("north", "1", None), ("west", "1.01", "EUR"), ("west", "1", "EUR")]
    assert await _one_sweep(books, *asked, rule=NO_RULE_GUARDS) == ["planned", "held", "planned"]


async def test_a_claim_that_names_no_currency_is_in_that_of_the_plan(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    south, north = await books.fire("1.00", panel="south"), await books.fire("1.00")
    assert (await books.claim(south, cost="3.00")).state is IntentState.SENDING
    assert standing(await books.claim(north)) == ("held", "total_spend_per_day")


async def test_a_claim_goes_by_the_currency_it_names(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    south, north = await books.fire("1.00", panel="south"), await books.fire("1.00", currency="EUR")
    assert (await books.claim(south, cost="3.00")).state is IntentState.SENDING
    held = await books.claim(north, currency="USD")
    assert (standing(held), held.currency) == (("held", "total_spend_per_day"), "USD")


async def test_an_action_does_not_count_against_itself_when_it_is_sent(under: Under) -> None:
    books = await under(
        Bounds(spend=per("2.00/day"), actions=per("1/day")),
        north=Bounds(keep_balance=Decimal("1.00"), spend=per("2.00/month")),
    )
    await books.balance("3.00")
    rule = RuleGuards(spend=per("2.00/order 2.00/chain 2.00/day"))
    one = await books.fire("2.00", guards=rule)
    assert (await books.claim(one)).state is IntentState.SENDING


async def test_pruned_money_of_one_order_counts_by_rule_by_panel_and_in_all(under: Under) -> None:
    books = await under()
    for _ in range(2):
        await books.settle(await books.fire("1.00", rule="first", entity=order(1)), IntentState.CONFIRMED)
    await books.ledger.prune(NOON + DAY)
    own = RuleGuards(spend=per("2.50/order"))
    assert (await books.fire("1.00", rule="second", entity=order(1), guards=own)).state is IntentState.PLANNED
    assert standing(await books.fire("1.00", rule="first", entity=order(1), guards=own)) == (
        "held",
        "spend_per_order",
    )
    total = await under(Bounds(spend=per("2.50/order")))
    total.number = 100
    assert standing(await total.fire("1.00", rule="third", entity=order(1))) == (
        "held",
        "total_spend_per_order",
    )
    panel = await under(north=Bounds(spend=per("2.50/order")))
    panel.number = 200
    assert standing(await panel.fire("1.00", rule="third", entity=order(1))) == (
        "held",
        "panel_spend_per_order",
    )


async def test_pruned_money_of_a_reorder_is_its_own_and_its_chains(under: Under) -> None:
    books = await under()
    await books.ledger.track([NewOrder(order(1)), NewOrder(order(2), parent=order(1))], NOON)
    await books.settle(await books.fire("2.00", entity=order(2)), IntentState.CONFIRMED)
    await books.ledger.prune(NOON + DAY)
    own, chain = RuleGuards(spend=per("2.00/order")), RuleGuards(spend=per("2.00/chain"))
    assert standing(await books.fire("0.01", guards=own, entity=order(2))) == ("held", "spend_per_order")
    assert standing(await books.fire("0.01", guards=chain, entity=order(1))) == ("held", "spend_per_chain")
    assert (await books.fire("2.00", guards=own, entity=order(1))).state is IntentState.PLANNED


async def test_pruned_money_of_another_currency_does_not_count(under: Under) -> None:
    books = await under()
    own = RuleGuards(spend=per("2.00/order"))
    await books.settle(await books.fire("2.00", guards=own, entity=order(1)), IntentState.CONFIRMED)
    await books.ledger.prune(NOON + DAY)
    euros = await books.fire("1.00", guards=own, entity=order(1), currency="EUR")
    assert euros.state is IntentState.PLANNED


async def test_what_concerns_no_order_has_no_money_of_an_order(under: Under) -> None:
    books = await under()
    panel = Entity(EntityKind.PANEL, "north")
    rule = RuleGuards(spend=per("1.00/order 1.00/chain"))
    first = await books.fire("1.00", guards=rule, entity=panel)
    second = await books.fire("1.00", guards=rule, entity=panel)
    assert await books.states(first, second) == ["planned", "planned"]


# -- balances -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("told", [{}, {"amount": "plenty"}, {"currency": "USD"}])
async def test_a_balance_that_a_panel_tells_no_more_is_not_known_any_more(under: Under, told: Facts) -> None:
    books = await under(north=Bounds(keep_balance=Decimal("1.00")))
    await books.balance("9.00")
    assert await books.ledger.balance("north") == DatedBalance(Decimal("9.00"), "USD", NOON, NOON)
    one = await books.fire("2.00")
    await books.ledger.record(Sweep(NOON + HOUR, (Observed(BALANCE, told, True, None),)))
    assert await books.ledger.balance("north") is None
    assert standing(await books.claim(one)) == ("held", "keep_balance")


async def test_a_balance_in_whole_units_or_without_a_currency_is_one(under: Under) -> None:
    books = await under()
    asked = Observed(BALANCE, {"amount": 9}, True, None, asked_at=NOON - HOUR)
    await books.ledger.record(Sweep(NOON, (asked,)))
    assert await books.ledger.balance("north") == DatedBalance(Decimal(9), None, NOON - HOUR, NOON)
    assert await books.ledger.balance("south") is None


async def test_a_look_at_an_order_leaves_the_balance_known(under: Under) -> None:
    books = await under()
    await books.balance("9.00")
    await _watching(books, 1)
    await books.ledger.record(Sweep(NOON + HOUR, (Observed(order(1), {"status": "Partial"}, True, None),)))
    assert await books.ledger.balance("north") == DatedBalance(Decimal("9.00"), "USD", NOON, NOON)
