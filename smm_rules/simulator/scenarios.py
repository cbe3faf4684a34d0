"""What a panel starts with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from smm_rules.simulator import sales
from smm_rules.simulator.bulk import BulkOrders
from smm_rules.simulator.catalogue import Service, ServiceType
from smm_rules.simulator.course import Script, straight
from smm_rules.simulator.orders import Account
from smm_rules.simulator.placing import check_purchase
from smm_rules.simulator.samples import sample_parameters
from smm_rules.simulator.settings import SimulatorSettings
from smm_rules.simulator.statuses import Status

if TYPE_CHECKING:
    from smm_rules.simulator.simulator import Simulator

#: The scenarios by name; those marked take a number, as in `steady:100000`.
SCENARIOS = {
    "empty": "a catalogue and no orders",
    "mission": "five orders; one goes Partial and may be refilled, one Partial and may not, one is Canceled, "
    "and the balance falls below 20, all within five panel minutes",
    "all-types": "one order of every service type",
    "steady": "N orders that hold still (all, or all but the settings' changing_share)",
    "moving": "N orders of the past day, each on its own seeded course",
}
_NUMBERED = frozenset({"steady", "moving"})
_MOST_BULK = 10_000_000

#: The script under which nothing that is ordered later goes wrong: a demonstration ends where it is meant to.
CALM = Script(
    completed=1,
    partial=0,
    canceled=0,
    stuck=0,
    error=0,
    pending=(timedelta(minutes=1), timedelta(minutes=2)),
    processing=(timedelta(0), timedelta(0)),
    delivery=(timedelta(minutes=20), timedelta(minutes=40)),
    surplus_share=0,
    unknown_start_share=0,
    refill_rejected_share=0,
    refill_pending=(timedelta(minutes=1), timedelta(minutes=2)),
    refill_working=(timedelta(minutes=3), timedelta(minutes=5)),
)

#: The mission's start and what another buyer on the same account spends in its fifth minute.
MISSION_BALANCE = Decimal("46.50")
MISSION_SPENT_ELSEWHERE = Decimal("30.00")


def parse_scenario(text: str) -> tuple[str, int]:
    """Name and number of a scenario as written; `ValueError` says what there is."""
    name, colon, count = text.partition(":")
    if name not in SCENARIOS:
        raise ValueError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    if name not in _NUMBERED:
        if colon:
            raise ValueError(f"scenario {name!r} takes no number")
        return name, 0
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= _MOST_BULK:
        raise ValueError(f"write {name}:N with N from 1 to {_MOST_BULK:,}, not {text!r}")
    return name, int(count)


def adapted(settings: SimulatorSettings) -> SimulatorSettings:
    """The settings as their scenario needs them; `ValueError` for a scenario there isn't."""
    name, _ = parse_scenario(settings.scenario)
    if name != "mission":
        return settings
    first, *others = settings.accounts
    accounts = (replace(first, balance=MISSION_BALANCE), *others)
    return replace(settings, script=CALM, accounts=accounts)


def prepare(simulator: Simulator) -> None:
    """Bring the simulator into its scenario's first state."""
    name, count = parse_scenario(simulator.settings.scenario)
    if name == "mission":
        _mission(simulator)
    elif name == "all-types":
        _all_types(simulator)
    elif name in _NUMBERED:
        _bulk(simulator, count, moving=name == "moving")


def _mission(simulator: Simulator) -> None:
    """Services 1 and 4 of the bundled catalogue: 4 owes the rest of a Partial order, 1 has refunded it."""
    book = simulator.book
    account = _first_account(simulator)
    plan = (
        (4, 1000, straight(Status.PARTIAL, timedelta(minutes=2), 0.843)),
        (1, 1000, straight(Status.PARTIAL, timedelta(minutes=3), 0.6)),
        (2, 500, straight(Status.CANCELED, timedelta(minutes=4), 0.0)),
        (1, 800, straight(Status.COMPLETED, timedelta(minutes=4))),
        (3, 50_000, straight(Status.COMPLETED, timedelta(hours=10))),
    )
    for place, (service, quantity, course) in enumerate(plan):
        simulator.add_order(service, quantity, f"https://example.com/post/{place + 1}", course=course)
    book.timeline.at(
        book.start + 300,
        lambda when: simulator.change_balance(account, -MISSION_SPENT_ELSEWHERE, when),
    )


def _all_types(simulator: Simulator) -> None:
    book, account = simulator.book, _first_account(simulator)
    for service in simulator.services():
        parameters = sample_parameters(service)
        sales.place(book, account, check_purchase(service, parameters), parameters, book.start)


def _bulk(simulator: Simulator, count: int, moving: bool) -> None:
    settings, book = simulator.settings, simulator.book
    services: tuple[Service, ...] = tuple(
        service for service in simulator.services() if service.type == ServiceType.DEFAULT
    )
    if not services:
        raise ValueError(f"scenario {settings.scenario!r} needs a Default service in the catalogue")
    book.load_bulk(
        BulkOrders(
            first=settings.first_order,
            count=count,
            account=_first_account(simulator),
            services=services,
            start=book.start,
            seed=settings.seed,
            script=settings.script if moving else None,
            changing_share=settings.changing_share,
        )
    )


def _first_account(simulator: Simulator) -> Account:
    return simulator.book.account(simulator.settings.accounts[0].label)
