"""The launcher of forked daemons, and a world for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.simulator import DialectName, RunningSimulator, SimulatorSettings
from tests.endtoend.processes import Launcher
from tests.endtoend.world import World, receiver


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> DialectName:
    """The panel's way of answering; parametrise a test over it to see both."""
    return getattr(request, "param", DialectName.CLASSIC)


@pytest.fixture
async def world(launcher: Launcher, tmp_path: Path, dialect: DialectName) -> AsyncIterator[World]:
    """A panel whose time stands still, a receiver that takes everything, and nothing tracked yet."""
    settings = SimulatorSettings(
        speed=0,
        dialect=dialect,
        journal=tmp_path / "panel-journal.jsonl",
        slow_for=timedelta(seconds=2),  # beyond the time-out of the tests that are about slowness
    )
    async with receiver() as hook:
        with RunningSimulator(settings) as panel:
            world = World(tmp_path, panel.url, panel.key, hook, launcher, panel)
            try:
                yield world
            finally:
                for running in world.started:
                    running.end_now()
