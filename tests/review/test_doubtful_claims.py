"""Claims of which it isn't known whether they were written are all taken back, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from tests.actions.world import MINUTE, T0, World, order


class DoubtfulLedger(SqliteLedger):
    """Every claim is written, and its answer lost."""

    async def _claim(self, *given: Any) -> bool:
        await super()._claim(*given)
        raise LedgerError("the connection was lost")

    async def claim_in_doubt(self, intent: int) -> None:
        with pytest.raises(LedgerError):
            await self.claim(intent, "daemon", T0, {})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(ledger)


async def planned(world: World) -> tuple[DoubtfulLedger, list[int]]:
    intents = []
    for number in (1, 2):
        await world.track(number)
        intents.append(await world.reorder(entity=order(number)))
    return DoubtfulLedger(world.ledger._writer), intents


async def test_one_that_falls_into_doubt_while_another_is_taken_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, (first, second) = await planned(world)
    await ledger.claim_in_doubt(first)
    write = ledger._write

    async def meanwhile(function: Any, *given: Any) -> Any:
        written = await write(function, *given)
        monkeypatch.setattr(ledger, "_write", write)
        await ledger.claim_in_doubt(second)
        return written

    monkeypatch.setattr(ledger, "_write", meanwhile)
    await ledger.claimable(T0, 10)
    await ledger.claimable(T0, 10)

    assert [await world.state(intent) for intent in (first, second)] == [IntentState.PLANNED] * 2
    assert len(await ledger.claimable(T0 + 2 * MINUTE, 10)) == 2


async def test_two_that_take_back_at_once(world: World) -> None:
    ledger, (first, second) = await planned(world)
    await ledger.claim_in_doubt(first)
    await ledger.claim_in_doubt(second)

    await asyncio.gather(*(ledger.claimable(T0, 10) for _ in range(3)))

    assert [await world.state(intent) for intent in (first, second)] == [IntentState.PLANNED] * 2
