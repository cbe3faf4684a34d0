"""A short life of three workers under every kind of disturbance; `python -m tests.proof.cluster` has longer
ones."""

from __future__ import annotations

import pytest

from tests.postgres.server import binaries
from tests.proof.cluster import KILLS, OTHERS, run_world


@pytest.mark.timeout(240)
@pytest.mark.skipif(binaries() is None, reason="there is no PostgreSQL server on this machine")
async def test_workers_that_are_killed_stopped_and_cut_off_double_nothing_and_lose_nothing() -> None:
    toll = await run_world((*OTHERS, *KILLS), seed=11, lease=3)
    assert toll.wrong == []
    assert set(toll.disturbances) == {*KILLS, *OTHERS}
    assert toll.paid_effects > 0
