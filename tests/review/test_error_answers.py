"""An error instead of a status confirms nothing: no rule fires on what the panel said before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.engine.snapshots import complete
from smm_rules.facts import UNKNOWN, EntityKind
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.answers import RefillState, Refused
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.refills import sweep_refills
from tests.polling.world import MINUTE, PACE, REFILL, World, state


@pytest.fixture
async def polled(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(tmp_path, ledger)


async def test_a_hold_does_not_end_on_an_error(polled: World) -> None:
    polled.use(REFILL)
    polled.panel.orders["1"] = state("Partial", 157)
    await polled.track("1")
    watch = await polled.acquainted()
    await sweep_orders(watch)

    polled.panel.orders["1"] = Refused("The panel is in maintenance")
    await polled.later(watch, 5 * MINUTE)
    await polled.later(watch, 5 * MINUTE)
    on_errors = await polled.intents()
    polled.panel.orders["1"] = state("Partial", 157)
    await polled.later(watch, 5 * MINUTE)

    assert on_errors == []
    assert [intent[:3] for intent in await polled.intents()] == [("top-up", "1", "planned")]


async def test_a_rule_on_the_error_itself_fires(polled: World) -> None:
    polled.use(
        """
rules:
  - name: gone
    watch: order
    when: error != ""
    do: [{notify: {channel: ops, message: "{{ order.id }}: {{ order.error }}, {{ order.link }}"}}]
"""
    )
    polled.panel.orders["1"] = state("Partial", 157)
    await polled.track("1")
    watch = await polled.acquainted()
    await sweep_orders(watch)
    polled.panel.orders["1"] = Refused("Incorrect order ID")
    await polled.later(watch, 5 * MINUTE)

    assert await polled.told() == ["1: Incorrect order ID, https://example.com/1"]
    assert await polled.status("1") == "Partial"  # what was last known is kept for whoever looks


async def test_a_refill_does_not_fire_on_an_error(polled: World) -> None:
    polled.use(
        """
rules:
  - name: rejected
    watch: refill
    when: status == "Rejected"
    for: 15m
    do: [{notify: {channel: ops, message: rejected}}]
"""
    )
    await polled.track("1")
    await polled.track_refill("7", "1")
    polled.panel.refills["7"] = RefillState("Rejected", True)
    watch = await polled.acquainted()
    await sweep_refills(watch)
    polled.panel.refills["7"] = Refused("try later")
    polled.clock.move(PACE.refills)
    await sweep_refills(watch)

    assert await polled.told() == []


def test_what_the_panel_did_not_say_stands_beside_an_error() -> None:
    own = {
        "id": "1",
        "error": "no",
        "status": "Partial",
        "remains": 5,
        "progress": 1,
        "link": "x",
        "refills": 2,
    }
    facts = complete(EntityKind.ORDER, own, {"service.refill": True})

    unknown = {name for name in ("status", "remains", "progress") if facts[name] is UNKNOWN}
    assert unknown == {"status", "remains", "progress"}
    known = {name: facts[name] for name in ("id", "error", "link", "refills", "service.refill")}
    assert known == {"id": "1", "error": "no", "link": "x", "refills": 2, "service.refill": True}
