"""One world of actions a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.ledger.sqlite import SqliteLedger
from tests.actions.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield World(ledger)
