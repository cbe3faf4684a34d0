"""One site a test, in a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster.setting import Site, site


@pytest.fixture
async def here(ledger_database: str) -> AsyncIterator[Site]:
    async with site(ledger_database) as made:
        yield made
