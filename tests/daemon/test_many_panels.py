"""The daemon with several panels over real sockets: reorders elsewhere, and the mapping read again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.simulator import RunningSimulator, SimulatorSettings
from tests.daemon.household import LOG_CHANNEL, MINUTE, Household, eventually, order
from tests.daemon.test_reload import reloads

ELSEWHERE = """
rules:
  - name: elsewhere
    watch: order
    when: status == "Canceled"
    first_seen: act
    do:
      - reorder: {panel: cheapest}
    limit: {per_order: 1}
"""
MAPPING = "services:\n  - {name: a, state: confirmed, services: {north: 1, south: 2}}\n"


@pytest.fixture
def doors() -> Iterator[ExitStack]:
    """Closes the panel in the south; a test may do so earlier."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def south(household: Household, doors: ExitStack) -> RunningSimulator:
    """Another panel, at which service 2 is what service 1 is in the north, at a tenth of its price."""
    panel = doors.enter_context(RunningSimulator(SimulatorSettings(speed=0.0)))
    row = next(service for service in household.panel.services() if service.id == 1)
    panel.remove_service(2)
    panel.put_service(replace(row, id=2, rate=row.rate / Decimal(10)))
    household.environment["SOUTH_KEY"] = panel.key
    more = (
        f"  - {{name: south, url: {panel.url}, key: {{env: SOUTH_KEY}}, requests_per_minute: 6000, "
        "timeout: 20s, poll: {orders: 25m, refills: 25m, balance: 25m, catalogue: 6h}}\n"
    )
    household.mended = lambda text: text.replace("rules: rules.yaml", f"{more}rules: rules.yaml")
    household.settings = LOG_CHANNEL + "services: services.yaml\n"
    (household.directory / "services.yaml").write_text(MAPPING)
    household.write_rules(ELSEWHERE)
    return panel


async def acquainted(household: Household) -> bool:
    """Whether both catalogues and balances are known."""
    read = [
        await household.ledger.watched(Entity(kind, panel, number))
        for panel, service in (("north", "1"), ("south", "2"))
        for kind, number in ((EntityKind.SERVICE, service), (EntityKind.BALANCE, ""))
    ]
    return all(read)


async def test_a_canceled_order_is_ordered_again_at_the_cheapest_panel(
    household: Household, south: RunningSimulator
) -> None:
    async with household.living():
        await eventually(lambda: acquainted(household))
        name = household.panel.add_order(1, status="Canceled")
        await household.track(name)
        await eventually(lambda: south.journal.orders_made())

    [made] = south.journal.orders_made()
    known = await household.ledger.order(Entity(EntityKind.ORDER, "south", made.order))
    assert known is not None
    assert (known.parent, known.service) == (order(name), "2")
    assert household.panel.journal.orders_made() == ()


async def test_a_panel_that_is_gone_is_left_for_the_next(
    household: Household,
    south: RunningSimulator,
    doors: ExitStack,
) -> None:
    async with household.living():
        await eventually(lambda: acquainted(household))
        doors.close()
        name = household.panel.add_order(1, status="Canceled")
        await household.track(name)

        async def gone_on() -> bool:
            household.clock.move(timedelta(seconds=20))
            return bool(household.panel.journal.orders_made())

        await eventually(gone_on)

    assert len(household.panel.journal.orders_made()) == 1
    assert await household.intents() == [("elsewhere", name, "not_sent"), ("elsewhere", name, "confirmed")]


async def test_the_mapping_is_read_again_with_the_rules_whole_or_not_at_all(
    household: Household, south: RunningSimulator
) -> None:
    file = household.directory / "services.yaml"
    async with household.living() as daemon:
        await eventually(lambda: acquainted(household))
        file.write_text(MAPPING.replace("south: 2", "nowhere: 2"))
        daemon.reload()
        await reloads(daemon, "failed")
        first, second = (household.panel.add_order(1, status="Canceled") for _ in range(2))
        await household.track(first)
        await eventually(lambda: len(south.journal.orders_made()) == 1)
        file.write_text(MAPPING.replace("confirmed", "refused"))
        daemon.reload()
        await reloads(daemon, "done")
        household.clock.move(MINUTE)
        await household.track(second)
        await eventually(lambda: _ended(household, second))

    assert len(south.journal.orders_made()) == 1
    assert ("elsewhere", second, "not_sent") in await household.intents()


async def _ended(household: Household, name: str) -> bool:
    return any(entity == name and state == "not_sent" for _, entity, state in await household.intents())
