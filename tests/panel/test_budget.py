"""Turns: bounded at once, bounded a minute, the urgent first, and lost by no cancelling."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from smm_rules.panel.budget import LARGEST_BURST, Budget


class Workers:
    """Tasks that take a turn each and hold it until let go."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.began: list[str] = []
        self.let_go: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str, *, urgent: bool = False) -> None:
        self.let_go[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._work(name, urgent))
        await settle()

    async def finish(self, name: str) -> None:
        self.let_go[name].set()
        await self.tasks[name]
        await settle()

    async def _work(self, name: str, urgent: bool) -> None:
        async with self.budget.turn(urgent=urgent):
            self.began.append(name)
            await self.let_go[name].wait()


async def settle() -> None:
    """Let every task run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def workers() -> Workers:
    return Workers(Budget(requests_per_minute=1_000_000, connections=2))


async def test_no_more_requests_are_under_way_than_connections(workers: Workers) -> None:
    for name in "abc":
        await workers.start(name)
    assert workers.began == ["a", "b"]
    await workers.finish("a")
    assert workers.began == ["a", "b", "c"]
    await workers.finish("b")
    await workers.finish("c")


async def test_the_urgent_go_before_all_that_wait(workers: Workers) -> None:
    for name in "abcd":
        await workers.start(name)
    await workers.start("paid", urgent=True)
    await workers.finish("a")
    assert workers.began == ["a", "b", "paid"]
    for name in ("b", "paid", "c", "d"):
        await workers.finish(name)
    assert workers.began == ["a", "b", "paid", "c", "d"]


async def test_a_canceled_waiter_leaves_its_place_to_the_next(workers: Workers) -> None:
    for name in "abcd":
        await workers.start(name)
    workers.tasks["c"].cancel()
    await settle()
    await workers.finish("a")
    assert workers.began == ["a", "b", "d"]
    await workers.finish("b")
    await workers.finish("d")


async def test_a_place_handed_over_in_the_moment_of_canceling_is_not_lost(workers: Workers) -> None:
    for name in "abc":
        await workers.start(name)
    workers.let_go["a"].set()
    await asyncio.sleep(0)  # a gives its place to c, which hasn't run yet
    workers.tasks["c"].cancel()
    await settle()
    await workers.start("d")
    assert workers.began[-1] == "d"
    await workers.finish("b")
    await workers.finish("d")


@pytest.mark.parametrize(("a_minute", "burst"), [(1, 1), (10, 1), (20, 2), (60, 5), (600, LARGEST_BURST)])
async def test_a_burst_is_small_and_a_minute_s_sum_within_the_limit(a_minute: int, burst: int) -> None:
    budget = Budget(a_minute, connections=100)
    limiter = budget._limiter
    assert limiter.max_rate == burst
    leaked_in_a_minute = 60 * limiter.max_rate / limiter.time_period
    assert leaked_in_a_minute + (burst if burst > 1 else 0) == pytest.approx(a_minute)


async def test_a_pause_holds_every_turn_back_until_it_ends() -> None:
    workers = Workers(Budget(requests_per_minute=1_000_000, connections=2))
    loop = asyncio.get_running_loop()
    workers.budget.pause(timedelta(seconds=0.03))
    until = loop.time() + 0.03
    await workers.start("a")
    assert workers.began == []
    await workers.finish("a")
    assert workers.began == ["a"]
    assert loop.time() >= until - 0.005


async def test_a_shorter_pause_doesn_t_end_a_longer_one() -> None:
    workers = Workers(Budget(requests_per_minute=1_000_000, connections=2))
    workers.budget.pause(timedelta(hours=1))
    workers.budget.pause(timedelta(0))
    await workers.start("a")
    assert workers.began == []
    workers.tasks["a"].cancel()
    with pytest.raises(asyncio.CancelledError):
        await workers.tasks["a"]


async def test_ready_returns_when_a_place_is_free(workers: Workers) -> None:
    for name in "ab":
        await workers.start(name)
    ready = asyncio.create_task(workers.budget.ready())
    await settle()
    assert not ready.done()
    await workers.finish("a")
    await ready
    await workers.start("c")
    assert workers.began == ["a", "b", "c"]
    await workers.finish("b")
    await workers.finish("c")
