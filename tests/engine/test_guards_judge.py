"""Guards as pure verdicts: what they let by never comes to more than they allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.engine.guards import (
    FEW_ORDERS,
    PANEL_ERRORS,
    RULE_ERRORS,
    Asked,
    Attempt,
    Bounds,
    Breaker,
    Guarded,
    Guards,
    Scope,
    breaker_verdict,
    judge,
)
from smm_rules.facts.allowance import Allowance, Per, begun_at, ends_at
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, RuleGuards

NOW = datetime(2026, 2, 28, 23, 59, 30, tzinfo=UTC)


@dataclass
class Books:
    """Books that a test writes itself."""

    spent_: dict[tuple[Scope, Per], Decimal] = field(default_factory=dict)
    done_: dict[tuple[Scope, Per], int] = field(default_factory=dict)
    balance_: Decimal | None = None
    watched: int = 0
    acted: int = 0

    def spent(self, scope: Scope, per: Per) -> Decimal:
        return self.spent_.get((scope, per), Decimal(0))

    def done(self, scope: Scope, per: Per) -> int:
        return self.done_.get((scope, per), 0)

    def balance(self) -> Decimal | None:
        return self.balance_

    def orders_watched(self) -> int:
        return self.watched

    def orders_acted_on(self) -> int:
        return self.acted


def asked(cost: str | None = "2", buys: bool = True, final: bool = False, about_order: bool = True) -> Asked:
    money = None if cost is None else Decimal(cost)
    return Asked("again", "north", buys, money, "USD", final, about_order)


def allowance(written: str) -> Allowance:
    amount, per = written.split("/")
    return Allowance(Decimal(amount), Per(per))


def verdict(
    what: Asked,
    books: Books,
    rule: RuleGuards = NO_RULE_GUARDS,
    guards: Guards | None = None,
    approved: frozenset[str] = frozenset(),
) -> str | None:
    found = judge(what, rule, guards or Guards(), books, NOW, approved)
    return None if found is None else found.reason


def spending(written: str, of: Scope = Scope.RULE) -> tuple[RuleGuards, Guards]:
    bound = (allowance(written),)
    if of is Scope.RULE:
        return RuleGuards(spend=bound), Guards()
    bounds = Bounds(spend=bound)
    return NO_RULE_GUARDS, Guards(bounds) if of is Scope.TOTAL else Guards(panels={"north": bounds})


@pytest.mark.parametrize("per", list(Per))
@pytest.mark.parametrize(
    ("scope", "prefix"), [(Scope.RULE, ""), (Scope.PANEL, "panel_"), (Scope.TOTAL, "total_")]
)
def test_money_is_bounded_to_the_last_cent(scope: Scope, prefix: str, per: Per) -> None:
    rule, guards = spending(f"20.00/{per}", scope)
    books = Books({(scope, per): Decimal("18.00")})
    assert verdict(asked("2.00"), books, rule, guards) is None
    assert verdict(asked("2.01"), books, rule, guards) == f"{prefix}spend_per_{per}"
    assert verdict(asked("2.01"), books, rule, guards, frozenset({f"{prefix}spend_per_{per}"})) is None


def test_an_approval_passes_only_the_guard_it_was_given_for() -> None:
    rule = RuleGuards(spend=(allowance("1/order"), allowance("1/day")))
    assert verdict(asked(), Books(), rule) == "spend_per_order"
    assert verdict(asked(), Books(), rule, approved=frozenset({"spend_per_order"})) == "spend_per_day"
    both = frozenset({"spend_per_order", "spend_per_day"})
    assert verdict(asked(), Books(), rule, approved=both) is None


def test_what_costs_nothing_is_bounded_by_no_money() -> None:
    rule, _ = spending("0/day")
    guards = Guards(panels={"north": Bounds(keep_balance=Decimal(5))})
    assert verdict(asked(None, buys=False, final=True), Books(balance_=Decimal(0)), rule, guards) is None


def test_an_unknown_price_is_waited_for_and_then_held() -> None:
    rule, _ = spending("20/day")
    assert verdict(asked(None), Books(), rule) is None
    assert verdict(asked(None, final=True), Books(), rule) == "cost_unknown"
    assert verdict(asked(None, final=True), Books()) is None
    assert verdict(asked(None, final=True), Books(), rule, approved=frozenset({"cost_unknown"})) is None


@pytest.mark.parametrize(
    ("balance", "final", "reason"),
    [
        ("12.00", False, None),
        ("11.99", False, "keep_balance"),
        (None, False, None),
        (None, True, "keep_balance"),
    ],
)
def test_a_balance_is_kept(balance: str | None, final: bool, reason: str | None) -> None:
    guards = Guards(panels={"north": Bounds(keep_balance=Decimal("10.00"))})
    books = Books(balance_=None if balance is None else Decimal(balance))
    assert verdict(asked("2.00", final=final), books, guards=guards) == reason


def test_actions_are_counted() -> None:
    for bounds, scope, reason in (
        (Guards(Bounds(actions=(allowance("3/hour"),))), Scope.TOTAL, "total_actions_per_hour"),
        (
            Guards(panels={"north": Bounds(actions=(allowance("3/day"),))}),
            Scope.PANEL,
            "panel_actions_per_day",
        ),
    ):
        per = Per.HOUR if scope is Scope.TOTAL else Per.DAY
        free = asked(None, buys=False)
        assert verdict(free, Books(done_={(scope, per): 2}), guards=bounds) is None
        assert verdict(free, Books(done_={(scope, per): 3}), guards=bounds) == reason


@pytest.mark.parametrize(
    ("watched", "acted", "reason"),
    [(100, 19, None), (100, 20, "share_of_orders"), (0, FEW_ORDERS - 1, None), (10, 5, "share_of_orders")],
)
def test_a_share_of_the_orders(watched: int, acted: int, reason: str | None) -> None:
    guards = Guards(Bounds(share_of_orders=Decimal("0.2")))
    assert verdict(asked(), Books(watched=watched, acted=acted), guards=guards) == reason
    no_order = asked(about_order=False)
    assert verdict(no_order, Books(watched=watched, acted=acted), guards=guards) is None


def test_the_share_of_a_panel_goes_before_that_of_all() -> None:
    guards = Guards(Bounds(share_of_orders=Decimal(1)), {"north": Bounds(share_of_orders=Decimal(0))})
    assert verdict(asked(), Books(watched=100, acted=5), guards=guards) == "share_of_orders"


@pytest.mark.parametrize(
    ("need", "what", "reason"),
    [
        (ApprovalNeed(Decimal(5)), asked("5"), None),
        (ApprovalNeed(Decimal(5)), asked("5.01"), "approval"),
        (ApprovalNeed(Decimal(5)), asked(None, buys=False), None),
        (ApprovalNeed(), asked("0.01"), "approval"),
        (ApprovalNeed(), asked(None, buys=False), "approval"),
        (ApprovalNeed(), asked(None), None),
        (ApprovalNeed(), asked(None, final=True), "cost_unknown"),
    ],
)
def test_what_is_dear_waits_for_approval(need: ApprovalNeed, what: Asked, reason: str | None) -> None:
    assert verdict(what, Books(), RuleGuards(approval=need)) == reason


def test_the_sentence_says_how_much_and_until_when() -> None:
    rule, guards = spending("20.00/month")
    found = judge(asked("2.00"), rule, guards, Books({(Scope.RULE, Per.MONTH): Decimal("19.50")}), NOW)
    assert found == Guarded(
        "spend_per_month",
        "rule again may spend 20.00 USD per month; 19.50 are spent or set aside and this costs 2.00; "
        "the next month begins at 2026-03-01 00:00 UTC",
    )


prices = st.decimals(min_value=0, max_value=50, places=4, allow_nan=False)


@given(st.lists(prices, max_size=60), prices, st.randoms())
def test_whatever_the_order_never_more_is_spent_than_allowed(
    costs: list[Decimal], most: Decimal, random: object
) -> None:
    random.shuffle(costs)  # type: ignore[attr-defined]  # a Random of Hypothesis
    rule = RuleGuards(spend=(Allowance(most, Per.DAY),))
    spent = Decimal(0)
    for cost in costs:
        books = Books({(Scope.RULE, Per.DAY): spent})
        if verdict(Asked("again", "north", True, cost, "USD", True), books, rule) is None:
            spent += cost
        else:
            assert spent + cost > most
    assert spent <= most


#: Any instant of a century.
instants = st.integers(0, 36_500 * 86_400).map(
    lambda s: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)


@given(instants)
def test_a_unit_of_time_holds_its_instant_and_ends_where_the_next_begins(now: datetime) -> None:
    for per in (Per.HOUR, Per.DAY, Per.MONTH):
        begun, end = begun_at(per, now), ends_at(per, now)
        assert begun is not None
        assert end is not None
        assert begun <= now < end
        assert begun_at(per, end) == end
        assert begun_at(per, end - timedelta(microseconds=1)) == begun
    assert (begun_at(Per.ORDER, now), ends_at(Per.CHAIN, now)) == (None, None)


D, R, N, U = Attempt.DONE, Attempt.REFUSED, Attempt.NOT_SENT, Attempt.UNKNOWN


@pytest.mark.parametrize(
    ("attempts", "errors", "opens"),
    [
        ([U, U, D], PANEL_ERRORS, False),  # too few
        ([U, D, D, D], PANEL_ERRORS, False),
        ([U, N, D, D], PANEL_ERRORS, True),
        ([U, N, D, D], RULE_ERRORS, False),
        ([U, U, D, D], RULE_ERRORS, True),
        ([D, D, D, D, U, U, U, U], PANEL_ERRORS, False),  # only the last count
        ([R, R, R, D], PANEL_ERRORS, True),
        ([R, R, D, D], PANEL_ERRORS, False),
    ],
)
def test_a_breaker_opens_at_its_share(
    attempts: list[Attempt], errors: frozenset[Attempt], opens: bool
) -> None:
    breaker = Breaker(errors=Decimal("0.5"), refused=Decimal("0.75"), of=4)
    assert (breaker_verdict(breaker, attempts, errors) is not None) is opens


def test_a_breaker_without_bounds_never_opens() -> None:
    assert breaker_verdict(Breaker(of=2), [U, U], PANEL_ERRORS) is None
    assert breaker_verdict(Breaker(Decimal(0), Decimal(0), of=2), [D, D], PANEL_ERRORS) is None
