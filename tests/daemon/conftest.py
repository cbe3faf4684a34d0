"""One household a test, around the simulator of the `smm_panel` fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator import RunningSimulator
from tests.daemon.household import NO_RULES, Household


@pytest.fixture
async def household(tmp_path: Path, smm_panel: RunningSimulator) -> AsyncIterator[Household]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        house = Household(tmp_path, smm_panel, ledger)
        house.write_rules(NO_RULES)
        yield house
