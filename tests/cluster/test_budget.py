"""A panel's budget holds for all workers together; a paid call goes first; a pause is everybody's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from smm_rules.cluster.budget import POCKETED_SECONDS, SharedBudget, make_budgets
from smm_rules.panel.budget import shape
from smm_rules.panel.errors import NotSent
from smm_rules.panel.sending import machine_time
from tests.cluster.setting import PANEL, Site


async def budgets(here: Site, count: int, a_minute: int, connections: int = 10) -> list[SharedBudget]:
    await make_budgets(here.database, [PANEL])
    return [SharedBudget(here.database, PANEL, a_minute, connections) for _ in range(count)]


async def tokens(here: Site, number: float, rest: str = "") -> None:
    """Put so many tokens into the bucket."""
    statement = f"UPDATE budgets SET tokens = %s, counted_at = clock_timestamp() {rest}"
    await here.database.rows(statement, (number,))


async def test_all_workers_together_ask_no_more_than_is_allowed(here: Site) -> None:
    a_minute = 600
    burst, rate = shape(a_minute)
    began: list[float] = []

    async def ask(budget: SharedBudget) -> None:
        async with budget.turn(urgent=False):
            began.append(machine_time())

    shared = await budgets(here, 3, a_minute)
    await asyncio.gather(*(ask(budget) for budget in shared for _ in range(8)))
    began.sort()
    assert len(began) == 24
    for first, start in enumerate(began):
        for last in range(first, len(began)):
            allowed = burst + rate * (began[last] - start)
            # what lies between the server's word and the task that hears it may shift a turn a little
            assert last - first + 1 <= allowed + 2


async def test_a_paid_call_goes_before_looks_that_wait_in_other_workers(here: Site) -> None:
    looks, acts = await budgets(here, 2, 60)
    order: list[str] = []

    async def ask(budget: SharedBudget, name: str, *, urgent: bool) -> None:
        async with budget.turn(urgent=urgent):
            order.append(name)

    await tokens(here, -0.3)
    reads = [asyncio.create_task(ask(looks, "look", urgent=False)) for _ in range(3)]
    paid = asyncio.create_task(ask(acts, "paid", urgent=True))
    await paid
    for read in reads:
        read.cancel()
    assert order[0] == "paid"


async def test_a_pause_that_one_worker_was_asked_for_is_kept_by_all(here: Site) -> None:
    one, two = await budgets(here, 2, 6000)
    await tokens(here, 5)
    one.pause(timedelta(seconds=0.4))
    await asyncio.gather(*one._pausing)
    asked_at = machine_time()
    await two._take(urgent=True)
    assert machine_time() - asked_at >= 0.3


async def test_a_turn_taken_in_advance_is_used_by_the_call_it_was_for(here: Site) -> None:
    now = [1000.0]
    await make_budgets(here.database, [PANEL])
    budget = SharedBudget(here.database, PANEL, 60, 4, lambda: now[0])
    await tokens(here, 1)
    await budget.ready()
    async with asyncio.timeout(5), budget.turn(urgent=True):
        pass  # there is no second token: this one was in the pocket
    assert budget._pocketed == []
    await tokens(here, 1)
    await budget.ready()
    now[0] += POCKETED_SECONDS + 1
    assert budget._from_pocket() is False


async def test_without_the_server_nothing_is_sent(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.cluster.budget.PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("smm_rules.cluster.budget._AWAY", 0.01)
    (budget,) = await budgets(here, 1, 60)
    await here.database.rows("DELETE FROM budgets")
    with pytest.raises(NotSent, match="can't be asked for"):
        async with budget.turn(urgent=False):
            raise AssertionError("it had a turn")


async def test_places_are_given_back_whatever_happens(here: Site) -> None:
    (budget,) = await budgets(here, 1, 6000, connections=1)
    await tokens(here, 5)
    with pytest.raises(ZeroDivisionError):
        async with budget.turn(urgent=False):
            raise ZeroDivisionError
    async with asyncio.timeout(5), budget.turn(urgent=False):
        pass
