"""One panel for all pages of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smm_rules.simulator import AccountSettings, RunningSimulator, SimulatorSettings
from tests.docs import shop


@pytest.fixture(scope="session")
def panel() -> Iterator[str]:
    """The address of the panel that stands for the one of the pages."""
    account = AccountSettings("docs", shop.KEY)
    with RunningSimulator(SimulatorSettings(scenario="mission", accounts=(account,))) as running:
        yield running.url
