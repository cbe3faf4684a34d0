"""One world of actions a test, and a ledger of each kind by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.ledger.port import Ledger
from smm_rules.ledger.sqlite import SqliteLedger
from tests.actions.world import World
from tests.ledger.conftest import Opener, open_ledger

__all__ = ["Opener", "open_ledger"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(ledger)


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger()
    yield opened
    await opened.aclose()
