"""Guards inside the transactions: what is added up, what is held, what an approval passes, what stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.engine.firing import Continuation, Firing, IntentDraft
from smm_rules.engine.guards import Bounds, Breaker, Guards
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import DatedBalance, Intent, IntentState, NewOrder, Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, Limits, Mode, RuleGuards, StepKind
from tests.ledger.builders import BALANCE, NOTHING, ended, firing, message, order, planned
from tests.ledger.conftest import Opener

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def per(written: str) -> tuple[Allowance, ...]:
    return tuple(
        Allowance(Decimal(amount), Per(unit)) for amount, unit in (one.split("/") for one in written.split())
    )


class Books:
    """A ledger under guards, with short words for what tests do."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.number = 0

    async def fire(
        self,
        cost: str | None = "2.00",
        *,
        guards: RuleGuards = NO_RULE_GUARDS,
        rule: str = "again",
        entity: Entity | None = None,
        root: Entity | None = None,
        kind: StepKind = StepKind.REORDER,
        panel: str = "north",
        currency: str | None = "USD",
        at: datetime = NOON,
        hold: Reason | None = None,
        limits: Limits | None = None,
    ) -> Intent:
        """Let a rule ask for something about an order of its own; how the intent stands."""
        self.number += 1
        about = entity or order(self.number, panel)
        what = firing_of(rule, about, root or about, at, guards, limits, self.number)
        draft = IntentDraft("do.0", kind, panel, {}, None if cost is None else Decimal(cost), currency)
        recorded = await self.ledger.record(Sweep(at, firings=(planned(what, draft, hold=hold),)))
        return await self.intent(recorded.intents[0])

    async def intent(self, intent_id: int) -> Intent:
        found = await self.ledger.intent(intent_id)
        assert found is not None
        return found

    async def claim(
        self, intent: Intent, at: datetime = NOON, cost: str | None = None, currency: str | None = None
    ) -> Intent:
        price = None if cost is None else Decimal(cost)
        await self.ledger.claim(intent.id, "d", at, {}, price, currency)
        return await self.intent(intent.id)

    async def settle(self, intent: Intent, state: IntentState, at: datetime = NOON) -> Intent:
        """Claim it and bring it to its end."""
        if intent.state is IntentState.PLANNED:
            assert (await self.claim(intent, at)).state is IntentState.SENDING
        await self.ledger.settle(intent.id, ended(state), NOTHING, at, "d")
        return await self.intent(intent.id)

    async def states(self, *intents: Intent) -> list[str]:
        return [str((await self.intent(intent.id)).state) for intent in intents]

    async def balance(self, amount: str, at: datetime = NOON, asked_at: datetime | None = None) -> None:
        facts = {"amount": Decimal(amount), "currency": "USD"}
        await self.ledger.record(Sweep(at, (Observed(BALANCE, facts, True, None, asked_at=asked_at),)))


def firing_of(
    rule: str,
    about: Entity,
    root: Entity,
    at: datetime,
    guards: RuleGuards,
    limits: Limits | None,
    number: int = 0,
) -> Firing:
    """The `number`-th firing at a time: each is of an episode of its own."""
    episode = at - timedelta(microseconds=number)
    plain = firing(about, rule, episode, limits=limits or Limits())
    return replace(plain, root=root, at=at, guards=guards)


Under = Callable[..., Awaitable[Books]]


@pytest.fixture
async def under(open_ledger: Opener) -> AsyncIterator[Under]:
    """Opens the ledger under guards; several times it is the same ledger."""
    opened: list[Ledger] = []

    async def open_(total: Bounds | None = None, **panels: Bounds) -> Books:
        opened.append(await open_ledger(Guards(total or Bounds(), panels)))
        return Books(opened[-1])

    yield open_
    for ledger in opened:
        await ledger.aclose()


def standing(intent: Intent) -> tuple[str, str]:
    return intent.state.value, intent.reason


# -- money ----------------------------------------------------------------------------------------------
async def test_a_rule_plans_no_more_than_it_may_spend(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("5.00/day"))
    stood = [standing(await books.fire("2.00", guards=guards)) for _ in range(4)]
    assert stood == [("planned", "")] * 2 + [("held", "spend_per_day")] * 2
    cheaper = await books.fire("1.00", guards=guards)
    assert standing(cheaper) == ("planned", "")


async def test_one_sweep_counts_what_it_plans_itself(under: Under) -> None:
    books = await under(Bounds(spend=per("5.00/day"), actions=per("4/hour")))
    guards = RuleGuards(spend=per("100/month"))
    firings = [
        planned(
            firing_of("again", order(n), order(n), NOON, guards, None),
            IntentDraft("do.0", StepKind.REORDER, "north", {}, Decimal("1.50"), "USD"),
        )
        for n in range(6)
    ]
    recorded = await books.ledger.record(Sweep(NOON, firings=tuple(firings)))
    stood = [standing(await books.intent(intent_id)) for intent_id in recorded.intents]
    assert stood == [("planned", "")] * 3 + [("held", "total_spend_per_day")] * 3


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (IntentState.CONFIRMED, True),
        (IntentState.UNKNOWN, True),
        (IntentState.REJECTED, False),
        (IntentState.NOT_SENT, False),
    ],
)
async def test_what_may_have_cost_counts(under: Under, state: IntentState, counts: bool) -> None:
    books = await under()
    guards = RuleGuards(spend=per("3.00/day"))
    await books.settle(await books.fire("2.00", guards=guards), state)
    assert (await books.fire("2.00", guards=guards)).state == ("held" if counts else "planned")


async def test_held_and_denied_actions_cost_nothing(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("3.00/day"))
    held = await books.fire("4.00", guards=guards)
    await books.ledger.deny((await books.fire("4.00", guards=guards)).id, NOON, "ann")
    assert held.state is IntentState.HELD
    assert (await books.fire("3.00", guards=guards)).state is IntentState.PLANNED


@pytest.mark.parametrize(
    ("unit", "later", "begins_anew"),
    [
        ("hour", timedelta(minutes=59), False),
        ("hour", timedelta(hours=1), True),
        ("day", timedelta(hours=11, minutes=59), False),
        ("day", timedelta(hours=12), True),  # midnight in UTC, which is the next month as well
        ("month", timedelta(hours=11), False),
        ("month", timedelta(hours=12), True),
        ("order", 40 * DAY, False),
        ("chain", 40 * DAY, False),
    ],
)
async def test_a_unit_begins_anew_by_the_calendar(
    under: Under, unit: str, later: timedelta, begins_anew: bool
) -> None:
    books = await under()
    guards = RuleGuards(spend=per(f"3.00/{unit}"))
    again = order("one")
    await books.settle(await books.fire("2.00", guards=guards, entity=again), IntentState.CONFIRMED)
    then = await books.fire("2.00", guards=guards, entity=again, at=NOON + later)
    assert (then.state is IntentState.PLANNED) is begins_anew


async def test_what_is_planned_counts_when_it_is_sent(under: Under) -> None:
    """Planned yesterday and sent today: today's money."""
    books = await under()
    guards = RuleGuards(spend=per("3.00/day"))
    yesterday = await books.fire("2.00", guards=guards, at=NOON - DAY)
    await books.settle(yesterday, IntentState.CONFIRMED, NOON)
    assert (await books.fire("2.00", guards=guards)).state is IntentState.HELD


async def test_orders_and_chains_have_their_own_money(under: Under) -> None:
    books = await under()
    await books.ledger.track([NewOrder(order(1)), NewOrder(order(2))], NOON)
    guards = RuleGuards(spend=per("3.00/order 5.00/chain"))
    first = await books.fire("2.00", guards=guards, entity=order(1))
    made = ended(IntentState.CONFIRMED, tracked=NewOrder(order(11), parent=order(1)))
    await books.claim(first)
    await books.ledger.settle(first.id, made, NOTHING, NOON, "d")
    assert standing(await books.fire("2.00", guards=guards, entity=order(1))) == ("held", "spend_per_order")
    second = await books.fire("2.00", guards=guards, entity=order(11), root=order(1))
    assert second.state is IntentState.PLANNED
    third = await books.fire("2.00", guards=guards, entity=order(11), root=order(1))
    assert standing(third) == ("held", "spend_per_order")
    assert standing(await books.fire("1.00", guards=guards, entity=order(11), root=order(1))) == (
        "planned",
        "",
    )
    chain_only = RuleGuards(spend=per("5.00/chain"))
    assert standing(await books.fire("1.00", guards=chain_only, entity=order(11), root=order(1))) == (
        "held",
        "spend_per_chain",
    )
    assert (await books.fire("3.00", guards=guards, entity=order(2))).state is IntentState.PLANNED


async def test_refills_of_an_order_share_its_money(under: Under) -> None:
    books = await under()
    await books.ledger.track([NewOrder(order(1))], NOON)
    guards = RuleGuards(spend=per("3.00/order"))
    for name in ("a", "b"):
        asked = await books.ledger.ask(
            IntentDraft(f"ask.{name}", StepKind.REFILL, "north", {"order": "1"}), order(1), NOON, "ann"
        )
        refill = Entity(EntityKind.REFILL, "north", name)
        await books.claim(asked)
        await books.ledger.settle(asked.id, ended(IntentState.CONFIRMED, refill=refill), NOTHING, NOON, "d")
    first = await books.fire("2.00", guards=guards, entity=Entity(EntityKind.REFILL, "north", "a"))
    second = await books.fire("2.00", guards=guards, entity=Entity(EntityKind.REFILL, "north", "b"))
    assert (standing(first), standing(second)) == (("planned", ""), ("held", "spend_per_order"))


async def test_money_is_never_added_up_across_currencies(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    await books.fire("3.00", panel="north", currency="USD")
    assert (await books.fire("3.00", panel="south", currency="EUR")).state is IntentState.PLANNED
    assert (await books.fire("0.01", panel="west", currency="USD")).state is IntentState.HELD


@pytest.mark.parametrize("panel", ["north", "south"])
@pytest.mark.parametrize("currency", ["USD", None])
async def test_money_of_an_unknown_currency_may_be_in_any(
    under: Under, panel: str, currency: str | None
) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    await books.fire("3.00", panel="north", currency=None)
    assert standing(await books.fire("1.00", panel=panel, currency=currency)) == (
        "held",
        "total_spend_per_day",
    )


async def test_what_may_be_in_any_currency_is_added_to_the_most_spent_in_one(under: Under) -> None:
    """Two currencies that are known to differ are added up for nobody."""
    books = await under(Bounds(spend=per("5.00/day")))
    await books.fire("3.00", panel="north", currency="USD")
    await books.fire("2.00", panel="south", currency="EUR")
    assert (await books.fire("2.00", panel="east", currency=None)).state is IntentState.PLANNED
    assert (await books.fire("1.00", panel="east", currency=None)).state is IntentState.HELD
    assert (await books.fire("1.00", panel="south", currency="EUR")).state is IntentState.PLANNED
    assert (await books.fire("0.01", panel="north", currency="USD")).state is IntentState.HELD


async def test_a_rule_over_several_panels_is_bounded_whatever_their_currencies(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("3.00/day"))
    await books.settle(await books.fire("2.00", guards=guards, currency=None), IntentState.CONFIRMED)
    held = await books.fire("2.00", guards=guards, panel="south", currency=None)
    assert standing(held) == ("held", "spend_per_day")


async def test_a_panel_s_own_currency_stands_for_one_that_was_not_written(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    await books.balance("100.00")
    await books.fire("3.00", panel="north", currency=None)
    assert (await books.fire("1.00", panel="south", currency="EUR")).state is IntentState.PLANNED
    assert (await books.fire("1.00", panel="south", currency="USD")).state is IntentState.HELD


async def test_each_panel_has_its_own_bound(under: Under) -> None:
    books = await under(north=Bounds(spend=per("3.00/day")))
    await books.fire("3.00")
    assert standing(await books.fire("1.00", rule="other")) == ("held", "panel_spend_per_day")
    assert (await books.fire("9.00", panel="south")).state is IntentState.PLANNED


async def test_the_operators_own_order_counts_and_is_held_too(under: Under) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    panel = Entity(EntityKind.PANEL, "north")

    async def place(step: str) -> Intent:
        draft = IntentDraft(step, StepKind.ADD, "north", {}, Decimal("2.00"), "USD")
        return await books.ledger.ask(draft, panel, NOON, "ann")

    assert standing(await place("place.1")) == ("planned", "")
    assert standing(await place("place.2")) == ("held", "total_spend_per_day")


# -- when it is sent --------------------------------------------------------------------------------------
async def test_the_real_price_is_judged_when_it_is_sent(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("5.00/day"))
    one, two = [await books.fire("2.00", guards=guards) for _ in range(2)]
    sent = await books.claim(one, cost="3.50", currency="USD")
    assert (sent.state, sent.reserved) == (IntentState.SENDING, Decimal("3.50"))
    held = await books.claim(two)
    assert standing(held) == ("held", "spend_per_day")
    assert "3.50 are spent" in held.message


async def test_an_unpriced_action_is_judged_when_its_price_is_known(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("5.00/day"))
    package, lost = [await books.fire(None, guards=guards, currency=None) for _ in range(2)]
    assert await books.states(package, lost) == ["planned", "planned"]
    held = await books.claim(package, cost="5.01", currency="USD")
    assert (standing(held), held.reserved, held.currency) == (
        ("held", "spend_per_day"),
        Decimal("5.01"),
        "USD",
    )
    assert standing(await books.claim(lost)) == ("held", "cost_unknown")


async def test_an_approval_passes_its_guard_up_to_the_price_it_was_given_for(under: Under) -> None:
    books = await under(Bounds(actions=per("0/day")))
    guards = RuleGuards(spend=per("1.00/day"))
    held = await books.fire("2.00", guards=guards)
    assert standing(held) == ("held", "total_actions_per_day")
    await books.ledger.approve(held.id, NOON, "ann")
    held = await books.claim(held)
    assert standing(held) == ("held", "spend_per_day")
    await books.ledger.approve(held.id, NOON, "ann")
    held = await books.claim(held, cost="2.01", currency="USD")
    assert standing(held) == ("held", "spend_per_day")
    await books.ledger.approve(held.id, NOON, "ann")
    sent = await books.claim(held, cost="2.01")
    assert sent.state is IntentState.SENDING
    changes = await books.ledger.transitions(held.id)
    assert [change.by for change in changes if change.reason == "approved"] == ["ann"] * 3


async def test_each_approval_holds_up_to_its_own_price(under: Under) -> None:
    """Approved over the day's money at 2.00, then over the balance at 3.00: that is no word on the day."""
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    guards, tomorrow = RuleGuards(spend=per("5.00/day")), NOON + DAY
    await books.fire("4.00", guards=guards)
    one = await books.fire("2.00", guards=guards)
    assert standing(one) == ("held", "spend_per_day")
    await books.ledger.approve(one.id, NOON, "ann")
    await books.balance("12.00", tomorrow)
    held = await books.claim(one, tomorrow, cost="3.00", currency="USD")
    assert standing(held) == ("held", "keep_balance")
    await books.ledger.approve(one.id, tomorrow, "ann")
    other = await books.fire("3.00", guards=guards, at=tomorrow, panel="south")
    await books.ledger.approve(other.id, tomorrow, "ann")
    assert (await books.claim(other, tomorrow)).state is IntentState.SENDING

    held = await books.claim(one, tomorrow, cost="3.00", currency="USD")
    assert standing(held) == ("held", "spend_per_day")
    await books.ledger.approve(one.id, tomorrow, "ann")
    sent = await books.claim(one, tomorrow, cost="3.00", currency="USD")
    assert sent.state is IntentState.SENDING


async def test_the_next_step_of_a_firing_is_judged_as_well(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("1.00/day"), approval=ApprovalNeed(expires=timedelta(hours=2)))
    cancel = await books.fire(None, guards=guards, kind=StepKind.CANCEL)
    assert standing(cancel) == ("held", "approval")
    await books.ledger.approve(cancel.id, NOON, "ann")
    await books.claim(cancel)
    step = IntentDraft("do.1", StepKind.REORDER, "north", {}, Decimal("0.50"), "USD")
    then = Continuation(intent=step, finished=False)
    await books.ledger.settle(cancel.id, ended(IntentState.CONFIRMED), then, NOON, "d")
    [following] = await books.ledger.intents((IntentState.HELD,), 10)
    assert (following.step, following.reason) == ("do.1", "approval")


async def test_a_balance_is_kept_with_all_that_may_be_spent(under: Under) -> None:
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    await books.balance("16.00", NOON - timedelta(hours=1))
    one, two, three = [await books.fire("2.00") for _ in range(3)]
    four = await books.fire("0.01")
    assert await books.states(one, two, three) == ["planned"] * 3
    assert standing(four) == ("held", "keep_balance")
    await books.settle(one, IntentState.CONFIRMED)
    await books.balance("13.00", NOON + timedelta(minutes=1))  # a top-up of another program was less
    assert (await books.claim(two)).state is IntentState.SENDING
    assert standing(await books.claim(three)) == ("held", "keep_balance")


async def test_a_balance_is_no_measure_of_money_in_another_currency(under: Under) -> None:
    """The panel came to count in another currency while something in the old one was in doubt."""
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    await books.balance("100.00", NOON - timedelta(hours=1))
    euros, dollars = await books.fire("1.00", currency="EUR"), await books.fire("1.00")
    held = await books.claim(euros)
    assert standing(held) == ("held", "keep_balance")
    await books.ledger.approve(euros.id, NOON, "ann")
    assert (await books.claim(euros)).state is IntentState.SENDING
    held = await books.claim(dollars)
    assert (standing(held), "isn't known" in held.message) == (("held", "keep_balance"), True)


async def test_a_balance_is_as_old_as_its_question(under: Under) -> None:
    """What was bought between question and answer may or may not be in it, so it counts beside it."""
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    minute = timedelta(minutes=1)
    await books.balance("20.00", NOON - DAY)
    one, two = await books.fire("4.00"), await books.fire("4.00")
    await books.settle(one, IntentState.CONFIRMED, NOON + minute)
    await books.balance("16.00", NOON + 3 * minute, asked_at=NOON)
    assert standing(await books.fire("2.00")) == ("held", "keep_balance")
    assert standing(await books.claim(two, NOON + 3 * minute)) == ("held", "keep_balance")
    await books.balance("16.00", NOON + 3 * minute, asked_at=NOON + 2 * minute)
    await books.ledger.deny(two.id, NOON, "ann")
    assert (await books.fire("4.00")).state is IntentState.PLANNED


async def test_a_balance_noted_beside_the_rules_counts_for_guards(under: Under) -> None:
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    await books.balance("20.00", NOON)
    before = await books.ledger.watched(BALANCE)
    reading = DatedBalance(Decimal("11.00"), "USD", NOON + DAY, NOON + DAY)
    await books.ledger.note_balance("north", reading)
    assert await books.ledger.balance("north") == reading
    assert await books.ledger.watched(BALANCE) == before
    assert standing(await books.fire("1.01")) == ("held", "keep_balance")


async def test_a_balance_from_the_future_shows_nothing_of_what_is_bought_now(under: Under) -> None:
    """It was dated by a clock that was ahead: whatever is settled since lies before its question."""
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    await books.balance("13.00", NOON + DAY)
    await books.ledger.clock_set_back(NOON)
    await books.settle(await books.fire("2.00"), IntentState.CONFIRMED)
    assert standing(await books.fire("2.00")) == ("held", "keep_balance")
    reading = await books.ledger.balance("north")
    assert reading is not None
    assert reading.answered_at == NOON


async def test_an_unread_balance_keeps_everything(under: Under) -> None:
    books = await under(north=Bounds(keep_balance=Decimal("10.00")))
    one = await books.fire("2.00")
    assert one.state is IntentState.PLANNED
    held = await books.claim(one)
    assert (standing(held), held.message) == (
        ("held", "keep_balance"),
        "the balance of panel north isn't known",
    )


async def test_a_share_of_the_watched_orders(under: Under) -> None:
    books = await under(Bounds(share_of_orders=Decimal("0.2")))
    await books.ledger.track([NewOrder(order(n)) for n in range(1, 41)], NOON)
    guards = [await books.fire(None, kind=StepKind.REFILL) for _ in range(9)]
    assert await books.states(*guards) == ["planned"] * 8 + ["held"]
    assert guards[-1].reason == "share_of_orders"
    assert (await books.fire(None, kind=StepKind.REFILL, rule="other")).state is IntentState.PLANNED
    again = await books.fire(None, kind=StepKind.CANCEL, entity=order(1))
    assert again.state is IntentState.PLANNED  # an order already acted on takes nothing from the share


async def test_actions_are_counted_when_they_are_sent(under: Under) -> None:
    books = await under(north=Bounds(actions=per("2/hour")))
    one, two, three = [await books.fire(None, kind=StepKind.REFILL) for _ in range(3)]
    assert standing(three) == ("held", "panel_actions_per_hour")
    await books.settle(one, IntentState.REJECTED)
    await books.settle(two, IntentState.NOT_SENT)
    four = await books.fire(None, kind=StepKind.REFILL)
    assert four.state is IntentState.PLANNED  # what wasn't sent is no action
    assert (await books.fire(None, kind=StepKind.REFILL)).state is IntentState.HELD
    later = await books.fire(None, kind=StepKind.REFILL, at=NOON + timedelta(hours=1))
    assert later.state is IntentState.PLANNED


# -- nothing is forgotten by pruning --------------------------------------------------------------------
async def test_what_was_pruned_still_counts_for_its_order_and_chain(under: Under) -> None:
    books = await under()
    guards = RuleGuards(spend=per("3.00/order"))
    for _ in range(2):
        await books.settle(await books.fire("1.00", guards=guards, entity=order(1)), IntentState.CONFIRMED)
        assert (await books.ledger.prune(NOON + DAY))["intents"] == 1
    assert standing(await books.fire("1.01", guards=guards, entity=order(1))) == ("held", "spend_per_order")
    assert (await books.fire("1.00", guards=guards, entity=order(1))).state is IntentState.PLANNED
    chain = RuleGuards(spend=per("2.00/chain"))
    assert standing(await books.fire("0.01", guards=chain, entity=order(1))) == ("held", "spend_per_chain")
    assert (await books.fire("2.00", rule="other", guards=chain, entity=order(1))).state is (
        IntentState.PLANNED
    )


async def test_what_was_sent_this_month_is_not_pruned(under: Under) -> None:
    books = await under()
    await books.settle(await books.fire("1.00"), IntentState.CONFIRMED)
    assert (await books.ledger.prune(NOON + DAY, NOON - DAY))["intents"] == 0
    assert (await books.ledger.prune(NOON + DAY, NOON + DAY))["intents"] == 1


# -- approval -------------------------------------------------------------------------------------------
async def test_what_waits_for_approval_expires(under: Under) -> None:
    books = await under()
    guards = RuleGuards(approval=ApprovalNeed(Decimal("1.00"), timedelta(hours=2)))
    one, two = [await books.fire("2.00", guards=guards) for _ in range(2)]
    assert (standing(one), one.expires_at) == (("held", "approval"), NOON + timedelta(hours=2))
    await books.ledger.approve(two.id, NOON, "ann")
    soon, late = NOON + timedelta(hours=1, minutes=59), NOON + timedelta(hours=2)
    assert await books.ledger.expired(soon, 10) == ()
    [found] = await books.ledger.expired(late, 10)
    assert found.id == one.id
    denied = await books.ledger.deny(one.id, late, "smm-rules", "expired", message("expired:1"))
    assert standing(denied) == ("denied", "expired")
    assert [each.dedup_key for each in await books.ledger.deliverable(late, 10)] == ["expired:1"]
    with pytest.raises(StateConflict):
        await books.ledger.approve(one.id, late, "ann")
    assert await books.ledger.expired(late, 10) == ()


async def test_a_price_that_comes_to_light_waits_from_then_on(under: Under) -> None:
    books = await under()
    guards = RuleGuards(approval=ApprovalNeed(Decimal("1.00"), timedelta(hours=2)))
    one = await books.fire(None, guards=guards)
    held = await books.claim(one, NOON + timedelta(hours=1), cost="2.00", currency="USD")
    assert (standing(held), held.expires_at) == (("held", "approval"), NOON + timedelta(hours=3))


async def test_what_guards_hold_is_told_once(under: Under) -> None:
    books = await under()
    one = await books.fire("2.00", guards=RuleGuards(spend=per("1.00/day")))
    await books.fire("2.00", hold=Reason.DRY_RUN)
    [untold] = await books.ledger.untold(10)
    assert untold.id == one.id
    await books.ledger.tell_held([one.id], [message("guard:1")], NOON)
    assert await books.ledger.untold(10) == ()
    assert [each.dedup_key for each in await books.ledger.deliverable(NOON, 10)] == ["guard:1"]
    await books.ledger.approve(one.id, NOON, "ann")
    await books.claim(one, cost="3.00")
    assert [each.id for each in await books.ledger.untold(10)] == [one.id]  # held anew, a new question


# -- modes ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hold", [None, Reason.SHADOW, Reason.LIMIT_PER_SWEEP])
async def test_a_rule_in_the_shadow_only_writes_down(under: Under, hold: Reason | None) -> None:
    books = await under(Bounds(spend=per("3.00/day")))
    mode = Mode.LIVE if hold is Reason.SHADOW else Mode.SHADOW
    what = firing_of("again", order(1), order(1), NOON, RuleGuards(mode=mode), None)
    draft = IntentDraft("do.0", StepKind.REORDER, "north", {}, Decimal("2.00"), "USD")
    sweep = Sweep(NOON, firings=(planned(what, draft, [message("told")], hold=hold),))
    recorded = await books.ledger.record(sweep)
    [intent] = await books.ledger.intents((), 10)
    assert (standing(intent), intent.reserved) == (("denied", "shadow"), Decimal("2.00"))
    assert (recorded.messages, await books.ledger.deliverable(NOON, 10)) == (0, ())
    assert await books.ledger.stops() == ()
    assert (await books.fire("3.00", rule="live")).state is IntentState.PLANNED
    assert len(await books.ledger.firings(NOON - DAY, NOON + DAY, 10)) == 2


async def test_a_dry_rule_is_held_whatever_its_guards(under: Under) -> None:
    books = await under()
    guards = RuleGuards(Mode.DRY_RUN, per("1.00/day"))
    assert standing(await books.fire("2.00", guards=guards)) == ("held", "dry_run")


# -- stops ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scope", "name", "stopped"),
    [
        (StopScope.ALL, "", [True, True, True]),
        (StopScope.PANEL, "north", [True, True, False]),
        (StopScope.RULE, "again", [True, False, True]),
    ],
)
async def test_a_stop_keeps_what_it_concerns_from_being_claimed(
    under: Under, scope: StopScope, name: str, stopped: list[bool]
) -> None:
    books = await under()
    intents = [
        await books.fire(rule=rule, panel=panel)
        for rule, panel in (("again", "north"), ("other", "north"), ("again", "south"))
    ]
    stop = await books.ledger.stop(StopKind.PAUSE, scope, name, "a look", "ann", NOON)
    assert await books.ledger.stops() == (stop,)
    claimable = {intent.id for intent in await books.ledger.claimable(NOON, 10)}
    assert [intent.id not in claimable for intent in intents] == stopped
    claimed = [await books.ledger.claim(intent.id, "d", NOON, {}) for intent in intents]
    assert claimed == [not one for one in stopped]
    assert await books.ledger.end_stop(stop.id, NOON, "ann", message("ended")) is True
    assert await books.ledger.end_stop(stop.id, NOON, "ann", message("again")) is False
    assert [each.dedup_key for each in await books.ledger.deliverable(NOON, 10)] == ["ended"]
    assert await books.ledger.stops() == ()
    rest = [await books.ledger.claim(intent.id, "d", NOON, {}) for intent in intents]
    assert rest == stopped


async def test_a_pause_is_over_at_its_time_whoever_ends_it(under: Under) -> None:
    books = await under()
    one = await books.fire()
    await books.ledger.stop(StopKind.PAUSE, StopScope.ALL, "", "a look", "ann", NOON, NOON + DAY)
    assert await books.ledger.claim(one.id, "d", NOON + DAY - timedelta(seconds=1), {}) is False
    assert [each.id for each in await books.ledger.claimable(NOON + DAY, 10)] == [one.id]
    assert await books.ledger.claim(one.id, "d", NOON + DAY, {}) is True


async def test_a_stop_takes_the_place_of_the_one_before(under: Under) -> None:
    books = await under()
    for reason in ("one", "two"):
        await books.ledger.stop(StopKind.PAUSE, StopScope.RULE, "again", reason, "ann", NOON)
    [stop] = await books.ledger.stops()
    assert stop.reason == "two"
    assert [each.reason for each in await books.ledger.stops(10)] == ["two", "one"]
    other = await under()
    assert await other.ledger.stops() == (stop,)


async def test_over_the_sweep_limit_the_rule_is_stopped_until_it_is_resumed(under: Under) -> None:
    books = await under()
    before = await books.fire()
    held = await books.fire(hold=Reason.LIMIT_PER_SWEEP, limits=Limits(per_sweep=1))
    [stop] = await books.ledger.stops()
    assert (stop.kind, stop.scope, stop.name) == (StopKind.SWEEP, StopScope.RULE, "again")
    assert "limit.per_sweep (1)" in stop.reason
    assert await books.ledger.claim(before.id, "d", NOON, {}) is False
    assert standing(await books.fire()) == ("held", "breaker")
    assert (await books.fire(rule="other")).state is IntentState.PLANNED
    await books.ledger.approve(held.id, NOON, "ann")
    assert [each.rule for each in await books.ledger.claimable(NOON, 10)] == ["again", "other"]
    assert await books.ledger.claim(held.id, "d", NOON, {}) is True
    await books.ledger.end_stop(stop.id, NOON, "ann")
    assert await books.ledger.claim(before.id, "d", NOON, {}) is True
    assert (await books.fire()).state is IntentState.PLANNED


async def only_stop(books: Books) -> Stop | None:
    found = await books.ledger.stops()
    assert len(found) <= 1
    return found[0] if found else None


async def test_errors_open_the_breaker_of_a_panel_and_then_those_of_rules(under: Under) -> None:
    breaker = Breaker(errors=Decimal("0.5"), of=4, pause=timedelta(minutes=30))
    books = await under(Bounds(breaker=breaker))
    for number in range(3):
        await books.settle(await books.fire(rule=f"rule-{number}"), IntentState.NOT_SENT)
    assert await only_stop(books) is None
    waiting = await books.fire(rule="waiting")
    await books.settle(await books.fire(rule="rule-3"), IntentState.CONFIRMED)
    stop = await only_stop(books)
    assert stop is not None
    assert (stop.kind, stop.scope, stop.name) == (StopKind.BREAKER, StopScope.PANEL, "north")
    assert (stop.until, stop.reason) == (
        NOON + timedelta(minutes=30),
        "3 of the last 4 actions failed or are in doubt",
    )
    assert standing(await books.fire()) == ("held", "breaker")
    assert await books.ledger.claim(waiting.id, "d", NOON + DAY, {}) is False  # time alone closes nothing
    await books.ledger.end_stop(stop.id, NOON + timedelta(hours=1), "smm-rules")
    after = NOON + timedelta(hours=2)
    await books.settle(waiting, IntentState.UNKNOWN, after)
    assert await only_stop(books) is None  # what was before the closing doesn't count again
    for _ in range(3):
        await books.settle(await books.fire(rule="waiting", at=after), IntentState.UNKNOWN, after)
    assert {(one.scope, one.name) for one in await books.ledger.stops()} == {
        (StopScope.PANEL, "north"),
        (StopScope.RULE, "waiting"),
    }


async def test_an_interrupted_attempt_counts_as_in_doubt(under: Under) -> None:
    books = await under(Bounds(breaker=Breaker(errors=Decimal(1), of=2)))
    for _ in range(2):
        await books.claim(await books.fire())
    assert len(await books.ledger.recover(NOON, "d", NOON - DAY)) == 2
    assert {stop.scope for stop in await books.ledger.stops()} == {StopScope.PANEL, StopScope.RULE}


async def test_a_busy_panel_opens_no_breaker(under: Under) -> None:
    books = await under(Bounds(breaker=Breaker(errors=Decimal(1), of=2)))
    one = await books.fire()
    for _ in range(3):
        await books.claim(one)
        again = ended(IntentState.NOT_SENT, "rate_limited", retry_at=NOON)
        await books.ledger.settle(one.id, again, NOTHING, NOON, "d")
    assert await books.ledger.stops() == ()


@pytest.mark.parametrize(
    ("tripped", "closed"), [(NOON + 365 * DAY, NOON), (NOON, NOON + 365 * DAY)], ids=["tripped", "closed"]
)
async def test_a_breaker_counts_what_came_after_its_closing_whatever_the_clock_said(
    under: Under, tripped: datetime, closed: datetime
) -> None:
    """By a clock that was ahead: it would open again at every attempt, or not at all for a year."""
    books = await under(north=Bounds(breaker=Breaker(errors=Decimal(1), of=2)))
    for _ in range(2):
        await books.settle(await books.fire(at=tripped), IntentState.UNKNOWN, tripped)
    stop = await only_stop(books)
    assert stop is not None
    await books.ledger.end_stop(stop.id, closed, "ann")
    await books.settle(await books.fire(), IntentState.UNKNOWN)
    assert await only_stop(books) is None
    await books.settle(await books.fire(), IntentState.UNKNOWN)
    assert await only_stop(books) is not None


async def test_pruned_attempts_leave_a_breaker_its_sight(under: Under) -> None:
    books = await under(north=Bounds(breaker=Breaker(errors=Decimal(1), of=2)))
    for day in (NOON, NOON + 2 * DAY):
        for _ in range(2):
            await books.settle(await books.fire(at=day), IntentState.UNKNOWN, day)
        stop = await only_stop(books)
        assert stop is not None
        await books.ledger.end_stop(stop.id, day, "ann")
        await books.ledger.prune(day + DAY)


async def test_a_stop_that_began_in_the_future_began_now(under: Under) -> None:
    books = await under()
    ahead = NOON + 365 * DAY
    stop = await books.ledger.stop(
        StopKind.BREAKER, StopScope.PANEL, "north", "errors", "smm-rules", ahead, ahead + DAY
    )
    redate = books.ledger.redate_stop
    assert await redate(stop.id, NOON, NOON + DAY, "smm-rules", message("redated")) is True
    assert await redate(stop.id, NOON, NOON + 2 * DAY, "smm-rules", message("again")) is False
    assert await only_stop(books) == replace(stop, since=NOON, until=NOON + DAY)
    assert [each.dedup_key for each in await books.ledger.deliverable(NOON, 10)] == ["redated"]
    await books.ledger.end_stop(stop.id, NOON, "ann")
    assert await redate(stop.id, NOON - DAY, None, "smm-rules") is False


# -- laws -----------------------------------------------------------------------------------------------
costs = st.lists(st.integers(1, 400).map(lambda cents: Decimal(cents) / 100), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(costs, st.randoms(use_true_random=False), st.integers(0, 900))
async def test_daemon_and_commands_together_never_spend_more_than_allowed(
    tmp_path_factory: pytest.TempPathFactory, prices: list[Decimal], random: object, most: int
) -> None:
    """Two processes plan, claim and settle in any order; what was sent stays within the budget."""
    budget = Decimal(most) / 100
    guards = Guards(Bounds(spend=(Allowance(budget, Per.DAY),)))
    path = tmp_path_factory.mktemp("law") / "ledger.db"
    async with (
        await SqliteLedger.open(path, guards=guards) as one,
        await SqliteLedger.open(path, guards=guards) as two,
    ):
        books = [Books(one), Books(two)]
        books[1].number = 1_000

        async def work(number: int, price: Decimal) -> None:
            mine = books[number % 2]
            estimate = None if number % 3 == 0 else str(price / 2)
            intent = await mine.fire(estimate, rule=f"rule-{number % 2}")
            if await mine.ledger.claim(intent.id, f"p{number % 2}", NOON, {}, price, "USD"):
                state = random.choice([IntentState.CONFIRMED, IntentState.UNKNOWN])  # type: ignore[attr-defined]
                await mine.ledger.settle(intent.id, ended(state), NOTHING, NOON, f"p{number % 2}")

        await asyncio.gather(*(work(number, price) for number, price in enumerate(prices)))
        intents = await one.intents((), 100)
    spent = sum((each.reserved or Decimal(0) for each in intents if each.claimed_at is not None), Decimal(0))
    assert spent <= budget
    assert {each.state for each in intents if each.claimed_at is None} <= {IntentState.HELD}
