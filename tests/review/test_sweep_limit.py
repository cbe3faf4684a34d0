"""`per_sweep` bounds a whole round of looks: the orders of a panel come due one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.engine.urgency import Bounds
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.watch import PanelWatch
from tests.polling.world import MINUTE, PACE, World, state

RULE = """
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    first_seen: act
    do: [reorder]
    limit: {per_order: 1, per_sweep: 3}
"""
TELL = """
rules:
  - name: tell
    watch: order
    when: status == "Canceled"
    do: [{notify: {channel: ops, message: "{{ order.id }}"}}]
    limit: {per_sweep: 3}
"""


@pytest.fixture
async def polled(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(tmp_path, ledger)


async def cancel_in_turn(
    polled: World, first: int, most: int, pause: timedelta, bounds: Bounds | None = None
) -> None:
    """Let orders come due two by two, `pause` apart, each canceled when it is first looked at."""
    watch = await polled.acquainted()
    watch.pace = replace(watch.pace, bounds=bounds)
    for number in range(first, most, 2):
        names = (str(number), str(number + 1))
        polled.panel.orders |= {name: state("Canceled", 10) for name in names}
        await polled.track(*names)
        await sweep_orders(watch)
        polled.clock.move(pause)


def states(intents: list[tuple[str, str, str, str]]) -> Counter[str]:
    return Counter(state_ for _, _, state_, _ in intents)


async def test_what_many_small_sweeps_would_do_is_held_as_what_one_would(polled: World) -> None:
    """A panel that answers nonsense for a while cancels all orders; none of its sweeps is large."""
    polled.use(RULE)

    await cancel_in_turn(polled, 1, 41, timedelta(seconds=5))

    assert states(await polled.intents()) == {"planned": 2, "held": 38}
    assert await stopped(polled) == ["again"]


async def stopped(polled: World) -> list[str]:
    """The rules that were stopped, each told to the operator once, by whoever minds the brakes."""
    assert "sweep" not in await polled.operator_told()
    return [stop.name for stop in await polled.ledger.stops()]


async def test_what_comes_within_the_limit_round_by_round_is_not_held(polled: World) -> None:
    polled.use(RULE)

    await cancel_in_turn(polled, 1, 21, PACE.orders + MINUTE)

    assert states(await polled.intents()) == {"planned": 20}


async def test_a_round_lasts_as_long_as_the_slowest_order_may_take(polled: World) -> None:
    """Orders with a pace of their own: what cancels all at once is found out over an hour."""
    polled.use(RULE)

    await cancel_in_turn(polled, 1, 21, PACE.orders + MINUTE, Bounds(MINUTE, 60 * MINUTE))

    assert states(await polled.intents()) == {"planned": 2, "held": 18}
    assert await stopped(polled) == ["again"]


async def test_what_only_tells_is_bounded_look_by_look(polled: World) -> None:
    polled.use(TELL)

    await cancel_in_turn(polled, 1, 21, timedelta(seconds=5))

    assert len(await polled.told()) == 20


CHAIN = """
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    first_seen: act
    do: [reorder]
    limit: {per_order: 9, every: 0s, per_chain: 1, per_sweep: 3}
"""


async def with_four_chains_at_their_end(polled: World) -> PanelWatch:
    """Orders 1 to 4 have been ordered again once, are canceled anew, and are stopped at every look."""
    polled.use(CHAIN)
    watch = await polled.acquainted()
    for names in (("1", "2"), ("3", "4")):
        polled.panel.orders |= {name: state("Canceled", 10) for name in names}
        await polled.track(*names)
        await sweep_orders(watch)
        polled.clock.move(PACE.orders + MINUTE)
    for status in ("In progress", "Canceled", "Canceled"):
        polled.panel.orders |= {name: state(status, 10) for name in "1234"}
        await polled.later(watch, PACE.orders + MINUTE)
    assert states(await polled.intents()) == {"planned": 4}
    return watch


async def test_what_another_limit_stops_at_every_look_does_not_use_up_the_sweep(polled: World) -> None:
    watch = await with_four_chains_at_their_end(polled)
    polled.panel.orders["5"] = state("Canceled", 10)
    await polled.track("5")

    await polled.later(watch, PACE.orders + MINUTE)

    assert (await polled.intents())[-1] == ("again", "5", "planned", "")
    assert await stopped(polled) == []


async def test_a_limit_that_is_raised_lets_no_more_go_than_a_sweep_may(polled: World) -> None:
    watch = await with_four_chains_at_their_end(polled)
    polled.use(CHAIN.replace("per_chain: 1", "per_chain: 2"))

    await polled.later(watch, PACE.orders + MINUTE)

    assert states((await polled.intents())[4:]) == {"held": 4}
    assert await stopped(polled) == ["again"]
