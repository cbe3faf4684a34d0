"""`per_sweep` bounds a whole round of looks: the orders of a panel come due one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.polling.orders import sweep_orders
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


async def cancel_in_turn(polled: World, first: int, most: int, pause: timedelta) -> None:
    """Let orders come due two by two, `pause` apart, each canceled when it is first looked at."""
    watch = await polled.acquainted()
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
    assert await polled.operator_told() == ["sweep"]


async def test_what_comes_within_the_limit_round_by_round_is_not_held(polled: World) -> None:
    polled.use(RULE)

    await cancel_in_turn(polled, 1, 21, PACE.orders + MINUTE)

    assert states(await polled.intents()) == {"planned": 20}


async def test_what_only_tells_is_bounded_look_by_look(polled: World) -> None:
    polled.use(TELL)

    await cancel_in_turn(polled, 1, 21, timedelta(seconds=5))

    assert len(await polled.told()) == 20
