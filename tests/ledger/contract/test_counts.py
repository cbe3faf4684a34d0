"""What is counted as it changes is what counting it all comes to, whatever was done."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.facts import EntityKind
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, NewOrder
from tests.ledger.builders import DAY, NOTHING, T0, draft, ended, fired, firing, order, planned, refill
from tests.ledger.conftest import Opener

_EPISODES = count(1)
_NAMES = st.tuples(st.integers(1, 6), st.sampled_from(["east", "north"]))
_STEPS = st.one_of(
    st.tuples(st.just("track"), st.lists(_NAMES, max_size=5)),
    st.tuples(st.just("forget"), st.lists(_NAMES, max_size=3)),
    st.tuples(st.just("made by an action"), st.lists(_NAMES, min_size=1, max_size=1)),
    st.tuples(st.just("refilled, and forgotten"), st.lists(_NAMES, min_size=1, max_size=1)),
)


async def _counted(ledger: Ledger) -> int:
    return len(await ledger.watched_page(EntityKind.ORDER, None, None, 100))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEPS, min_size=1, max_size=6))
async def test_the_orders_watched_are_counted_right_whatever_is_done(
    ledger: Ledger, steps: list[tuple[str, list[tuple[int, str]]]]
) -> None:
    """The examples go on with the ledger that those before them have left."""
    for what, names in steps:
        for number, panel in names[1:] if what == "track" else names:
            await _do(ledger, what, number, panel)
        if what == "track":
            await ledger.track([NewOrder(order(*name)) for name in names], T0)
        assert (await ledger.totals(T0)).orders == await _counted(ledger)


async def _do(ledger: Ledger, what: str, number: int, panel: str) -> None:
    match what:
        case "track":
            await ledger.track([NewOrder(order(number, panel))], T0)
        case "forget":
            await ledger.forget(order(number, panel), T0)
        case "made by an action":
            await _settle(ledger, NewOrder(order(number, panel)), None)
        case _:
            await _settle(ledger, None, number)
            await ledger.forget(refill(number), T0)


async def _settle(ledger: Ledger, made: NewOrder | None, refilled: int | None) -> None:
    """An action that made an order or a refill, on order 1, which may be forgotten."""
    episode: datetime = T0 + timedelta(hours=next(_EPISODES))
    await ledger.track([NewOrder(order(1))], T0)
    recorded = await ledger.record(fired(planned(firing(episode=episode), draft()), at=episode))
    [intent] = recorded.intents
    assert await ledger.claim(intent, "d1", episode + DAY, {})
    asked = None if refilled is None else refill(refilled)
    outcome = ended(IntentState.CONFIRMED, tracked=made, refill=asked)
    await ledger.settle(intent, outcome, NOTHING, episode + DAY, "d1")


async def test_processes_that_track_the_same_orders_at_once_count_each_of_them_once(
    open_ledger: Opener,
) -> None:
    one, other = await open_ledger(), await open_ledger()
    batches = [[NewOrder(order(number)) for number in range(first, first + 30)] for first in (0, 10, 20, 0)]
    await asyncio.gather(
        *(ledger.track(batch, T0) for ledger, batch in zip([one, other] * 2, batches, strict=True)),
        *(ledger.forget(order(5), T0) for ledger in (one, other)),
    )
    assert (await one.totals(T0)).orders == await _counted(other)
    await one.aclose()
    await other.aclose()
