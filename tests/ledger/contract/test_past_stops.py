"""Stops that have ended are kept as long as other history; a breaker's last end for good."""

from __future__ import annotations

import pytest

from smm_rules.ledger.port import Ledger
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from tests.ledger.builders import DAY, MINUTE, T0


async def _ended(ledger: Ledger, kind: StopKind, name: str = "north", days: int = 0) -> Stop:
    began = T0 + days * DAY
    stop = await ledger.stop(kind, StopScope.PANEL, name, "drill", "operator:ann", began)
    await ledger.end_stop(stop.id, began + MINUTE, "operator:ann")
    return stop


async def _kept(ledger: Ledger) -> list[int]:
    return sorted(stop.id for stop in await ledger.stops(past=1_000))


async def test_a_stop_that_ended_before_is_dropped_and_a_later_one_stays(ledger: Ledger) -> None:
    await _ended(ledger, StopKind.PAUSE)
    later = await _ended(ledger, StopKind.PANIC, days=2)
    assert (await ledger.prune(T0 + DAY))["stops"] == 1
    assert await _kept(ledger) == [later.id]
    assert (await ledger.prune(T0 + 2 * DAY + MINUTE))["stops"] == 0
    assert (await ledger.prune(T0 + 2 * DAY + 2 * MINUTE))["stops"] == 1


@pytest.mark.parametrize("kind", list(StopKind))
async def test_what_still_stops_is_never_dropped(ledger: Ledger, kind: StopKind) -> None:
    stop = await ledger.stop(kind, StopScope.ALL, "", "drill", "operator:ann", T0, T0 + MINUTE)
    assert (await ledger.prune(T0 + 1_000 * DAY))["stops"] == 0
    assert await _kept(ledger) == [stop.id]


async def test_the_last_end_of_each_breaker_stays(ledger: Ledger) -> None:
    """What went wrong before it must not count a second time, however long ago that is."""
    await _ended(ledger, StopKind.BREAKER)
    last = await _ended(ledger, StopKind.BREAKER, days=1)
    other = await _ended(ledger, StopKind.BREAKER, "south")
    await _ended(ledger, StopKind.SWEEP)
    assert (await ledger.prune(T0 + 1_000 * DAY))["stops"] == 2
    assert await _kept(ledger) == [last.id, other.id]
