"""Turns: one worker at a time judges a panel or claims on it, and none while rules are put into force."""

from __future__ import annotations

import asyncio

import pytest

from smm_rules.cluster.turns import CLAIMING, DECIDING, RulesOutdated, RulesTurn, Turn
from tests.cluster.setting import PANEL, Site

_PUT = "INSERT INTO rules (digest, questions, versions, worker) VALUES ('x', '{}', '{}', 'me')"
#: How long a task that must wait is watched waiting, in seconds.
_WATCHED = 0.2


def turn(here: Site, kind: int = DECIDING, panel: str = PANEL, generation: int | None = None) -> Turn:
    return Turn(here.turns, kind, panel, lambda: generation)


async def entered(one: Turn | RulesTurn, begun: asyncio.Event) -> None:
    async with one:
        begun.set()


async def waits(task: asyncio.Task[None]) -> bool:
    _, pending = await asyncio.wait((task,), timeout=_WATCHED)
    return bool(pending)


async def test_a_panels_turn_is_one_workers_at_a_time(here: Site) -> None:
    async with turn(here):
        begun = asyncio.Event()
        other = asyncio.create_task(entered(turn(here), begun))
        assert await waits(other)
    await other
    assert begun.is_set()


async def test_other_panels_and_other_kinds_go_on(here: Site) -> None:
    async with turn(here), asyncio.timeout(5):
        await entered(turn(here, panel="south"), asyncio.Event())
        await entered(turn(here, kind=CLAIMING), asyncio.Event())


async def test_tasks_of_one_worker_wait_in_line_too(here: Site) -> None:
    shared = turn(here)
    order: list[int] = []

    async def enter(number: int) -> None:
        async with shared:
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(enter(number) for number in range(4)))
    assert [order[at] == order[at + 1] for at in range(0, 8, 2)] == [True] * 4


async def test_rules_are_put_into_force_while_nobody_judges(here: Site) -> None:
    async with turn(here):
        begun = asyncio.Event()
        publisher = asyncio.create_task(entered(RulesTurn(here.turns), begun))
        assert await waits(publisher)
    await publisher
    async with RulesTurn(here.turns):
        judge = asyncio.create_task(entered(turn(here), asyncio.Event()))
        assert await waits(judge)
    await judge


async def test_who_goes_by_older_rules_gets_no_turn(here: Site) -> None:
    async with turn(here, generation=None):
        pass
    async with RulesTurn(here.turns) as connection:
        await connection.execute(_PUT)
    with pytest.raises(RulesOutdated):
        await entered(turn(here, generation=None), asyncio.Event())
    async with turn(here, generation=1):
        pass


async def test_a_refused_turn_is_free_for_others(here: Site) -> None:
    refused = turn(here, generation=7)
    with pytest.raises(RulesOutdated):
        await entered(refused, asyncio.Event())
    with pytest.raises(RulesOutdated):  # and not stuck in its own line
        await entered(refused, asyncio.Event())
    async with asyncio.timeout(5), turn(here):
        pass


async def test_a_turn_whose_connection_is_cut_ends_in_order(here: Site) -> None:
    async with turn(here):
        await here.database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'turns'"
        )
    async with asyncio.timeout(10), turn(here):
        pass


async def test_a_turn_ends_with_the_block_that_raises(here: Site) -> None:
    with pytest.raises(ZeroDivisionError):
        async with turn(here):
            raise ZeroDivisionError
    async with asyncio.timeout(5), turn(here):
        pass
