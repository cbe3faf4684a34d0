"""What changed in panels' catalogues, as every back end tells it."""

from __future__ import annotations

from datetime import datetime, timedelta

from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.figures import KeptChange
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import Sweep
from tests.ledger.builders import DAY, T0, observed, order

HOUR = timedelta(hours=1)
END = T0 + 30 * DAY


def service(number: int, panel: str = "north") -> Entity:
    return Entity(EntityKind.SERVICE, panel, str(number))


async def look(ledger: Ledger, at: datetime, *seen: tuple[Entity, Facts, bool]) -> None:
    await ledger.record(Sweep(at, tuple(observed(entity, facts, new) for entity, facts, new in seen)))


async def _a_week(ledger: Ledger) -> None:
    """Two services; a day later one is sold by five only; another day later a third one is there."""
    one: Facts = {"name": "One", "min": 1}
    two: Facts = {"name": "Two", "min": 1}
    await look(ledger, T0, (service(1), one, True), (service(2), two, True))
    await look(ledger, T0 + HOUR, (service(1, "south"), one, True))
    await look(ledger, T0 + DAY, (service(1), one | {"min": 5}, True), (service(2), two, False))
    await look(ledger, T0 + 2 * DAY, (service(3), {"name": "Three"}, True))
    await look(ledger, T0 + 2 * DAY, (service(1, "south"), one | {"gone": True}, True))
    await look(ledger, T0 + 3 * DAY, (service(1), one, True))


async def test_changes_come_with_what_was_before_the_newest_first(ledger: Ledger) -> None:
    await _a_week(ledger)
    one: Facts = {"name": "One", "min": 1}
    five: Facts = {"name": "One", "min": 5}
    assert await ledger.catalogue_changes(None, T0, END, 10) == (
        KeptChange(service(1), T0 + 3 * DAY, five, one, False),
        KeptChange(service(3), T0 + 2 * DAY, None, {"name": "Three"}, True),
        KeptChange(service(1, "south"), T0 + 2 * DAY, one, one | {"gone": True}, False),
        KeptChange(service(1), T0 + DAY, one, five, False),
    )


async def test_they_are_of_one_panel_within_a_time_and_not_too_many(ledger: Ledger) -> None:
    await _a_week(ledger)

    async def found(panel: str | None, since: datetime, until: datetime, limit: int = 10) -> list[str]:
        changes = await ledger.catalogue_changes(panel, since, until, limit)
        return [f"{one.service.panel}/{one.service.id}" for one in changes]

    assert await found("south", T0 - DAY, END) == ["south/1"]
    assert await found("west", T0 - DAY, END) == []
    assert await found(None, T0 + DAY, T0 + 2 * DAY) == ["north/3", "south/1"]
    assert await found("north", T0, END, 1) == ["north/1"]


async def test_what_the_first_catalogue_held_is_no_change(ledger: Ledger) -> None:
    await look(ledger, T0, (service(1), {"name": "One"}, True))
    assert await ledger.catalogue_changes(None, T0 - DAY, END, 10) == ()


async def test_orders_are_no_services(ledger: Ledger) -> None:
    await _a_week(ledger)
    await ledger.record(Sweep(T0 + 4 * DAY, (observed(order(1), {"status": "Partial"}),)))
    assert len(await ledger.catalogue_changes(None, T0, END, 10)) == 4


async def test_a_change_after_what_was_pruned_still_knows_what_was_before(ledger: Ledger) -> None:
    await look(ledger, T0, (service(1), {"min": 1}, True), (service(2), {"min": 1}, True))
    await look(ledger, T0 + 9 * DAY, (service(1), {"min": 2}, True))
    await ledger.prune(T0 + 5 * DAY)
    [found] = await ledger.catalogue_changes(None, T0 + 6 * DAY, END, 10)
    assert (found.before, found.after, found.new) == ({"min": 1}, {"min": 2}, False)
