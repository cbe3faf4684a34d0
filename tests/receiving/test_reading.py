"""`GET /orders/{panel}/{order}`: an order as it was last read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import NewOrder, Sweep
from tests.ledger.builders import observed
from tests.receiving.desk import READER, Desk
from tests.web.shop import NOW

FIRST, AGAIN = Entity(EntityKind.ORDER, "north", "1"), Entity(EntityKind.ORDER, "north", "2")


async def test_an_order_is_told_as_it_was_read(desk: Desk) -> None:
    await desk.ledger.track([NewOrder(FIRST, "7", {"quantity": "100"}, NOW, "mine")], NOW)
    await desk.ledger.track([NewOrder(AGAIN, "7", parent=FIRST)], NOW)
    facts = {"status": "Partial", "remains": 12, "charge": Decimal("1.20"), "currency": "USD"}
    await desk.ledger.record(Sweep(NOW, (observed(FIRST, facts),)))
    assert (await desk.get("/orders/north/1", READER)).json() == {
        "order": "1", "panel": "north", "service": "7", "parameters": {"quantity": "100"}, "label": "mine",
        "placed_at": "2026-03-08T15:00:00Z", "tracked_at": "2026-03-08T15:00:00Z", "watched": True,
        "status": "Partial", "remains": 12, "start_count": None, "charge": "1.20", "currency": "USD",
        "error": "", "refills": 0, "replaces": None, "seen_at": "2026-03-08T15:00:00Z",
    }  # fmt: skip
    again = (await desk.get("/orders/north/2", READER)).json()
    assert (again["replaces"], again["status"], again["seen_at"]) == ("north/1", None, None)


async def test_a_forgotten_order_is_told_as_such(desk: Desk) -> None:
    await desk.ledger.track([NewOrder(FIRST)], NOW)
    await desk.ledger.forget(FIRST, NOW)
    assert (await desk.get("/orders/north/1")).json()["watched"] is False


@pytest.mark.parametrize(
    "path", ["north/2", "south/1", "north/%00", "north/%ff", "a%2Fb/1", "north/" + "9" * 900]
)
async def test_an_order_that_is_not_there(desk: Desk, path: str) -> None:
    await desk.ledger.track([NewOrder(FIRST)], NOW)
    assert (await desk.get(f"/orders/{path}")).status_code == 404
