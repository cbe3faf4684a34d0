"""Panels' answers → stored facts: what becomes known, unknown, changed and dated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.engine.balance_facts import observe_balance
from smm_rules.engine.observation import share
from smm_rules.engine.order_facts import OrderIntake, observe_order, whole_number
from smm_rules.engine.panel_facts import answered, catalogue_read, failed
from smm_rules.engine.refill_facts import observe_refill
from smm_rules.engine.service_facts import observe_catalogue, observe_service
from smm_rules.facts import FIELDS, EntityKind, Facts
from smm_rules.panel.answers import Balance, OrderState, RefillState, Refused, Service

T0 = datetime(2025, 3, 1, 12, tzinfo=UTC)
T1, T2, T3 = (T0 + timedelta(minutes=minutes) for minutes in (1, 2, 3))
INTAKE = OrderIntake(
    id="23501", tracked_at=T0, placed_at=T0 - timedelta(days=1), quantity=1000, link="https://example.org/p"
)
PARTIAL = OrderState(
    "Partial", True, remains=157, start_count=3572, charge=Decimal("0.27819"), currency="USD"
)
SERVICE = Service("1", "Followers", "Default", "First", Decimal("0.90"), 50, 10000, True, True, None)


def order(*answers: OrderState | Refused, intake: OrderIntake = INTAKE) -> Facts:
    """An order's facts after these answers, one a minute from T0."""
    facts: Facts = {}
    for minute, answer in enumerate(answers):
        facts = observe_order(facts, answer, intake, T0 + timedelta(minutes=minute)).facts
    return facts


# -- orders --------------------------------------------------------------------------------------------
def test_an_order_has_what_the_panel_said_what_intake_knows_and_what_follows() -> None:
    observation = observe_order({}, PARTIAL, INTAKE, T0)
    assert observation.changed
    assert observation.facts == {
        "id": "23501",
        "status": "Partial",
        "status_known": True,
        "remains": 157,
        "start_count": 3572,
        "charge": Decimal("0.27819"),
        "currency": "USD",
        "error": "",
        "quantity": 1000,
        "link": "https://example.org/p",
        "label": "",
        "delivered": 843,
        "progress": Decimal("0.843"),
        "placed_at": T0 - timedelta(days=1),
        "tracked_at": T0,
        "changed_at": T0,
        "status_since": T0,
        "refills": 0,
        "chain_depth": 0,
    }


def test_the_same_answer_changes_nothing() -> None:
    before = order(PARTIAL)
    observation = observe_order(before, PARTIAL, INTAKE, T1)
    assert (observation.changed, observation.facts) == (False, before)


def test_what_an_answer_leaves_unsaid_is_unknown_and_not_what_it_was() -> None:
    facts = order(PARTIAL, PARTIAL._replace(remains=None, charge=None))
    assert facts.keys() & {"remains", "charge", "delivered", "progress"} == set()


def test_remains_that_move_date_the_change_and_not_the_status() -> None:
    facts = order(PARTIAL, PARTIAL._replace(remains=100))
    assert (facts["changed_at"], facts["status_since"]) == (T1, T0)


def test_a_new_status_dates_both() -> None:
    facts = order(PARTIAL, PARTIAL._replace(status="Completed"))
    assert (facts["changed_at"], facts["status_since"]) == (T1, T1)


def test_remains_becoming_unknown_is_no_movement_but_becoming_known_is() -> None:
    unknown = PARTIAL._replace(remains=None)
    assert order(PARTIAL, unknown)["changed_at"] == T0
    assert order(PARTIAL, unknown, PARTIAL)["changed_at"] == T2


def test_an_error_for_an_order_leaves_what_was_said_before() -> None:
    before = order(PARTIAL)
    observation = observe_order(before, Refused("Incorrect order ID"), INTAKE, T1)
    assert observation.changed
    assert observation.facts == before | {"error": "Incorrect order ID"}


def test_an_error_at_first_sight_says_nothing_of_a_status() -> None:
    facts = order(Refused("Incorrect order ID"))
    assert facts["error"] == "Incorrect order ID"
    assert facts.keys() & {"status", "status_known", "remains", "changed_at", "status_since"} == set()


def test_a_status_after_an_error_clears_it() -> None:
    assert order(PARTIAL, Refused("try later"), PARTIAL) == order(PARTIAL)


@pytest.mark.parametrize(
    ("quantity", "remains", "delivered", "progress"),
    [
        (1000, 0, 1000, Decimal(1)),
        (1000, -40, 1040, Decimal(1)),
        (1000, 1200, -200, Decimal(0)),
        (3, 2, 1, Decimal("0.333333")),
        (10_000_000, 1, 9_999_999, Decimal("0.999999")),
        (0, 0, 0, None),
    ],
)
def test_delivered_follows_remains_and_progress_stays_a_share(
    quantity: int, remains: int, delivered: int, progress: Decimal | None
) -> None:
    facts = order(PARTIAL._replace(remains=remains), intake=replace(INTAKE, quantity=quantity))
    assert (facts["delivered"], facts.get("progress")) == (delivered, progress)


def test_without_a_quantity_nothing_is_known_of_delivery() -> None:
    facts = order(PARTIAL, intake=OrderIntake("23501", T0))
    assert facts.keys() & {"quantity", "link", "placed_at", "delivered", "progress"} == set()


@pytest.mark.parametrize(
    ("answer", "suborders"),
    [
        (OrderState("In progress", True, runs=2, suborders=("1", "2")), 2),
        (OrderState("Active", True, posts=0, expiry="01/05/2025"), 0),
        (OrderState("In progress", True, suborders=("1",)), 1),
        (PARTIAL, None),
    ],
)
def test_only_orders_that_make_orders_have_a_count_of_them(answer: OrderState, suborders: int | None) -> None:
    assert order(answer).get("suborders") == suborders


def test_accepted_refills_are_kept_where_intake_does_not_count_them() -> None:
    counted = observe_order({}, PARTIAL, replace(INTAKE, refills=2), T0).facts
    assert observe_order(counted, PARTIAL, INTAKE, T1).facts["refills"] == 2


@pytest.mark.parametrize(
    ("text", "number"), [("1000", 1000), (" 50 ", 50), ("1.5", None), ("-1", None), ("", None), (None, None)]
)
def test_a_quantity_is_read_where_it_is_a_whole_number(text: str | None, number: int | None) -> None:
    assert whole_number(text) == number


# -- refills -------------------------------------------------------------------------------------------
def test_a_refill_keeps_its_beginning_and_dates_its_status() -> None:
    first = observe_refill({}, RefillState("Pending", True), "7", T0, T1).facts
    same = observe_refill(first, RefillState("Pending", True), "7", None, T2)
    assert (same.changed, same.facts) == (False, first)
    moved = observe_refill(first, RefillState("Rejected", True), "7", None, T3)
    assert moved.changed
    assert moved.facts == {
        "id": "7",
        "status": "Rejected",
        "status_known": True,
        "error": "",
        "requested_at": T0,
        "changed_at": T3,
    }


def test_an_error_for_a_refill_leaves_its_status() -> None:
    first = observe_refill({}, RefillState("Pending", True), "7", T0, T1).facts
    refused = observe_refill(first, Refused("Refill not found"), "7", T0, T2)
    assert (refused.changed, refused.facts) == (True, first | {"error": "Refill not found"})


# -- balances ------------------------------------------------------------------------------------------
def test_a_balance_remembers_what_it_was() -> None:
    first = observe_balance({}, Balance(Decimal("100.84"), "USD"), T0)
    assert first.facts == {"amount": Decimal("100.84"), "currency": "USD", "changed_at": T0}
    same = observe_balance(first.facts, Balance(Decimal("100.840"), "USD"), T1)
    assert (same.changed, same.facts["changed_at"]) == (False, T0)
    spent = observe_balance(same.facts, Balance(Decimal("90"), "USD"), T2)
    assert spent.changed
    assert (spent.facts["previous_amount"], spent.facts["changed_at"]) == (Decimal("100.84"), T2)
    assert observe_balance(spent.facts, Balance(Decimal("90"), "USD"), T3).facts == spent.facts


def test_a_currency_left_unsaid_is_unknown() -> None:
    before = observe_balance({}, Balance(Decimal(1), "USD"), T0).facts
    assert "currency" not in observe_balance(before, Balance(Decimal(1), None), T1).facts


def test_an_amount_in_another_currency_is_not_compared() -> None:
    before = observe_balance({}, Balance(Decimal(100), "USD"), T0).facts
    spent = observe_balance(before, Balance(Decimal(90), "USD"), T1).facts
    switched = observe_balance(spent, Balance(Decimal(90), "EUR"), T2)
    assert (switched.changed, "previous_amount" in switched.facts) == (True, False)
    assert switched.facts["changed_at"] == T2
    again = observe_balance(switched.facts, Balance(Decimal(80), "EUR"), T3).facts
    assert again["previous_amount"] == Decimal(90)


# -- services ------------------------------------------------------------------------------------------
def test_a_service_in_its_catalogue() -> None:
    observation = observe_service({}, SERVICE, T0)
    assert observation.changed
    assert observation.facts == {
        "id": "1",
        "name": "Followers",
        "type": "Default",
        "category": "First",
        "rate": Decimal("0.90"),
        "min": 50,
        "max": 10000,
        "refill": True,
        "cancel": True,
        "gone": False,
        "changed_at": T0,
    }
    again = observe_service(observation.facts, SERVICE, T1)
    assert (again.changed, again.facts) == (False, observation.facts)


def rates(*said: str | None) -> Facts:
    facts: Facts = {}
    for rate in said:
        facts = observe_service(
            facts, replace(SERVICE, rate=None if rate is None else Decimal(rate)), T0
        ).facts
    return facts


@pytest.mark.parametrize(
    ("said", "previous", "increase"),
    [
        (("1",), None, None),
        (("1", "1.1"), "1", "0.1"),
        (("1", "1.1", "1.1"), "1", "0.1"),
        (("1", "0.5"), "1", "-0.5"),
        (("1", "1.1", "2.2"), "1.1", "1"),
        (("0", "2"), "0", None),
        (("1", None), "1", None),
        (("1", None, "1.5"), "1", "0.5"),
        ((None, "1"), None, None),
    ],
)
def test_a_rate_that_changes_is_compared_with_the_last_one_said(
    said: tuple[str | None, ...], previous: str | None, increase: str | None
) -> None:
    facts = rates(*said)
    assert facts.get("previous_rate") == (previous and Decimal(previous))
    assert facts.get("rate_increase") == (increase and Decimal(increase))


CHANGES = ("rate", "min", "max", "name", "type", "category", "refill", "cancel", "dripfeed")


def test_a_service_missing_from_a_catalogue_is_gone_and_can_come_back() -> None:
    before = {"1": observe_service({}, SERVICE, T0).facts}
    other = replace(SERVICE, id="2")
    seen = observe_catalogue(before, [other], T1)
    assert seen.keys() == {"1", "2"}
    nothing_else = {f"{name}_changed": False for name in CHANGES}
    left = {"gone": True, "came_back": False, "changed_at": T1}
    assert (seen["1"].changed, seen["1"].facts) == (True, before["1"] | nothing_else | left)
    still = observe_catalogue({"1": seen["1"].facts}, [other], T2)["1"]
    assert (still.changed, still.facts) == (False, seen["1"].facts)
    back = observe_catalogue({"1": still.facts}, [SERVICE], T3)["1"]
    returned = {"came_back": True, "changed_at": T3}
    assert (back.changed, back.facts) == (True, before["1"] | nothing_else | returned)


def test_an_empty_catalogue_is_a_fault_and_not_a_mass_delisting() -> None:
    assert observe_catalogue({"1": observe_service({}, SERVICE, T0).facts}, [], T1) == {}


# -- panels --------------------------------------------------------------------------------------------
def test_a_panel_that_answers() -> None:
    observation = answered({}, "acme", T0)
    assert observation.changed
    assert observation.facts == {
        "name": "acme",
        "reachable": True,
        "failures": 0,
        "last_error": "",
        "last_answer_at": T0,
    }
    assert not answered(observation.facts, "acme", T1).changed


def test_a_panel_that_fails_and_recovers() -> None:
    up = answered({}, "acme", T0).facts
    down = failed(up, "acme", "connection refused", T1)
    assert down.changed
    assert down.facts == up | {
        "reachable": False,
        "failures": 1,
        "last_error": "connection refused",
        "failing_since": T1,
    }
    still = failed(down.facts, "acme", "connection refused", T2)
    assert (still.changed, still.facts) == (False, down.facts | {"failures": 2})
    recovered = answered(still.facts, "acme", T3)
    assert recovered.changed
    assert recovered.facts == up | {"last_error": "connection refused", "last_answer_at": T3}


def test_a_catalogue_that_was_read_is_dated() -> None:
    assert catalogue_read({"name": "acme"}, T1) == {"name": "acme", "catalogue_read_at": T1}


# -- all of them ---------------------------------------------------------------------------------------
STATES = st.builds(
    OrderState,
    st.sampled_from(["Pending", "Partial", "Weird"]),
    st.booleans(),
    remains=st.none() | st.integers(-(10**20), 10**20),
    start_count=st.none() | st.integers(),
    charge=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    runs=st.none() | st.integers(0, 5),
    suborders=st.lists(st.just("1"), max_size=2).map(tuple),
)
ANSWERS = st.lists(STATES | st.just(Refused("no")), min_size=1, max_size=8)


@given(ANSWERS, st.none() | st.integers(0, 10**18))
def test_an_orders_facts_are_all_declared_and_change_exactly_when_they_differ(
    answers: list[OrderState | Refused], quantity: int | None
) -> None:
    times = {"placed_at", "tracked_at", "changed_at", "status_since"}
    declared = {name for name, field in FIELDS[EntityKind.ORDER].items() if field.since is None}
    before: Facts = {}
    for minute, answer in enumerate(answers):
        now = T0 + timedelta(minutes=minute)
        observation = observe_order(before, answer, replace(INTAKE, quantity=quantity), now)
        after = observation.facts
        untimed = [{k: v for k, v in facts.items() if k not in times} for facts in (before, after)]
        assert observation.changed is (untimed[0] != untimed[1])
        assert after.keys() - declared == set()
        assert Decimal(0) <= after.get("progress", Decimal(0)) <= Decimal(1)  # type: ignore[operator]
        before = after


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=0, places=5),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("0.00001"), places=5),
)
def test_a_share_is_never_more_than_it_is_and_never_written_with_an_exponent(
    part: Decimal, whole: Decimal
) -> None:
    cut = share(part, whole)
    assert cut <= part / whole
    if cut < 10**15:
        assert part / whole - cut < Decimal("0.000001")
        assert "E" not in str(cut)
