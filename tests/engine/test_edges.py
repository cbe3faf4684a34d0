"""The very edges of what counts: the largest, the smallest, the first, the exactly equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.engine import drafts
from smm_rules.engine.due import next_look
from smm_rules.engine.guards import Asked, Bounds, Guards, Scope, judge
from smm_rules.engine.observation import share
from smm_rules.engine.order_facts import whole_number
from smm_rules.engine.panel_facts import failed
from smm_rules.engine.snapshots import complete
from smm_rules.facts import UNKNOWN, EntityKind
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.rules.model import NO_RULE_GUARDS
from tests.engine.test_guards_judge import Books

NOW = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "number"),
    [("9" * 18, int("9" * 18)), ("9" * 19, None), (" 7 ", 7), ("٣", None), ("", None), (None, None)],
)
def test_a_parameter_is_a_number_up_to_eighteen_digits(text: str | None, number: int | None) -> None:
    assert whole_number(text) == number


def test_a_quantity_has_twelve_digits_at_most() -> None:
    assert drafts._quantity("9" * 12) == "9" * 12
    with pytest.raises(drafts.ParameterUnusable):
        drafts._quantity("1" + "0" * 12)


def test_no_rise_at_all_is_a_share_too() -> None:
    assert drafts._share("0") == "0"
    with pytest.raises(drafts.ParameterUnusable):
        drafts._share("-0.1")


def test_an_empty_currency_is_none() -> None:
    assert drafts._currency({"balance.currency": "", "currency": "EUR"}) == "EUR"
    assert drafts._currency({"balance.currency": 7, "order.currency": "USD"}) == "USD"


def test_a_share_is_cut_to_a_millionth_unless_it_is_absurd() -> None:
    assert share(2, 3) == Decimal("0.666666")
    # Cut like the others it couldn't be written down any more.
    assert share(10**15, 1) == Decimal(10**15)


def test_the_first_failure_is_the_first() -> None:
    assert failed({}, "north", "timeout", NOW).facts["failures"] == 1
    assert failed({"failures": "many"}, "north", "timeout", NOW).facts["failures"] == 1
    assert failed({"failures": 1}, "north", "timeout", NOW).facts["failures"] == 2


def test_what_a_panel_said_before_an_error_is_not_known_now() -> None:
    facts = complete(EntityKind.ORDER, {"id": "1", "status": "Partial", "remains": 5, "error": "Oops"}, {})

    assert facts["status"] is facts["remains"] is UNKNOWN
    assert facts["id"] == "1"
    # What it has never said isn't told as unknown a second time, and without an error all is as it said.
    assert complete(EntityKind.ORDER, {"status": "Partial", "error": ""}, {})["status"] == "Partial"


@pytest.mark.parametrize(
    ("status", "ago", "again"),
    [("Completed", HOUR, False), ("Completed", HOUR - timedelta(seconds=1), True), ("Pending", HOUR, True)],
)
def test_what_ended_is_settled_after_exactly_the_time_given(status: str, ago: timedelta, again: bool) -> None:
    facts = {"status": status, "changed_at": NOW - ago}
    due = next_look(EntityKind.ORDER, facts, NOW, HOUR, HOUR, [])

    assert (due is not None) == again


def asked(cost: str | None = "2.00", *, final: bool = True) -> Asked:
    money = None if cost is None else Decimal(cost)
    return Asked("reorder", "north", True, money, "USD", final)


ONE_AN_HOUR = (Allowance(Decimal(1), Per.HOUR),)


@pytest.mark.parametrize(
    ("guards", "scope", "words"),
    [
        (Guards(panels={"north": Bounds(actions=ONE_AN_HOUR)}), Scope.PANEL, "panel north may act 1 times"),
        (Guards(total=Bounds(actions=ONE_AN_HOUR)), Scope.TOTAL, "all rules together may act 1 times"),
    ],
    ids=["panel", "total"],
)
def test_a_guard_says_whose_limit_it_is(guards: Guards, scope: Scope, words: str) -> None:
    books = Books(done_={(scope, Per.HOUR): 1})
    stopped = judge(asked(), NO_RULE_GUARDS, guards, books, NOW)

    assert stopped is not None
    assert stopped.message.startswith(words)


def test_a_share_of_orders_is_told_in_per_cent() -> None:
    guards = Guards(panels={"north": Bounds(share_of_orders=Decimal("0.125"))})
    stopped = judge(asked(), NO_RULE_GUARDS, guards, Books(watched=80, acted=10), NOW)

    assert stopped is not None
    assert "may on 12.5 % of them" in stopped.message
    assert judge(asked(), NO_RULE_GUARDS, guards, Books(watched=80, acted=9), NOW) is None


def test_a_balance_to_keep_may_be_kept_exactly() -> None:
    guards = Guards(panels={"north": Bounds(keep_balance=Decimal(10))})

    assert judge(asked(), NO_RULE_GUARDS, guards, Books(balance_=Decimal(12)), NOW) is None
    assert judge(asked(), NO_RULE_GUARDS, guards, Books(balance_=Decimal("11.99")), NOW) is not None
