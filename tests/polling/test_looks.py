"""Looks at balance and catalogue: when they are due, and what rules make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.ledger.records import DatedBalance
from smm_rules.panel.answers import Balance
from smm_rules.polling import catalogue
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.watch import PanelWatch
from tests.polling.world import FOLLOWERS, HOUR, MINUTE, PACE, T0, World

LOW = """
rules:
  - name: low
    watch: balance
    when: amount < 20
    until: amount > 25
    remind: 6h
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
    done: [{notify: {channel: ops, message: "topped up"}}]
"""
DEARER = """
rules:
  - name: dearer
    watch: service
    when: rate_increase >= 0.10
    for: 1h
    do: [{notify: {channel: ops, message: "{{ service.id }} costs {{ rate }}"}}]
"""


def money(amount: str) -> Balance:
    return Balance(Decimal(amount), "USD")


async def test_a_balance_is_read_when_it_is_due(world: World) -> None:
    watch = await world.watch()
    assert await look_at_balance(watch) == world.panel.money
    assert await look_at_balance(watch) is None
    world.clock.move(PACE.balance)
    assert await look_at_balance(watch) == world.panel.money
    assert world.panel.times_asked("balance") == 2


async def test_a_balance_is_dated_by_its_question(world: World) -> None:
    """What the panel books while it is being asked may be missing in its answer."""
    watch = await world.watch()

    class Slow:
        async def balance(self) -> Balance:
            world.clock.move(MINUTE)
            return money("50")

    await look_at_balance(replace(watch, client=Slow()))  # type: ignore[arg-type]  # asked nothing else
    reading = DatedBalance(Decimal(50), "USD", T0, T0 + MINUTE)
    assert await world.ledger.balance(watch.panel) == reading


async def test_a_low_balance_has_hysteresis_and_reminders(world: World) -> None:
    world.use(LOW)
    world.panel.money = money("12")
    watch = await world.watch()
    told = []
    for amount, passing in (("12", 0 * HOUR), ("22", HOUR), ("22", 5 * HOUR), ("26", HOUR)):
        world.panel.money = money(amount)
        world.clock.move(passing)
        await look_at_balance(watch)
        told.append(await world.told())
    assert told == [
        ["12 left"],
        ["12 left"],
        ["12 left", "22 left"],
        ["12 left", "22 left", "topped up"],
    ]


async def test_a_reminder_is_due_at_its_own_time(world: World) -> None:
    world.use(LOW.replace("6h", "7m"))
    world.panel.money = money("12")
    watch = await world.watch()
    await look_at_balance(watch)
    world.clock.move(PACE.balance)
    await look_at_balance(watch)
    assert watch.standing.balance is not None
    assert watch.standing.balance.due_at == T0 + 7 * MINUTE


async def test_a_restart_in_the_middle_of_a_low_balance_tells_nothing_twice(world: World) -> None:
    world.use(LOW)
    world.panel.money = money("12")
    await look_at_balance(await world.watch())
    world.clock.move(PACE.balance)
    await look_at_balance(await world.watch())
    assert await world.told() == ["12 left"]


async def test_a_panel_that_makes_up_services_is_not_given_the_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "MOST_SERVICES_KNOWN", 5)
    watch = await world.watch()
    for turn in range(3):
        world.panel.catalogue = tuple(replace(FOLLOWERS, id=f"{turn}{number}") for number in range(3))
        await look_at_catalogue(watch)
        world.clock.move(PACE.catalogue)
    assert list(watch.standing.services) == ["00", "01", "02", "10", "11"]


def of_catalogue(watch: PanelWatch) -> tuple[set[str], set[str]]:
    """The services that are offered, and those gone."""
    gone = {name for name, item in watch.standing.services.items() if item.facts["gone"] is True}
    return watch.standing.services.keys() - gone, gone


async def test_a_catalogue_that_is_cut_short_is_no_delisting(world: World) -> None:
    watch = await world.watch()
    whole = tuple(replace(FOLLOWERS, id=str(number)) for number in range(50))
    few = (replace(FOLLOWERS, id="0", rate=Decimal("9.99")),)
    everything = {one.id for one in whole}
    for answer in (whole, few, whole, few):
        world.panel.catalogue = answer
        assert await look_at_catalogue(watch) == len(answer)
        assert of_catalogue(watch) == (everything, set())
        assert await look_at_catalogue(watch) == 0, "it isn't asked again at once"
        world.clock.move(PACE.catalogue)
    assert watch.standing.services["0"].facts["rate"] == Decimal("9.99"), "what it has is read"
    assert await look_at_catalogue(watch) == 1
    assert of_catalogue(watch) == ({"0"}, everything - {"0"})


@pytest.mark.parametrize(("known", "left"), [(20, 1), (50, 26)])
async def test_a_few_or_fewer_than_half_are_gone_at_once(world: World, known: int, left: int) -> None:
    watch = await world.watch()
    for count in (known, left):
        world.panel.catalogue = tuple(replace(FOLLOWERS, id=str(number)) for number in range(count))
        await look_at_catalogue(watch)
        world.clock.move(PACE.catalogue)
    assert len(of_catalogue(watch)[1]) == known - left


async def test_a_catalogue_is_read_again_at_the_end_of_a_hold(world: World) -> None:
    world.use(DEARER)
    watch = await world.watch()
    assert await look_at_catalogue(watch) == 1
    world.panel.catalogue = (replace(FOLLOWERS, rate=Decimal("2.50")),)
    world.clock.move(PACE.catalogue)
    await look_at_catalogue(watch)
    world.clock.move(HOUR - timedelta(seconds=1))
    assert await look_at_catalogue(watch) == 0
    world.clock.move(timedelta(seconds=1))
    assert await look_at_catalogue(watch) == 1
    assert await world.told() == ["1 costs 2.50"]


async def test_a_catalogue_that_is_wanted_is_read_before_its_time(world: World) -> None:
    watch = await world.watch()
    await look_at_catalogue(watch)
    watch.standing.catalogue_wanted = True
    assert await look_at_catalogue(watch) == 1
    assert await look_at_catalogue(watch) == 0


async def test_rules_see_how_fresh_the_catalogue_is(world: World) -> None:
    world.use(
        DEARER.replace("rate_increase >= 0.10", "panel.catalogue_age < 1m").replace("    for: 1h\n", "")
    )
    await look_at_catalogue(await world.watch())
    assert await world.told() == ["1 costs 2.00"]
