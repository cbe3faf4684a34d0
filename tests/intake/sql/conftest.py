"""What tests of databases of orders may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.ledger.sqlite import SqliteLedger
from tests.intake.sql.shops import shop
from tests.mariadb.fixtures import maria_database, mariadb

__all__ = ["ledger", "maria_database", "mariadb", "shop"]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        yield opened
