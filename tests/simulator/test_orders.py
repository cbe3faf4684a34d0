"""Adding orders, their money, and how they fare."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.simulator import (
    AccountSettings,
    Course,
    RunningSimulator,
    Script,
    Simulator,
    SimulatorSettings,
    default_services,
    sample_parameters,
)
from smm_rules.simulator.statuses import ENDED
from tests.simulator.conftest import Caller


def test_add_charges_rate_by_the_thousand(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask("add", service=1, quantity=157, link="https://example.com/p")
    assert smm_panel.balance() == Decimal("100") - Decimal("0.90") * 157 / 1000


def test_every_service_type_can_be_added(ask: Caller) -> None:
    answers = [ask("add", **sample_parameters(service)) for service in default_services()]
    assert [list(answer) for answer in answers] == [["order"]] * len(default_services())


@pytest.mark.parametrize("service", default_services(), ids=lambda service: service.type)
def test_every_parameter_of_a_type_is_needed(service: object) -> None:
    simulator = Simulator(SimulatorSettings(speed=0))
    optional = {"google_keyword", "posts"}
    parameters = sample_parameters(service)  # type: ignore[arg-type]
    for left_out in set(parameters) - optional:
        form = {"key": simulator.key, "action": "add"}
        form |= {name: text for name, text in parameters.items() if name != left_out}
        assert b'{"error":' in simulator.api.answer(form).body, left_out
    assert simulator.journal.orders_made() == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"service": "999"}, "Incorrect service ID"),
        ({"service": "x"}, "Incorrect service ID"),
        ({"link": ""}, "Incorrect link"),
        ({"link": "two words"}, "Incorrect link"),
        ({"quantity": "many"}, "Incorrect quantity"),
        ({"quantity": "-5"}, "Incorrect quantity"),
        ({"quantity": "9" * 5000}, "Incorrect quantity"),
        ({"quantity": "49"}, "Quantity less than minimal 50"),
        ({"quantity": "10001"}, "Quantity more than maximum 10000"),
        ({"runs": "2"}, "Incorrect interval"),
        ({"runs": "0", "interval": "5"}, "Incorrect runs"),
        ({"service": "3", "runs": "2", "interval": "5"}, "Drip-feed is not available for this service"),
        ({"service": "101", "link": ""}, "Incorrect link"),
        ({"service": "102", "comments": " \n "}, "Incorrect comments"),
    ],
)
def test_a_wrong_add_is_refused_and_costs_nothing(
    ask: Caller, smm_panel: RunningSimulator, change: dict[str, str], error: str
) -> None:
    parameters = {"service": "1", "quantity": "100", "link": "https://example.com/p"} | change
    assert ask("add", **parameters) == {"error": error}
    assert smm_panel.balance() == Decimal("100")
    assert smm_panel.journal.effects() == ()


@pytest.mark.smm_panel(accounts=(AccountSettings(balance=Decimal("0.90")),))
def test_not_enough_funds(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask.add()
    answer = ask("add", service=1, quantity=50, link="https://example.com/q")
    assert answer == {"error": "Not enough funds on balance"}
    assert smm_panel.balance() == Decimal("0")


@pytest.mark.smm_panel(one_order_per_link=True)
def test_one_order_per_link_refuses_the_second(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = ask.add()
    assert (
        "You have active order" in ask("add", service=1, quantity=100, link="https://example.com/p")["error"]
    )
    smm_panel.set_status(order, "Completed")
    assert ask.add() == "1002"


@pytest.mark.smm_panel(
    accounts=(AccountSettings("one", "key-one"), AccountSettings("two", "key-two", Decimal("5"), "EUR"))
)
def test_accounts_do_not_see_each_other(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = ask.add()
    smm_panel.set_status(order, "Completed")
    assert ask("balance", key="key-two") == {"balance": "5.00000", "currency": "EUR"}
    assert ask("status", key="key-two", order=order) == {"error": "Incorrect order ID"}
    assert ask("refill", key="key-two", order=order) == {"error": "Incorrect order ID"}
    assert ask("refill", order=order) == {"refill": "1"}
    assert ask("refill_status", key="key-two", refill=1) == {"error": "Refill not found"}
    assert ask("cancel", key="key-two", orders=order)[0]["cancel"] == {"error": "Incorrect order ID"}


def test_an_order_goes_from_pending_through_progress_to_its_end(
    ask: Caller, smm_panel: RunningSimulator
) -> None:
    order = smm_panel.add_order(1, 1000, course=Course(60, 60, 100, "Completed"))
    seen = []
    for step in (0, 60, 60, 25, 25, 50):
        smm_panel.advance(step)
        answer = ask("status", order=order)
        seen.append((answer["status"], answer["remains"]))
    assert seen == [
        ("Pending", "1000"),
        ("Processing", "1000"),
        ("In progress", "1000"),
        ("In progress", "750"),
        ("In progress", "500"),
        ("Completed", "0"),
    ]


def test_a_stuck_order_never_ends(smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, course=Course(0, 0, 100, None, 0.3))
    smm_panel.advance(timedelta(days=365))
    assert (smm_panel.orders[order].status, smm_panel.orders[order].remains) == ("In progress", 700)


@pytest.mark.parametrize(
    ("service", "end", "back"),
    [(1, "Partial", "0.36000"), (4, "Partial", "0"), (1, "Canceled", "0.36000"), (1, "Error", "0")],
)
def test_the_undelivered_rest_is_refunded_where_the_service_does(
    smm_panel: RunningSimulator, service: int, end: str, back: str
) -> None:
    smm_panel.add_order(service, 1000, course=Course(0, 0, 100, end, 0.6))
    smm_panel.advance(100)
    smm_panel.advance(100)
    assert smm_panel.balance() == Decimal("100") + Decimal(back)
    assert sum(entry.amount for entry in smm_panel.journal.refunds()) == Decimal(back)


def test_refunded_gives_everything_back_once(smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="Partial", remains=400)
    smm_panel.set_status(order, "Refunded")
    smm_panel.set_status(order, "Refunded")
    assert [entry.amount for entry in smm_panel.journal.refunds()] == [Decimal("0.36"), Decimal("0.54")]
    assert smm_panel.orders[order].charge == 0


def life(seed: int, dialect: str = "classic") -> list[bytes]:
    """Every answer of a fixed day with a panel of this seed."""
    simulator = Simulator(SimulatorSettings(seed=seed, speed=0, dialect=dialect))  # type: ignore[arg-type]
    answers = []

    def ask(**form: str) -> None:
        answers.append(simulator.api.answer({"key": simulator.key, **form}).body)

    for number in range(20):
        ask(action="add", service="1", quantity="500", link=f"https://example.com/{number}")
    ids = ",".join(simulator.orders)
    for _ in range(12):
        simulator.advance(timedelta(minutes=15))
        ask(action="status", orders=ids)
        ask(action="refill", orders=ids)
        ask(action="balance")
    return answers


def test_a_seed_reproduces_every_answer() -> None:
    assert life(7) == life(7)
    assert life(7) != life(8)


@given(seed=st.integers(0, 2**64), number=st.integers(0, 2**40))
def test_a_course_depends_on_seed_and_number_alone(seed: int, number: int) -> None:
    assert Script().course(seed, number) == Script().course(seed, number)


@given(
    seed=st.integers(0, 1000),
    number=st.integers(0, 10**9),
    quantity=st.integers(1, 10**6),
    ages=st.lists(st.floats(-100, 20_000), min_size=2, max_size=20),
)
def test_remains_only_shrink_and_an_end_stays(
    seed: int, number: int, quantity: int, ages: list[float]
) -> None:
    course = Script().course(seed, number)
    looks = [course.look(age, quantity) for age in sorted(ages)]
    remains = [left for _, left in looks]
    ended = [status for status, _ in looks if status in ENDED]
    assert remains == sorted(remains, reverse=True)
    assert len(set(ended)) <= 1
    assert [status in ENDED for status, _ in looks] == sorted(status in ENDED for status, _ in looks)


def test_a_partial_order_misses_at_least_one() -> None:
    assert Course(0, 0, 100, "Partial", 1.0).look(100, 1000) == ("Partial", 1)


def test_outcomes_follow_their_weights() -> None:
    script = Script(completed=1, partial=1, canceled=1, stuck=1, error=0)
    ends = [script.course(3, number).end for number in range(4000)]
    shares = {end: round(ends.count(end) / 4000, 1) for end in set(ends)}
    assert set(shares) == {"Completed", "Partial", "Canceled", None}
    assert all(0.2 <= share <= 0.3 for share in shares.values())


def test_a_script_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="one above 0"):
        Script(completed=0, partial=0, canceled=0, stuck=0, error=0)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "drip", "cancel", "refill", "advance"]), st.integers(0, 30)),
        max_size=30,
    )
)
def test_no_money_appears_or_vanishes(steps: list[tuple[str, int]]) -> None:
    """Whatever is asked, the balance is what came in, less what orders took, plus what was refunded."""
    simulator = Simulator(SimulatorSettings(speed=0, script=Script(1, 1, 1, 1, 1)))
    for action, number in steps:
        form = {"key": simulator.key, "action": action, "service": "1", "quantity": str(50 + 7 * number)}
        form |= {"link": "https://example.com/p", "order": str(1001 + number), "orders": str(1001 + number)}
        if action == "advance":
            simulator.advance(60 * number)
            continue
        if action == "drip":
            form |= {"action": "add", "runs": "3", "interval": "10"}
        simulator.api.answer(form)
    assert simulator.balance() == Decimal("100") - simulator.journal.spent()
